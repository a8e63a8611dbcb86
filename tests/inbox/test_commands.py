"""`fetch`, `mails` and `mail`: the screens' actions for administrators and scripts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fumibako.apps.accounts.models import MailAccount
from fumibako.cli import main
from tests.inbox.desk import Post, error_mail, letter

pytestmark = pytest.mark.django_db(transaction=True)


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was said in JSON."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_fetch_tells_what_became_of_every_mail(
    account: MailAccount, post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    post.put(letter(1), error_mail("nobody@example.com"))
    assert main(["fetch", "--account", str(account.account_no), "--json"]) == 0
    (line,) = told(capsys)
    assert (line["listed"], line["stored"], line["skipped"], line["quarantined"]) == (2, 2, 0, 0)
    assert (line["deleted"], line["bounces"], line["trouble"]) == (0, 1, "")


def test_fetch_without_a_server_is_done_with_a_failure_worth_a_look(
    account: MailAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    account.pop_port = 1
    account.save()
    assert main(["fetch", "--json"]) == 1
    assert told(capsys)[0]["trouble"] == "refused"


def test_fetch_refuses_an_account_that_does_not_receive(
    account: MailAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", "--account", "99"]) == 2
    assert "受信の対象ではありません" in capsys.readouterr().err


def test_mails_are_listed_by_condition_and_one_is_shown_whole(
    account: MailAccount, post: Post, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    raw = letter(1, subject="東京の面談", text="午後にお願いします")
    post.put(raw, letter(2, subject="大阪の件"))
    main(["fetch"])
    capsysbinary.readouterr()
    assert main(["mails", "--words", "東京", "--json"]) == 0
    (line,) = [json.loads(one) for one in capsysbinary.readouterr().out.splitlines()]
    assert line["subject"] == "東京の面談"
    assert main(["mail", str(line["number"]), "--json"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["text"].strip() == "午後にお願いします"
    assert main(["mail", str(line["number"]), "--raw"]) == 0
    assert capsysbinary.readouterr().out == raw


def test_a_mail_that_is_not_there_is_refused(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mail", "12345"]) == 2
    assert "受信管理NO 12345 はありません" in capsys.readouterr().err
