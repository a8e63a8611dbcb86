"""The write-ahead log: which SQLite runs, who may switch, what belongs to the database while the log is there."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from fumibako import sqlite_engine
from fumibako.apps.office import durability, journal, schema
from fumibako.apps.office.models import Department
from fumibako.sqlite_engine import CHECKPOINT_PAGES, LOG_BYTES, WAL_IS_SAFE_FROM
from tests.acceptance.running import ROOT, finished, running, surroundings

HAS_LOG = settings.SQLITE.journal_mode == "wal"
SYSTEM = {"FUMIBAKO_SQLITE": "system"}
PAGE_BYTES = 4096 + 24

WHICH = """
import sys
from pathlib import Path
from fumibako.cli.starting import start_django
start_django()
import fumibako
from importlib import import_module
root = Path(fumibako.__file__).parent
for path in sorted(root.rglob("*.py")):
    if "migrations" not in path.parts and path.name != "__main__.py":
        import_module(".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__"))
from django.db import connection
import sqlite3
with connection.cursor() as cursor:
    print(cursor.execute("SELECT sqlite_version()").fetchone()[0], sqlite3.sqlite_version)
for name, module in list(sys.modules.items()):
    for word, value in vars(module).items() if hasattr(module, "__dict__") else ():
        if getattr(value, "__name__", "") in ("sqlite3", "sqlite3.dbapi2", "_sqlite3"):
            print("strange", name, word)
"""


def mode_of(data: Path) -> str:
    """What a connection that asks for nothing finds; the bytes of the header, so that asking changes nothing."""
    header = (data / "fumibako.sqlite3").read_bytes()[:20]
    return "wal" if header[18:20] == b"\2\2" else "journal"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder as this version makes it."""
    place = tmp_path / "data"
    done = finished(place, "account", "list")
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture
def old_data(tmp_path: Path) -> Path:
    """A data folder as a version with Python's SQLite left it."""
    place = tmp_path / "data"
    done = finished(place, "account", "list", **SYSTEM)
    assert done.returncode == 0, done.stderr
    return place


# ------------------------------------------------------------------ which SQLite


@pytest.mark.parametrize("choice", ["", "system"])
def test_every_module_of_ours_uses_one_and_the_same_sqlite(tmp_path: Path, choice: str) -> None:
    environment = surroundings(tmp_path) | {"FUMIBAKO_DATA": str(tmp_path / "data"), "FUMIBAKO_SQLITE": choice}
    words = [sys.executable, "-c", WHICH]
    done = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    versions, *strange = done.stdout.splitlines()
    one, other = versions.split()
    assert one == other
    if choice == "" and settings.SQLITE.is_bundled:
        assert strange == []
        assert tuple(map(int, one.split("."))) == settings.SQLITE.version >= WAL_IS_SAFE_FROM


@pytest.mark.parametrize(
    ("version", "mode"), [((3, 40, 1), "truncate"), ((3, 51, 2), "truncate"), ((3, 51, 3), "wal"), ((3, 53, 4), "wal")]
)
def test_the_log_is_used_from_the_version_on_in_which_it_is_safe(version: tuple[int, ...], mode: str) -> None:
    engine = sqlite_engine.Engine(version, is_bundled=False)
    assert engine.journal_mode == mode
    assert "synchronous=FULL" in engine.first_words
    assert ("journal_mode=TRUNCATE" in engine.first_words) == (mode == "truncate")


def test_doctor_says_which_sqlite_it_is(data: Path) -> None:
    assert ("ふみばこに付属" in finished(data, "doctor").stdout) == settings.SQLITE.is_bundled
    assert "この Python のもの" in finished(data, "doctor", **SYSTEM).stdout


# ------------------------------------------------------------------ switching


def test_a_new_folder_is_kept_as_this_sqlite_keeps_it_and_by_its_owner_alone(data: Path) -> None:
    assert (mode_of(data) == "wal") == HAS_LOG
    with running(data, "serve", "--port", "0") as service:
        service.fetch()
        modes = {path.name: path.stat().st_mode & 0o777 for path in data.glob("fumibako.sqlite3*")}
        assert set(modes.values()) == {0o600}
        assert ("fumibako.sqlite3-wal" in modes) == HAS_LOG
        assert service.interrupt() == 0
    left = [path.name for path in data.glob("fumibako.sqlite3*")]
    assert left == ["fumibako.sqlite3"] or not HAS_LOG, "an orderly end leaves one file"


def test_a_folder_with_a_journal_takes_the_log_at_its_next_start_and_keeps_its_rows(old_data: Path) -> None:
    assert mode_of(old_data) == "journal"
    assert finished(old_data, "doctor").returncode == 0
    assert mode_of(old_data) == "journal", "doctor changes nothing"
    assert finished(old_data, "account", "list").returncode == 0
    assert (mode_of(old_data) == "wal") == HAS_LOG


