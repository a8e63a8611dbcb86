"""Who wrote: the card of the person, others the mail names, the send it answers, and what was noted of late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from fumibako.apps.contacts import queries as contacts
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.inbox import board as facts
from fumibako.apps.inbox import labels
from fumibako.apps.inbox.models import MailPerson, ReceivedMail
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients import labels as words
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.web.people.lists import record_url

from .listing import name_of
from .pane import NOBODY

FLAG_CSS = {"send": "ok", "do_not": "warn", "cannot": "bad"}
RECORDS = 3
NOTICE = "メールシステムからの通知です"
STATUS_CSS = {"未対応": "warn", "対応中": "key", "対応済": "ok"}


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else the mail is linked to."""

    name: str
    url: str
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of the answers' bar, in percent."""

    css: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class AnswerBoard:
    """この送信への返信."""

    url: str
    subject: str
    answered: int
    bounced: int
    silent: int
    bar: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Answer:
    """回答 of this mail."""

    value: str
    label: str
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One of the last contact records."""

    day: str
    words: str
    url: str
    status: str
    css: str


@dataclass(frozen=True, slots=True)
class Beside:
    """For `inbox/person.html`. `owner` is somebody with this address who is not linked yet."""

    lead: str
    is_notice: bool
    name: str
    url: str
    facts: Sequence[tuple[str, str, str]]
    others: Sequence[Other]
    owner: Recipient | None
    new_staff_url: str
    new_applicant_url: str
    board: AnswerBoard | None
    answer: Answer | None
    records: Sequence[RecordLine]


def beside(operator: Operator, mail: ReceivedMail) -> Beside:
    """Everything right of the mail."""
    persons = mail.persons.select_related("recipient__client_contact__client")
    links = list(persons.prefetch_related("recipient__addresses"))
    writers = [link for link in links if link.role == MailPerson.Role.FROM]
    main = next((link for link in writers if link.is_by_hand), writers[0] if writers else None)
    person = main.recipient if main else None
    owners = [] if person else facts.owners_of(mail.from_address)
    is_notice = mail.kind in NOBODY
    new = "" if person or is_notice or not mail.from_address else _prefilled(mail)
    return Beside(
        lead=NOTICE if is_notice and not person else _lead(person, writers, owners),
        is_notice=is_notice,
        name=name_of(person) if person else "",
        url=record_url(person) if person else "",
        facts=facts_of(person) if person else (),
        others=[_other(link) for link in links if link is not main],
        owner=owners[0] if len(owners) == 1 else None,
        new_staff_url=f"{reverse('people:staff_new')}?{new}" if new else "",
        new_applicant_url=f"{reverse('people:applicant_new')}?{new}" if new else "",
        board=_board_of(mail),
        answer=_answer_of(mail),
        records=_records_of(operator, person, mail),
    )


def facts_of(person: Recipient) -> list[tuple[str, str, str]]:
    """(label, value, kind of tag or "") about a person; what is empty is left out."""
    if person.kind == Recipient.Kind.STAFF:
        staff = person.staff
        lines = [
            (words.NUMBER["staff"], person.number, ""),
            ("就業", words.EMPLOYMENT[staff.employment], ""),
            ("所属部門", str(staff.department or ""), ""),
            ("電話", staff.phone, ""),
        ]
    elif person.kind == Recipient.Kind.CLIENT:
        contact = person.client_contact
        lines = [
            (words.NUMBER["client"], person.number, ""),
            ("部署・役職", f"{contact.section} {contact.title}".strip(), ""),
            ("電話", contact.phone or contact.client.phone, ""),
        ]
    else:
        applicant = person.applicant
        interview = timezone.localtime(applicant.interview_at) if applicant.interview_at else None
        lines = [
            (words.NUMBER["applicant"], person.number, ""),
            ("採用", words.STATUS[applicant.status], ""),
            ("面接", f"{interview:%m/%d %H:%M}" if interview else "", ""),
        ]
    return [line for line in lines if line[1]] + [_flag(address) for address in person.addresses.all()]


def _flag(address: PartyAddress) -> tuple[str, str, str]:
    return f"メール{address.slot}", words.FLAG[address.flag], FLAG_CSS[address.flag]


def _lead(person: Recipient | None, writers: Sequence[MailPerson], owners: Sequence[Recipient]) -> str:
    if person:
        more = "(同じアドレスの人がほかにもいます)" if len(writers) > 1 else ""
        return f"差出人は登録済みの{words.KIND[person.kind]}です{more}"
    if owners:
        return f"名簿に同じアドレスの人が {len(owners)}人います"
    return "差出人は名簿に登録されていません"


def _other(link: MailPerson) -> Other:
    person = link.recipient
    return Other(name_of(person), record_url(person), f"{words.KIND[person.kind]}・{labels.ROLES[link.role]}")


def _prefilled(mail: ReceivedMail) -> str:
    family, _, given = mail.from_name.strip().partition(" ")
    is_name = family and "@" not in mail.from_name and len(mail.from_name) <= 40
    named = {"family_name": family, "given_name": given.strip()} if is_name else {}
    return urlencode({**named, "address1": mail.from_address})


def _board_of(mail: ReceivedMail) -> AnswerBoard | None:
    if mail.job is None:
        return None
    found = facts.answers_of(mail.job)
    every = max(1, found.answered + found.bounced + found.silent)
    parts, at = [], 0.0
    for css, count in (("a", found.answered), ("b", found.bounced), ("c", found.silent)):
        width = round(count * 100 / every, 2)
        parts.append(Bar(css, round(at, 2), width))
        at += width
    return AnswerBoard(
        url=reverse("history:job", args=[mail.job.number]),
        subject=mail.job.subject,
        answered=found.answered,
        bounced=found.bounced,
        silent=found.silent,
        bar=parts,
    )


def _answer_of(mail: ReceivedMail) -> Answer | None:
    if not mail.answer:
        return None
    return Answer(mail.answer, labels.answer_text(mail.answer, True), mail.answer_is_confirmed)


def _records_of(operator: Operator, person: Recipient | None, mail: ReceivedMail) -> list[RecordLine]:
    visible = contacts.visible(operator).select_related("category1", "status1")
    found = visible.filter(recipient=person) if person else visible.filter(mail=mail)
    return [_record(row) for row in found.order_by("-contacted_at", "-id")[:RECORDS]]


def _record(row: ContactRecord) -> RecordLine:
    local = timezone.localtime(row.contacted_at)
    status = str(row.status1) if row.status1 else ""
    try:
        url = reverse("contacts:record", args=[row.full_number])
    except NoReverseMatch:
        url = ""
    head = str(row.category1) if row.category1 else ""
    text = " ・ ".join(part for part in (head, row.subject) if part)
    return RecordLine(f"{local:%m/%d}", text, url, status, STATUS_CSS.get(status, ""))
