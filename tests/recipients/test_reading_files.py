"""H03, X24: files in every usual form give exactly their rows, or say at which row they do not."""

from __future__ import annotations

import datetime
import io
import zipfile
from contextlib import suppress
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fumibako.apps.office.problems import Refused
from fumibako.apps.recipients.guarding import guard, unguard
from fumibako.apps.recipients.importing import reading
from fumibako.apps.recipients.importing.reading import read_table

ROWS = [["NO", "氏名", "備考"], ["001245", "髙橋 﨑子", "夜勤可,①㈱"], ["001246", "森 花", "改行\nあり"]]
TEXT = 'NO,氏名,備考\r\n001245,髙橋 﨑子,"夜勤可,①㈱"\r\n001246,森 花,"改行\nあり"\r\n'


def told(raw: bytes, **choices: str) -> str:
    with pytest.raises(Refused) as refused:
        read_table(raw, **choices)
    return f"{refused.value.problems[0].id} {refused.value.problems[0].text}"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (TEXT.encode("cp932"), "cp932"),
        (TEXT.encode("utf-16"), "utf-16"),
        (TEXT.replace("髙", "高").replace("﨑", "崎").replace("①㈱", "").encode("euc-jp"), "euc-jp"),
        (TEXT.replace("髙", "高").replace("﨑", "崎").replace("①㈱", "").encode("iso-2022-jp"), "iso-2022-jp"),
    ],
)
def test_h03_the_encoding_is_found(raw: bytes, encoding: str) -> None:
    table = read_table(raw)
    assert table.encoding == encoding
    assert table.rows[2] == ROWS[2]
    assert table.rows[1][1] in ("髙橋 﨑子", "高橋 崎子")


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_h03_the_delimiter_is_found(delimiter: str) -> None:
    raw = f'"NO, ;番号"{delimiter}氏名{delimiter}備考\n1{delimiter}森 花{delimiter}\n'.encode()
    table = read_table(raw)
    assert table.delimiter == delimiter
    assert table.rows == [["NO, ;番号", "氏名", "備考"], ["1", "森 花", ""]]


def test_h03_half_width_katakana_in_shift_jis_is_not_taken_for_euc() -> None:
    table = read_table("NO,カナ\n1,ﾀｶﾊｼ ﾅｵｺ\n".encode("cp932"))
    assert (table.encoding, table.rows[1][1]) == ("cp932", "ﾀｶﾊｼ ﾅｵｺ")


def test_h03_a_person_may_choose_another_encoding_and_a_wrong_one_is_refused() -> None:
    raw = TEXT.encode("cp932")
    assert read_table(raw, encoding="cp932").rows == ROWS
    assert told(raw, encoding="utf-8") == "I02 UTF-8 としては読めません。ほかの文字コードを選んでください。"


def test_i02_bytes_that_are_no_text_are_refused() -> None:
    sentence = "I02 文字コードを判定できません。Excelで開き直し、「CSV UTF-8」で保存してください。"
    assert told(b"NO,\xff\xfe\x00name\n\x80\x81\xfd\xff\n") == sentence
    assert told(b"\x00\x01\x02\x03,\x00\n1,2") == sentence


def test_h03_a_quotation_mark_left_open_is_told_with_its_row() -> None:
    raw = 'NO,氏名\n1,森 花\n2,"林 健\n3,山田 太郎\n'.encode()
    assert told(raw).startswith('I06 3行目:引用符( " )')


def test_an_empty_file_and_a_file_of_headings_alone_have_nothing_to_take_in() -> None:
    for raw in (b"", b"\n\n", "NO,氏名\n".encode()):
        assert told(raw).startswith("I05 取り込む行がありません。")


def test_too_many_bytes_rows_and_columns_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 3)
    monkeypatch.setattr(reading, "MAX_BYTES", 2000)
    assert read_table(b"NO\n1\n2\n3\n").rows == [["NO"], ["1"], ["2"], ["3"]]
    assert told(b"NO\n1\n2\n3\n4\n").startswith("I04 1回に取り込めるのは 3行までです。")
    assert told(b"NO\n" + b"," * 300).startswith("I04 2行目:列が 200列を超えています。")
    assert told(b"a" * 2001).startswith("I04 ファイルは")


def workbook(**sheets: Any) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.remove(book["Sheet"])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book


def packed(book: openpyxl.Workbook) -> bytes:
    raw = io.BytesIO()
    book.save(raw)
    return raw.getvalue()


def test_x24_excel_gives_values_as_people_read_them() -> None:
    day, moment = datetime.date(2026, 4, 1), datetime.datetime(2026, 4, 1, 10, 30)  # noqa: DTZ001
    rows = [["NO", "氏名", "登録日", "面接日時", "表示しない"], [1245, "髙橋 﨑子", day, moment, True], [None, 1.5]]
    table = read_table(packed(workbook(名簿=rows)))
    assert table.rows[1] == ["1245", "髙橋 﨑子", "2026/04/01", "2026/04/01 10:30", "はい"]
    assert table.rows[2] == ["", "1.5", "", "", ""]
    assert (table.encoding, table.sheet) == ("", "名簿")


def test_x24_formulas_are_never_taken_in_and_hidden_sheets_are_not_offered() -> None:
    book = workbook(名簿=[["NO", "氏名"], [1, "=HYPERLINK(1)"], [2, "森 花"]], 別=[["NO"], [3]], 隠し=[["NO"], [9]])
    book["隠し"].sheet_state = "hidden"
    raw = packed(book)
    assert read_table(raw).rows == [["NO", "氏名"], ["1", ""], ["2", "森 花"]]
    assert read_table(raw).sheets == ("名簿", "別")
    assert read_table(raw, sheet="別").rows == [["NO"], ["3"]]
    assert read_table(raw, sheet="隠し").sheet == "名簿"


def test_x24_a_damaged_workbook_and_one_that_would_burst_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = packed(workbook(名簿=[["NO"], [1]]))
    assert told(raw[: len(raw) // 2]).startswith("I07 Excelファイルが壊れています。")
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as file:
        file.writestr("a.txt", "not a workbook")
    assert told(other.getvalue()).startswith("I07 Excelファイルを開けません。")
    monkeypatch.setattr(reading, "MAX_UNPACKED_BYTES", 10)
    assert told(raw).startswith("I04 Excelファイルの中身が大きすぎます。")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+81-90-0000-0000",
        "-1",
        "@sum",
        "\t=1",
        "\r1",
        "\0",
        "＝1",
        "＋1",
        "－1",
        "＠a",
        " =1",
        "'=1",
        "\"=cmd|'/C'!A0",
    ],
)
def test_x23_what_a_spreadsheet_would_run_is_guarded_and_comes_back(text: str) -> None:
    assert guard(text) == "'" + text
    assert unguard(guard(text)) == text


@given(st.text(alphabet=st.sampled_from("'\"=+-@＝ \t\ra1髙"), max_size=8) | st.text())
def test_x23_guarding_is_undone_exactly_whatever_the_text(text: str) -> None:
    assert unguard(guard(text)) == text
    assert guard(text)[:1] not in ("=", "+", "-", "@")


@given(st.binary(max_size=300))
def test_any_bytes_give_rows_or_a_refusal(raw: bytes) -> None:
    with suppress(Refused):
        table = read_table(raw)
        assert len(table.rows) >= 2
