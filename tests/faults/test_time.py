"""Clocks that jump, run apart, or know hours that do not exist: nobody gets two, and no login lasts longer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from fumibako.apps.accounts.labels import trouble_text
from fumibako.apps.inbox.actions import reading
from fumibako.apps.inbox.sort_key import moment_of
from fumibako.apps.office.models import Operator
from fumibako.apps.sending import ledger, workers
from fumibako.apps.sending.labels import clock
from fumibako.apps.sending.models import Delivery
from fumibako.apps.sending.work import send_account, tidy_up
from fumibako.delivery.states import State
from fumibako.mime.read import read
from fumibako.services.mailer import SmtpRoute, Trouble, TroubleKind
from fumibako.services.opening import Surroundings
from fumibako.transport import tls
from tests.support.jobs import NOW, FakeTime, around, make_account, make_job, make_people, states_of
from tests.support.mailer import Mailer
from tests.support.peers.certificates import Authority
from tests.support.peers.smtp import SmtpScript
from tests.support.peers.tcp import Peer
from tests.support.post_office import PostOffice


@dataclass
class JumpingTime(FakeTime):
    """A wall clock that somebody sets while work goes on; what is waited for goes by as ever."""

    jumps: list[timedelta] = field(default_factory=list)

    def read(self) -> datetime:
        """The time, after the next jump if there is one."""
        if self.jumps:
            self.now += self.jumps.pop(0)
        return self.now


def to_1970(since: datetime) -> timedelta:
    return datetime(1970, 1, 2, tzinfo=UTC) - since


JUMPS = {
    "an hour on": [timedelta(hours=1)],
    "an hour back": [timedelta(hours=-1)],
    "ten years on and back": [timedelta(days=3650), timedelta(0), timedelta(days=-3650)],
    "to 1970 and back": [to_1970(NOW), timedelta(0), timedelta(0), -to_1970(NOW)],
    "to and fro": [timedelta(hours=1), timedelta(hours=-2), timedelta(hours=1)] * 8,
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", JUMPS)
def test_t01_a_clock_that_jumps_during_a_run_sends_nobody_two(name: str) -> None:
    account = make_account()
    job = make_job(account, make_people(6))
    time = JumpingTime()
    with PostOffice() as office:
        tidy_up(time.now)
        send_account(account.pk, "w1", threading.Event(), around(office.port, time))
        time.jumps = list(JUMPS[name])
        for _ in range(12):
            tidy_up(time.read())
            send_account(account.pk, "w1", threading.Event(), around(office.port, time))
        assert set(office.copies().values()) <= {1}
        sent = Delivery.objects.filter(job=job, state=State.SENT).count()
        assert sent == len(office.taken)
    assert set(states_of(job)) <= {"sent", "expired", "unknown"}
    assert states_of(job).get("unknown", 0) == 0


@pytest.mark.django_db
def test_t01_t06_a_reaper_whose_clock_is_an_hour_ahead_takes_nothing_from_the_living() -> None:
    account = make_account()
    job = make_job(account, make_people(1))
    worker_id, lock = workers.enlist(NOW)
    ledger.release_due(NOW)
    claim = ledger.claim(account.pk, worker_id, NOW)
    assert isinstance(claim, ledger.Claim)
    claim.mark(NOW)
    assert ledger.reap(NOW + timedelta(minutes=35)) == ledger.Reaped(0, 0)
    # Hours ahead it may give the row up as unknown, never queue it: the late 250 still proves it sent.
    assert ledger.reap(NOW + timedelta(hours=3)) == ledger.Reaped(0, 1)
    assert states_of(job) == {"unknown": 1}
    lock.release()


@pytest.mark.django_db
def test_t06_two_workers_five_minutes_apart_share_the_work_and_the_pace() -> None:
    account = make_account(batch_size=2, sleep_seconds=30)
    job = make_job(account, make_people(8))
    slow, fast = FakeTime(NOW), FakeTime(NOW + timedelta(minutes=5))
    with PostOffice() as office:
        tidy_up(slow.now)
        for _ in range(20):
            for name, time in (("slow", slow), ("fast", fast)):
                send_account(account.pk, name, threading.Event(), around(office.port, time, short_wait=timedelta(0)))
                time.pass_by(seconds=10)
        assert sorted(office.copies().values()) == [1] * 8
    assert states_of(job) == {"sent": 8}


# New York has no 02:30 on that day; Berlin has 02:30 twice; Tokyo never changes.
ODD_HOURS = [
    ("America/New_York", "2027-03-14T02:30", 0, "03:30"),
    ("Europe/Berlin", "2026-10-25T02:30", 0, "02:30"),
    ("Europe/Berlin", "2026-10-25T02:30", 1, "02:30"),
    ("Europe/Berlin", "2027-03-28T02:30", 0, "03:30"),
    ("Asia/Tokyo", "2026-10-25T02:30", 0, "02:30"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("zone", "typed", "fold", "shown"), ODD_HOURS)
def test_t03_a_reservation_at_an_hour_that_is_missing_or_comes_twice_starts_once(
    zone: str, typed: str, fold: int, shown: str
) -> None:
    with timezone.override(ZoneInfo(zone)):
        at = timezone.make_aware(datetime.fromisoformat(typed).replace(fold=fold))
        job = make_job(make_account(), make_people(2), release_at=at, now=at - timedelta(hours=10))
        moment = at.astimezone(UTC) - timedelta(hours=3)
        released = 0
        for _ in range(80):
            before = ledger.release_due(moment)
            released += before
            if before:
                assert moment >= at.astimezone(UTC)
                assert moment - at.astimezone(UTC) < timedelta(minutes=5)
            moment += timedelta(minutes=5)
        assert released == 1
        job.refresh_from_db()
        assert job.release_at is not None
        assert clock(job.release_at, job.release_at).endswith(shown)


DATES = [
    "Thu, 31 Dec 2026 23:59:60 +0000",
    "Thu, 01 Jan 0001 00:00:00 +0000",
    "Fri, 31 Dec 9999 23:59:59 +0000",
    "Fri, 31 Dec 9999 23:59:59 -1200",
    "Tue, 24 Nov 2026 24:00:00 +0900",
    "Tue, 24 Nov 2026 10:00:00 +9999",
    "Tue, 24 Nov 2026 10:00:00 -2360",
    "Tue, 32 Nov 2026 10:00:00 +0900",
    "令和8年11月24日",
    "",
    "\x00",
    "Tue, 24 Nov 99999999999999999999 10:00:00 +0900",
]


@pytest.mark.parametrize("date", DATES)
def test_t05_a_date_no_calendar_has_is_read_without_an_exception_and_can_be_sorted(date: str) -> None:
    mail = read(f"Subject: x\r\nDate: {date}\r\n\r\nhello\r\n".encode())
    assert mail.subject == "x"
    if mail.sent_at is not None:
        kept = reading._moment(mail.sent_at.isoformat())
        assert moment_of(kept, NOW) <= NOW + timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    tls._context.cache_clear()
    yield made
    tls._context.cache_clear()


def test_t07_a_certificate_that_is_not_valid_yet_makes_us_look_at_our_own_clock(authority: Authority) -> None:
    certificate = authority.server("localhost", valid_from=timedelta(days=1), valid_until=timedelta(days=9))
    script = SmtpScript(tls=certificate.context(), is_tls_from_the_start=True)
    with Peer(script) as peer:
        mailer = Mailer(SmtpRoute("localhost", peer.port, "ssl"), Surroundings())
        with pytest.raises(Trouble) as caught:
            mailer.ready()
    assert caught.value.kind is TroubleKind.CERTIFICATE_NOT_YET_VALID
    told = trouble_text(caught.value.kind, {"host": "localhost", "port": peer.port})
    assert "日付と時刻" in str(told)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("step", "is_in"),
    [
        (timedelta(hours=11), True),
        (timedelta(hours=13), False),
        (timedelta(minutes=-3), True),
        (timedelta(hours=-1), False),
        (timedelta(days=-3650), False),
        (timedelta(days=3650), False),
    ],
)
def test_t08_no_step_of_the_clock_makes_a_login_last_longer(step: timedelta, is_in: bool) -> None:
    boss = Operator.objects.create(username="sato", display_name="佐藤", is_administrator=True)
    client = Client()
    began = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    with time_machine.travel(began, tick=False):
        client.force_login(boss)
        assert client.get("/status/").status_code == 200
    with time_machine.travel(began + step, tick=False):
        assert (client.get("/status/").status_code == 200) is is_in
    with time_machine.travel(began + timedelta(hours=1), tick=False):
        # Once ended it stays ended, also when the clock is put right again.
        assert (client.get("/status/").status_code == 200) is is_in
    assert settings.SESSION_COOKIE_AGE == 12 * 3600
