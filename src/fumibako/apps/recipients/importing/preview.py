"""点検: what taking a file in would add and change, and whether its rows seem to have slipped. Never writes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from fumibako.apps.office.problems import Problem
from fumibako.mime.addresses import address_key

from .. import rules
from ..actions import shown, unchanged
from ..fields import FIELDS, Field
from ..models import Recipient
from ..rules import Directory, Sheet
from ..sheets import directory
from ..writing import number_of
from .matching import Known, known_people
from .reading import Table

SHIFT_SHARE = 0.05
SHIFT_LEAST = 10


class Fate(StrEnum):
    """What becomes of one row."""

    ADD = "add"
    CHANGE = "change"
    SAME = "same"
    REFUSE = "refuse"


@dataclass(slots=True)
class Row:
    """One row of the file, numbered as Excel numbers it. `changes` are (label, old, new)."""

    number: int
    fate: Fate
    sheet: Sheet
    recipient_id: int | None = None
    before: Mapping[str, str] = field(default_factory=dict)
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """氏名 as the file gives it, or as we know it."""
        return f"{self.sheet.get('family_name', '')} {self.sheet.get('given_name', '')}".strip()


@dataclass(frozen=True, slots=True)
class Pair:
    """One person whose mail address would become another one (I03)."""

    number: str
    name: str
    old: str
    new: str


@dataclass(slots=True)
class Preview:
    """The whole file judged. `shifted` holds the pairs that look like slipped rows; empty = no guard needed."""

    kind: str
    rows: list[Row]
    shifted: list[Pair]

    def count(self, fate: Fate) -> int:
        """How many rows have this fate."""
        return sum(1 for row in self.rows if row.fate is fate)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the outcome would: between looking at it and doing it nothing may differ."""
        told = hashlib.sha256()
        for row in self.rows:
            told.update(repr((row.number, row.fate.value, row.recipient_id, row.changes, row.sheet)).encode())
        return told.hexdigest()


def preview(kind: str, table: Table, columns: Sequence[str]) -> Preview:
    """Judge every row against the people stored now. `columns` holds one item key per column, "" = not taken in."""
    known = known_people(kind)
    reader = _Reader(kind, known, directory())
    values_by_row = list(_values_of(table, columns))
    key = "client_number" if kind == Recipient.Kind.CLIENT else "number"
    known.reserve(values.get(key, "") for _, values in values_by_row)
    rows = [reader.row(number, values) for number, values in values_by_row]
    if len(table.headings) < max((len(row) for row in table.rows), default=0):
        _refuse_ragged(table, rows)
    return Preview(kind, rows, _shifted(kind, rows))


def _values_of(table: Table, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, cells in enumerate(table.rows[1:], start=2):
        if any(cell.strip() for cell in cells):
            padded = [*cells, *[""] * (len(columns) - len(cells))]
            yield number, {key: padded[place] for place, key in enumerate(columns) if key}


def _refuse_ragged(table: Table, rows: Iterable[Row]) -> None:
    width = len(table.headings)
    for row in rows:
        extra = [cell for cell in table.rows[row.number - 1][width:] if cell.strip()]
        if extra:
            row.fate = Fate.REFUSE
            row.problems.append("列の数が見出しより多くなっています。区切り文字や引用符を確認してください。")


@dataclass(slots=True)
class _Reader:
    """Reads rows one after the other, remembering which people and companies the file has named so far."""

    kind: str
    known: Known
    directory: Directory
    seen: dict[str, int] = field(default_factory=dict)

    def row(self, number: int, values: Mapping[str, str]) -> Row:
        """Judge one row."""
        fields = FIELDS[self.kind]
        split = rules.split_name(values)
        reading = rules.read(fields, split, self.directory)
        recipient_id, before = self.known.match(reading.sheet)
        sheet = dict(before) | self.known.company_of(reading.sheet) | _given(reading.sheet, before)
        if recipient_id is None:
            self.known.fill_number(sheet)
        problems = [*reading.problems, *rules.missing(fields, sheet)]
        texts = [_reworded(one, fields, split) for one in problems]
        texts += self._seen_before(number, sheet) if not texts else []
        row = Row(number, Fate.SAME, sheet, recipient_id, before)
        if texts:
            row.fate, row.problems = Fate.REFUSE, texts
        elif recipient_id is None:
            row.fate = Fate.ADD
        elif not unchanged(sheet, before):
            row.fate, row.changes = Fate.CHANGE, list(_differences(fields, before, sheet))
        return row

    def _seen_before(self, number: int, sheet: Sheet) -> list[str]:
        key = number_of(self.kind, sheet)
        first = self.seen.setdefault(key, number)
        return [f"{first}行目と同じ番号({key})です。どちらか1行にしてください。"] if first != number else []


_NUMBERS = ("number", "client_number", "branch", "contact_no")
_CHOICES = ("flag", "employment", "status", "dealing", "department", "sort_order", "is_hidden")


def _given(sheet: Sheet, before: Mapping[str, str]) -> Sheet:
    """What a row says: an empty number or choice says nothing, every other empty cell empties the item.

    A file never lifts 送れない: an old export would bring back addresses that have failed since.
    """
    found = {key: value for key, value in sheet.items() if value or not key.startswith(_NUMBERS + _CHOICES)}
    for slot in rules.SLOTS:
        is_same = f"address{slot}" not in sheet or not rules.is_new_address(sheet, before, slot)
        if before.get(f"flag{slot}") == rules.CANNOT and is_same:
            found.pop(f"flag{slot}", None)
            found.pop(f"flag_reason{slot}", None)
    return found


def _reworded(problem: Problem, fields: Sequence[Field], values: Mapping[str, str]) -> str:
    if problem.id == "V04":
        label = next(item.label for item in fields if item.key == problem.field)
        return f"{label}の形式が違います({values.get(problem.field, '')})。"
    return problem.text


def _differences(
    fields: Sequence[Field], before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    for item in fields:
        old, new = before.get(item.key, ""), after.get(item.key, "")
        if old != new and item.is_imported:
            yield item.label, shown(item, old), shown(item, new)


def _shifted(kind: str, rows: Sequence[Row]) -> list[Pair]:
    """The row-shift guard: people who keep their number and get another mail address.

    More than 5 % of the existing people (at least 10), or two people whose addresses would change owners, is no
    ordinary change.
    """
    existing = [row for row in rows if row.recipient_id is not None and row.fate is not Fate.REFUSE]
    pairs: list[Pair] = []
    owners: dict[str, int] = {}
    for row in existing:
        owners.update((address_key(row.before[key]), row.number) for key in ("address1", "address2") if row.before[key])
    moved_count = 0
    for row in existing:
        for key in ("address1", "address2"):
            old, new = row.before[key], row.sheet.get(key, "")
            if old and new and address_key(old) != address_key(new):
                pairs.append(Pair(number_of(kind, row.sheet), row.name, old, new))
                is_taken = owners.get(address_key(new), row.number) != row.number
                moved_count += is_taken
                break
    is_many = len(pairs) >= SHIFT_LEAST and len(pairs) > SHIFT_SHARE * len(existing)
    return pairs if is_many or moved_count >= 2 else []


def kinds_of(rows: Iterable[Row], fate: Fate) -> list[Row]:
    """The rows with one fate."""
    return [row for row in rows if row.fate is fate]
