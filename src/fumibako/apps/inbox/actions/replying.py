"""返信 and 転送: a job of one row through the account's own sending engine, held long enough to be taken back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from fumibako.apps.audit.actions import record
from fumibako.apps.office.models import Operator
from fumibako.apps.office.queries import office
from fumibako.apps.sending import ledger
from fumibako.apps.sending.addressees import note_addressees
from fumibako.apps.sending.build import Identities, JobComposer, addresses_in, seal, wire_of
from fumibako.apps.sending.drafts import ATTACHMENT_OCTETS, new_job, note
from fumibako.apps.sending.files import keep_file, read_kept_file
from fumibako.apps.sending.labels import ATTACHMENTS_NOT_ALLOWED, attachment_too_large
from fumibako.apps.sending.ledger.moves import Note, one_writer
from fumibako.apps.sending.models import BulkSend, Delivery, JobAttachment
from fumibako.delivery.states import State
from fumibako.mime.addresses import address_key, judge, tidy

from .. import labels
from ..errors import ChangedMeanwhile, NotNow, Problem, Refused
from ..locking import changed, locked_mail, name_of, require, target_of, tell
from ..models import MailPerson, MailReply, ReceivedMail
from ..quoting import first_words
from ..reader.pool import POOL, Request

PATIENCE = timedelta(hours=24)
MOST_ADDRESSES = 20
REFERENCES = 20
"""Of a long conversation the first and the newest; readers need no more (RFC 5322 §3.6.4)."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that goes along with an answer."""

    name: str
    content_type: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it stands on the screen. `to` and `cc` are addresses, separated like the account's CC item.

    The same `idempotency_key` gives the same job again: a double click makes one answer.
    """

    subject: str
    body: str
    to: str
    cc: str = ""
    attachments: Sequence[NewFile] = ()
    idempotency_key: uuid.UUID | None = None


def quoted(mail: ReceivedMail, *, is_forward: bool = False) -> Reply:
    """What the form starts with: the subject, 署名 and the quoted text; To from this mail alone."""
    subject, body = first_words(mail, is_forward=is_forward)
    answers_to = addresses_in(mail.reply_to_text.rpartition("<")[2].rstrip("> ")) or [mail.from_address]
    return Reply(subject, body, "" if is_forward else answers_to[0])


def reply(
    operator: Operator | None,
    mail: ReceivedMail,
    words: Reply,
    seen_version: int,
    *,
    force: bool = False,
    now: datetime | None = None,
) -> BulkSend:
    """返信: leaves after システム設定 → 返信を取り消せる秒数. The mail becomes 返信待ち.

    Raises ChangedMeanwhile when somebody replied, noted, linked or set the state since `seen_version`, unless `force`;
    Refused with what is missing; Unsendable; PermissionDenied.
    """
    with one_writer():
        return _answer(operator, mail, words, now or timezone.now(), None if force else seen_version, is_forward=False)


def forward(
    operator: Operator | None,
    mail: ReceivedMail,
    words: Reply,
    seen_version: int,
    *,
    force: bool = False,
    now: datetime | None = None,
) -> BulkSend:
    """転送, with the mail's own saved files. Raises what `reply` raises."""
    with one_writer():
        return _answer(operator, mail, words, now or timezone.now(), None if force else seen_version, is_forward=True)


def take_back_reply(operator: Operator | None, job: BulkSend, *, now: datetime | None = None) -> Reply:
    """取り消す, while it is held: returns what was written. Raises NotNow when sending has begun."""
    now = now or timezone.now()
    with one_writer():
        row = BulkSend.objects.select_for_update(of=("self",)).get(pk=job.pk)
        answer = MailReply.objects.select_related("mail").get(job=row)
        mail = locked_mail(operator, answer.mail)
        if row.released_at is not None or row.cancelled_at is not None:
            raise NotNow([Problem("", "", labels.CANNOT_TAKE_BACK)])
        row.cancelled_at, row.cancelled_by_name = now, name_of(operator)
        row.save(update_fields=["cancelled_at", "cancelled_by_name"])
        ledger.cancel_job(row.pk, now, Note(operator=operator, actor_name=name_of(operator)))
        note(row, "withdrawn", operator)
        MailReply.objects.filter(pk=answer.pk).update(taken_back_at=now)
        _unanswer(mail, answer)
        changed(mail, operator, now)
        mail.save()
        tell(mail, "reply_taken_back", operator, now, job=row.number)
        record(operator, "mail.reply_taken_back", target_of(mail), changes={"job": [row.number, None]})
    return _written(row)


