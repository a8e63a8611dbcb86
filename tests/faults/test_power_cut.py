"""The power goes at any moment of the real send path: what was acted upon is on record, and nothing is torn."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from fumibako.sqlite_engine import CHECKPOINT_PAGES
from tests.faults.injecting import SYNCS, Tracer
from tests.faults.power_cut import OPTIONS, Call, Disk, calls, images, lay_down
from tests.faults.sender_process import ROOT, SenderProcess
from tests.faults.store_process import BATCHES, KEPT, MAILS
from tests.support.jobs import make_account, make_job, make_people
from tests.support.post_office import PostOffice

pytestmark = pytest.mark.django_db(transaction=True)

HAS_LOG = settings.SQLITE.journal_mode == "wal"
WORDS = settings.SQLITE.first_words
SENT_OR_MARKED = {"handing_over", "sent"}


def promised(log: list[Call]) -> tuple[int, int]:
    """(mails whose sending has begun on the wire, mails whose dot was written) after these calls."""
    said = [call.raw for call in log if call.name == "sendto"]
    return sum(b"MAIL FROM" in raw for raw in said), sum(raw.startswith((b".\r\n", b"\r\n.\r\n")) for raw in said)


def assert_kept(states: list[str], begun: int, dots: int) -> None:
    """Everything that the world has seen us do is on record."""
    for number, state in enumerate(states, start=1):
        if number <= dots:
            assert state in SENT_OR_MARKED, f"mail {number}: its dot was written, but the record says {state}"
        elif number <= begun:
            assert state in ("sending", "handing_over"), f"mail {number} was begun, but the record says {state}"
        if number < dots:
            assert state == "sent", f"mail {number} was answered before the next dot, but the record says {state}"
    assert states.count("handing_over") <= 1, "one connection leaves one unknown"


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)], ids=["one by one", "said ahead"])
@pytest.mark.parametrize("every", [pytest.param(11, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)])
def test_d04_a_power_cut_at_any_moment_loses_no_commit_that_was_acted_upon(
    tmp_path: Path, every: int, extensions: tuple[str, ...]
) -> None:
    prove_no_commit_is_lost(tmp_path, every, extensions=extensions)


@pytest.mark.parametrize("every", [pytest.param(11, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)])
def test_d04_a_power_cut_while_the_log_is_brought_in_and_begun_anew_loses_nothing(tmp_path: Path, every: int) -> None:
    made = prove_no_commit_is_lost(tmp_path, every, pragmas=WORDS.replace(f"={CHECKPOINT_PAGES}", "=16"))
    synced = [call.paths[0] for call in made if call.name in SYNCS.split(",")]
    starts = [call.paths[0] for call in made if call.name == "pwrite64" and call.numbers[-1] == 0]
    assert sum(path.endswith(".sqlite3") for path in synced) > 1, "brought in, more than once"
    if HAS_LOG:
        assert sum(path.endswith("-wal") for path in starts) > 1, "and overwritten from its beginning"


def prove_no_commit_is_lost(
    tmp_path: Path, every: int, pragmas: str = "", extensions: tuple[str, ...] = ()
) -> list[Call]:
    """Send three mails, and cut the power at every moment (or each `every`-th) of it; return what was done."""
    root = tmp_path / "disk"
    root.mkdir()
    database = root / "fumibako.sqlite3"
    job = make_job(make_account(), make_people(3), now=timezone.now())
    copy_database_to(database)
    log = tmp_path / "calls"
    office = PostOffice(extensions=extensions)
    with office, SenderProcess(database, office.port, pragmas=pragmas) as sender:
        pid = sender.prepare(int(job.account_id or 0))
        kept = {str(path): path.read_bytes() for path in root.iterdir()}
        tracer = Tracer(pid, *OPTIONS, log=log, is_one_thread=True)
        assert sender.go() == 0
        tracer.finish()
        assert sorted(office.copies().values()) == [1, 1, 1]
    made = calls(log)
    assert promised(made) == (3, 3)
    place = tmp_path / "after"
    for count, image in images(Disk(root, kept), made, seed=2026, every=every):
        place.mkdir()
        lay_down(image, root, place)
        assert_kept(states_after_the_cut(place / database.name, job.pk), *promised(made[:count]))
        shutil.rmtree(place)
    return made


def copy_database_to(path: Path) -> None:
    with closing(sqlite3.connect(path)) as target:
        connection.connection.backup(target)


def states_after_the_cut(database: Path, job_id: int) -> list[str]:
    with closing(sqlite3.connect(database)) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",), "integrity"
        rows = found.execute("SELECT state FROM sending_delivery WHERE job_id = ? ORDER BY seq", (job_id,)).fetchall()
        counts = found.execute(
            "SELECT count(*) FROM sending_delivery d WHERE job_id = ? AND state <> (SELECT to_state FROM"
            " sending_deliveryevent e WHERE e.delivery_id = d.id ORDER BY e.id DESC LIMIT 1)",
            (job_id,),
        ).fetchone()
    assert counts == (0,), "a row and its events were torn apart"
    return [state for (state,) in rows]


FORGETFUL = ["synchronous=OFF; PRAGMA journal_mode=TRUNCATE", *["synchronous=OFF", "synchronous=NORMAL"] * HAS_LOG]


@pytest.mark.parametrize("pragmas", FORGETFUL)
def test_the_replay_would_notice_a_database_that_does_not_sync(tmp_path: Path, pragmas: str) -> None:
    with pytest.raises((AssertionError, sqlite3.DatabaseError), match=r"record says|integrity|torn|malformed"):
        prove_no_commit_is_lost(tmp_path, 3, pragmas=f"PRAGMA {pragmas};")


@pytest.mark.parametrize("every", [pytest.param(7, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)])
def test_d05_a_power_cut_while_storing_leaves_no_row_without_its_file(tmp_path: Path, every: int) -> None:
    root = tmp_path / "disk"
    # Not the database of this process: to open and close its file would drop the locks on it.
    shutil.copytree(settings.DATA.root, root, ignore=shutil.ignore_patterns("*.sqlite3*"))
    (root / "mail").mkdir(exist_ok=True)
    database = root / "fumibako.sqlite3"
    account = make_account()
    copy_database_to(database)
    log = tmp_path / "calls"
    command = [sys.executable, "-m", "tests.faults.store_process", str(database), str(account.pk)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "FUMIBAKO_DATA": str(root)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        kept = {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        tracer = Tracer(process.pid, *OPTIONS, log=log, is_one_thread=True)
        process.communicate("\n", timeout=60)
        tracer.finish()
    made = calls(log)
    place = tmp_path / "after"
    most = 0
    for count, image in images(Disk(root, kept), made, seed=2026, every=every):
        promised_count = sum(call.name == "write" and call.raw.startswith(KEPT) for call in made[:count]) * MAILS
        place.mkdir()
        lay_down(image, root, place)
        stored = stored_mails(place / database.name)
        assert len(stored) >= promised_count
        for path, sha256 in stored:
            assert hashlib.sha256((place / "mail" / path).read_bytes()).hexdigest() == sha256
        most = max(most, len(stored))
        shutil.rmtree(place)
    assert most == BATCHES * MAILS


def stored_mails(database: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(database)) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return found.execute("SELECT raw_path, raw_sha256 FROM inbox_receivedmail").fetchall()
