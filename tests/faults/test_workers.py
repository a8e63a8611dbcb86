"""Many workers, killed workers, workers on the wrong tables, work beside long readers: real processes throughout."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import F
from django.utils import timezone

from fumibako.apps.office import schema
from fumibako.apps.sending import ledger
from fumibako.apps.sending.files import keep_file, read_kept_file
from fumibako.apps.sending.models import BulkSend, Delivery, DeliveryEvent
from fumibako.apps.sending.report import result_csv
from fumibako.delivery.states import State, Trigger
from tests.acceptance.running import ROOT, finished, surroundings
from tests.faults.injecting import SYNCS, Tracer, killing
from tests.support import worker_process
from tests.support.jobs import make_account, make_job, make_people, states_of
from tests.support.post_office import ACCEPT_AND_DROP, DROP, PostOffice

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 120
PAGE = 1000


def database() -> Path:
    return Path(connection.settings_dict["NAME"])


@pytest.fixture
def workers() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Every worker that was started; none outlives the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def wait_until(is_so: Any, seconds: float = SECONDS) -> None:
    pause = threading.Event()
    for _ in range(int(seconds / 0.1)):
        if is_so():
            return
        pause.wait(0.1)
    pytest.fail("it did not come about in time")


def is_over(job: BulkSend) -> bool:
    job.refresh_from_db()
    return job.finished_at is not None


@pytest.mark.parametrize(
    ("mails", "accounts"), [pytest.param(80, 4, id="short"), pytest.param(10_000, 8, id="all", marks=pytest.mark.long)]
)
def test_c07_eight_workers_share_the_work_and_nobody_meets_a_locked_database(
    workers: list[subprocess.Popen[bytes]], mails: int, accounts: int
) -> None:
    jobs = [
        make_job(make_account(connections=2), make_people(mails // accounts), now=timezone.now())
        for _ in range(accounts)
    ]
    log = settings.DATA.logs / "worker.log"
    log.unlink(missing_ok=True)
    with PostOffice() as office:
        workers += [worker_process.start(database(), office.port) for _ in range(8)]
        for job in jobs:
            wait_until(lambda job=job: is_over(job), 3600)
        assert sorted(office.copies().values()) == [1] * mails
    assert [states_of(job) for job in jobs] == [{"sent": mails // accounts}] * accounts
    assert "OperationalError" not in log.read_text("utf-8")


class Lossy:
    """The server of RELIABILITY §2.6: 2 % 451, 1 % dropped before accepting, 1 % accepted and then dropped."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._turn = threading.Lock()
        self.lost: set[str] = set()

    def __call__(self, step: str, address: str, count: int) -> str | None:
        if step != "DOT":
            return None
        with self._turn:
            draw = self._chance.random()
            if draw < 0.02:
                return "451 4.3.0 later"
            if draw < 0.04:
                self.lost.add(address)
                return DROP if draw < 0.03 else ACCEPT_AND_DROP
        return None