def _answer(
    operator: Operator | None,
    mail: ReceivedMail,
    words: Reply,
    now: datetime,
    seen_version: int | None,
    *,
    is_forward: bool,
) -> BulkSend:
    row = locked_mail(operator, mail)
    require(operator, row.account, "send")
    if words.idempotency_key and (known := BulkSend.objects.filter(idempotency_key=words.idempotency_key).first()):
        return known
    if seen_version is not None and row.version != seen_version:
        raise ChangedMeanwhile(row.changed_by_name, row.changed_at or now)
    problems = list(_problems(row, words))
    if problems:
        raise Refused(problems)
    job = _job(operator, row, words, now, is_forward=is_forward)
    MailReply.objects.create(
        job=job, mail=row, is_forward=is_forward, at=now, operator_name=name_of(operator), work_before=row.work
    )
    row.is_read = True
    if not is_forward:
        row.work, row.replied_at, row.replied_by_name = ReceivedMail.Work.WAITING, now, name_of(operator)
    changed(row, operator, now)
    row.save()
    tell(row, "forwarded" if is_forward else "replied", operator, now, job=job.number)
    if is_forward:
        record(operator, "mail.forwarded", target_of(row), changes={"job": [None, job.number]})
    else:
        record(operator, "mail.replied", target_of(row), changes={"job": [None, job.number]})
    return job


def _problems(mail: ReceivedMail, words: Reply) -> Iterator[Problem]:
    account = mail.account
    if not account.smtp_host or not account.from_address:
        yield Problem("", "N01", labels.NO_SENDER_ADDRESS)
    if not words.body.strip():
        yield Problem("body", "V01", labels.NEEDS_BODY)
    yield from _problems_of_addresses(addresses_in(words.to), addresses_in(words.cc))
    if words.attachments and not account.allow_attachments:
        yield Problem("attachments", "", ATTACHMENTS_NOT_ALLOWED)
    total = sum(len(one.raw) for one in words.attachments)
    if total > ATTACHMENT_OCTETS:
        largest = max(words.attachments, key=lambda one: len(one.raw))
        yield Problem("attachments", "B06", attachment_too_large(largest.name, len(largest.raw), total))


def _problems_of_addresses(to: Sequence[str], cc: Sequence[str]) -> Iterator[Problem]:
    if not to:
        yield Problem("to", "V01", labels.NEEDS_TO)
    if len(to) + len(cc) > MOST_ADDRESSES:
        yield Problem("to", "V05", labels.TOO_MANY_TO.format(MOST_ADDRESSES))
    for field, addresses in (("to", to), ("cc", cc)):
        for address in addresses:
            if not judge(tidy(address), allow_non_rfc=True).is_accepted:
                yield Problem(field, "V04", labels.BAD_ADDRESS.format(address))


def _job(operator: Operator | None, mail: ReceivedMail, words: Reply, now: datetime, *, is_forward: bool) -> BulkSend:
    files = [*(_files_of(mail) if is_forward else ()), *words.attachments]
    kept = [(one, keep_file(one.raw)) for one in files]
    sheet = _sheet(mail, words, is_forward=is_forward)
    sheet["attachments"] = [
        {"name": one.name[:200], "content_type": one.content_type[:100], "size": len(one.raw), "sha256": sha256}
        for one, sha256 in kept
    ]
    job = new_job(
        operator,
        origin=BulkSend.Origin.REPLY,
        kind=BulkSend.Kind.BUSINESS,
        account=mail.account,
        subject=sheet["subject"],
        body=words.body,
        sheet=sheet,
        approved_at=now,
        approved_by_name=name_of(operator),
        release_at=now + timedelta(seconds=office().reply_hold_seconds),
        deadline_at=now + PATIENCE,
        selected_count=1,
        idempotency_key=words.idempotency_key or uuid.uuid4(),
    )
    JobAttachment.objects.bulk_create(JobAttachment(job=job, **one) for one in sheet["attachments"])
    row = _row(job, mail, addresses_in(words.to)[0], now)
    Identities(job, sheet).give(row, now)
    seal(row, JobComposer(sheet).compose(row))
    ledger.plan_rows([row])
    note_addressees(job.pk)
    return job


