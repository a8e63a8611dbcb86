"""Reading mails that are stored: the bytes are read in a limited child process, what it says is one transaction.

For a batch of mails that transaction holds: the facts on their rows, files, persons, error mails with what they do to
deliveries and addresses, search words, and whatever other apps do after a reading.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from django.conf import settings
from django.db import OperationalError
from django.db.models import F
from django.forms.models import model_to_dict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.audit.actions import record
from fumibako.apps.office.models import Operator
from fumibako.apps.office.queries import office
from fumibako.apps.sending.ledger.moves import one_writer

from .. import bulk, labels, search
from ..copies import plan_copies
from ..errors import Problem, Refused
from ..locking import changed, locked_mail, target_of, tell
from ..matching import Facts, Surroundings, join_threads, surroundings_of
from ..models import FetchRun, MailAttachment, MailPerson, ReceivedMail
from ..reader.facts import grams_by_field
from ..reader.pool import POOL, Answer, Request
from ..reading import after_reading
from ..sort_key import moment_of, sort_key
from .bouncing import prove, take_bounces

log = structlog.get_logger("fumibako.inbox")

TRIES = 3
"""A mail that breaks its reader so often is 解析不能 (C15)."""
# fmt: off
PLAIN = (
    "kind", "subject", "from_name", "from_address", "from_key", "to_text", "cc_text", "reply_to_text",
    "message_id", "in_reply_to", "references", "text", "snippet", "has_html", "charset", "problems",
)
# fmt: on
"""Facts that go onto the row as they are."""
# fmt: off
DERIVED = (
    "reading", "reading_count", "parsed_at", "charset_override", "sent_at", "at", "sort_key", "thread",
    "attachment_count", "job", "delivery", "answer",
)
# fmt: on
READ_COLUMNS = (*PLAIN, *DERIVED)
UNREAD = (*PLAIN, "parsed_at", "sent_at", "at", "thread", "attachment_count", "job", "delivery")
"""Of no use before the mail is read: fetching them would cost more than the rest of the row."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One mail and what its reader said."""

    mail: ReceivedMail
    answer: Answer


def request_of(mail: ReceivedMail) -> Request:
    """What the child is asked about a mail."""
    return Request(os.path.join(settings.DATA.mail, mail.raw_path), charset=mail.charset_override)


def read_mail(mail_id: int) -> ReceivedMail:
    """Read one stored mail now. Never raises for what the mail holds: what cannot be read is 解析不能."""
    mail = ReceivedMail.objects.get(pk=mail_id)
    with POOL.reader() as reader:
        while mail.reading == ReceivedMail.Reading.WAITING:
            take_readings([Reading(mail, reader.ask([request_of(mail)])[0])])
            mail.refresh_from_db()
    return mail


def read_again(
    operator: Operator | None, mail: ReceivedMail, charset: str = "", *, now: datetime | None = None
) -> ReceivedMail:
    """読み直し from the stored bytes, with the charset a person chose ("" = as the mail says).

    Raises Refused for a charset that is not offered.
    """
    if charset and charset not in labels.CHARSETS:
        raise Refused([Problem("charset", "V02", labels.BAD_CHARSET)])
    now = now or timezone.now()
    mail.charset_override = charset
    with POOL.reader() as reader:
        answer = reader.ask([request_of(mail)])[0]
    with one_writer():
        row = locked_mail(operator, mail)
        before = row.charset_override
        row.charset_override = charset
        _take([Reading(row, answer)], now, is_again=True)
        changed(row, operator, now)
        row.save(update_fields=["charset_override", "version", "changed_at", "changed_by_name"])
        tell(row, "read_again", operator, now, charset=charset)
        record(operator, "mail.read_again", target_of(row), changes={"charset": [before, charset]})
    return row


def take_readings(readings: Sequence[Reading], now: datetime | None = None) -> None:
    """Write down what the children said about waiting mails. One mail that cannot be written does not stop the rest."""
    now = now or timezone.now()
    try:
        with one_writer():
            _take(_still_waiting(readings), now)
    except OperationalError:
        raise
    except Exception as error:  # boundary: one mail must not keep the others of its batch from being read
        log.error("batch_unread", count=len(readings), error=error)
        if len(readings) > 1:
            for one in readings:
                take_readings([one], now)
        else:
            with one_writer():
                _fail(readings[0].mail, now)


def _still_waiting(readings: Sequence[Reading]) -> list[Reading]:
    """The mails that nobody has read meanwhile, as they are now, but for what is about to be written."""
    waiting = ReceivedMail.objects.filter(
        pk__in=[one.mail.pk for one in readings], reading=ReceivedMail.Reading.WAITING
    )
    rows = {row.pk: row for row in waiting.defer(*UNREAD)}
    accounts = MailAccount.objects.in_bulk({row.account_id for row in rows.values()})
    fetchers = Operator.objects.in_bulk({row.fetched_by_id for row in rows.values() if row.fetched_by_id})
    for row in rows.values():
        row.account = accounts[row.account_id]
        if row.fetched_by_id:
            row.fetched_by = fetchers[row.fetched_by_id]
    return [Reading(rows[one.mail.pk], one.answer) for one in readings if one.mail.pk in rows]


