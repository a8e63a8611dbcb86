"""Backups, restores, copies and keys: a copy sends nothing until released, and nobody silently gets a second mail."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tarfile
import threading
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from fumibako import data_folder
from fumibako.apps.accounts.keys import rotate_keys
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.routes import password_of
from fumibako.apps.accounts.secrets import SecretLost, seal
from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.office import instance
from fumibako.apps.office.backup import make_backup
from fumibako.apps.office.models import Instance, Operator
from fumibako.apps.office.problems import Refused
from fumibako.apps.office.queries import outbound_hold
from fumibako.apps.office.restore import unpacked
from fumibako.apps.sending.releasing import release_copy
from fumibako.apps.sending.work import AROUND, Desk
from fumibako.background.embedded import Embedded
from fumibako.delivery.states import State
from tests.acceptance.running import ROOT, finished, surroundings
from tests.faults.injecting import Tracer, killing
from tests.support import worker_process
from tests.support.jobs import FakeTime, around, make_account, make_job, make_people, put_into, row_of, states_of
from tests.support.post_office import PostOffice
from tests.support.tools import require_tool

PASSWORD = "kanariya-no-himitsu"


# ------------------------------------------------------------------ what tells a copy from the original


def stand_now() -> instance.Stand:
    found = instance.read_stand()
    assert found is not None
    return found


def put_stand(**changes: Any) -> None:
    path = settings.DATA.root / instance.STAND
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def copied_back() -> None:
    """What every program does that puts a file back: a new inode with the old content."""
    anchor = settings.DATA.root / instance.ANCHOR
    content = anchor.read_bytes()
    anchor.unlink()
    anchor.write_bytes(content)


def older_database() -> None:
    Instance.objects.update(count=0)


def marked_copy() -> None:
    Instance.objects.update(copied_at=timezone.now())


def no_stand() -> None:
    (settings.DATA.root / instance.STAND).unlink()


CHANGES: list[tuple[str, Callable[[], object], str]] = [
    ("an older database was put in place", older_database, instance.BEHIND),
    ("a marked copy was put in place", marked_copy, instance.BEHIND),
    ("the database was emptied", lambda: Instance.objects.all().delete(), instance.BEHIND),
    ("the database of another office", lambda: put_stand(instance="another"), instance.FOREIGN),
    ("the file beside it is gone", no_stand, instance.AHEAD),
    ("the file beside it is old", lambda: put_stand(low=0, high=0), instance.AHEAD),
    ("the file beside it is nonsense", lambda: (settings.DATA.root / instance.STAND).write_text("{"), instance.AHEAD),
    ("another computer", lambda: put_stand(machine="another"), instance.ELSEWHERE),
    ("another place", lambda: put_stand(path="/srv/elsewhere"), instance.ELSEWHERE),
    ("the whole folder was copied back", copied_back, instance.ELSEWHERE),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "word"), [(change, word) for _, change, word in CHANGES], ids=[c[0] for c in CHANGES]
)
def test_d18_d19_every_kind_of_copy_is_known_and_a_release_ends_it(change: Callable[[], object], word: str) -> None:
    assert instance.advance()
    assert instance.advance()
    assert outbound_hold() == ""
    change()
    assert outbound_hold() == word
    assert not instance.advance(), "a held folder must not count on"
    release_copy(None)
    assert outbound_hold() == ""
    assert instance.advance()


@pytest.mark.django_db
def test_a_kill_between_file_and_row_is_no_copy() -> None:
    instance.advance()
    stand = stand_now()
    put_stand(high=stand.high + 1)
    assert outbound_hold() == ""
    Instance.objects.update(count=stand.high + 1)
    assert outbound_hold() == ""


def test_d19_another_machine_has_another_mark() -> None:
    unshare = require_tool("unshare", "apt-get install -y util-linux")
    done = subprocess.run([unshare, "--uts", "hostname", "elsewhere"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"a name of its own needs root: {done.stderr.strip()}; run as root, or: sudo ./fumibako test")
    words = "from fumibako.apps.office.instance import machine_mark as m; print(m())"
    script = f"hostname elsewhere && exec {sys.executable} -c 'import django; django.setup(); {words}'"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "DJANGO_SETTINGS_MODULE": "fumibako.web.settings"}
    told = subprocess.run(
        [unshare, "--uts", "sh", "-c", script], capture_output=True, text=True, check=True, env=environment
    )
    assert told.stdout.strip() not in ("", instance.machine_mark())
    assert socket.gethostname() != "elsewhere"


# ------------------------------------------------------------------ nothing moves in a held folder


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("change", "word"), [CHANGES[0][1:], CHANGES[9][1:]], ids=["D18", "D19"])
def test_d18_d19_a_worker_on_a_copy_moves_no_row_and_speaks_to_no_server(
    change: Callable[[], object], word: str
) -> None:
    waiting = make_job(make_account(), make_people(3), now=timezone.now())
    instance.advance()
    change()
    with PostOffice() as office:
        world = replace(AROUND, route_of=around(office.port, FakeTime()).route_of)
        desk = Desk("w1", threading.Event(), Embedded(report=lambda name, error: None), world)
        for _ in range(3):
            desk.sweep()
        assert office.lines == []
        assert states_of(waiting) == {"planned": 3}
        release_copy(None, is_nothing_sent_since=word == instance.ELSEWHERE)
        expected = {"planned": 3} if word == instance.ELSEWHERE else {"unknown": 3}
        assert states_of(waiting) == expected


@pytest.mark.django_db
def test_d18_what_may_have_left_since_the_copy_becomes_unknown_and_a_later_start_asks() -> None:
    now = timezone.now()
    account = make_account()
    begun = make_job(account, make_people(5), now=now, released_at=now)
    for seq, state in enumerate(("queued", "sending", "handing_over", "sent", "suppressed"), start=1):
        owner = "dead" if state in ("sending", "handing_over") else ""
        put_into(row_of(begun, seq), State(state), owner=owner, exclusion="opt_out" if state == "suppressed" else "")
    later = make_job(account, make_people(1), now=now, release_at=now + timedelta(hours=5))
    instance.advance()
    older_database()
    doubted = release_copy(None, now=now)
    assert (doubted.unknown_count, doubted.paused_count) == (3, 1)
    assert states_of(begun) == {"unknown": 3, "sent": 1, "suppressed": 1}
    later.refresh_from_db()
    assert (states_of(later), later.pause_cause) == ({"planned": 1}, "restored")
    entry = AuditEvent.objects.get(action="office.released")
    assert entry.changes["unknown"] == [0, 3]


@pytest.mark.django_db
def test_d18_nobody_can_vouch_for_an_older_database_and_only_administrators_release() -> None:
    with pytest.raises(Refused):
        release_copy(None)
    instance.advance()
    older_database()
    with pytest.raises(Refused):
        release_copy(None, is_nothing_sent_since=True)
    clerk = Operator.objects.create(username="suzuki", display_name="鈴木")
    client = Client()
    client.force_login(clerk)
    assert client.post("/status/release/").status_code == 403
    assert outbound_hold() == instance.BEHIND
    boss = Operator.objects.create(username="sato", display_name="佐藤", is_administrator=True)
    client.force_login(boss)
    page = client.get("/status/").content.decode()
    assert "復元を検知しました" in page
    assert "送信と受信を始める" in page
    assert client.get("/status.json").status_code == 503
    assert client.post("/status/release/").status_code == 302
    assert outbound_hold() == ""


# ------------------------------------------------------------------ the commands, on folders of their own


MAKE = """
import sys
from fumibako.cli import main
assert main(["account", "put", sys.argv[1]]) == 0
from fumibako.apps.office import instance
assert instance.advance()
"""


@pytest.fixture(scope="module")
def office_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one account, whose password is a canary, and stored files; a worker has run on it."""
    data = tmp_path_factory.mktemp("restore") / "data"
    toml = data.parent / "account.toml"
    toml.write_text(ACCOUNT, "utf-8")
    environment = surroundings(data.parent) | {"FUMIBAKO_DATA": str(data)}
    subprocess.run([sys.executable, "-c", MAKE, str(toml)], env=environment, check=True)
    (data / "files" / ("a" * 64)).write_bytes(b"attachment")
    (data / "mail" / "1").mkdir(mode=0o700)
    (data / "mail" / "1" / "mail.eml").write_bytes(b"Subject: x\r\n\r\nhello\r\n")
    return data


