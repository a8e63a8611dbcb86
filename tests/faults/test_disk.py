"""Disks that fill up, lie or vanish under a running desk: nothing is sent that is not on record."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created
from django.utils import timezone

from fumibako.apps.sending import ledger
from fumibako.apps.sending.models import BulkSend, DeliveryEvent
from fumibako.apps.sending.work import run_worker, send_account
from fumibako.delivery.states import State
from tests.faults.injecting import SYNCS, Tracer, failing
from tests.faults.sender_process import SenderProcess
from tests.support.jobs import FakeTime, around, make_account, make_job, make_people, row_of, states_of
from tests.support.post_office import PostOffice
from tests.support.tools import require_tool

pytestmark = pytest.mark.django_db(transaction=True)


def database() -> Path:
    return Path(connection.settings_dict["NAME"])


def assert_sound() -> None:
    with closing(sqlite3.connect(database())) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@dataclass
class Scene:
    """A server, and a process whose children send to it."""

    office: PostOffice
    sender: SenderProcess

    def job(self, count: int = 1) -> BulkSend:
        return make_job(make_account(), make_people(count), now=timezone.now())

    def send(self, job: BulkSend, *options: str) -> int:
        pid = self.sender.prepare(int(job.account_id or 0))
        tracer = Tracer(pid, *options) if options else None
        code = self.sender.go()
        if tracer is not None:
            tracer.finish()
        return code


@pytest.fixture
def scene() -> Iterator[Scene]:
    with PostOffice() as office, SenderProcess(database(), office.port) as sender:
        yield Scene(office, sender)


# Writes of one send, in order: the claim's, the mark's, the outcome's. With a rollback journal each commit writes the
# journal first and the pages after it.
WRITES = range(1, 34, 5)


def test_d01_no_room_at_the_k_th_write_never_sends_what_is_not_on_record(scene: Scene) -> None:
    for number in WRITES:
        job = scene.job()
        scene.send(job, *failing("pwrite64", "ENOSPC", f"{number}..{number + 1}"))
        ledger.reap(timezone.now())
        row = row_of(job, 1)
        copies = scene.office.copies()[row.wire_address]
        assert (row.state, copies) in {(State.QUEUED, 0), (State.SENT, 1), (State.UNKNOWN, 0), (State.UNKNOWN, 1)}
        # There is room again: it goes on by itself.
        scene.send(job)
        assert scene.office.copies()[row.wire_address] <= 1
        assert row_of(job, 1).state == (State.UNKNOWN if row.state == State.UNKNOWN else State.SENT)
    assert_sound()


def test_d03_a_commit_whose_sync_fails_is_never_shown_as_done(scene: Scene) -> None:
    for number in (1, 2, 3, 4, 6):
        job = scene.job()
        code = scene.send(job, *failing(SYNCS, "EIO", str(number)))
        ledger.reap(timezone.now())
        row = row_of(job, 1)
        copies = scene.office.copies()[row.wire_address]
        assert copies <= 1
        assert not (row.state == State.SENT and copies == 0), number
        assert not (row.state == State.QUEUED and copies == 1), number
        sent = DeliveryEvent.objects.filter(delivery=row, to_state=State.SENT).count()
        assert sent == (row.state == State.SENT), f"{number}: {code}"
    assert_sound()


@contextmanager
def failing_disk(view: str, place: int) -> Iterator[list[str]]:
    """Every statement of a round about the rows at this `place` meets a failed sync; what was asked of it is told."""
    asked: list[str] = []

    def fail(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
        if sql.startswith(f"INSERT INTO {view} ") and params[place] != "[]":
            asked.append(sql)
            raise OperationalError("disk I/O error")
        return execute(sql, params, *rest)

    def put_between(connection: Any, **_: object) -> None:
        connection.execute_wrappers.append(fail)

    connection_created.connect(put_between)
    try:
        yield asked
    finally:
        connection_created.disconnect(put_between)


@pytest.mark.parametrize(("view", "place", "unknown_count"), [("claimed", 1, 0), ("settled", 5, 0), ("settled", 4, 1)])
def test_d03_a_worker_stops_at_the_first_sync_that_fails_in_claim_mark_or_record(
    view: str, place: int, unknown_count: int
) -> None:
    job, stop = make_job(make_account(), make_people(3), now=timezone.now()), threading.Event()
    with PostOffice() as office:
        world = around(office.port, FakeTime(), now=timezone.now)
        with failing_disk(view, place) as asked:
            run_worker(stop, world)
        assert stop.is_set(), "it stopped by itself"
        assert len(asked) == 1, "and asked the disk for nothing more"
        ledger.reap(timezone.now())
        assert states_of(job).get("unknown", 0) == unknown_count
        send_account(int(job.account_id or 0), "w2", threading.Event(), world)
        assert set(office.copies().values()) == {1}
    assert states_of(job).get("sent", 0) == 3 - unknown_count


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 72 MiB in memory."""
    mount = require_tool("mount", "apt-get install -y mount")
    place = tmp_path / "small"
    place.mkdir(mode=0o700)
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=72m,mode=0700", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"mounting needs root: {done.stderr.strip()}; run as root, or: sudo ./fumibako test")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_d02_on_a_full_disk_sending_stops_before_a_dot_and_resumes_by_itself(small_disk: Path) -> None:
    account = make_account()
    job = make_job(account, make_people(3), now=timezone.now())
    copy = small_disk / "fumibako.sqlite3"
    with closing(sqlite3.connect(copy)) as target:
        connection.connection.backup(target)
    shutil.copy(settings.DATA.key_file, small_disk)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (10 * 1024 * 1024))
    with PostOffice() as office, SenderProcess(copy, office.port, small_disk) as sender:
        sender.prepare(account.pk)
        assert sender.go() == 0
        assert office.count_of("greeting") == 0, "not even a session is opened"
        fill_up(small_disk / "rest")
        sender.prepare(account.pk)
        assert sender.go() != 0 or office.taken == []
        assert office.taken == []
        for path in (ballast, small_disk / "rest"):
            path.unlink()
        sender.prepare(account.pk)
        assert sender.go() == 0
        assert sorted(office.copies().values()) == [1, 1, 1]
    with closing(sqlite3.connect(copy)) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        states = found.execute("SELECT state, count(*) FROM sending_delivery WHERE job_id = ? GROUP BY 1", (job.pk,))
        assert states.fetchall() == [("sent", 3)]


