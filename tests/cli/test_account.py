"""`account`: accounts from files, by the rules of the screen, with passwords that go in and never come out."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.routes import password_of
from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.sending.models import Pace
from fumibako.apps.sending.pacing import allow_again
from fumibako.cli import main

pytestmark = pytest.mark.django_db

SECRET = "kagi-123-abc"
GOOD = f"""
name = "スタッフ連絡用"
smtp_host = "127.0.0.1"
smtp_port = 2525
smtp_security = "none"
smtp_auth = false
from_name = "見本スタッフ 東京本社"
from_address = "staff@example.jp"
charset = "utf-8"
batch_size = 100
sleep_seconds = 0
connections = 4
receive_enabled = true
pop_host = "127.0.0.1"
pop_port = 2110
pop_tls = "none"
user_id = "staff"
password = "{SECRET}"
delete_after_receive = false
"""


def put(folder: Path, text: str, *words: str) -> int:
    path = folder / "account.toml"
    path.write_text(text, "utf-8")
    return main(["account", "put", str(path), *words])


def test_the_file_of_the_manual_makes_an_account(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert put(tmp_path, GOOD, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    account = MailAccount.objects.get()
    assert (told["account_no"], told["created"], told["has_password"]) == (account.account_no, True, True)
    assert (account.name, account.batch_size, account.connections, account.pop_tls) == ("スタッフ連絡用", 100, 4, False)
    assert password_of(account).reveal() == SECRET


def test_the_same_name_again_changes_the_same_account(tmp_path: Path) -> None:
    put(tmp_path, GOOD)
    assert put(tmp_path, GOOD.replace("sleep_seconds = 0", "sleep_seconds = 30")) == 0
    assert MailAccount.objects.get().sleep_seconds == 30


def test_an_account_can_be_named_by_its_number(tmp_path: Path) -> None:
    put(tmp_path, GOOD)
    number = MailAccount.objects.get().account_no
    assert put(tmp_path, f'account_no = {number}\nname = "新しい名前"') == 0
    assert MailAccount.objects.get().name == "新しい名前"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("charset =", "charzet ="), "charzet"),
        (("smtp_auth = false", 'smtp_auth = "false"'), "smtp_auth は true か false"),
        (("batch_size = 100", "batch_size = true"), "batch_size は数字"),
        (("batch_size = 100", "batch_size = 1.5"), "batch_size は数字"),
        (("batch_size = 100", "batch_size = 0"), "1回の送信処理件数"),
        (('smtp_security = "none"', 'smtp_security = "tls"'), "通信方法を選択"),
        (("smtp_port = 2525", "smtp_port = 465"), "465"),
        (('from_address = "staff@example.jp"', 'from_address = "staff"'), "メールアドレス"),
        (('pop_tls = "none"', 'pop_tls = "yes"'), "none・stls・tls"),
        (('pop_tls = "none"', 'pop_tls = "tls"'), "995"),
        (('name = "スタッフ連絡用"', 'name = "スタッフ連絡用"\naccount_no = 7'), "NO 7 はありません"),
        ((f'password = "{SECRET}"', 'password_env = "FUMIBAKO_NO_SUCH"'), "FUMIBAKO_NO_SUCH"),
        ((f'password = "{SECRET}"', f'password = "{SECRET}'), "TOML として読めません"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], words: str
) -> None:
    assert put(tmp_path, GOOD.replace(*change)) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert words in err
    assert SECRET not in err
    assert not MailAccount.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["account", "put", str(tmp_path / "none.toml")]) == 2
    assert "読めません" in capsys.readouterr().err


def test_the_password_may_come_from_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFICE_MAIL_PASSWORD", SECRET)
    put(tmp_path, GOOD.replace(f'password = "{SECRET}"', 'password_env = "OFFICE_MAIL_PASSWORD"'))
    assert password_of(MailAccount.objects.get()).reveal() == SECRET


def test_the_password_may_come_from_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    put(tmp_path, GOOD.replace(SECRET, "-"))
    assert password_of(MailAccount.objects.get()).reveal() == SECRET


def test_no_command_tells_the_password_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, GOOD)
    main(["account", "list"])
    main(["account", "list", "--json"])
    main(["account", "check", str(MailAccount.objects.get().account_no)])
    main(["doctor", "--json"])
    out, err = capsys.readouterr()
    assert SECRET not in out + err
    assert SECRET not in "".join(json.dumps(event.changes) for event in AuditEvent.objects.all())


@pytest.mark.parametrize(("word", "port", "is_ticked"), [("none", 110, False), ("stls", 110, True), ("tls", 995, True)])
def test_pop_encryption_is_the_screen_s_tick_and_port(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, port: int, is_ticked: bool
) -> None:
    text = GOOD.replace("pop_port = 2110\n", "").replace('pop_tls = "none"', f'pop_tls = "{word}"')
    assert put(tmp_path, text, "--json") == 0
    account = MailAccount.objects.get()
    assert (account.pop_tls, account.pop_port) == (is_ticked, port)
    assert json.loads(capsys.readouterr().out)["pop_tls"] == word


def test_a_new_account_without_a_port_has_the_one_of_its_encryption(tmp_path: Path) -> None:
    ssl = GOOD.replace("smtp_port = 2525\n", "").replace('smtp_security = "none"', 'smtp_security = "ssl"')
    assert put(tmp_path, ssl.replace("smtp_auth = false", "smtp_auth = true")) == 0
    assert MailAccount.objects.get().smtp_port == 465


def test_a_changed_server_asks_for_the_password_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, GOOD)
    moved = GOOD.replace('smtp_host = "127.0.0.1"', 'smtp_host = "smtp.example.jp"')
    assert put(tmp_path, moved.replace(f'password = "{SECRET}"', "")) == 2
    assert "パスワードを入力し直して" in capsys.readouterr().err
    assert MailAccount.objects.get().smtp_host == "127.0.0.1"


def test_the_list_tells_which_account_stands_still(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, GOOD)
    account = MailAccount.objects.get()
    allow_again(account.pk)
    Pace.objects.update(stopped_at=account.changed_at, stop_kind="login_refused")
    capsys.readouterr()
    assert main(["account", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["stop_kind"], told["user_id"], "password" in told) == ("login_refused", "staff", False)
    assert told["stopped_at"].endswith("+09:00")


def test_the_check_tells_every_stage_and_returns_1_when_nobody_listens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, GOOD.replace("2525", "1").replace("2110", "1"))
    capsys.readouterr()
    assert main(["account", "check", str(MailAccount.objects.get().account_no), "--json"]) == 1
    out, err = capsys.readouterr()
    stages = [json.loads(line) for line in out.splitlines()]
    found = [(one["protocol"], one["stage"], one["ok"]) for one in stages]
    assert found == [
        ("smtp", "name", True),
        ("smtp", "connect", False),
        ("pop", "name", True),
        ("pop", "connect", False),
    ]
    assert "1番では受け付けていません" in err


def test_an_unknown_number_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["account", "check", "99"]) == 2
    assert "NO 99 はありません" in capsys.readouterr().err
