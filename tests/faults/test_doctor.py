"""doctor on broken set-ups, one by one: each is named on its own line, with what to do, and nothing else turns red."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from fumibako import data_folder
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.secrets import seal
from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.office import durability, instance
from fumibako.apps.office.models import Instance, Office
from fumibako.apps.office.queries import office
from fumibako.apps.sending.models import Pace, Worker
from fumibako.web.status import findings, precautions
from fumibako.web.status.findings import MIB, Level, Line
from fumibako.web.status.survey import survey
from tests.support.jobs import make_account, make_job, make_people

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_good_order() -> Iterator[None]:
    """A set-up without a fault: a worker at work, one account with its password, a backup of today."""
    key, mode = settings.DATA.key_file.read_bytes(), settings.DATA.root.stat().st_mode
    now = timezone.now()
    Worker.objects.create(id="w", pid=1, host="h", version="1", started_at=now, seen_at=now)
    account = make_account(smtp_auth=True, user_id="staff")
    account.password_sealed = seal(account.pk, "password", "himitsu")
    account.save()
    AuditEvent.objects.create(actor_name="x", action="office.backed_up", target="office")
    instance.advance()
    with override_settings(ALLOWED_HOSTS=["localhost"]):
        yield
    settings.DATA.key_file.unlink(missing_ok=True)
    settings.DATA.key_file.write_bytes(key)
    settings.DATA.key_file.chmod(0o600)
    settings.DATA.root.chmod(mode)


def seen(now: datetime | None = None) -> dict[str, Line]:
    return {line.key: line for line in survey(None, now or timezone.now(), is_thorough=True)}


def test_a_good_set_up_is_green_all_over() -> None:
    assert {line.key: line.level for line in seen().values() if line.level is not Level.OK} == {}


def unknown_migration() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('office', '9999_later', %s)", [NOW])


def missing_migration() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sending' AND name LIKE '0003%'")


def restore_migrations(before: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations")
        cursor.executemany("INSERT INTO django_migrations (id, app, name, applied) VALUES (%s, %s, %s, %s)", before)


@contextmanager
def migrations_kept() -> Iterator[None]:
    """What says which version wrote the tables is no data of a test: it is put back by hand."""
    with connection.cursor() as cursor:
        before = cursor.execute("SELECT id, app, name, applied FROM django_migrations").fetchall()
    yield
    restore_migrations(before)


def stopped(kind: str) -> Callable[[], object]:
    return lambda: Pace.objects.create(account=MailAccount.objects.get(), stopped_at=NOW, stop_kind=kind)


def aged(**span: int) -> Callable[[], None]:
    def change() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER audit_no_update")
            cursor.execute("UPDATE audit_auditevent SET at = %s", [timezone.now() - timedelta(**span)])
            cursor.execute(UPDATE_TRIGGER)

    return change


UPDATE_TRIGGER = (
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit_auditevent"
    " BEGIN SELECT RAISE(ABORT, 'the audit log can only grow'); END"
)


def silent_worker() -> None:
    Worker.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    make_job(MailAccount.objects.get(), make_people(2), now=timezone.now())


def two_keys() -> None:
    (key,) = data_folder.read_keys(settings.DATA)
    data_folder.write_keys(settings.DATA, (key, data_folder.new_key()))


def wrong_key() -> None:
    data_folder.write_keys(settings.DATA, (data_folder.new_key(),))


def share(mode: int | None) -> Callable[[], None]:
    def change() -> None:
        place = settings.DATA.run / "share"
        if mode is not None:
            place.mkdir(exist_ok=True)
            place.chmod(mode)
        Office.objects.filter(pk=office().pk).update(mail_share_root=str(place))

    return change


@dataclass(frozen=True)
class Broken:
    """One thing that is wrong: how it comes about, which line names it, and how bad that is."""

    what: str
    change: Callable[[], object]
    key: str
    level: Level
    around: Callable[[], Any] = nullcontext
    now: datetime | None = None


BAD, WARN = Level.BAD, Level.WARN
BROKEN = [
    Broken("tables of a newer version", unknown_migration, "schema", BAD, migrations_kept),
    Broken("tables of an older version", missing_migration, "schema", WARN, migrations_kept),
    Broken("everybody can read the folder", lambda: settings.DATA.root.chmod(0o755), "folder", BAD),
    Broken("the group can read the folder", lambda: settings.DATA.root.chmod(0o750), "folder", WARN),
    Broken("others can read the key", lambda: settings.DATA.key_file.chmod(0o644), "key", BAD),
    Broken("the key is damaged", lambda: settings.DATA.key_file.write_text("half a k"), "key", BAD),
    Broken("the key is gone", lambda: settings.DATA.key_file.unlink(), "key", BAD),
    Broken("the key is another one", wrong_key, "account:1", BAD),
    Broken("keys are being changed", two_keys, "key_change", WARN),
    Broken("an older database", lambda: Instance.objects.update(count=0), "hold", BAD),
    Broken("a copied folder", lambda: (settings.DATA.root / instance.ANCHOR).write_text("x"), "hold", BAD),
    Broken("a restored folder", lambda: instance.hold(instance.RESTORED), "hold", BAD),
    Broken("a restore cut short", lambda: instance.hold(instance.RESTORING), "hold", BAD),
    Broken("no sign of a worker", silent_worker, "worker", BAD),
    Broken("the password is refused", stopped("login_refused"), "account:1", BAD),
    Broken("the sender is refused", stopped("sender_refused"), "account:1", BAD),
    Broken("backups are old", aged(days=9), "backup", WARN),
    Broken("debugging is on", lambda: None, "exposure", BAD, lambda: override_settings(DEBUG=True)),
    Broken("any name is let in", lambda: None, "exposure", BAD, lambda: override_settings(ALLOWED_HOSTS=["*"])),
    Broken(
        "others come in without TLS", lambda: None, "exposure", WARN, lambda: override_settings(ALLOWED_HOSTS=["a"])
    ),
    Broken("the share is not there", share(None), "share", WARN),
    Broken("the share is open to everybody", share(0o777), "share", WARN),
    Broken("the clock is in 1970", lambda: None, "clock", BAD, now=datetime(1970, 1, 1, tzinfo=UTC)),
]


@pytest.mark.parametrize("broken", BROKEN, ids=[broken.what for broken in BROKEN])
def test_each_broken_set_up_is_named_on_its_line_with_what_to_do(broken: Broken) -> None:
    with broken.around():
        broken.change()
        lines = seen(broken.now)
        assert lines[broken.key].level is broken.level
        assert lines[broken.key].next_step, "what to do"
        red = {line.key for line in lines.values() if line.level is Level.BAD}
        assert red <= {broken.key, *ALSO.get(broken.what, ())}


@pytest.fixture
def copy_of_the_database(tmp_path: Path) -> Iterator[None]:
    """The same tables in a file that nobody else has open, so that its log can be taken away."""
    connection.ensure_connection()
    original, copy = connection.settings_dict["NAME"], tmp_path / "copy.sqlite3"
    with closing(sqlite3.connect(copy)) as target:
        connection.connection.backup(target)
    connection.close()
    connection.settings_dict["NAME"] = copy
    yield
    connection.close()
    connection.settings_dict["NAME"] = original


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pragma", ["synchronous=OFF", "synchronous=NORMAL", "journal_mode=MEMORY", "journal_mode=OFF"])
def test_d04_each_setting_that_forgets_commits_is_named(copy_of_the_database: None, pragma: str) -> None:
    assert seen()["database"].level is not BAD
    connection.connection.execute(f"PRAGMA {pragma}")
    line = seen()["database"]
    assert (line.level, bool(line.next_step)) == (BAD, True)


ALSO = {
    # A lost key hides every password, and a clock in 1970 every sign of life.
    "the key is gone": ("account:1",),
    "the key is damaged": ("account:1",),
    "the clock is in 1970": ("worker",),
}


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (findings.disk_line(10 * MIB, 1000 * MIB), BAD),
        (findings.disk_line(100 * MIB, 1000 * MIB), WARN),
        (precautions.runtime_line((3, 9, 2), (3, 40, 1)), BAD),
        (precautions.runtime_line((3, 11, 2), (3, 26, 0)), BAD),
        (precautions.database_file_line(0o755, 0o644, "x"), BAD),
        (precautions.database_file_line(0o750, 0o640, "x"), WARN),
        (precautions.backup_line(None, NOW - timedelta(days=30), NOW), WARN),
        (findings.clock_line(NOW, NOW + timedelta(hours=1)), WARN),
    ],
    ids=["disk full", "disk scarce", "old Python", "old SQLite", "database open", "group", "no backup", "clock behind"],
)
def test_what_no_test_may_do_to_its_own_computer_is_judged_from_facts(line: Line | None, level: Level) -> None:
    assert line is not None
    assert line.level is level
    assert line.next_step


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p"])
def test_d08_a_network_drive_is_named(kind: str) -> None:
    settings_now = {"journal_mode": "truncate", "synchronous": "2"}
    (problem,) = durability.judge_sqlite((3, 40, 1), settings_now, kind)
    assert kind in problem


@pytest.mark.django_db(transaction=True)
def test_d10_flipped_bytes_are_found_by_the_thorough_look(tmp_path: Path) -> None:
    connection.ensure_connection()
    copy = tmp_path / "damaged.sqlite3"
    with closing(sqlite3.connect(copy)) as target:
        connection.connection.backup(target)
    raw = bytearray(copy.read_bytes())
    for at in range(40_960, len(raw) - 4096, 65_536):
        raw[at : at + 64] = os.urandom(64)
    copy.write_bytes(raw)
    with closing(sqlite3.connect(copy)) as found:
        try:
            said = found.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            said = str(error)
    assert said != "ok"
    shutil.rmtree(tmp_path)
