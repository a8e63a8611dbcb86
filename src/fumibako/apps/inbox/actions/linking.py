"""紐付け by hand, and 回答 confirmed by a person."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from fumibako.apps.audit.actions import record
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import Recipient

from ..locking import changed, locked_mail, name_of, target_of, tell
from ..models import MailPerson, ReceivedMail


def link_person(
    operator: Operator | None,
    mail: ReceivedMail,
    recipient: Recipient,
    role: str = MailPerson.Role.FROM,
    *,
    now: datetime | None = None,
) -> MailPerson:
    """この人を紐付け; a person linked already only changes place."""
    now = now or timezone.now()
    with transaction.atomic():
        row = locked_mail(operator, mail)
        values = {"role": role, "is_by_hand": True, "operator_name": name_of(operator)}
        link, _ = MailPerson.objects.update_or_create(mail=row, recipient=recipient, defaults=values)
        _note(operator, row, "linked", recipient, now)
        record(operator, "mail.linked", target_of(row), changes={"person": [None, _name_of(recipient)]})
    return link


def unlink_person(
    operator: Operator | None, mail: ReceivedMail, recipient: Recipient, *, now: datetime | None = None
) -> None:
    """紐付けない. Twice is once."""
    now = now or timezone.now()
    with transaction.atomic():
        row = locked_mail(operator, mail)
        count, _ = MailPerson.objects.filter(mail=row, recipient=recipient).delete()
        if count:
            _note(operator, row, "unlinked", recipient, now)
            record(operator, "mail.unlinked", target_of(row), changes={"person": [_name_of(recipient), None]})


def confirm_answer(
    operator: Operator | None, mail: ReceivedMail, answer: str, *, now: datetime | None = None
) -> ReceivedMail:
    """回答 as a person read it; "" = none. No longer 推定."""
    now = now or timezone.now()
    with transaction.atomic():
        row = locked_mail(operator, mail)
        before = row.answer
        row.answer, row.answer_is_confirmed = answer.strip()[:20], True
        changed(row, operator, now)
        row.save(update_fields=["answer", "answer_is_confirmed", "version", "changed_at", "changed_by_name"])
        tell(row, "answer_confirmed", operator, now, answer=[before, row.answer])
        record(operator, "mail.answer_confirmed", target_of(row), changes={"answer": [before, row.answer]})
    return row


def _note(operator: Operator | None, row: ReceivedMail, what: str, recipient: Recipient, now: datetime) -> None:
    changed(row, operator, now)
    row.save(update_fields=["version", "changed_at", "changed_by_name"])
    tell(row, what, operator, now, person=recipient.pk)


def _name_of(recipient: Recipient) -> str:
    return f"{recipient.kind}:{recipient.number}"
