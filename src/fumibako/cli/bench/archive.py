"""A desk after many years: people, sends with all their rows, received mails that can be searched, contact records.

Written by whole statements through the models' own columns. Everything is invented and the same on every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.inbox import bulk, search
from fumibako.apps.inbox.models import BounceReport, MailPerson, ReceivedMail
from fumibako.apps.inbox.reader.grams import grams_of
from fumibako.apps.inbox.sort_key import sort_key
from fumibako.apps.office.models import Department, Operator
from fumibako.apps.recipients.models import PartyAddress, Recipient, Staff
from fumibako.apps.sending.addressees import note_addressees
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.delivery.states import State

from .mailbox import PLACES, SENDERS, TOPICS

NAME = "bench"
"""Who looks at everything; has this name only once all is written."""
AT_ONCE = 5_000
PEOPLE = 20_000
ORDINARY_JOB = 1_000
LARGE_JOB_SHARE = 10
"""One send in the middle has this part (a tenth) of all deliveries."""
OPEN_EVERY, WAITING_EVERY, BOUNCE_EVERY, LINKED_EVERY = 50, 400, 40, 4
# fmt: off
MAIL_COLUMNS = (
    "at", "fetched_at", "sent_at", "id", "number", "account_id", "sort_key", "raw_sha256", "raw_path", "kind", "work",
    "assignee_id", "from_name", "from_address", "from_key", "to_text", "subject", "snippet", "text", "message_id",
    "thread",
)
# fmt: on
DAY = timedelta(days=1)
YEARS = 3 * 365 * DAY
KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワ"


def fill(mails: int, deliveries: int, contacts: int) -> Operator:
    """Write everything; return an operator who may see it all."""
    now = timezone.now()
    operator = Operator.objects.create(username="filling", display_name="測定 担当", is_administrator=True)
    Operator.objects.create(username="other", display_name="別の 担当")
    accounts = [_account(number) for number in range(1, 6)]
    _fast_and_careless(True)
    with transaction.atomic():
        _write_people()
    _write_deliveries(deliveries, accounts, operator, now)
    _write_mails(mails, accounts, operator, now)
    with transaction.atomic():
        _write_contacts(contacts, operator, now)
    _fast_and_careless(False)
    operator.username = NAME
    operator.save()
    return operator


def _fast_and_careless(is_so: bool) -> None:
    """Nothing here outlives the measurement: what a power cut would cost is a second run."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA synchronous={'OFF' if is_so else 'FULL'}")
            cursor.execute(f"PRAGMA cache_size={-500_000 if is_so else -2_000}")


def _account(number: int) -> MailAccount:
    return MailAccount.objects.create(
        account_no=number,
        name=f"受付{number}",
        receive_enabled=True,
        pop_host="pop.example.jp",
        smtp_host="smtp.example.jp",
        user_id=f"desk{number}",
        from_name="見本スタッフ",
        from_address=f"desk{number}@example.jp",
    )


def _moment(number: int, count: int, now: datetime) -> datetime:
    """When the one with this number of so many was: spread over the years, the last one now."""
    return now - YEARS * ((count - number) / count)


