"""やり取り: everything that passed between the office and one person, merged, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fumibako.apps.inbox import labels as inbox
from fumibako.apps.inbox.models import MailPerson, ReceivedMail
from fumibako.apps.inbox.queries import bounces_about, visible_mails
from fumibako.apps.office.models import Operator
from fumibako.apps.sending.labels import delivery_state_text
from fumibako.apps.sending.queries import mails_to

from . import queries
from .models import ContactRecord


class Kind(StrEnum):
    """What happened."""

    MAIL_OUT = "mail_out"
    MAIL_IN = "mail_in"
    BOUNCE = "bounce"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. `number` is 送信管理NO, 受信管理NO or 連絡NO by `kind`; `seq` the row of the send job.

    `state` is a word for people, `code` the stable one behind it. `contact` is the 連絡NO that a received mail became.
    """

    at: datetime
    kind: Kind
    number: str
    subject: str
    state: str
    code: str
    detail: str = ""
    who: str = ""
    seq: int = 0
    contact: str = ""


def timeline_of_all(ids: Sequence[int], operator: Operator | None, limit: int = 200) -> list[Entry]:
    """The same for several people together, such as the contacts of one company; in a few queries."""
    found = [*_mails_out(ids, limit), *_mails_in_and_contacts(ids, operator, limit), *_bounces(ids, operator, limit)]
    return sorted(found, key=lambda entry: entry.at, reverse=True)[:limit]


def _mails_out(ids: Sequence[int], limit: int) -> Iterable[Entry]:
    for row in mails_to(ids, limit):
        yield Entry(
            at=row.sent_at or row.changed_at,
            kind=Kind.MAIL_OUT,
            number=str(row.job.number),
            subject=row.job.subject,
            state=delivery_state_text(row.state),
            code=row.state,
            detail=row.address,
            who=row.job.created_by_name,
            seq=row.seq,
        )


def _mails_in_and_contacts(ids: Sequence[int], operator: Operator | None, limit: int) -> Iterable[Entry]:
    linked = MailPerson.objects.filter(recipient__in=ids).values("mail_id")
    others = (ReceivedMail.Kind.BOUNCE, ReceivedMail.Kind.DELAY)
    mails = visible_mails(operator).filter(pk__in=linked).exclude(kind__in=others).order_by("-sort_key")[:limit]
    records = queries.visible(operator).filter(recipient__in=ids).select_related("category1", "status1")
    # A mail and the record it became are one line.
    became: dict[int, str] = {}
    shown = list(mails)
    seen = {mail.pk for mail in shown}
    for record in records.order_by("-contacted_at", "-id")[:limit]:
        if record.mail_id in seen and record.branch == 0:
            became.setdefault(int(record.mail_id or 0), record.full_number)
        else:
            yield _contact(record)
    for mail in shown:
        yield _mail_in(mail, became.get(mail.pk, ""))


def _contact(record: ContactRecord) -> Entry:
    return Entry(
        at=record.contacted_at,
        kind=Kind.CONTACT,
        number=record.full_number,
        subject=record.subject,
        state=str(record.status1 or ""),
        code=str(record.status1.number) if record.status1 else "",
        detail=str(record.category1 or ""),
        who=record.operator_name,
    )


def _mail_in(mail: ReceivedMail, contact: str) -> Entry:
    return Entry(
        at=mail.at,
        kind=Kind.MAIL_IN,
        number=str(mail.number),
        subject=mail.subject,
        state=inbox.WORKS[ReceivedMail.Work(mail.work)],
        code=mail.work,
        detail=mail.from_address,
        who=mail.replied_by_name,
        contact=contact,
    )


def _bounces(ids: Sequence[int], operator: Operator | None, limit: int) -> Iterable[Entry]:
    for report in bounces_about(ids, operator)[:limit]:
        yield Entry(
            at=report.mail.at,
            kind=Kind.BOUNCE,
            number=str(report.mail.number),
            subject=report.delivery.job.subject if report.delivery else report.mail.subject,
            state=inbox.EFFECTS[type(report).Effect(report.effect)],
            code=report.effect,
            detail=report.address,
        )