ACCOUNT = f"""
name = "見本"
smtp_host = "127.0.0.1"
smtp_port = 25
smtp_security = "none"
smtp_auth = true
from_address = "staff@example.jp"
receive_enabled = false
user_id = "staff"
password = "{PASSWORD}"
"""


@pytest.fixture
def data(office_folder: Path, tmp_path: Path) -> Path:
    """The folder in a place of its own, with the stand of an original."""
    made = Path(shutil.copytree(office_folder, tmp_path / "data"))
    stand = instance.read_stand(made)
    assert stand is not None
    here = replace(stand, path=str(made), anchor=instance.anchor_mark(made / instance.ANCHOR))
    (made / instance.STAND).write_text(json.dumps(asdict(here)), "utf-8")
    return made


def told_by(data: Path, *words: str) -> dict[str, Any]:
    done = finished(data, *words, "--json")
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout.splitlines()[0]))


def hold_of(data: Path) -> str:
    """What a process that starts on this folder finds."""
    with closing(sqlite3.connect(data / "fumibako.sqlite3")) as found:
        count, copied_at = found.execute("SELECT count, copied_at FROM office_instance").fetchone()
        (office,) = found.execute("SELECT instance_id FROM office_office").fetchone()
    record = instance.Record(str(uuid.UUID(office)), count, copied_at)
    anchor = instance.anchor_mark(data / instance.ANCHOR)
    here = instance.Stand("", 0, 0, instance.machine_mark(), str(data), anchor)
    return instance.judge(instance.read_stand(data), record, here)


