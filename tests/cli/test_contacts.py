"""`contacts`: the records of the office on the command line."""

from __future__ import annotations

import json

import pytest

from fumibako.apps.contacts.expanding import expand
from fumibako.cli import main
from tests.contacts.records import make_account, make_mail, make_record, make_worker, next_way, set_rule, status
from tests.recipients.people import make_staff

pytestmark = pytest.mark.django_db


def told(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    assert main(["contacts", "--json", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_record_is_told_with_everything_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    operator = make_worker()
    person = make_staff()
    account = make_account()
    set_rule(account, "from", status=status(2))
    mail = make_mail(account)
    expand(mail, operator)
    (record,) = told(capsys)
    assert record["number"] == "000000001-000"
    assert (record["person"], record["role"], record["mail"]) == (f"staff:{person.number}", "from", mail.number)
    assert (record["status1"], record["operator"], record["department"]) == ("対応中", "佐藤 美咲", "東京本社")
    assert (record["subject"], record["body"]) == (mail.subject, mail.text)
    assert str(record["contacted_at"]).startswith("2026-11-24T17:30:17+09:00")


def test_conditions_are_those_of_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    operator = make_worker()
    make_record(operator, subject="一つ目", contacted_at="2026/10/01 09:00")
    make_record(operator, subject="二つ目", next_on="2026/12/01", next_category=str(next_way().pk))
    assert [one["subject"] for one in told(capsys)] == ["二つ目", "一つ目"]
    assert [one["subject"] for one in told(capsys, "--until", "2026-10-01")] == ["一つ目"]
    assert [one["next_on"] for one in told(capsys, "--next-since", "2026/12/01")] == ["2026-12-01"]
    assert told(capsys, "--from-mail", "yes") == []
    assert main(["contacts", "--subject", "一つ目"]) == 0
    assert capsys.readouterr().out == "000000001-000\t2026/10/01 09:00\t相手なし\t未対応\t一つ目\n"


def test_a_day_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contacts", "--since", "きのう"]) == 2
    assert "--since は「2026-11-24」の形で指定してください。" in capsys.readouterr().err
