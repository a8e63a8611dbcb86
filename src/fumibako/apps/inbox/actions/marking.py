"""未読・既読, 状態, 担当, メモ, 削除, and who has a mail open."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from fumibako.apps.audit.actions import record
from fumibako.apps.office.models import Operator

from .. import labels
from ..errors import Problem, Refused
from ..locking import changed, locked_mail, name_of, require, target_of, tell
from ..models import MailNote, Presence, ReceivedMail


def mark_read(operator: Operator | None, mail: ReceivedMail) -> None:
    """既読: one light mark for everyone, without a version or an audit entry."""
    _mark(operator, mail, is_read=True)


def mark_unread(operator: Operator | None, mail: ReceivedMail) -> None:
    """未読にする."""
    _mark(operator, mail, is_read=False)


def _mark(operator: Operator | None, mail: ReceivedMail, *, is_read: bool) -> None:
    require(operator, mail.account, "view")
    ReceivedMail.objects.filter(pk=mail.pk).exclude(is_read=is_read).update(is_read=is_read)
    mail.is_read = is_read


def set_work(operator: Operator | None, mail: ReceivedMail, work: str, *, now: datetime | None = None) -> ReceivedMail:
    """未処理・返信待ち・処理済み. Setting what it is already changes nothing. Raises Refused for any other word."""
    if work not in ReceivedMail.Work.values:
        raise Refused([Problem("work", "V02", labels.NO_SUCH_WORK)])
    now = now or timezone.now()
    with transaction.atomic():
        row = locked_mail(operator, mail)
        if row.work == work:
            return row
        before, row.work = row.work, work
        changed(row, operator, now)
        row.save(update_fields=["work", "version", "changed_at", "changed_by_name"])
        tell(row, "work_set", operator, now, work=[before, work])
        record(operator, "mail.work_set", target_of(row), changes={"work": [before, work]})
    return row


def assign(
    operator: Operator | None, mail: ReceivedMail, assignee: Operator | None, *, now: datetime | None = None
) -> ReceivedMail:
    """担当; None = nobody."""
    now = now or timezone.now()
    with transaction.atomic():
        row = locked_mail(operator, mail)
        if assignee is not None:
            require(assignee, row.account, "view")
        before = row.assignee
        if before == assignee:
            return row
        row.assignee = assignee
        changed(row, operator, now)
        row.save(update_fields=["assignee", "version", "changed_at", "changed_by_name"])
        names = [str(before or ""), str(assignee or "")]
        tell(row, "assigned", operator, now, assignee=names)
        record(operator, "mail.assigned", target_of(row), changes={"assignee": names})
    return row


def add_note(operator: Operator | None, mail: ReceivedMail, text: str, *, now: datetime | None = None) -> MailNote:
    """メモ. Raises Refused when it is empty."""
    if not text.strip():
        raise Refused([Problem("note", "V01", labels.NEEDS_TEXT)])
    now = now or timezone.now()
    with transaction.atomic():
        row = locked_mail(operator, mail)
        note = MailNote.objects.create(mail=row, at=now, operator_name=name_of(operator), text=text.strip()[:10_000])
        changed(row, operator, now)
        row.save(update_fields=["version", "changed_at", "changed_by_name"])
        tell(row, "noted", operator, now)
        record(operator, "mail.noted", target_of(row))
    return note


def delete_mail(operator: Operator | None, mail: ReceivedMail, *, now: datetime | None = None) -> None:
    """削除, from our lists only: the raw bytes stay, the mail is not fetched again. Twice is once."""
    now = now or timezone.now()
    with transaction.atomic():
        row = locked_mail(operator, mail)
        if row.deleted_at is not None:
            return
        row.deleted_at = now
        changed(row, operator, now)
        row.save(update_fields=["deleted_at", "version", "changed_at", "changed_by_name"])
        tell(row, "deleted", operator, now)
        record(operator, "mail.deleted", target_of(row))


def touch_presence(
    operator: Operator, mail: ReceivedMail, is_writing: bool = False, *, now: datetime | None = None
) -> None:
    """Say that `operator` has the mail open now; it holds for 30 seconds."""
    require(operator, mail.account, "view")
    Presence.objects.update_or_create(
        mail=mail, operator=operator, defaults={"is_writing": is_writing, "seen_at": now or timezone.now()}
    )


def leave(operator: Operator, mail: ReceivedMail) -> None:
    """Say that `operator` closed the mail."""
    Presence.objects.filter(mail=mail, operator=operator).delete()
