"""What only PostgreSQL can do to the ledger. Run by `test_postgresql.py` in a pytest whose database it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from fumibako.apps.office import durability
from fumibako.apps.sending import ledger, session_locks, workers
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.delivery.states import State
from tests.support import worker_process
from tests.support.jobs import make_account, make_job, make_people, states_of
from tests.support.post_office import PostOffice
from tests.support.postgresql import PostgreSQL

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parent.parent.parent
MAILS = 900
SECONDS = 90


@pytest.fixture
def server() -> PostgreSQL:
    return PostgreSQL.at(os.environ["FUMIBAKO_TEST_POSTGRESQL"])


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def database() -> str:
    return str(connection.settings_dict["NAME"])


def wait_until(is_so: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(SECONDS * 20):
        if is_so():
            return
        pause.wait(0.05)
    pytest.fail("it did not come about in time")


def has_taken(office: PostOffice, count: int) -> bool:
    return len(office.taken) >= count


def is_over(job: BulkSend) -> bool:
    job.refresh_from_db()
    return job.finished_at is not None


def require_one_copy_each(job: BulkSend, office: PostOffice) -> None:
    copies = office.copies()
    assert sorted(copies.values()) == [1] * MAILS
    assert states_of(job) == {"sent": MAILS}
    for row in Delivery.objects.filter(job=job):
        assert ledger.rebuild(row) == ledger.Rebuilt(State(row.state), row.attempt, row.owner)


def test_the_settings_in_force_are_read_back() -> None:
    found = durability.read_back()
    assert found.engine == "postgresql"
    assert found.settings == {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    with pytest.raises(durability.NotDurable, match="synchronous_commit"):
        durability.read_back()
    connection.close()


@pytest.mark.parametrize("how", ["cut", "crash"])
def test_c18_no_mail_goes_twice_or_is_in_doubt_when_the_database_goes_away_in_the_middle(
    server: PostgreSQL, processes: list[subprocess.Popen[bytes]], how: str
) -> None:
    job = make_job(make_account(connections=3), make_people(MAILS), now=timezone.now())
    with PostOffice() as office:
        processes.append(worker_process.start(Path(database()), office.port))
        for count in (20, 300, 600):
            wait_until(partial(has_taken, office, count))
            if how == "cut":
                assert server.cut_connections()
            elif count == 300:
                server.stop(signal.SIGQUIT)
                server.start()
            connection.close()
        wait_until(lambda: is_over(job))
        require_one_copy_each(job, office)


def test_c07_t06_workers_on_machines_five_minutes_apart_share_one_job(
    processes: list[subprocess.Popen[bytes]],
) -> None:
    account = make_account(connections=2)
    job = make_job(account, make_people(MAILS), now=timezone.now())
    ledger.release_due(timezone.now())
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    with PostOffice() as office:
        for minutes in (0, 5, -5):
            words = map(str, (database(), office.port, account.pk, minutes))
            processes.append(
                subprocess.Popen([sys.executable, "-m", "tests.postgresql.rival", *words], env=environment)
            )
        assert [process.wait(SECONDS) for process in processes] == [0, 0, 0]
        require_one_copy_each(job, office)
    assert len(set(job.deliveries.values_list("events__owner", flat=True)) - {""}) > 1, "more than one took part"
    ages = [timezone.now() - at for at in job.deliveries.values_list("claimed_at", flat=True) if at is not None]
    assert timedelta(0) <= min(ages) <= max(ages) < timedelta(minutes=3), "a lease begins by the database's clock"


def test_t06_a_clock_that_is_hours_ahead_ends_no_lease() -> None:
    account = make_account()
    job = make_job(account, make_people(1), now=timezone.now())
    worker_id, lock = workers.enlist(timezone.now())
    ledger.release_due(timezone.now())
    assert isinstance(ledger.claim(account.pk, worker_id, timezone.now()), ledger.Claim)
    assert ledger.reap(timezone.now() + timedelta(hours=9)) == ledger.Reaped(0, 0)
    job.deliveries.update(claimed_at=timezone.now() - timedelta(hours=1))
    assert ledger.reap(timezone.now()) == ledger.Reaped(1, 0)
    workers.retire(worker_id, lock, timezone.now())


def test_a_lock_held_in_a_session_tells_the_living_from_the_dead_on_other_machines(server: PostgreSQL) -> None:
    worker_id, lock = workers.enlist(timezone.now())
    # Seen from another machine there is no such file.
    (settings.DATA.run / f"{worker_id}.lock").unlink()
    assert workers.dead_among({worker_id}) == set()
    server.cut_connections()
    connection.close()
    assert workers.dead_among({worker_id}) == {worker_id}
    workers.beat(worker_id, timezone.now())
    assert workers.dead_among({worker_id}) == set()
    workers.retire(worker_id, lock, timezone.now())
    # The server frees it when it has seen the session end.
    wait_until(lambda: session_locks.is_free(worker_id))