def _portions(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    rest = iter(rows)
    while portion := list(islice(rest, AT_ONCE)):
        yield portion


def _address(number: int) -> str:
    return f"p{number:06}@sender{number % 50}.example"


def _names(number: int) -> tuple[str, str]:
    family, given = SENDERS[number % len(SENDERS)].split(" ")
    return family, f"{given}{number % 977}"


def _kana(number: int) -> str:
    return "".join(KANA[number * step % len(KANA)] for step in (1, 3, 7, 11))


def _write_people() -> None:
    department = Department.objects.get_or_create(code="01", defaults={"name": "東京本社"})[0]
    numbers = range(1, PEOPLE + 1)
    people = [(n, f"{n:06}", *_names(n), _kana(n)) for n in numbers]
    bulk.insert(Recipient(kind="staff"), ("id", "number", "family_name", "given_name", "kana"), people)
    bulk.insert(Staff(department=department), ("recipient_id",), [(n,) for n in numbers])
    addresses = [(n, n, _address(n), _address(n)) for n in numbers]
    bulk.insert(PartyAddress(slot=1), ("id", "recipient_id", "address", "address_key"), addresses)


def _write_deliveries(count: int, accounts: Sequence[MailAccount], operator: Operator, now: datetime) -> None:
    sizes = [ORDINARY_JOB] * (count * (LARGE_JOB_SHARE - 1) // LARGE_JOB_SHARE // ORDINARY_JOB)
    sizes.insert(len(sizes) // 2, count - sum(sizes))
    for number, size in enumerate(sizes, start=1):
        at = _moment(number, len(sizes), now)
        account = accounts[number % len(accounts)]
        with transaction.atomic():
            job = _job(number, size, account, operator, at)
            for portion in _portions(_deliveries(job, size)):
                sample = Delivery(job=job, account=account, party_kind="staff", attempt=1, changed_at=at, sent_at=at)
                names = ("seq", "recipient_id", "party_address_id", "party_number", "party_name", "address")
                bulk.insert(sample, (*names, "address_key", "message_id", "state", "code", "text"), portion)
            note_addressees(job.pk)


def _job(number: int, size: int, account: MailAccount, operator: Operator, at: datetime) -> BulkSend:
    job = BulkSend.objects.create(
        number=number,
        account=account,
        subject=TOPICS[number % len(TOPICS)] + "のお知らせ",
        created_by=operator,
        created_by_name=str(operator),
        approved_at=at,
        approved_by_name=str(operator),
        release_at=at,
        released_at=at,
        first_sent_at=at,
        finished_at=at,
        selected_count=size,
    )
    BulkSend.objects.filter(pk=job.pk).update(created_at=at)
    return job


def _deliveries(job: BulkSend, size: int) -> Iterator[tuple[Any, ...]]:
    for seq in range(1, size + 1):
        person = (job.number * 37 + seq) % PEOPLE + 1
        state, code, text = State.SENT, 250, ""
        if seq % 97 == 0:
            state, code, text = State.FAILED, 550, "5.1.1 no such user"
        # The large send writes to everybody several times, and never to one address twice.
        address = f"s{(seq - 1) // PEOPLE}.{_address(person)}"
        name = " ".join(_names(person))
        key = f"fb.{job.number}.{seq}.{person:024x}@example.jp"
        yield seq, person, person, f"{person:06}", name, address, address, key, state.value, code, text


def _write_mails(count: int, accounts: Sequence[MailAccount], operator: Operator, now: datetime) -> None:
    texts = [_text(variant) for variant in range(500)]
    for first in range(1, count + 1, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count + 1))
        moments = [_moment(number, count, now) for number in numbers]
        with transaction.atomic():
            _write_portion(list(zip(numbers, moments, strict=True)), accounts, operator, texts)


def _write_portion(
    mails: Sequence[tuple[int, datetime]],
    accounts: Sequence[MailAccount],
    operator: Operator,
    texts: Sequence[tuple[str, str]],
) -> None:
    sample = ReceivedMail(charset="utf-8", raw_size=2_000, reading="read", parsed_at=mails[0][1], is_read=True)
    rows, words = [], []
    for number, at in mails:
        address, name = _address(number % PEOPLE + 1), SENDERS[number % len(SENDERS)]
        subject = f"{TOPICS[number % len(TOPICS)]}について({PLACES[number % len(PLACES)]})"
        text, grams = texts[number * 31 % len(texts)]
        key, to = sort_key(at, number), f"desk{number % 5 + 1}@example.jp"
        work, kind = _work_of(number), "bounce" if number % BOUNCE_EVERY == 0 else "ordinary"
        when = (connection.ops.adapt_datetimefield_value(at),) * 3
        keys = (number, number, accounts[number % 5].pk, key, f"{number:064x}", f"1/{number}.eml", kind, work)
        person = (operator.pk if number % (OPEN_EVERY * 4) == 0 else None, name, address, address, to)
        rows.append((*when, *keys, *person, subject, text[:100], text, f"{number:x}@bench.example", f"{number:x}"))
        found = [" ".join(grams_of(one)) for one in (f"{name} {address}", to, f"{subject} {number}")]
        words.append(search.Words(key, (*found, grams)))
    bulk.insert(sample, MAIL_COLUMNS, rows)
    search.add(words)
    linked = [(number, number % PEOPLE + 1) for number, _ in mails if number % LINKED_EVERY == 0]
    bulk.insert(MailPerson(role="from"), ("mail_id", "recipient_id"), linked)
    numbers = [number for number, _ in mails if number % BOUNCE_EVERY == 0]
    failed = [(n, _address(n % PEOPLE + 1), _address(n % PEOPLE + 1), n % PEOPLE + 1) for n in numbers]
    report = BounceReport(position=0, action="failed", reason="userunknown", is_hard=True, effect="counted", code=550)
    bulk.insert(report, ("mail_id", "address", "address_key", "party_address_id"), failed)


def _work_of(number: int) -> str:
    if number % WAITING_EVERY == 1:
        return "waiting"
    return "open" if number % OPEN_EVERY == 0 else "done"


def _text(variant: int) -> tuple[str, str]:
    """A text and its grams."""
    topic, place = TOPICS[variant % len(TOPICS)], PLACES[variant * 3 % len(PLACES)]
    text = (
        f"お世話になっております。{place}支店の{SENDERS[variant * 5 % len(SENDERS)]}です。"
        f"{topic}についてご連絡いたします。{variant % 28 + 1}日の午後に伺います。整理番号は {variant:05} です。"
    )
    return text, " ".join(grams_of(text))


def _write_contacts(count: int, operator: Operator, now: datetime) -> None:
    department = Department.objects.get(code="01")
    sample = ContactRecord(operator=operator, operator_name=str(operator), department=department, created_by="bench")
    rows = (
        (
            connection.ops.adapt_datetimefield_value(_moment(number, count, now)),
            number,
            number % PEOPLE + 1,
            f"{TOPICS[number % len(TOPICS)]}の電話",
            "折り返しの連絡を待っています。",
        )
        for number in range(1, count + 1)
    )
    for portion in _portions(rows):
        bulk.insert(sample, ("contacted_at", "number", "recipient_id", "subject", "body"), portion)