def doctor_lines(data: Path) -> dict[str, dict[str, Any]]:
    return {line["key"]: line for line in map(json.loads, finished(data, "doctor", "--json").stdout.splitlines())}


def test_d18_x43_a_backup_is_whole_without_the_key_and_restores_held(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "office.tar"
    made = told_by(data, "backup", str(file))
    raw = file.read_bytes()
    key = (data / "fumibako.key").read_text("ascii").strip()
    assert (made["entries"], file.stat().st_mode & 0o777) == (3, 0o600)
    for secret in (PASSWORD.encode(), key.encode(), bytes.fromhex(key)):
        assert secret not in raw
    assert finished(data, "backup", str(file)).returncode == 2, "never over another file"

    new = tmp_path / "new"
    done = finished(new, "restore", str(file), "--json")
    assert done.returncode == 1, "its key is not here"
    assert json.loads(done.stdout)["key_fits"] is False
    assert "--key" in done.stderr
    again = finished(new, "restore", str(file), "--key", str(data / "fumibako.key"), "--json")
    assert again.returncode == 0, again.stderr
    aside = Path(json.loads(again.stdout)["aside"])
    assert (aside / "fumibako.sqlite3").exists(), "moved aside, never deleted"
    assert (new / "mail" / "1" / "mail.eml").read_bytes() == (data / "mail" / "1" / "mail.eml").read_bytes()
    line = doctor_lines(new)["hold"]
    assert (line["level"], line["facts"]) == ("bad", {"hold": "restored"})
    assert finished(new, "release", "--nothing-sent-since").returncode == 2
    assert finished(new, "release").returncode == 0
    assert hold_of(new) == ""


def test_d19_a_copied_folder_is_held_and_the_original_is_not(data: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(data, tmp_path / "copy"))
    subprocess.run(["cp", "-a", str(data), str(tmp_path / "twin")], check=True)
    assert hold_of(copy) == "elsewhere"
    assert hold_of(tmp_path / "twin") == "elsewhere"
    assert hold_of(data) == ""


def test_d18_a_day_old_folder_put_back_in_its_place_is_held(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "yesterday.tar"
    subprocess.run(["tar", "-C", str(data.parent), "-cf", str(archive), data.name], check=True)
    shutil.rmtree(data)
    subprocess.run(["tar", "-C", str(data.parent), "-xf", str(archive)], check=True)
    assert hold_of(data) == "elsewhere"


def test_x18_a_backup_that_was_cut_changed_or_forged_is_refused_and_changes_nothing(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "office.tar"
    told_by(data, "backup", str(file))
    raw = file.read_bytes()
    before = (data / "fumibako.sqlite3").read_bytes()
    half, altered = raw[: len(raw) // 2], raw.replace(b"hello", b"hallo")
    for name, content in {"cut": half, "changed": altered, "empty": b"", "text": b"x" * 9000}.items():
        bad = tmp_path / f"{name}.tar"
        bad.write_bytes(content)
        assert_refused(bad, data)
    for name in ("../escape", "/escape", "files/../../escape", "fumibako.key"):
        bad = tmp_path / "forged.tar"
        shutil.copy(file, bad)
        with tarfile.open(bad, "a") as tar:
            info = tarfile.TarInfo(name)
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
        assert_refused(bad, data)
    assert not (tmp_path / "escape").exists()
    assert (data / "fumibako.sqlite3").read_bytes() == before
    assert [path.name for path in data.iterdir() if "restor" in path.name] == []
    assert hold_of(data) == ""


def assert_refused(bad: Path, root: Path) -> None:
    with pytest.raises(Refused), unpacked(bad, root):
        raise AssertionError(f"{bad.name} was taken")


def test_d18_a_restore_killed_halfway_starts_nothing_and_can_be_done_again(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "office.tar"
    told_by(data, "backup", str(file))
    instance.hold(instance.RESTORING, data)
    (data / "fumibako.sqlite3").rename(tmp_path / "moved-so-far")
    for words in (("serve", "--port", "0"), ("release",)):
        done = finished(data, *words)
        assert (done.returncode, "restore" in done.stderr) == (3, True), words
    assert finished(data, "restore", str(file)).returncode == 0
    assert hold_of(data) == "restored"


def test_d09_a_missing_database_is_told_and_no_empty_one_is_made(data: Path) -> None:
    (data / "fumibako.sqlite3").unlink()
    for words in (("serve", "--port", "0"), ("account", "list")):
        done = finished(data, *words)
        assert (done.returncode, "データベース" in done.stderr) == (3, True), words
    assert not (data / "fumibako.sqlite3").exists()


def test_d21_a_lost_key_is_told_and_no_new_one_hides_the_passwords(data: Path, tmp_path: Path) -> None:
    (data / "fumibako.key").rename(tmp_path / "kept.key")
    done = finished(data, "account", "list")
    assert (done.returncode, "鍵ファイル" in done.stderr, (data / "fumibako.key").exists()) == (3, True, False)
    assert finished(data, "keys", "new").returncode == 0
    account = doctor_lines(data)["account:1"]
    assert (account["level"], "鍵ファイルが違います" in account["text"]) == ("bad", True)
    shutil.copy(tmp_path / "kept.key", data / "fumibako.key")
    assert doctor_lines(data)["account:1"]["level"] == "ok", "never blanked"


# ------------------------------------------------------------------ changing keys


@pytest.fixture
def key_file() -> Any:
    """The key of the test's folder comes back afterwards."""
    before = settings.DATA.key_file.read_bytes()
    yield settings.DATA.key_file
    settings.DATA.key_file.write_bytes(before)


def accounts_with_passwords(count: int) -> None:
    first = make_account()
    template = {field.name: getattr(first, field.name) for field in MailAccount._meta.fields if field.name != "id"}
    MailAccount.objects.bulk_create(
        [MailAccount(**template | {"account_no": number, "name": f"口座{number}"}) for number in range(2, count + 1)]
    )
    rows = list(MailAccount.objects.all())
    for row in rows:
        row.password_sealed = seal(row.pk, "password", f"{PASSWORD}{row.pk}")
    MailAccount.objects.bulk_update(rows, ["password_sealed"], batch_size=500)


def assert_all_readable() -> None:
    assert [row.pk for row in MailAccount.objects.all() if password_of(row).reveal() != f"{PASSWORD}{row.pk}"] == []


@pytest.mark.django_db
def test_x42_a_thousand_passwords_change_their_key_and_the_old_one_goes_last(key_file: Path) -> None:
    accounts_with_passwords(1000)
    (old,) = data_folder.read_keys(settings.DATA)
    done = rotate_keys()
    assert (done.sealed_count, done.unreadable_count, done.was_resumed) == (1000, 0, False)
    (new,) = data_folder.read_keys(settings.DATA)
    assert new != old
    assert_all_readable()


ROTATE = """
import sys
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
import django
django.setup()
from fumibako.apps.accounts.keys import rotate_keys
print("ready", flush=True)
sys.stdin.readline()
rotate_keys()
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [1, 8, 15])
def test_d21_x42_killed_at_any_row_every_password_can_be_read_and_the_next_call_ends_it(
    key_file: Path, number: int
) -> None:
    accounts_with_passwords(250)
    (old,) = data_folder.read_keys(settings.DATA)
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "DJANGO_SETTINGS_MODULE": "fumibako.web.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", ROTATE, str(connection.settings_dict["NAME"])],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        tracer = Tracer(process.pid, *killing("pwrite64", number))
        process.communicate("\n", timeout=60)
        tracer.finish()
    assert process.returncode == -signal.SIGKILL
    keys = data_folder.read_keys(settings.DATA)
    assert (len(keys), keys[1]) == (2, old), "the old key stays while anything needs it"
    assert_all_readable()
    done = rotate_keys()
    assert done.was_resumed
    assert len(data_folder.read_keys(settings.DATA)) == 1
    assert_all_readable()


@pytest.mark.django_db
def test_d21_with_a_wrong_key_nothing_is_blanked_and_the_right_one_reads_again(key_file: Path) -> None:
    accounts_with_passwords(3)
    right = key_file.read_bytes()
    data_folder.write_keys(settings.DATA, (data_folder.new_key(),))
    for row in MailAccount.objects.all():
        with pytest.raises(SecretLost):
            password_of(row)
    done = rotate_keys()
    assert (done.sealed_count, done.unreadable_count) == (0, 3)
    key_file.write_bytes(right)
    assert_all_readable()


# ------------------------------------------------------------------ while sending


@pytest.mark.django_db(transaction=True)
def test_d17_backups_while_sending_hold_it_up_for_less_than_a_second_and_are_whole(tmp_path: Path) -> None:
    job = make_job(make_account(connections=2), make_people(60), now=timezone.now())
    database = Path(connection.settings_dict["NAME"])
    holds = []
    with PostOffice() as office:
        worker = worker_process.start(database, office.port)
        try:
            number = 0
            while job.deliveries.exclude(state="sent").exists():
                number += 1
                made = make_backup(tmp_path / f"{number}.tar", timezone.now())
                holds.append(made.hold_seconds)
                with tarfile.open(made.path) as tar, (tmp_path / "fumibako.sqlite3").open("wb") as copy:
                    shutil.copyfileobj(tar.extractfile("fumibako.sqlite3") or io.BytesIO(), copy)
                assert_whole(tmp_path / "fumibako.sqlite3", job.pk, 60)
                made.path.unlink()
        finally:
            worker.kill()
            worker.wait()
        assert sorted(office.copies().values()) == [1] * 60
    assert holds
    assert max(holds) < 1


def assert_whole(database: Path, job_id: int, count: int) -> None:
    with closing(sqlite3.connect(database)) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert found.execute("SELECT count(*) FROM sending_delivery WHERE job_id = ?", (job_id,)).fetchone() == (count,)
        assert found.execute("SELECT copied_at IS NOT NULL FROM office_instance").fetchone() == (1,)
