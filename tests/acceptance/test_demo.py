"""The two sentences of the front page: `demo` starts everything, `demo --check` goes round by itself."""

from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.running import command, finished, running


def test_the_circle_adds_up_and_the_server_agrees(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = finished(data, "demo", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["ok"] is True
    assert told["sent"] + told["failed"] + told["unknown"] + told["excluded"] == told["selected"] == 24
    assert (told["sent"], told["failed"], told["unknown"], told["excluded"]) == (14, 5, 1, 4)
    assert (told["received"], told["bounced"], told["matched"], told["contacts"]) == (4, 2, 4, 1)
    assert (told["most_copies_per_person"], told["server_accepted"]) == (1, 17)
    assert told["seconds"] < 60
    assert not data.exists(), "the check has a folder of its own"


COUNTED = (
    "SELECT (SELECT count(*) FROM recipients_recipient), (SELECT count(*) FROM sending_bulksend), "
    "(SELECT count(*) FROM inbox_receivedmail), (SELECT count(*) FROM contacts_contactrecord), "
    "(SELECT count(*) FROM office_operator)"
)


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a space and kanji in its name that `demo` was started in and stopped again."""
    data = tmp_path_factory.mktemp("demo") / "見本 data"
    with running(data, "demo", "--no-browser", "--port", "0") as demo:
        assert "はじめての設定" in demo.fetch()
        assert demo.interrupt() == 0
    return data


def rows_of(data: Path, statement: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{data}/fumibako.sqlite3?mode=ro", uri=True) as database:
        return database.execute(statement).fetchall()


def test_demo_prints_the_one_time_link_while_nobody_is_administrator(first_start: Path) -> None:
    with running(first_start, "demo", "--no-browser", "--port", "0") as demo:
        assert demo.told["is_set_up_link"] is True
        assert urlsplit(demo.url).path == "/setup/"
        assert urlsplit(demo.url).hostname == "127.0.0.1"
        assert "はじめての設定" in demo.fetch()


def test_demo_has_the_people_and_accounts_of_the_practice_mode(first_start: Path) -> None:
    kinds = rows_of(first_start, "SELECT kind, count(*) FROM recipients_recipient GROUP BY kind ORDER BY kind")
    assert kinds == [("applicant", 25), ("client", 62), ("staff", 300)]
    assert rows_of(first_start, "SELECT count(*) FROM recipients_client") == [(40,)]
    assert rows_of(first_start, "SELECT count(*), min(smtp_host), max(pop_host) FROM accounts_mailaccount") == [
        (4, "127.0.0.1", "127.0.0.1")
    ]
    assert rows_of(first_start, "SELECT is_practice FROM office_office") == [(1,)]


def test_demo_opens_an_office_that_lives(first_start: Path) -> None:
    kinds = [row[0] for row in rows_of(first_start, "SELECT kind FROM inbox_receivedmail")]
    assert len(kinds) >= 40
    assert {"ordinary", "auto_reply", "bounce"} <= set(kinds)
    assert rows_of(first_start, "SELECT count(*) FROM inbox_receivedmail WHERE reading != 'read'") == [(0,)]
    states = {row[0] for row in rows_of(first_start, "SELECT state FROM sending_delivery")}
    assert states == {"sent", "failed", "unknown", "bounced"}
    answers = "SELECT count(*) FROM inbox_receivedmail WHERE kind = 'ordinary' AND delivery_id IS NOT NULL"
    assert rows_of(first_start, answers) == [(6,)]
    assert rows_of(first_start, "SELECT count(*) FROM inbox_bouncereport WHERE effect = 'unmatched'") == [(1,)]
    records = "SELECT count(*) FROM contacts_contactrecord WHERE mail_id IS {} NULL"
    assert rows_of(first_start, records.format("")) == [(22,)]
    assert int(str(rows_of(first_start, records.format("NOT"))[0][0])) >= 12
    open_work = "SELECT count(*) FROM contacts_contactrecord WHERE next_on IS NOT NULL AND next_done_at IS NULL"
    assert rows_of(first_start, open_work) == [(10,)]


def test_nobody_of_the_sample_office_can_log_in(first_start: Path) -> None:
    passwords = rows_of(first_start, "SELECT password FROM office_operator")
    assert len(passwords) == 2
    assert all(str(password).startswith("!") for (password,) in passwords)


def test_a_second_start_adds_nothing_and_leads_the_accounts_to_the_server_of_today(first_start: Path) -> None:
    before = rows_of(first_start, COUNTED)
    with running(first_start, "demo", "--no-browser", "--port", "0"):
        ports = rows_of(first_start, "SELECT DISTINCT smtp_port, pop_port FROM accounts_mailaccount")
        assert len(ports) == 1
        for port in ports[0]:
            with socket.create_connection(("127.0.0.1", int(str(port))), timeout=10) as line:
                assert line.recv(3) in (b"220", b"+OK")
    after = rows_of(first_start, COUNTED)
    assert after == before


def test_a_taken_usual_port_is_stepped_around(first_start: Path) -> None:
    with ExitStack() as stack:
        with suppress(OSError):  # somebody else has it: just as well
            stack.enter_context(closing(socket.create_server(("127.0.0.1", 8000))))
        demo = stack.enter_context(running(first_start, "demo", "--no-browser"))
        assert urlsplit(demo.url).port != 8000
        assert demo.fetch()


def test_two_starts_on_one_folder_do_not_get_into_each_other_s_way(first_start: Path) -> None:
    with running(first_start, "demo", "--no-browser", "--port", "0") as demo:
        other = finished(first_start, "demo", "--no-browser", "--port", "0")
        assert (other.returncode, other.stdout) == (3, "")
        assert "もうふみばこが動いています" in other.stderr
        assert demo.fetch()


def test_an_office_at_work_is_never_turned_into_practice(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (tmp_path / "a.toml").write_text(
        'name = "本番"\nsmtp_host = "smtp.example.jp"\nfrom_address = "a@example.jp"\nreceive_enabled = false\n'
        'user_id = "a"\npassword = "b"\n',
        "utf-8",
    )
    assert finished(data, "account", "put", "a.toml").returncode == 0
    done = finished(data, "demo", "--no-browser")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "練習モードにできません" in done.stderr
    assert rows_of(data, "SELECT count(*) FROM office_office WHERE is_practice") == [(0,)]


@pytest.mark.parametrize("words", [["--people", "3"], ["--port", "70000"], ["--port", "x"], ["--fly"]])
def test_bad_input_is_refused_before_anything_is_made(tmp_path: Path, words: list[str]) -> None:
    done = finished(tmp_path / "data", "demo", *words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert not (tmp_path / "data").exists()


def test_the_command_that_is_tested_is_the_launcher_s(tmp_path: Path) -> None:
    launcher = Path(__file__).parent.parent.parent / "fumibako"
    assert " ".join(command(tmp_path)[1:4]) in launcher.read_text("utf-8")


def test_a_mail_goes_from_the_command_line_through_the_demonstration(first_start: Path) -> None:
    (first_start.parent / "body.txt").write_text("{{氏名}}様\n\n明日の予定です。\n", "utf-8")
    letter = ["--subject", "{{氏名}}様へ", "--body-file", "body.txt"]
    with running(first_start, "demo", "--no-browser", "--port", "0"):
        people = ["--account", "1", "--to", "staff:number=000001"]
        done = finished(first_start, "send", *people, *letter, "--yes", "--wait", "--json")
        assert done.returncode in (0, 1), done.stderr
    told = json.loads(done.stdout)
    assert told["selected"] >= 1
    assert told["sent"] + told["failed"] + told["unknown"] + told["excluded"] == told["selected"]
