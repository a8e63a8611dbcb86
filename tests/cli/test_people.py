"""`people`: the masters by file, with the checks of the screen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fumibako.apps.office.models import Department
from fumibako.apps.recipients.models import ImportDraft, ImportRun, Recipient
from fumibako.cli import main

pytestmark = pytest.mark.django_db

HEAD = "スタッフNO,氏名,所属部門,メールアドレス1"
ROWS = ["1,見本 花子,東京本社,hanako@example.jp", "2,見本 太郎,大阪支社,taro@example.jp"]


def take_in(folder: Path, rows: list[str], *words: str, encoding: str = "utf-8") -> int:
    path = folder / "people.csv"
    path.write_text("\n".join([HEAD, *rows]) + "\n", encoding)
    return main(["people", "import", "staff", str(path), *words])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_file_is_taken_in(tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str) -> None:
    assert take_in(tmp_path, ROWS, "--json", encoding=encoding) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["added"], told["refused"], told["errors"]) == (2, 0, [])
    assert sorted(Recipient.objects.values_list("family_name", "given_name")) == [("見本", "太郎"), ("見本", "花子")]


def test_the_first_file_brings_its_departments_along(tmp_path: Path) -> None:
    take_in(tmp_path, ROWS)
    assert list(Department.objects.values_list("code", "name")) == [("01", "東京本社"), ("02", "大阪支社")]


def test_later_a_new_department_must_be_meant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    take_in(tmp_path, ROWS)
    more = [*ROWS, "3,見本 次郎,名古屋支社,jiro@example.jp"]
    assert take_in(tmp_path, more) == 2
    assert "所属部門「名古屋支社」はありません" in capsys.readouterr().err
    assert take_in(tmp_path, more, "--add-departments") == 0
    assert Recipient.objects.count() == 3


def test_bad_rows_are_named_by_their_number_and_the_good_ones_taken_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert take_in(tmp_path, [*ROWS, "3,見本 三郎,東京本社,bad"]) == 1
    assert capsys.readouterr().err.startswith("4行目: ")
    assert Recipient.objects.count() == 2


def test_a_dry_run_changes_nothing_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert take_in(tmp_path, ROWS, "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["dry_run"], told["added"]) == (True, 2)
    kept = [rows.objects.count() for rows in (Recipient, Department, ImportDraft, ImportRun)]
    assert kept == [0, 0, 0, 0]


def test_the_same_file_again_changes_nothing_and_is_no_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take_in(tmp_path, ROWS)
    capsys.readouterr()
    assert take_in(tmp_path, ROWS, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["added"], told["changed"], told["unchanged"]) == (0, 0, 2)
    assert ImportRun.objects.count() == 1


def test_a_file_without_one_good_row_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert take_in(tmp_path, ["1,,東京本社,a@example.jp"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "2行目" in err
    assert not Department.objects.exists()


def test_slipped_rows_are_stopped_until_somebody_says_how_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take_in(tmp_path, ROWS)
    slipped = [ROWS[0].replace("hanako", "taro"), ROWS[1].replace("taro", "hanako")]
    assert take_in(tmp_path, slipped) == 2
    assert "--changed-addresses 2" in capsys.readouterr().err
    assert take_in(tmp_path, slipped, "--changed-addresses", "2") == 0


@pytest.mark.parametrize("words", [["staff", "/none.csv"], ["dogs", "people.csv"]])
def test_an_unknown_kind_or_file_is_refused(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(["people", "import", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_list_tells_people_with_their_addresses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    take_in(tmp_path, ROWS)
    capsys.readouterr()
    assert main(["people", "list", "staff", "--name-kana", "花子", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["name"] == "見本 花子"
    assert told["addresses"] == [{"slot": 1, "address": "hanako@example.jp", "flag": "send", "error_count": 0}]
