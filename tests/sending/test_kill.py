"""Real worker processes, killed where it hurts: nobody gets two mails, nobody is missing, the job ends by itself."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from fumibako.apps.sending import ledger
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.apps.sending.workers import enlist
from fumibako.delivery.states import State
from tests.support import worker_process
from tests.support.jobs import make_account, make_job, make_people, states_of
from tests.support.post_office import PostOffice

pytestmark = pytest.mark.django_db(transaction=True)

KILLS = 20
CONNECTIONS = 2
MAILS = 400
SECONDS = 60


class Executioner:
    """The server's rule: at the chosen step of a worker's life it kills that worker, sometimes a moment later."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._turn = threading.Lock()
        self._victim: subprocess.Popen[bytes] | None = None
        self._steps_left = 0
        self.killed_at: list[str] = []

    def aim_at(self, victim: subprocess.Popen[bytes]) -> None:
        """Let `victim` live for a random number of SMTP steps."""
        with self._turn:
            self._victim = victim
            self._steps_left = self._chance.randint(15, 75)

    def __call__(self, step: str, address: str, count: int) -> str | None:
        with self._turn:
            victim = self._victim
            if victim is None:
                return None
            self._steps_left -= 1
            if self._steps_left > 0:
                return None
            self._victim = None
            self.killed_at.append(step)
            # Half die in the middle of an exchange, half within the milliseconds after it: in commits, in between.
            if self._chance.random() < 0.5:
                victim.kill()
            else:
                threading.Timer(self._chance.uniform(0, 0.02), victim.kill).start()
        return None


@pytest.fixture
def workers() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Every worker that was started; none outlives the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def start(workers: list[subprocess.Popen[bytes]], office: PostOffice) -> subprocess.Popen[bytes]:
    workers.append(worker_process.start(Path(connection.settings_dict["NAME"]), office.port))
    return workers[-1]


def job_to(count: int, **account: Any) -> BulkSend:
    return make_job(make_account(**account), make_people(count), now=timezone.now())


def wait_until_finished(job: BulkSend, seconds: float = SECONDS) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.1)):
        job.refresh_from_db()
        if job.finished_at is not None:
            return
        pause.wait(0.1)
    pytest.fail(f"not finished: {states_of(job)}")


@pytest.mark.parametrize("seed", [2026])
def test_example_22_c01_twenty_kills_send_nothing_twice_and_lose_nobody(
    seed: int, workers: list[subprocess.Popen[bytes]]
) -> None:
    job = job_to(MAILS, connections=CONNECTIONS)
    executioner = Executioner(seed)
    with PostOffice(executioner, extensions=("PIPELINING", "8BITMIME")) as office:
        for _ in range(KILLS):
            worker = start(workers, office)
            executioner.aim_at(worker)
            assert worker.wait(SECONDS) == -signal.SIGKILL
        start(workers, office)
        wait_until_finished(job)
        copies = office.copies()

    rows = list(Delivery.objects.filter(job=job))
    unknown = [row for row in rows if row.state == State.UNKNOWN]
    assert len(executioner.killed_at) == KILLS
    assert max(copies.values()) == 1, "somebody got two"
    assert {row.state for row in rows} <= {State.SENT, State.UNKNOWN}
    assert [row.pk for row in rows if row.state == State.SENT and copies[row.wire_address] == 0] == []
    assert set(copies) <= {row.wire_address for row in rows}
    assert len(unknown) <= KILLS * CONNECTIONS
    assert len(copies) >= MAILS - len(unknown), "somebody is missing"
    for row in rows:
        assert ledger.rebuild(row) == ledger.Rebuilt(State(row.state), row.attempt, row.owner)


def test_c08_two_workers_at_once_send_every_mail_once(workers: list[subprocess.Popen[bytes]]) -> None:
    job = job_to(60, connections=2)
    others = [job_to(20) for _ in range(2)]
    with PostOffice() as office:
        for _ in range(2):
            start(workers, office)
        for each in (job, *others):
            wait_until_finished(each)
        assert set(office.copies().values()) == {1}
        assert len(office.copies()) == 100


def test_c03_a_worker_told_to_end_waits_for_the_answer_to_its_dot(workers: list[subprocess.Popen[bytes]]) -> None:
    job = job_to(5)
    is_at_dot, may_answer = threading.Event(), threading.Event()

    def rule(step: str, address: str, count: int) -> str | None:
        if step == "DOT":
            is_at_dot.set()
            may_answer.wait(SECONDS)
        return None

    with PostOffice(rule) as office:
        worker = start(workers, office)
        assert is_at_dot.wait(SECONDS)
        worker.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            worker.wait(0.5)
        may_answer.set()
        assert worker.wait(SECONDS) == 0
    assert states_of(job) == {"sent": 1, "queued": 4}


def test_c04_a_slow_worker_cannot_send_what_another_has_taken_over(workers: list[subprocess.Popen[bytes]]) -> None:
    job = job_to(1)
    is_before_mark, may_go_on = threading.Event(), threading.Event()

    def rule(step: str, address: str, count: int) -> str | None:
        if step == "DATA":
            is_before_mark.set()
            may_go_on.wait(SECONDS)
        return None

    other, lock = enlist(timezone.now())
    with PostOffice(rule) as office:
        slow = start(workers, office)
        assert is_before_mark.wait(SECONDS)
        # It lives, so only the last resort may take its row: a lease that says it held it longer than any try can take.
        assert ledger.reap(timezone.now()) == ledger.Reaped(0, 0)
        job.deliveries.update(claimed_at=timezone.now() - ledger.SILENCE_LIMIT * 2)
        assert ledger.reap(timezone.now()).queued_count == 1
        claim = ledger.claim(int(job.account_id or 0), other, timezone.now())
        assert isinstance(claim, ledger.Claim)
        claim.mark()
        may_go_on.set()
        slow.terminate()
        assert slow.wait(SECONDS) == 0
        assert office.taken == []
    assert states_of(job) == {"handing_over": 1}
    lock.release()