def _take(readings: Sequence[Reading], now: datetime, *, is_again: bool = False) -> None:
    read = [one for one in readings if one.answer.facts]
    _fail_all([one for one in readings if not one.answer.facts], now)
    if not read:
        return
    around = surroundings_of([one.answer.facts for one in read])
    if is_again:
        search.remove([_words_before(one.mail) for one in read if one.mail.reading == ReceivedMail.Reading.READ])
    for one in read:
        _fill(one.mail, one.answer.facts, around, now)
    bulk.update([one.mail for one in read], READ_COLUMNS)
    join_threads([one.mail for one in read])
    _write_attachments(read, is_again=is_again)
    _write_persons(read, around)
    search.add([search.Words(one.mail.sort_key, tuple(one.answer.facts["grams"])) for one in read])
    for one in read:
        _follow(one, around, now)
    for follow in after_reading:
        follow([one.mail for one in read])
    if not is_again:
        _count_bounces([one.mail for one in read])
    plan_copies([one.mail for one in read], office())


def _fill(mail: ReceivedMail, facts: Facts, around: Surroundings, now: datetime) -> None:
    for name in PLAIN:
        setattr(mail, name, facts[name])
    mail.sent_at = _moment(facts["sent_at"])
    mail.at = moment_of(mail.sent_at, mail.fetched_at)
    mail.sort_key = sort_key(mail.at, mail.number)
    mail.attachment_count = len(facts["attachments"])
    mail.thread = around.thread_of(facts)
    around.threads.setdefault(mail.message_id, mail.thread)
    mail.reading, mail.parsed_at = ReceivedMail.Reading.READ, now
    proof = around.proof_of([*facts["our_links"], *facts["our_ids"]])
    mail.delivery = proof.delivery if proof else None
    mail.job = proof.delivery.job if proof else None
    if not mail.answer_is_confirmed:
        mail.answer = facts["answer"][:20] if proof else ""


def _words_before(mail: ReceivedMail) -> search.Words:
    """What was added to the search table when the mail was read before."""
    return search.Words(mail.sort_key, tuple(grams_by_field(model_to_dict(mail, PLAIN))))


def _fail_all(unread: Sequence[Reading], now: datetime) -> None:
    for one in unread:
        log.warning("unread", mail=one.mail.pk, why=one.answer.failed, count=one.mail.reading_count + 1)
        _fail(one.mail, now)


def _fail(mail: ReceivedMail, now: datetime) -> None:
    """Count a try that broke the reader; the last one makes the mail 解析不能. Its raw bytes stay as they are."""
    mail.reading_count += 1
    columns = ["reading_count"]
    if mail.reading_count >= TRIES:
        mail.reading, mail.kind = ReceivedMail.Reading.UNREADABLE, ReceivedMail.Kind.UNREADABLE
        mail.parsed_at = now
        columns += ["reading", "kind", "parsed_at"]
        plan_copies([mail], office())
    mail.save(update_fields=columns)


def _write_attachments(read: Sequence[Reading], *, is_again: bool) -> None:
    if is_again:
        MailAttachment.objects.filter(mail__in=[one.mail.pk for one in read]).delete()
    MailAttachment.objects.bulk_create(
        (
            MailAttachment(mail=one.mail, position=position, is_saved=one.mail.account.save_attachments, **attachment)
            for one in read
            for position, attachment in enumerate(one.answer.facts["attachments"])
        ),
        batch_size=80,
    )


def _write_persons(read: Sequence[Reading], around: Surroundings) -> None:
    links = [
        MailPerson(mail=one.mail, recipient_id=recipient_id, role=role)
        for one in read
        for recipient_id, role in around.persons_of(one.answer.facts, one.mail.thread).items()
    ]
    MailPerson.objects.bulk_create(links, batch_size=100, ignore_conflicts=True)


def _follow(one: Reading, around: Surroundings, now: datetime) -> None:
    mail, facts = one.mail, one.answer.facts
    is_bounce = mail.kind == ReceivedMail.Kind.BOUNCE
    if is_bounce and not mail.bounces.exists():
        take_bounces(mail, facts, around, now)
    if not is_bounce:
        prove(around.proof_of([*facts["our_links"], *facts["our_ids"]]), mail, now)


def _count_bounces(mails: Sequence[ReceivedMail]) -> None:
    found = Counter(mail.run_id for mail in mails if mail.run_id and mail.kind == ReceivedMail.Kind.BOUNCE)
    for run_id, count in found.items():
        FetchRun.objects.filter(pk=run_id).update(bounce_count=F("bounce_count") + count)


def _moment(text: str | None) -> datetime | None:
    at = parse_datetime(text) if text else None
    try:
        return at.astimezone(UTC) if at is not None else None
    except (OverflowError, ValueError):
        # The year 1 in a zone east of Greenwich is before the beginning of time.
        return None