def test_a_folder_with_a_log_is_opened_without_it_where_sqlite_is_too_old(data: Path) -> None:
    if HAS_LOG:
        leave_unfinished(data)
    assert finished(data, "account", "list", **SYSTEM).returncode == 0
    assert mode_of(data) == "journal"
    assert not (data / "fumibako.sqlite3-wal").exists()
    with closing(sqlite3.connect(data / "fumibako.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM django_session").fetchone() == (HAS_LOG,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert finished(data, "account", "list").returncode == 0, "and back again"
    assert (mode_of(data) == "wal") == HAS_LOG


DIE_WITH_A_ROW = """
import os
import sys
from fumibako import sqlite_engine
sqlite_engine.take()
import sqlite3
database = sqlite3.connect(sys.argv[1])
database.execute("INSERT INTO django_session VALUES ('k', 'v', '2099-01-01')")
database.commit()
os._exit(0)
"""


def leave_unfinished(data: Path) -> None:
    """A process that ended without closing: its last commit is in the log alone."""
    words = [sys.executable, "-c", DIE_WITH_A_ROW, str(data / "fumibako.sqlite3")]
    subprocess.run(words, env=surroundings(data.parent), check=True, timeout=60)
    assert (data / "fumibako.sqlite3-wal").stat().st_size > 0


@pytest.mark.parametrize("words", [("account", "list"), ("worker",), ("serve", "--port", "0")])
def test_nobody_leaves_the_log_while_others_use_it(data: Path, words: tuple[str, ...]) -> None:
    if not HAS_LOG:
        return
    with closing(sqlite3.connect(data / "fumibako.sqlite3")) as user:
        user.execute("SELECT count(*) FROM office_department").fetchone()
        done = finished(data, *words, **SYSTEM)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
        assert "ふみばこをすべて止めて" in done.stderr
    assert mode_of(data) == "wal"


def test_nobody_takes_the_log_while_an_older_version_runs(old_data: Path) -> None:
    if not HAS_LOG:
        return
    with running(old_data, "serve", "--port", "0", **SYSTEM) as service:
        service.fetch()
        done = finished(old_data, "account", "list")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
        assert service.interrupt() == 0
    assert mode_of(old_data) == "journal"


# ------------------------------------------------------------------ what belongs to the database


@pytest.mark.django_db(transaction=True)
def test_a_copy_holds_what_is_in_the_log_alone_and_is_one_file(tmp_path: Path) -> None:
    Department.objects.create(code="77", name="latest")
    copy = schema.copy_database(timezone.now())
    assert copy is not None
    alone = tmp_path / "alone.sqlite3"
    alone.write_bytes(copy.read_bytes())
    with closing(sqlite3.connect(alone)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert database.execute("SELECT name FROM office_department WHERE code = '77'").fetchone() == ("latest",)
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]
    copy.unlink()
    copy.parent.rmdir()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_d09_a_log_that_was_deleted_under_a_worker_is_noticed(tmp_path: Path, ending: str) -> None:
    if not HAS_LOG:
        return
    place = tmp_path / "copy.sqlite3"
    connection.ensure_connection()
    with closing(sqlite3.connect(place)) as copy:
        connection.connection.backup(copy)
    with closing(sqlite3.connect(place)) as user:
        user.execute("CREATE TABLE more (n)")
        assert not durability.is_log_gone(place)
        os.unlink(f"{place}{ending}")
        assert durability.is_log_gone(place)
    assert not durability.is_log_gone(place)


@pytest.fixture
def reader() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(journal.path_of_database(), isolation_level=None)) as database:
        yield database


def write(count: int) -> None:
    for number in range(count):
        Department.objects.update_or_create(code="78", defaults={"name": f"{number}" + "x" * 100})


def log_bytes() -> int:
    path = Path(f"{journal.path_of_database()}-wal")
    return path.stat().st_size if path.exists() else 0


@pytest.mark.django_db(transaction=True)
def test_d07_a_long_reader_holds_up_no_writer_and_the_log_is_short_again_after_it(reader: sqlite3.Connection) -> None:
    if not HAS_LOG:
        return
    with connection.cursor() as cursor:
        # The same rules, scaled: brought in from 20 pages on, cut back to 40.
        cursor.execute("PRAGMA wal_autocheckpoint=20")
        cursor.execute(f"PRAGMA journal_size_limit={40 * PAGE_BYTES}")
        cursor.execute("PRAGMA busy_timeout=0")
    try:
        write(60)
        short = log_bytes()
        assert 0 < short <= 40 * PAGE_BYTES, "without a reader it is overwritten in place"
        reader.execute("BEGIN")
        before = reader.execute("SELECT name FROM office_department WHERE code = '78'").fetchone()
        write(60)
        assert log_bytes() > 40 * PAGE_BYTES, "what the reader sees must stay"
        assert reader.execute("SELECT name FROM office_department WHERE code = '78'").fetchone() == before
        reader.execute("COMMIT")
        write(60)
        assert log_bytes() <= 40 * PAGE_BYTES
    finally:
        connection.close()


def test_the_log_is_cut_back_only_when_it_is_longer_than_usual() -> None:
    assert LOG_BYTES > 2 * CHECKPOINT_PAGES * PAGE_BYTES


@pytest.mark.django_db(transaction=True)
def test_d06_readers_see_whole_commits_while_somebody_writes(reader: sqlite3.Connection) -> None:
    if not HAS_LOG:
        return
    Department.objects.create(code="79", name="before")
    is_written, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with closing(sqlite3.connect(journal.path_of_database(), isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("UPDATE office_department SET name = 'after' WHERE code = '79'")
            is_written.set()
            may_end.wait(30)
            writer.execute("COMMIT")

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert is_written.wait(30)
        assert reader.execute("SELECT name FROM office_department WHERE code = '79'").fetchone() == ("before",)
    finally:
        may_end.set()
        thread.join()
    assert reader.execute("SELECT name FROM office_department WHERE code = '79'").fetchone() == ("after",)
