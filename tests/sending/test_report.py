"""Results as CSV: complete, in the right charset, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from fumibako.apps.sending.models import Delivery
from fumibako.apps.sending.report import exclusions_csv, guarded, result_csv
from fumibako.delivery.states import State
from tests.sending.drafting import approve, make_draft, make_person

pytestmark = pytest.mark.django_db


def rows_in(raw: bytes, charset: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode(charset), newline="")))


def test_every_row_of_the_job_is_in_the_file_with_answer_and_reason() -> None:
    people = [make_person("山田 太郎", "a@example.jp"), make_person("石井 健", "b@example.jp", flag="cannot")]
    job = approve(make_draft(people))
    Delivery.objects.filter(seq=1).update(state=State.FAILED, code=550, enhanced="5.1.1", text="User unknown")
    head, first, second = rows_in(b"".join(result_csv(job, {})), "utf-8-sig")
    told = dict(zip(head, first, strict=True))
    assert (told["氏名"], told["結果"], told["サーバーの返答"]) == ("山田 太郎", "送信失敗", "550 5.1.1 User unknown")
    assert told["理由"] == "宛先のメールアドレスが存在しません。"
    assert dict(zip(head, second, strict=True))["理由"] == "「送れない」に設定"
    (_, only) = rows_in(b"".join(result_csv(job, {"result": "failed"})), "utf-8-sig")
    assert only == first


def test_utf_8_begins_with_a_mark_and_shift_jis_shows_what_it_lacks() -> None:
    job = approve(make_draft([make_person("髙橋 😀子", "a@example.jp")]))
    assert b"".join(result_csv(job, {})).startswith(b"\xef\xbb\xbf")
    (_, row) = rows_in(b"".join(result_csv(job, {}, "shift_jis")), "cp932")
    assert "髙橋 〓子" in row


@pytest.mark.parametrize(
    "cell", ["=1+1", "+81", "-1", "@x", "\tx", "\rx", "＝1", "＠x", " =1", '"=1', "'=1", "\u3000+1", "\0=1"]
)
def test_x23_no_cell_is_a_formula(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["山田 太郎", "a@example.jp", "5.1.1", "", "'名前'"])
def test_x23_ordinary_cells_stay_as_they_are(cell: str) -> None:
    assert guarded(cell) == cell


def test_x23_a_name_that_is_a_formula_is_guarded_in_the_file() -> None:
    job = approve(make_draft([make_person("=cmd|'/c calc'!A0", "a@example.jp")]))
    (_, row) = rows_in(b"".join(result_csv(job, {})), "utf-8-sig")
    assert row[4].startswith("'=")


def test_exclusions_are_written_for_drafts_and_for_jobs_alike() -> None:
    people = [make_person("山田 太郎", "a@example.jp"), make_person("石井 健"), make_person("三浦 彩", "A@example.jp")]
    draft = make_draft(people)
    before = rows_in(b"".join(exclusions_csv(draft)), "utf-8-sig")
    assert [row[2:] for row in before[1:]] == [
        ["石井 健", "", "メールアドレスが未登録"],
        ["三浦 彩", "A@example.jp", "同じアドレスが重複"],
    ]
    assert rows_in(b"".join(exclusions_csv(approve(draft))), "utf-8-sig") == before
