"""`doctor` and 動作状況: what each trouble makes of its line, and what a red line means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from fumibako.apps.accounts.actions import save_account
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.sending.models import Pace, Worker
from fumibako.cli import main
from fumibako.practice import PracticeServer
from fumibako.web.status import findings
from fumibako.web.status.findings import MIB, Level
from tests.support.jobs import make_account

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("free", "level"),
    [(2048 * MIB, "ok"), (1024 * MIB, "ok"), (1023 * MIB, "warn"), (64 * MIB, "warn"), (63 * MIB, "bad")],
)
def test_d02_a_disk_without_room_for_results_is_red(free: int, level: str) -> None:
    assert findings.disk_line(free, 10_000 * MIB).level == level


@pytest.mark.parametrize(
    ("silence", "waiting", "level"),
    [(timedelta(seconds=60), 5, "ok"), (timedelta(seconds=61), 5, "bad"), (None, 5, "bad"), (None, 0, "warn")],
)
def test_a_silent_worker_is_red_while_mail_waits(silence: timedelta | None, waiting: int, level: str) -> None:
    seen_at = None if silence is None else NOW - silence
    assert findings.worker_line(seen_at, waiting, NOW).level == level


def test_a_heartbeat_from_the_future_is_a_heartbeat() -> None:
    assert findings.worker_line(NOW + timedelta(hours=1), 1, NOW).level is Level.OK


@pytest.mark.parametrize(
    ("now", "latest", "level"),
    [
        (NOW, NOW - timedelta(days=1), "ok"),
        (NOW, NOW + timedelta(minutes=5), "ok"),
        (NOW, NOW + timedelta(minutes=6), "warn"),
        (NOW, None, "ok"),
        (datetime(1970, 1, 1, tzinfo=UTC), None, "bad"),
    ],
)
def test_the_clock_may_not_stand_before_what_is_on_record(now: datetime, latest: datetime | None, level: str) -> None:
    assert findings.clock_line(now, latest).level == level


@pytest.mark.parametrize(("mode", "level"), [(0o700, "ok"), (0o750, "warn"), (0o755, "bad"), (0o701, "bad")])
def test_x48_who_may_read_the_folder_decides_its_line(mode: int, level: str) -> None:
    assert findings.folder_line(0o40000 | mode, "/srv/data").level == level


@pytest.mark.parametrize(
    ("problems", "damage", "level"), [((), "", "ok"), (("fsync が off です。",), "", "bad"), ((), "page 3", "bad")]
)
def test_d10_a_database_that_is_damaged_or_forgets_is_red(problems: tuple[str, ...], damage: str, level: str) -> None:
    assert findings.database_line("SQLite", problems, damage, {}).level == level


@pytest.mark.parametrize(("pending", "unknown", "level"), [(0, 0, "ok"), (2, 0, "warn"), (2, 1, "bad")])
def test_d20_tables_of_a_newer_version_are_red(pending: int, unknown: int, level: str) -> None:
    assert findings.schema_line(pending, unknown).level == level


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    return {line["key"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}


@pytest.mark.django_db
@override_settings(ALLOWED_HOSTS=["localhost"])
def test_a_good_installation_has_nothing_red(capsys: pytest.CaptureFixture[str]) -> None:
    Worker.objects.create(id="w", pid=1, host="h", version="1", started_at=NOW, seen_at=datetime.now(UTC))
    assert main(["doctor", "--json"]) == 0
    lines = told(capsys)
    assert {line["level"] for line in lines.values()} == {"ok"}
    assert {
        "version",
        "database",
        "schema",
        "disk",
        "folder",
        "key",
        "hold",
        "backup",
        "exposure",
        "worker",
        "clock",
        "all",
    } <= lines.keys()


@pytest.mark.django_db
def test_for_people_every_line_has_a_sign_a_word_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(("●正常 ", "▲注意 ", "■停止 "))] == []
    assert "▲注意 送信の処理: 止まっています。 → 「./fumibako serve」で動かしてください。" in lines


@pytest.mark.django_db
def test_an_account_that_stopped_is_red_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    Pace.objects.create(account=make_account(), stopped_at=NOW, stop_kind="login_refused")
    assert main(["doctor", "--json"]) == 1
    line = told(capsys)["account:1"]
    assert (line["level"], "ユーザIDかパスワードが違います" in str(line["text"])) == ("bad", True)


@pytest.mark.django_db
@pytest.mark.parametrize(("cause", "level"), [("pause", "ok"), ("push_back", "warn"), ("trouble", "warn")])
def test_an_account_that_waits_says_until_when(capsys: pytest.CaptureFixture[str], cause: str, level: str) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    Pace.objects.create(account=make_account(), next_slot_at=later, wait_cause=cause)
    main(["doctor", "--json"])
    assert told(capsys)["account:1"]["level"] == level


@pytest.mark.django_db
@pytest.mark.parametrize("sealed", [None, b"\x01nonsense"])
def test_an_account_without_a_readable_password_is_red(
    capsys: pytest.CaptureFixture[str], sealed: bytes | None
) -> None:
    make_account(smtp_auth=True, password_sealed=sealed)
    assert main(["doctor", "--json"]) == 1
    assert told(capsys)["account:1"]["level"] == "bad"


@pytest.fixture
def unsafe_pragma() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")
        yield
        cursor.execute("PRAGMA synchronous=FULL")


@pytest.mark.django_db(transaction=True)
def test_d04_settings_that_forget_are_read_back_and_red(
    unsafe_pragma: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json"]) == 1
    assert told(capsys)["database"]["level"] == "bad"


@pytest.mark.django_db
def test_connections_are_tried_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with PracticeServer(tmp_path) as server:
        values = {"smtp_host": "127.0.0.1", "smtp_port": server.addresses.smtp_port, "smtp_security": "none"}
        values |= {"receive_enabled": False, "name": "近い", "from_address": "a@example.jp"}
        save_account(None, values | {"user_id": "a", "password": "b"})
        save_account(None, values | {"name": "断られる", "user_id": "a", "password": "wrong"})
        assert main(["doctor", "--connect", "--json"]) == 1
    lines = told(capsys)
    found = [
        lines[f"connection:{number}:smtp"]["level"]
        for number in MailAccount.objects.values_list("account_no", flat=True)
    ]
    assert found == ["ok", "bad"]


@pytest.mark.django_db
def test_a_key_that_others_can_read_is_red(capsys: pytest.CaptureFixture[str]) -> None:
    settings.DATA.key_file.chmod(0o644)
    try:
        assert main(["doctor", "--json"]) == 1
    finally:
        settings.DATA.key_file.chmod(0o600)
    assert told(capsys)["key"]["level"] == "bad"
