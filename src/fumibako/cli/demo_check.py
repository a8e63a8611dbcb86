"""`demo --check`: the whole circle without a browser, in practice time, and a verdict on it.

Twenty mails go out under flow control to people who accept, refuse, ask to come back later, bounce, answer, or cut the
line after the dot; four more are selected who may not be mailed. What comes back is received, read, and matched with
the mails it is about. Then the ledger, its sums and the pace it kept are held against what the practice server itself
has counted. Practice time is the clock of both sides: it skips the minutes that a greylisted mail must wait, and the
half minute that an answer takes.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from fumibako import logs
from fumibako.apps.accounts.actions import save_account
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.inbox import work as receiving
from fumibako.apps.inbox.models import FetchRun, ReceivedMail
from fumibako.apps.office.models import Department
from fumibako.apps.recipients.actions import opt_out, save_person
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.sending.actions import approve_bulk_send
from fumibako.apps.sending.approval import TICKS
from fumibako.apps.sending.drafts import add_people, confirm_finding, set_letter, set_sender, start_draft
from fumibako.apps.sending.inspection import inspect
from fumibako.apps.sending.models import BulkSend, Delivery, DeliveryEvent, JobEvent
from fumibako.apps.sending.queries import JobCounts, counts_of_job, exclusions_of_job
from fumibako.apps.sending.work import AROUND, run_worker
from fumibako.cli.demo_office import BODY, SUBJECT, open_demo_database, practice_values
from fumibako.cli.starting import require_safe
from fumibako.delivery.states import State, Trigger
from fumibako.practice import Delays, PracticeAddresses, PracticeServer

BATCH_SIZE, SLEEP_SECONDS = 5, 1
LONGEST_SECONDS = 50.0
LOOK_SECONDS = 0.1
SHORT_WAIT_SECONDS = 5.0
ANSWERS_WITHIN_SECONDS = 60.0
SENDER = "check@example.jp"
DEPARTMENT = "01"

WORDS = ["", "", "", "", "", "", "", "", "", "slow"]
WORDS += ["unknown", "docomo", "refuse", "later", "later", "bounce", "bounce-docomo", "answer", "vacation", "drop"]
"""How the twenty people behave, by the practice server's table; "" accepts."""
FAILING = ("unknown", "docomo", "refuse")
BOUNCING = ("bounce", "bounce-docomo")
COMING_BACK = (*BOUNCING, "answer", "vacation")
EXCLUDED = ("no_address", "do_not", "cannot", "opt_out")


