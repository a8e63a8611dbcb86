"""The days before a newcomer's first: one round of mails, what came back, and what the office wrote down.

Nothing is written into a table here. Mails leave and arrive through the practice mail server, the engine sends, fetches
and reads them, and contact records are saved as a person saves them. Practice time skips the pauses between bursts.
"""

from __future__ import annotations

import threading
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from fumibako import logs
from fumibako.apps.accounts.actions import save_account
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.routes import pop_route, smtp_route
from fumibako.apps.categories.models import Category, ContactCategory
from fumibako.apps.contacts.actions import save_record
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.inbox import work as receiving
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.office.models import Department, Operator
from fumibako.apps.office.queries import SAMPLE_OPERATOR, office
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.recipients.queries import opted_out_keys
from fumibako.apps.sending import work as sending
from fumibako.apps.sending import workers
from fumibako.apps.sending.actions import approve_bulk_send
from fumibako.apps.sending.approval import TICKS
from fumibako.apps.sending.drafts import add_people, confirm_finding, set_letter, set_sender, start_draft
from fumibako.apps.sending.inspection import inspect
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.cli.demo_mails import People, deliver, is_plain, work_on, written
from fumibako.cli.starting import data_root
from fumibako.delivery.states import State
from fumibako.practice import PracticeAddresses, PracticeServer
from fumibako.practice.people import Delays

RECORDS = Path(__file__).with_name("demo_records.toml")
COLLEAGUE = "tanaka.yumi"
EXPANDED = ("eigyo@example.jp", "oubo@example.jp")
"""Accounts whose mails become contact records by themselves; those to the others are left for the newcomer to try."""
ROUND_PEOPLE = 22
REPORTED = 2
MOST_VISITS = 50
DELAYS = Delays(bounce_seconds=0.0, answer_seconds=(2.0, 20.0))
"""Error mails first, people one after the other."""
ROUND_LESSONS = {"answer": 6, "vacation": 1, "bounce": 2, "unknown": 1, "docomo": 1, "drop": 1}
SUBJECT = "{{姓}}様 年末年始のご勤務について"
BODY = """{{氏名}}様

お世話になっております。見本スタッフです。
年末年始(12月29日〜1月3日)のご勤務の可否を、このメールへの返信でお知らせください。

可・不可だけのお返事でもかまいません。よろしくお願いいたします。"""


class PracticeTime:
    """Real time, and whatever was skipped."""

    def __init__(self) -> None:
        self._skipped = timedelta()

    def now(self) -> datetime:
        """The present."""
        return datetime.fromtimestamp(time.time(), UTC) + self._skipped

    def seconds(self) -> float:
        """The same as seconds since 1970."""
        return self.now().timestamp()

    def skip(self, stop: threading.Event, seconds: float) -> None:
        """Wait by going forward."""
        self._skipped += timedelta(seconds=seconds)

    def skip_to(self, when: datetime) -> None:
        """Go forward to `when`; never back."""
        self._skipped += max(timedelta(), when - self.now())


def live_through() -> None:
    """Let the days pass in an office where nothing has been sent, received or written down yet."""
    is_to_send = not BulkSend.objects.exclude(approved_at=None).exists()
    is_to_receive = not ReceivedMail.objects.exists()
    is_to_write = not ContactRecord.objects.filter(mail=None).exists()
    if not (is_to_send or is_to_receive or is_to_write):
        return
    logs.set_up("demo", settings.DATA.logs)
    colleague, keeper = colleagues()
    clock = PracticeTime()
    with PracticeServer(data_root() / "practice", delays=DELAYS, clock=clock.seconds) as server:
        if is_to_send:
            _send_round(server.addresses, clock, colleague)
        if is_to_receive:
            _receive(server, clock, colleague, keeper)
    if is_to_write:
        _write_records(colleague, keeper)
    Operator.objects.filter(pk=keeper.pk).update(is_active=False)


def colleagues() -> tuple[Operator, Operator]:
    """Somebody else in the office, and who keeps the newcomer's work until there is a newcomer. Neither can log in."""
    department = Department.objects.first()
    found = []
    for username, name in ((COLLEAGUE, "田中 由美"), (SAMPLE_OPERATOR, "見本 担当")):
        operator, is_new = Operator.objects.get_or_create(
            username=username, defaults={"display_name": name, "department": department}
        )
        if is_new:
            operator.set_unusable_password()
            operator.save(update_fields=["password"])
        found.append(operator)
    if not found[0].account_permissions.exists():
        _give_rights(found)
    return found[0], found[1]


def _give_rights(operators: list[Operator]) -> None:
    rights = {"may_send": True, "may_view": True, "may_configure": False}
    status = Category.objects.filter(section="連絡ステータス", number=1).first()
    way = ContactCategory.objects.filter(level=1, name="メール受信").first()
    rule = {"category1": way.pk if way else None, "status": status.pk if status else None}
    for account in MailAccount.objects.all():
        values: dict[str, Any] = {"permissions": {one.pk: rights for one in operators}}
        if account.from_address in EXPANDED:
            expansion = {"to_contact_record": True, "default_operator": operators[0].pk}
            values |= expansion | {"contact_rules": dict.fromkeys(("from", "to", "cc"), rule)}
        save_account(None, values, account_no=account.account_no)


# The round -----------------------------------------------------------------------------------------------------------