@pytest.mark.long
def test_c01_three_hundred_kills_of_two_workers_with_four_lines_each_against_a_lossy_server(
    workers: list[subprocess.Popen[bytes]],
) -> None:
    kills, lines, mails = 300, 4, 20_000
    # Retries after a 451 come after five minutes; the job is asked about when everything else is over.
    jobs = [make_job(make_account(connections=lines), make_people(mails // 2), now=timezone.now()) for _ in range(2)]
    rule, chance, done = Lossy(2026), random.Random(7), 0
    pause = threading.Event()
    with PostOffice(rule) as office:
        while done < kills and Delivery.objects.filter(state__in=("planned", "queued"), not_before_at=None).exists():
            pair = [worker_process.start(database(), office.port) for _ in range(2)]
            workers += pair
            for process in pair:
                before = len(office.taken)
                for _ in range(200):
                    if len(office.taken) > before + 5:
                        break
                    pause.wait(0.02)
                pause.wait(chance.uniform(0, 0.1))
                process.kill()
                process.wait()
                done += 1
        ledger.reap(timezone.now())
        copies = office.copies()
    rows = list(Delivery.objects.filter(job__in=jobs))
    unheard = [row for row in rows if row.state == State.UNKNOWN and row.wire_address not in rule.lost]
    marks = DeliveryEvent.objects.filter(delivery__in=unheard, trigger=Trigger.MARK, attempt=F("delivery__attempt"))
    assert done == kills
    assert max(copies.values()) == 1, "somebody got two"
    assert [row.pk for row in rows if row.state == State.SENT and copies[row.wire_address] == 0] == []
    assert [row.pk for row in rows if row.state == State.QUEUED and copies[row.wire_address]] == []
    at_once = Counter(marks.values_list("delivery__job", "owner"))
    assert sum(at_once.values()) == len(unheard)
    assert max(at_once.values()) <= lines, "of one worker's mails for one account, at most one per line"
    assert {row.state for row in rows} <= {State.SENT, State.UNKNOWN, State.QUEUED}
    for row in rows[:: len(rows) // 500]:
        assert ledger.rebuild(row) == ledger.Rebuilt(State(row.state), row.attempt, row.owner)


def test_c17_everything_killed_at_once_starts_again_and_sends_only_what_was_surely_not_sent(
    workers: list[subprocess.Popen[bytes]],
) -> None:
    job = make_job(make_account(connections=4), make_people(40), now=timezone.now())
    with PostOffice() as office:
        workers += [worker_process.start(database(), office.port) for _ in range(2)]
        wait_until(lambda: len(office.taken) >= 10)
        for process in workers:
            process.kill()
        for process in workers:
            process.wait()
        if Path("/proc/sys/vm/drop_caches").exists() and os.access("/proc/sys/vm/drop_caches", os.W_OK):
            Path("/proc/sys/vm/drop_caches").write_text("1", "ascii")
        workers.append(worker_process.start(database(), office.port))
        wait_until(lambda: is_over(job))
        copies = office.copies()
    states = states_of(job)
    assert set(copies.values()) == {1}
    assert set(states) <= {"sent", "unknown"}
    assert states.get("unknown", 0) <= 8
    assert len(copies) >= 40 - states.get("unknown", 0)


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_d09_a_worker_whose_database_is_gone_ends_within_ten_seconds_and_makes_no_new_one(
    workers: list[subprocess.Popen[bytes]], tmp_path: Path, how: str
) -> None:
    copy = copied_to(tmp_path)
    with PostOffice() as office:
        workers.append(worker_process.start(copy, office.port))
        wait_until(lambda: is_enlisted(copy))
        moved = copy.rename(tmp_path / "moved")
        if how == "replaced":
            copy.write_bytes(moved.read_bytes())
        began = time.monotonic()
        workers[-1].wait(20)
        assert time.monotonic() - began < 10
    assert how == "replaced" or not copy.exists() or copy.stat().st_size == 0


def copied_to(folder: Path) -> Path:
    """The database of the test as a file of its own."""
    copy = folder / "fumibako.sqlite3"
    connection.ensure_connection()
    with closing(sqlite3.connect(copy)) as target:
        connection.connection.backup(target)
    return copy


def is_enlisted(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as found:
        return bool(found.execute("SELECT count(*) FROM sending_worker WHERE stopped_at IS NULL").fetchone()[0])


def test_d07_an_export_that_nobody_reads_on_holds_up_no_sending() -> None:
    # With a rollback journal a statement that is stepped through slowly keeps every writer waiting.
    job = make_job(make_account(), make_people(20), now=timezone.now())
    rows = list(job.deliveries.all())
    job.deliveries.exclude(seq=1).delete()
    for start in range(20, PAGE * 2 + 20, 500):
        copies = [copy_of(rows[0], start + number) for number in range(500)]
        Delivery.objects.bulk_create(copies)
    lines = result_csv(job, {})
    for _ in range(3):
        next(lines)
    with closing(sqlite3.connect(database(), timeout=0.5)) as writer:
        writer.execute("UPDATE sending_delivery SET text = 'written meanwhile'")
        writer.commit()
    assert sum(1 for _ in lines) > PAGE, "and the export goes on to its end"


def copy_of(row: Delivery, seq: int) -> Delivery:
    """The same row once more, for another address."""
    values = {field.attname: getattr(row, field.attname) for field in Delivery._meta.concrete_fields}
    key = {"id": None, "seq": seq, "message_id": f"{seq}@example.jp", "address_key": f"{seq}@example.com"}
    return Delivery(**(values | key))


def test_d15_a_stored_attachment_that_a_scanner_took_away_is_noticed_and_stored_again() -> None:
    digest = keep_file(b"salary table")
    place = settings.DATA.files / digest
    place.unlink()
    with pytest.raises(Exception, match="table"):
        read_kept_file(digest, "table")
    place.write_bytes(b"[removed by scanner]")
    with pytest.raises(Exception, match="table"):
        read_kept_file(digest, "table")
    assert keep_file(b"salary table") == digest
    assert read_kept_file(digest, "table") == b"salary table"


# ------------------------------------------------------------------ versions


NEWER = "INSERT INTO django_migrations (app, name, applied) VALUES ('sending', '9999_from_the_future', '2026-01-01')"


def test_c16_d20_an_old_worker_refuses_the_tables_of_a_newer_version_and_changes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    shutil.copy(settings.DATA.key_file, data)
    path = copied_to(data)
    with closing(sqlite3.connect(path)) as found:
        found.execute(NEWER)
        found.commit()
    before = path.read_bytes()
    done = finished(data, "worker")
    assert (done.returncode, "新しい版" in done.stderr) == (3, True)
    assert path.read_bytes() == before
    assert not schema.schema().unknown


MIGRATE = """
import sys
import django
django.setup()
print("ready", flush=True)
sys.stdin.readline()
from fumibako.cli.starting import open_database
open_database()
"""


@pytest.mark.parametrize("number", [pytest.param(3, marks=pytest.mark.long), 60])
def test_d20_killed_in_the_middle_of_bringing_tables_up_to_date_the_next_start_ends_it(
    tmp_path: Path, number: int
) -> None:
    data = tmp_path / "data"
    environment = surroundings(tmp_path) | {
        "FUMIBAKO_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "fumibako.web.settings",
    }
    with subprocess.Popen(
        [sys.executable, "-c", MIGRATE],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        tracer = Tracer(process.pid, *killing(SYNCS, number))
        process.communicate("\n", timeout=60)
        tracer.finish()
    assert process.returncode == -signal.SIGKILL
    done = finished(data, "account", "list")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(data / "fumibako.sqlite3")) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        applied = {name for (name,) in found.execute("SELECT app || '.' || name FROM django_migrations")}
    mine = {f"{app}.{name}" for app, name in MigrationExecutor(connection).loader.applied_migrations}
    assert applied == mine
