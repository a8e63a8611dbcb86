"""書き出し: people as CSV that our own import restores exactly and that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from fumibako.apps.office.models import Department
from fumibako.apps.office.problems import Problem, Refused

from .actions import shown
from .fields import FIELDS, Field, Form
from .guarding import guard
from .importing.preview import Fate, Preview
from .importing.reading import Table
from .sheets import CHUNK, sheets_of

ENCODINGS = {"utf-8-sig": "UTF-8", "cp932": "Shift_JIS"}


def export_csv(kind: str, ids: Iterable[int], *, encoding: str = "utf-8-sig") -> Iterator[bytes]:
    """The people with these ids, headings first, in pieces of 5,000.

    Raises Refused when Shift_JIS ("cp932") is wanted and somebody has a letter that it lacks.
    """
    names = _department_names()
    fields = FIELDS[kind]
    wanted = list(ids)
    yield _line([item.label for item in fields], encoding)
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        sheets = sheets_of(kind, part)
        rows = [[_cell(item, sheets[pk].get(item.key, ""), names) for item in fields] for pk in part if pk in sheets]
        yield _lines(rows, encoding)


def template_csv(kind: str) -> bytes:
    """ひな形: the headings alone."""
    return _line([item.label for item in FIELDS[kind] if item.is_imported], "utf-8-sig")


def refused_csv(table: Table, seen: Preview) -> bytes:
    """The rows that were not taken in, as they came, with 行 and 理由 before them."""
    rows: list[Sequence[str]] = [["行", "理由", *table.headings]]
    for row in seen.rows:
        if row.fate is Fate.REFUSE:
            reason = " ".join(f"{row.number}行目:{text}" for text in row.problems)
            rows.append([str(row.number), reason, *table.rows[row.number - 1]])
    return "\ufeff".encode() + _written([[guard(cell) for cell in row] for row in rows]).encode()


def _department_names() -> dict[str, str]:
    """Code → the name where it stands for one department only, else the code."""
    departments = list(Department.objects.values_list("code", "name"))
    names = [name for _, name in departments]
    codes = {code for code, _ in departments}
    return {code: name if names.count(name) == 1 and name not in codes else code for code, name in departments}


def _cell(item: Field, value: str, departments: dict[str, str]) -> str:
    text = departments.get(value, value) if item.form is Form.DEPARTMENT else value
    return guard(shown(item, text) if item.words or item.form is Form.YES_NO else text)


def _line(cells: Sequence[str], encoding: str) -> bytes:
    return _written([cells]).encode(encoding)


def _lines(rows: Sequence[Sequence[str]], encoding: str) -> bytes:
    # Only the first line of a file carries the mark of UTF-8.
    plain = "utf-8" if encoding == "utf-8-sig" else encoding
    try:
        return _written(rows).encode(plain)
    except UnicodeEncodeError as error:
        letter = str(error.object)[error.start]
        text = f"「{letter}」は Shift_JIS では書き出せません。文字コードは「UTF-8」を選んでください。"
        raise Refused([Problem("encoding", "X01", text)]) from None


def _written(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