def fill_up(path: Path) -> None:
    """Write until there is not one byte left."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 65536)
        except OSError:
            return


def test_d06_a_writer_that_holds_the_database_makes_others_wait_and_loses_nobody(scene: Scene) -> None:
    # 60 s against a patience of 30 s, scaled: held for longer than a sweep, for less than the patience.
    job = scene.job(3)
    holder = sqlite3.connect(database(), check_same_thread=False)
    is_marked = threading.Event()

    def rule(step: str, address: str, count: int) -> str | None:
        if step == "DATA" and not is_marked.is_set():
            is_marked.set()
            holder.execute("BEGIN IMMEDIATE")
            threading.Timer(2.0, holder.rollback).start()
        return None

    scene.office.rule = rule
    assert scene.send(job) == 0
    assert is_marked.is_set()
    assert states_of(job) == {"sent": 3}
    assert set(scene.office.copies().values()) == {1}
    holder.close()


def test_d11_with_few_file_descriptors_work_goes_on_and_no_mail_is_lost() -> None:
    job = make_job(make_account(connections=4), make_people(12), now=timezone.now())
    with PostOffice() as office:
        sender = SenderProcess(database(), office.port)
        with few_descriptors(64):
            sender.start()
        with sender:
            sender.prepare(int(job.account_id or 0))
            assert sender.go() == 0
        assert sorted(office.copies().values()) == [1] * 12
    assert states_of(job) == {"sent": 12}


@contextmanager
def few_descriptors(count: int) -> Iterator[None]:
    """Children that start meanwhile may open no more than `count` files at once."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
