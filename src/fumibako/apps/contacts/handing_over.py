"""担当の引き継ぎ: what one operator still has to do becomes another's."""

from __future__ import annotations

from django.db import transaction

from fumibako.apps.inbox.actions import assign
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.office.models import Operator

from . import queries, sheets
from .actions import save_record


@transaction.atomic
def hand_over(source: Operator, target: Operator) -> int:
    """Give 次回対応 that is not ticked and mails that are not 処理済み from `source` to `target`; return how many."""
    mails = list(ReceivedMail.objects.filter(assignee=source).exclude(work=ReceivedMail.Work.DONE))
    for mail in mails:
        assign(None, mail, target)
    rows = list(queries.to_follow_up(source))
    for row in rows:
        save_record(None, row, sheets.sheet_of(row) | {"operator": str(target.pk)})
    return len(mails) + len(rows)