def _send_round(addresses: PracticeAddresses, clock: PracticeTime, colleague: Operator) -> None:
    account = MailAccount.objects.order_by("account_no").first()
    people = _people_of_round()
    if account is None or not people:
        return
    job = start_draft(colleague)
    set_sender(colleague, job, account, BulkSend.Kind.BUSINESS)
    add_people(colleague, job, Recipient.Kind.STAFF, people)
    job = set_letter(colleague, job, SUBJECT, BODY)
    for finding in inspect(job, clock.now()).findings:
        if finding.weight == "confirm":
            confirm_finding(colleague, job, finding.key, finding.fingerprint)
    approve_bulk_send(colleague, job.pk, version=job.version, ticks=TICKS, start="immediately", now=clock.now())
    _work_off(account, addresses, clock)


def _people_of_round() -> list[int]:
    rows = list(
        PartyAddress.objects.filter(
            recipient__kind=Recipient.Kind.STAFF,
            recipient__staff__employment__in=("working", "waiting"),
            flag=PartyAddress.Flag.SEND,
            slot=1,
        ).order_by("recipient__number")
    )
    stopped = opted_out_keys(row.address_key for row in rows)
    willing = [row for row in rows if row.address_key not in stopped]
    worn = [row for row in willing if row.error_count == 2 and is_plain(row)][:1]
    plain = [row for row in reversed(willing) if row.error_count == 0 and is_plain(row)]
    # Those about whom providers will report come first: in a list of the newest mails, people stand above robots.
    chosen = worn + plain[:REPORTED]
    for word, count in ROUND_LESSONS.items():
        chosen += [row for row in willing if f".{word}@" in row.address][:count]
    return [row.recipient_id for row in chosen + plain[REPORTED : REPORTED + ROUND_PEOPLE - len(chosen)]]


def _work_off(account: MailAccount, addresses: PracticeAddresses, clock: PracticeTime) -> None:
    """Send what is due as a worker does, its pauses skipped."""

    def route_of(account: MailAccount) -> Any:
        return replace(smtp_route(account, office()), port=addresses.smtp_port)

    around = sending.Around(now=clock.now, wait=clock.skip, route_of=route_of, short_wait=timedelta(hours=1))
    with _enlisted(clock) as worker_id:
        sending.tidy_up(clock.now())
        for _ in range(MOST_VISITS):
            wait = sending.send_account(account.pk, worker_id, threading.Event(), around)
            if wait.until is None:
                break
            clock.skip_to(wait.until)
        sending.tidy_up(clock.now())


@contextmanager
def _enlisted(clock: PracticeTime) -> Iterator[str]:
    worker_id, lock = workers.enlist(clock.now())
    try:
        yield worker_id
    finally:
        workers.retire(worker_id, lock, clock.now())


# What came back ------------------------------------------------------------------------------------------------------


def _receive(server: PracticeServer, clock: PracticeTime, colleague: Operator, keeper: Operator) -> None:
    def route_of(account: MailAccount) -> Any:
        return replace(pop_route(account, office()), port=server.addresses.pop_port)

    mails = written(clock.now(), _reported())
    deliver(server, mails)
    clock.skip(threading.Event(), DELAYS.answer_seconds[1] + 1)
    around = receiving.Around(now=clock.now, route_of=route_of)
    for account in MailAccount.objects.filter(receive_enabled=True).order_by("account_no"):
        receiving.fetch_account(account.pk, is_scheduled=True, around=around)
    receiving.read_waiting()
    with transaction.atomic():
        work_on(mails, colleague, keeper)


def _reported() -> list[Delivery]:
    """The mails of the round about which large providers will report: to the worn address first, then plain ones."""
    sent = Delivery.objects.filter(state=State.SENT.value, party_address__isnull=False).select_related("party_address")
    rows = sent.order_by("-party_address__error_count", "seq")
    return [row for row in rows if row.party_address is not None and is_plain(row.party_address)][:3]


# What was written down -----------------------------------------------------------------------------------------------


def _write_records(colleague: Operator, keeper: Operator) -> None:
    people = People()
    statuses = {row.name1: str(row.pk) for row in Category.objects.filter(section="連絡ステータス")}
    ways = {row.name: str(row.pk) for row in ContactCategory.objects.filter(level=1)}
    nexts = {row.name1: str(row.pk) for row in Category.objects.filter(section="次回対応区分")}
    with transaction.atomic():
        for table in reversed(tomllib.loads(RECORDS.read_text("utf-8"))["record"]):
            operator = keeper if table.get("mine") else colleague
            values = _record_values(table, people.person(table.get("with", "")), timezone.localtime())
            values |= {
                "operator": str(operator.pk),
                "department": str(operator.department_id or ""),
                "category1": ways.get(table["how"], ""),
                "status1": statuses.get(table.get("status", "対応中"), ""),
                "next_category": nexts.get(table.get("by", ""), "") if values["next_on"] else "",
            }
            save_record(colleague, None, values)


def _record_values(table: Mapping[str, Any], person: Recipient | None, now: datetime) -> dict[str, str]:
    at = (now - timedelta(days=table["day"])).replace(hour=10 + table["minutes"] % 7, minute=table["minutes"] % 60)
    next_on = f"{now + timedelta(days=table['next']):%Y/%m/%d}" if "next" in table else ""
    return {
        "contacted_at": f"{at:%Y/%m/%d %H:%M}",
        "minutes": str(table["minutes"]),
        "person": str(person.pk) if person else "",
        "subject": table["subject"],
        "body": table["body"],
        "response": table.get("response", ""),
        "next_on": next_on,
    }
