"""Processes that die or freeze at any point of one send: nobody gets two, nothing is lost, what is unknown is told."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from fumibako.apps.sending import ledger
from fumibako.apps.sending.models import BulkSend
from fumibako.delivery.states import State
from tests.faults.injecting import SYNCS, Tracer, every_call, killing
from tests.faults.sender_process import SenderProcess
from tests.support.jobs import make_account, make_job, make_people, row_of
from tests.support.post_office import PostOffice

pytestmark = pytest.mark.django_db(transaction=True)

FEW = [
    ("pwrite64", 1), ("pwrite64", 9), ("pwrite64", 17), (SYNCS, 1), (SYNCS, 2), (SYNCS, 3), (SYNCS, 4), (SYNCS, 6),
    ("sendto", 1), ("sendto", 4), ("sendto", 5), ("recvfrom", 5), ("ftruncate", 2),
]  # fmt: skip
"""Calls at which a worker is killed in the usual run; with --long it is killed at every one."""


@dataclass
class Scene:
    """A server, and a process whose children send to it."""

    office: PostOffice
    sender: SenderProcess

    def job(self) -> BulkSend:
        return make_job(make_account(), make_people(1), now=timezone.now())

    def send(self, job: BulkSend, *options: str, log: Path | None = None) -> int:
        """Send what is due, under a tracer when there are options for one."""
        pid = self.sender.prepare(int(job.account_id or 0))
        tracer = Tracer(pid, *options, log=log) if options else None
        code = self.sender.go()
        if tracer is not None:
            tracer.finish()
        return code


@pytest.fixture
def scene() -> Iterator[Scene]:
    with PostOffice() as office, SenderProcess(Path(connection.settings_dict["NAME"]), office.port) as sender:
        yield Scene(office, sender)


def assert_honest(scene: Scene, job: BulkSend, what: str) -> None:
    """The row says what may have happened, and sending goes on from there without a second copy."""
    address = row_of(job, 1).wire_address
    ledger.reap(timezone.now())
    state, copies = row_of(job, 1).state, scene.office.copies()[address]
    assert state in (State.QUEUED, State.UNKNOWN, State.SENT), what
    assert copies == 0 or state in (State.UNKNOWN, State.SENT), f"{what}: taken, but the row waits"
    assert copies == 1 or state != State.SENT, f"{what}: SENT, but nobody took it"
    if state == State.QUEUED:
        assert scene.send(job) == 0
        assert (row_of(job, 1).state, scene.office.copies()[address]) == (State.SENT, 1), what
    assert scene.office.copies()[address] <= 1, what
    row = row_of(job, 1)
    assert ledger.rebuild(row) == ledger.Rebuilt(State(row.state), row.attempt, row.owner)


def test_c02_killed_at_a_call_of_one_send_the_row_tells_what_may_have_happened(scene: Scene) -> None:
    for call, number in FEW:
        job = scene.job()
        code = scene.send(job, *killing(call, number))
        assert code in (0, -signal.SIGKILL)
        assert_honest(scene, job, f"{call} {number}")


@pytest.mark.long
def test_c02_killed_at_every_call_of_one_send_the_row_tells_what_may_have_happened(
    scene: Scene, tmp_path: Path
) -> None:
    log = tmp_path / "calls"
    assert scene.send(scene.job(), "-e", "trace=all", log=log) == 0
    kills = 0
    for call, number in every_call(log):
        job = scene.job()
        kills += scene.send(job, *killing(call, number)) == -signal.SIGKILL
        assert_honest(scene, job, f"{call} {number}")
    assert kills > 200
