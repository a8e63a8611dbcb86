"""Taking a restored or copied data folder into use: an administrator's decision, and what it does to waiting mail."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.utils import timezone

from fumibako.apps.audit.actions import record
from fumibako.apps.office import instance
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import Problem, Refused
from fumibako.apps.office.queries import outbound_hold
from fumibako.apps.sending import ledger
from fumibako.apps.sending.drafts import actor_name
from fumibako.apps.sending.ledger.moves import Note, one_writer

NOT_HELD = "送信も受信も止めていません。解除するものはありません。"
UNFINISHED = "復元が途中で止まっています。もう一度「./fumibako restore FILE」を実行してください。"
MORE_HAPPENED = (
    "この記録は、いちばん新しいものではありません。あとで何が送られたか分からないため、"
    "「写したあとは送っていない」として解除することはできません。"
)
REASON = "控えから戻した"


def release_copy(
    operator: Operator | None, *, is_nothing_sent_since: bool = False, now: datetime | None = None
) -> ledger.Doubted:
    """Let this data folder send and fetch again. What may have been sent since the copy was made becomes 結果不明.

    With `is_nothing_sent_since` somebody vouches that the original has not run since it was copied (a move to another
    computer): then everything goes on as it stands. Raises Refused when nothing is held, when a restore is unfinished,
    and when that cannot be true; PermissionDenied for anybody but an administrator. None is the command line.
    """
    if operator is not None and not operator.is_administrator:
        raise PermissionDenied
    now = now or timezone.now()
    why = outbound_hold()
    trouble = _objection(why, is_nothing_sent_since=is_nothing_sent_since)
    if trouble:
        raise Refused([Problem("", "", trouble)])
    with instance.alone(), one_writer():
        doubted = ledger.Doubted()
        if not is_nothing_sent_since:
            note = Note(operator=operator, actor_name=actor_name(operator)[:100], reason=REASON)
            doubted = ledger.doubt_waiting(now, note)
        changes = {"hold": [why, ""], "unknown": [0, doubted.unknown_count], "paused": [0, doubted.paused_count]}
        record(operator, "office.released", "office", changes=changes)
        # Last, for the file beside the database cannot be rolled back. A kill after it leaves a hold, never a release.
        instance.let_go()
    return doubted


def _objection(why: str, *, is_nothing_sent_since: bool) -> str:
    if not why:
        return NOT_HELD
    if why == instance.RESTORING:
        return UNFINISHED
    return MORE_HAPPENED if is_nothing_sent_since and why in instance.PROVES_MORE_HAPPENED else ""