class PracticeClock:
    """The time of the check: real time, and whatever was skipped."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def seconds(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._skipped

    def now(self) -> datetime:
        """The same as a datetime."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def skip_to(self, when: datetime) -> None:
        """Go forward to `when`; never back."""
        self._skipped += max(0.0, (when - self.now()).total_seconds())

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Sit out what is short, skip what is long."""
        if seconds <= SHORT_WAIT_SECONDS:
            stop.wait(seconds)
        else:
            self.skip_to(self.now() + timedelta(seconds=seconds))


@dataclass(frozen=True, slots=True)
class Circle:
    """What came of it."""

    job: BulkSend
    counts: JobCounts
    runs: tuple[FetchRun, ...]
    """Receiving, and receiving once more: nothing may come twice."""
    is_in_time: bool
    seconds: float


def run_check() -> int:
    """Go round once, print one JSON line, return 0 only when everything adds up."""
    begun_at = time.monotonic()
    clock = PracticeClock()
    open_demo_database()
    require_safe()
    logs.set_up("check", settings.DATA.logs)
    delays = Delays(slow_seconds=0.2)
    with PracticeServer(settings.DATA.root / "practice", delays=delays, clock=clock.seconds) as server:
        job = _approve(server.addresses, clock)
        with _worker(clock):
            is_in_time = _wait_for_end(job, clock, begun_at)
        clock.skip_to(clock.now() + timedelta(seconds=ANSWERS_WITHIN_SECONDS))
        runs = _receive(job, clock)
        circle = Circle(job, counts_of_job(job), runs, is_in_time, time.monotonic() - begun_at)
        found, wrong = report_of(circle, server)
    print(json.dumps(found, ensure_ascii=False), flush=True)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 0 if found["ok"] else 1


def _approve(addresses: PracticeAddresses, clock: PracticeClock) -> BulkSend:
    pace = {"batch_size": BATCH_SIZE, "sleep_seconds": SLEEP_SECONDS, "stop_failure_percent": 0}
    sender = {
        "name": "一周試験",
        "from_name": "見本スタッフ",
        "from_address": SENDER,
        "user_id": SENDER,
        "to_contact_record": True,
    }
    account = save_account(None, practice_values(addresses) | sender | pace)
    _make_people()
    job = start_draft(None)
    set_sender(None, job, account, BulkSend.Kind.BUSINESS)
    add_people(None, job, Recipient.Kind.STAFF, {})
    job = set_letter(None, job, SUBJECT, BODY)
    for finding in inspect(job, clock.now()).findings:
        if finding.weight == "confirm":
            confirm_finding(None, job, finding.key, finding.fingerprint)
    return approve_bulk_send(None, job.pk, version=job.version, ticks=TICKS, start="immediately", now=clock.now())


def _make_people() -> None:
    Department.objects.create(code=DEPARTMENT, name="東京本社")
    for number, word in enumerate(WORDS, start=1):
        local = f"person{number:02d}.{word}" if word else f"person{number:02d}"
        _make_person(f"見本 一{number:02d}", f"{local}@example.com")
    _make_person("見本 未登録", "")
    _make_person("見本 送らない", "quiet@example.com", flag1=PartyAddress.Flag.DO_NOT, flag_reason1="本人の希望")
    _make_person("見本 送れない", "broken@example.com", flag1=PartyAddress.Flag.CANNOT, flag_reason1="宛先不明")
    _make_person("見本 停止", "stopped@example.com")
    opt_out("stopped@example.com", "link")


def _make_person(name: str, address: str, **more: str) -> None:
    values = {"name": name, "address1": address, "department": DEPARTMENT, **more}
    save_person(None, Recipient.Kind.STAFF, values)


@contextmanager
def _worker(clock: PracticeClock) -> Iterator[None]:
    around = replace(AROUND, now=clock.now, wait=clock.wait, short_wait=timedelta(seconds=SHORT_WAIT_SECONDS))
    stop = threading.Event()
    thread = threading.Thread(target=_work, args=(stop, around), name="check-worker")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _work(stop: threading.Event, around: Any) -> None:
    try:
        run_worker(stop, around)
    finally:
        connection.close()


def _wait_for_end(job: BulkSend, clock: PracticeClock, begun_at: float) -> bool:
    pause = threading.Event()
    while time.monotonic() - begun_at < LONGEST_SECONDS:
        counts = counts_of_job(job)
        if not counts.waiting:
            return True
        is_only_waiting = counts.waiting == counts.deferred and not counts.in_flight
        if is_only_waiting and counts.next_try_at is not None:
            clock.skip_to(counts.next_try_at)
        pause.wait(LOOK_SECONDS)
    return False


def _receive(job: BulkSend, clock: PracticeClock) -> tuple[FetchRun, ...]:
    around = receiving.Around(now=clock.now)
    runs = [receiving.fetch_account(job.account_id, around=around) for _ in range(2) if job.account_id]
    receiving.read_waiting()
    return tuple(run for run in runs if run is not None)


def report_of(circle: Circle, server: PracticeServer) -> tuple[dict[str, Any], list[str]]:
    """Return the line to print, and what is wrong, in sentences."""
    counts, rows = circle.counts, list(circle.job.deliveries.order_by("seq"))
    arrived_count = len(server.mails_of(SENDER))
    wrong = [*_wrong_sums(circle), *_wrong_copies(rows, server), *_wrong_pace(circle.job), *_wrong_receiving(circle)]
    if arrived_count != len(COMING_BACK):
        wrong.append(f"返信とエラーメールが {len(COMING_BACK)}通届くはずが、{arrived_count}通でした。")
    return {
        "ok": not wrong,
        "selected": counts.total,
        "mails": counts.mail_count,
        "sent": counts.sent,
        "failed": counts.failed,
        "unknown": counts.unknown,
        "excluded": counts.excluded,
        "waiting": counts.waiting,
        "unsent": counts.unsent,
        "excluded_by_reason": exclusions_of_job(circle.job),
        "retried": sum(1 for row in rows if row.deferred_count),
        "bursts": JobEvent.objects.filter(job=circle.job, what="burst_started").count(),
        "batch_size": BATCH_SIZE,
        "sleep_seconds": SLEEP_SECONDS,
        "server_accepted": server.accepted_count,
        "most_copies_per_person": max(server.copies_of(row.wire_address) for row in rows if row.wire_address),
        "came_back": arrived_count,
        "received": ReceivedMail.objects.count(),
        "bounced": counts.bounced,
        "matched": ReceivedMail.objects.filter(job=circle.job, delivery__isnull=False).count(),
        "contacts": ContactRecord.objects.count(),
        "seconds": round(circle.seconds, 1),
    }, wrong


def _wrong_sums(circle: Circle) -> Iterator[str]:
    counts = circle.counts
    expected = {
        "sent": len(WORDS) - len(FAILING) - len(BOUNCING) - 1,
        "failed": len(FAILING) + len(BOUNCING),
        "bounced": len(BOUNCING),
        "unknown": 1,
        "excluded": len(EXCLUDED),
    }
    if not circle.is_in_time:
        yield f"{LONGEST_SECONDS:.0f}秒で終わりませんでした({counts.waiting}通が残っています)。"
    for name, count in expected.items():
        if getattr(counts, name) != count:
            yield f"{name} は {count} のはずが、{getattr(counts, name)} でした。"
    if counts.sent + counts.failed + counts.unknown + counts.excluded != counts.total:
        yield "合計が選択した件数と合いません。"
    if set(exclusions_of_job(circle.job)) != set(EXCLUDED):
        yield f"除外の理由が違います: {exclusions_of_job(circle.job)}"


def _wrong_copies(rows: list[Delivery], server: PracticeServer) -> Iterator[str]:
    """What the server took must be what the ledger says, person by person."""
    wanted = {State.SENT: 1, State.BOUNCED: 1, State.UNKNOWN: 1}
    for row in rows:
        copies = server.copies_of(row.wire_address or row.address)
        if copies != wanted.get(State(row.state), 0):
            yield f"明細 {row.seq}({row.state})を、サーバーは {copies}通受け取っています。"
    if server.accepted_count != sum(1 for row in rows if State(row.state) in wanted):
        yield f"サーバーが受け取った合計({server.accepted_count}通)が、送信台帳と合いません。"


def _wrong_receiving(circle: Circle) -> Iterator[str]:
    """Everything that came back is here once, and every mail of it knows which of ours it is about."""
    stored = [run.stored_count for run in circle.runs]
    if stored != [len(COMING_BACK), 0] or any(run.trouble_kind for run in circle.runs):
        yield f"受信は {len(COMING_BACK)}通と 0通のはずが、{stored} でした。"
    kinds = Counter(ReceivedMail.objects.values_list("kind", flat=True))
    if kinds != {"bounce": len(BOUNCING), "ordinary": 1, "auto_reply": 1}:
        yield f"受信したメールの種別が違います: {dict(kinds)}"
    strangers = ReceivedMail.objects.filter(delivery=None).count()
    if strangers:
        yield f"どの送信への返信・エラーか分からないメールが {strangers}通あります。"
    counted = PartyAddress.objects.filter(error_count=1, address__contains="bounce").count()
    if counted != len(BOUNCING):
        yield f"エラーメールで数えたアドレスは {len(BOUNCING)}件のはずが、{counted}件でした。"


def _wrong_pace(job: BulkSend) -> Iterator[str]:
    """Between a mail and the fifth one after it lies a whole pause, wherever one looks."""
    claims = DeliveryEvent.objects.filter(delivery__job=job, trigger=Trigger.CLAIM).order_by("at")
    times = list(claims.values_list("at", flat=True))
    for first, later in zip(times, times[BATCH_SIZE:], strict=False):
        if (later - first).total_seconds() < SLEEP_SECONDS:
            yield f"{BATCH_SIZE}通ごとの休止({SLEEP_SECONDS}秒)が守られていません({first:%H:%M:%S})。"
            return
