"""Bytes of a CSV or Excel file into rows of text. What cannot be read with certainty is refused."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

from fumibako.apps.office.problems import Problem, Refused

from ..guarding import unguard

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_UNPACKED_BYTES = 400 * 1024 * 1024
"""A workbook is a zip file: what it would become is bounded before anything is unpacked."""

ENCODINGS: dict[str, str] = {
    "utf-8": "UTF-8",
    "cp932": "Shift_JIS",
    "utf-16": "Unicode(UTF-16)",
    "iso-2022-jp": "ISO-2022-JP",
    "euc-jp": "EUC-JP",
}
DELIMITERS: dict[str, str] = {",": "カンマ", "\t": "タブ", ";": "セミコロン"}
UNDECIDED = "文字コードを判定できません。Excelで開き直し、「CSV UTF-8」で保存してください。"


@dataclass(frozen=True, slots=True)
class Table:
    """A file as read. `encoding` and `delimiter` are "" for a workbook, `sheet` and `sheets` for text.

    `rows` are all rows, the headings first; row n of the file is `rows[n - 1]`.
    """

    encoding: str
    delimiter: str
    sheet: str
    sheets: tuple[str, ...]
    rows: list[list[str]]

    @property
    def headings(self) -> list[str]:
        """The first row."""
        return self.rows[0]


def read_table(raw: bytes, *, encoding: str = "", delimiter: str = "", sheet: str = "") -> Table:
    """Read a file as what it is; what the caller names was chosen by a person and is not guessed.

    Raises Refused (I02 and its like) when it is too large, damaged, or not the text it is said to be.
    """
    if len(raw) > MAX_BYTES:
        raise _refusal(
            "I04", f"ファイルは {MAX_BYTES // 1024 // 1024}MB までです。行を分けて、2回以上に分けて取り込んでください。"
        )
    if raw[:4] == b"PK\x03\x04" or raw[:4] == b"\xd0\xcf\x11\xe0":
        return _workbook(raw, sheet)
    text, found = _decoded(raw, encoding)
    delimiter = delimiter or _delimiter_of(text)
    rows = _rows_of(text, delimiter)
    return Table(found, delimiter, "", (), _bounded(rows))


def _refusal(id: str, text: str) -> Refused:
    return Refused([Problem("file", id, text)])


def _bounded(rows: Iterable[list[str]]) -> list[list[str]]:
    kept: list[list[str]] = []
    for row in rows:
        if len(kept) > MAX_ROWS:
            raise _refusal("I04", f"1回に取り込めるのは {MAX_ROWS:,}行までです。ファイルを分けてください。")
        if len(row) > MAX_COLUMNS:
            raise _refusal(
                "I04", f"{len(kept) + 1}行目:列が {MAX_COLUMNS}列を超えています。区切り文字を確認してください。"
            )
        kept.append(row)
    while kept and not any(kept[-1]):
        kept.pop()
    if len(kept) < 2 or not any(kept[0]):
        raise _refusal("I05", "取り込む行がありません。1行目に見出し、2行目からデータがあるファイルを選んでください。")
    return kept


# Text ----------------------------------------------------------------------------------------------------------------


def _decoded(raw: bytes, wanted: str) -> tuple[str, str]:
    encoding = wanted if wanted in ENCODINGS else _encoding_of(raw)
    try:
        text = raw.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise _refusal("I02", _not_this(encoding) if wanted else UNDECIDED)
    return text.removeprefix("\ufeff"), encoding


def _not_this(encoding: str) -> str:
    return f"{ENCODINGS[encoding]} としては読めません。ほかの文字コードを選んでください。"


def _encoding_of(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\x1b$" in raw and raw.isascii():
        return "iso-2022-jp"
    if _fits(raw, "utf-8"):
        return "utf-8"
    fitting = [name for name in ("cp932", "euc-jp") if _fits(raw, name)]
    if not fitting:
        raise _refusal("I02", UNDECIDED)
    # Bytes of EUC-JP often are Shift_JIS too, but then they read as rows of half-width katakana.
    return min(fitting, key=lambda name: _oddness(raw.decode(name)))


def _fits(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _oddness(text: str) -> float:
    odd = sum(1 for char in text if "\uff61" <= char <= "\uff9f" or "\ue000" <= char <= "\uf8ff")
    return odd / max(sum(1 for char in text if not char.isascii()), 1)


def _delimiter_of(text: str) -> str:
    """The separator that occurs most in the line of headings, outside quotation marks."""
    heading = ""
    for part, piece in enumerate(text.lstrip("\r\n").split('"')):
        line, has_ended, _ = (piece if part % 2 == 0 else "").partition("\n")
        heading += line
        if has_ended:
            break
    return max(DELIMITERS, key=heading.count)


def _rows_of(text: str, delimiter: str) -> Iterable[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            row = next(reader, None)
        except csv.Error:
            text_of_problem = f'{number}行目:引用符( " )の組み合わせが合わないため読めません。この行を直してください。'
            raise _refusal("I06", text_of_problem) from None
        if row is None:
            return
        yield [unguard(cell) for cell in row]


# Workbooks -----------------------------------------------------------------------------------------------------------


def _workbook(raw: bytes, wanted: str) -> Table:
    _refuse_bomb(raw)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        sheets = tuple(one.name for one in book.sheets_metadata if one.visible == SheetVisibleEnum.Visible)
        if not sheets:
            raise _refusal("I05", "表示されているシートがありません。取り込むシートを表示してから保存してください。")
        name = wanted if wanted in sheets else sheets[0]
        sheet = book.get_sheet_by_name(name)
        if sheet.end is not None and (sheet.end[0] > MAX_ROWS or sheet.end[1] >= MAX_COLUMNS):
            limits = f"{MAX_ROWS:,}行、{MAX_COLUMNS}列"
            raise _refusal("I04", f"1回に取り込めるのは {limits}までです。シートを分けてください。")
        # Formulas come as the value that Excel last showed, never as a formula.
        rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    except CalamineError:
        raise _refusal(
            "I07", "Excelファイルを開けません。パスワードを外し、「.xlsx」で保存し直してください。"
        ) from None
    return Table("", "", name, sheets, _bounded(rows))


def _refuse_bomb(raw: bytes) -> None:
    if not raw.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
    except zipfile.BadZipFile:
        raise _refusal("I07", "Excelファイルが壊れています。もう一度保存し直してください。") from None
    if size > MAX_UNPACKED_BYTES:
        raise _refusal("I04", "Excelファイルの中身が大きすぎます。行を分けて、2回以上に分けて取り込んでください。")


def _text(cell: Any) -> str:
    """A typed cell as a person reads it: 1245.0 is 1245, a day is 2026/04/01."""
    if isinstance(cell, bool):
        return "はい" if cell else "いいえ"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return f"{cell:%Y/%m/%d %H:%M}" if (cell.hour or cell.minute) else f"{cell:%Y/%m/%d}"
    if isinstance(cell, date):
        return f"{cell:%Y/%m/%d}"
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    return unguard(str(cell))
