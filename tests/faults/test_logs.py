"""Logs under hostile volume, and what may never be in them: bounded files, bounded lines, no names and no secrets."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from django.conf import settings
from django.db import connection

from fumibako import logs
from fumibako.apps.accounts.secrets import seal
from fumibako.apps.sending.models import Delivery
from fumibako.apps.sending.work import send_account, tidy_up
from fumibako.services.mailer import Secret, SmtpRoute
from tests.support.jobs import PATIENCE, FakeTime, around, make_account, make_job, make_people
from tests.support.post_office import PostOffice

ROOT = Path(__file__).parent.parent.parent
CANARY = "kanariya-no-himitsu"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.set_up("worker", tmp_path)
    yield tmp_path
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


HOSTILE = """
import sys
from pathlib import Path
import structlog
from fumibako import logs
logs.FILE_BYTES = 20_000
logs.set_up("worker", Path(sys.argv[1]))
log = structlog.get_logger("x")
for number in range(1500):
    log.info("mail", number=number, writer=sys.argv[2], subject="\\x1b]0;件名" + "x" * 10_000)
"""


def test_d16_three_processes_of_hostile_subjects_fill_no_more_than_the_files_allow(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", HOSTILE, str(tmp_path)]
    writers = [subprocess.Popen([*command, name], env=environment) for name in ("a", "b", "c")]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    files = sorted(tmp_path.glob("worker.log*"))
    assert len([path for path in files if not path.name.endswith(".lock")]) == logs.FILE_COUNT + 1
    assert sum(path.stat().st_size for path in files) <= (logs.FILE_COUNT + 1) * 22_000
    lines = [line for path in files for line in path.read_bytes().splitlines()]
    assert max(len(line) for line in lines) <= logs.LINE_BYTES
    newest = dict.fromkeys("abc", 0)
    for told in map(json.loads, lines):
        newest[told["writer"]] = max(newest[told["writer"]], told["number"])
    # Whoever ended last is in the newest file; nobody went on writing into a file that was turned over.
    assert max(newest.values()) == 1499


def test_d16_a_line_is_never_longer_than_two_kibibytes(folder: Path) -> None:
    structlog.get_logger("x").info("mail", **{f"k{number}": "y" * 100 for number in range(100)})
    structlog.get_logger("x").info("e" * 5000)
    lines = (folder / "worker.log").read_bytes().splitlines()
    assert [len(line) <= logs.LINE_BYTES for line in lines] == [True, True]
    assert json.loads(lines[0]) | {"timestamp": ""} == {"event": "mail", "level": "info", "timestamp": "", "cut": True}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["AUTH", "MAIL", "DOT"])
def test_x36_x37_x38_no_secret_and_no_name_in_logs_ledger_or_database(folder: Path, step: str) -> None:
    def rule(said: str, address: str, count: int) -> str | None:
        # A server that quotes everything it was told, the password in both its forms included.
        quoted = f"{CANARY} a2FuYXJpeWEtbm8taGltaXRzdQ== {address}"
        return f"535 5.7.8 {quoted}" if said == step == "AUTH" else f"554 5.7.1 {quoted}" if said == step else None

    account = make_account(smtp_auth=True, user_id="staff")
    account.password_sealed = seal(account.pk, "password", CANARY)
    account.save()
    job = make_job(account, make_people(2, domain="kanariya.example"))
    clock = FakeTime()
    with PostOffice(rule, extensions=("AUTH LOGIN",)) as office:
        route = SmtpRoute(
            "127.0.0.1", office.port, "none", auth="LOGIN", user="staff", password=Secret(CANARY), patience=PATIENCE
        )
        tidy_up(clock.now)
        send_account(account.pk, "w1", threading.Event(), around(office.port, clock, route_of=lambda account: route))
    written = b"".join(path.read_bytes() for path in folder.iterdir()).decode()
    assert written
    assert [word for word in (CANARY, "kanariya.example", "見本", "連絡") if word in written] == []
    if step == "AUTH":
        told = " ".join(row.text for row in Delivery.objects.filter(job=job)) + str(account.pace.stop_text)
        assert CANARY not in told
        assert "a2FuYXJpeWEtbm8taGltaXRzdQ" not in told
        assert CANARY.encode() not in database_bytes()
    assert settings.DATA.key_file.read_text("ascii").strip().encode() not in database_bytes()


def database_bytes() -> bytes:
    """The database with its log, read by another process: to close the file in this one would drop its locks."""
    path = Path(connection.settings_dict["NAME"])
    paths = [each for each in (path, path.with_name(f"{path.name}-wal")) if each.exists()]
    return subprocess.run(["cat", *paths], capture_output=True, check=True).stdout