def _sheet(mail: ReceivedMail, words: Reply, *, is_forward: bool) -> dict[str, Any]:
    account = mail.account
    copies = [*addresses_in(words.to)[1:], *addresses_in(words.cc), *addresses_in(account.cc)]
    return {
        "subject": " ".join(words.subject.split())[:500],
        "body": words.body,
        "signature": "",
        "from_name": account.from_name,
        "from_address": account.from_address,
        "reply_to": account.reply_to,
        "to": words.to,
        "cc": list(dict.fromkeys(copies)),
        "cc_written": words.cc,
        "bcc": addresses_in(account.bcc),
        "charset": account.charset,
        "include_recipient_name": account.include_recipient_name,
        "allow_do_not_send": False,
        "is_as_written": True,
        "extra_headers": [] if is_forward else _links(mail),
    }


def _links(mail: ReceivedMail) -> list[tuple[str, str]]:
    """In-Reply-To and References (RFC 5322 §3.6.4)."""
    if not mail.message_id:
        return []
    before = [one for one in mail.references or [mail.in_reply_to] if one]
    known = dict.fromkeys([*before[:1], *before[-REFERENCES:], mail.message_id])
    ids = [f"<{one}>" for one in known if one.isascii() and not set(one) & set(" \r\n<>")]
    return [("In-Reply-To", ids[-1]), ("References", " ".join(ids))] if ids else []


def _row(job: BulkSend, mail: ReceivedMail, address: str, now: datetime) -> Delivery:
    address = tidy(address)
    link = MailPerson.objects.filter(mail=mail, recipient__addresses__address_key=address_key(address)).first()
    person = link.recipient if link else None
    is_sender = address_key(address) == mail.from_key
    name = person.name if person else mail.from_name if is_sender else ""
    return Delivery(
        job=job,
        account=job.account,
        seq=1,
        recipient=person,
        party_kind=person.kind if person else "",
        party_number=person.number if person else "",
        party_name=name[:120],
        address=address,
        address_key=address_key(address),
        wire_address=wire_of(address, "to"),
        state=State.PLANNED,
        changed_at=now,
    )


def _files_of(mail: ReceivedMail) -> Iterator[NewFile]:
    """The mail's saved files, taken out of its raw bytes."""
    saved = list(mail.attachments.filter(is_saved=True))
    path = str(settings.DATA.mail / mail.raw_path)
    with POOL.reader() as reader:
        answers = reader.ask([Request(path, "attachment", position=one.position) for one in saved])
    for one, answer in zip(saved, answers, strict=True):
        if not answer.failed:
            yield NewFile(one.name or "file", one.content_type, answer.raw)


def _unanswer(mail: ReceivedMail, answer: MailReply) -> None:
    """Give the mail back what it was before the answer, as far as nobody changed it since."""
    if answer.is_forward:
        return
    others = MailReply.objects.filter(mail=mail, taken_back_at=None, is_forward=False).exclude(pk=answer.pk)
    last = others.order_by("-at").first()
    mail.replied_at = last.at if last else None
    mail.replied_by_name = last.operator_name if last else ""
    if mail.work == ReceivedMail.Work.WAITING and last is None:
        mail.work = answer.work_before


def _written(job: BulkSend) -> Reply:
    files = [NewFile(one.name, one.content_type, read_kept_file(one.sha256, one.name)) for one in job.attachments.all()]
    sheet = job.sheet
    return Reply(job.subject, job.body, sheet.get("to", ""), sheet.get("cc_written", ""), files)
