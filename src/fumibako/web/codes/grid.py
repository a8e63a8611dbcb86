"""A list as it is edited: rows in their order, new ones at the end, moved by ↑↓ also without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict

from fumibako.apps.categories import labels, queries
from fumibako.apps.categories.models import Category, ContactCategory
from fumibako.apps.office.problems import Problem

BLANK_ROWS = 2
MOST_ROWS = 500
COLUMNS = ("number", "name1", "name2", "note", "name")


@dataclass(slots=True)
class GridRow:
    """One row of a grid; `key` names its inputs, `id` is "" for a new one."""

    key: str
    id: str
    values: Mapping[str, str]
    is_hidden: bool = False
    uses: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    def as_given(self) -> dict[str, str]:
        """The row as the actions take it."""
        return {"id": self.id, "is_hidden": "1" if self.is_hidden else "", **self.values}

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """(id of the input, words) of each problem."""
        return [(f"{name}-{self.key}", words) for name, words in self.errors.items()]


def stored_rows(rows: Sequence[Category] | Sequence[ContactCategory], prefix: str = "") -> list[GridRow]:
    """What is stored, with blank rows at the end."""
    uses = queries.uses_of(rows)
    found = [
        GridRow(
            f"{prefix}{row.pk}", str(row.pk), _values_of(row), row.is_hidden, labels.uses_text(uses.get(row.pk, {}))
        )
        for row in rows
    ]
    return [*found, *blank_rows(prefix)]


def blank_rows(prefix: str = "", count: int = BLANK_ROWS) -> list[GridRow]:
    """Rows to be filled in."""
    return [GridRow(f"{prefix}new{place}", "", dict.fromkeys(COLUMNS, "")) for place in range(count)]


def posted_rows(
    posted: QueryDict, stored: Sequence[Category] | Sequence[ContactCategory], prefix: str = ""
) -> list[GridRow]:
    """What was sent, in the order of the page, after the row of a pressed ↑ or ↓ has changed places."""
    known = {row.key: row for row in _stored(stored, prefix)}
    keys = list(dict.fromkeys(key for key in posted.getlist("row") if _belongs(key, prefix)))[:MOST_ROWS]
    rows = [_posted_row(key, prefix, posted, known.get(key)) for key in keys]
    key, _, way = posted.get("move", "").partition(":")
    return moved(rows, key, way)


def moved(rows: Sequence[GridRow], key: str, way: str) -> list[GridRow]:
    """The rows with one of them a place up or down; at the end nothing happens."""
    found = list(rows)
    at = next((place for place, row in enumerate(found) if row.key == key), -1)
    to = at + {"up": -1, "down": 1}.get(way, 0)
    if at >= 0 and 0 <= to < len(found):
        found[at], found[to] = found[to], found[at]
    return found


def tell(rows: Sequence[GridRow], problems: Iterable[Problem]) -> list[tuple[str, str]]:
    """Put each problem into its row, and return what belongs to no row."""
    others = []
    for problem in problems:
        place, _, name = problem.field.partition(".")
        if place.isdigit() and name and int(place) < len(rows):
            rows[int(place)].errors.setdefault(name, problem.text)
        else:
            others.append(("", problem.text))
    return others


def _belongs(key: str, prefix: str) -> bool:
    tail = key.removeprefix(prefix)
    return key.startswith(prefix) and (tail.isdigit() or tail.removeprefix("new").isdigit())


def _posted_row(key: str, prefix: str, posted: QueryDict, known: GridRow | None) -> GridRow:
    tail = key.removeprefix(prefix)
    values = {name: posted.get(f"{name}-{key}", "") for name in COLUMNS}
    if known is not None:
        values["number"] = known.values.get("number", "")
    is_hidden, uses = posted.get(f"hidden-{key}") == "1", known.uses if known else ""
    return GridRow(key, tail if tail.isdigit() else "", values, is_hidden, uses)


def _stored(rows: Sequence[Category] | Sequence[ContactCategory], prefix: str) -> list[GridRow]:
    uses = {pk: labels.uses_text(found) for pk, found in queries.uses_of(rows).items()}
    return [
        GridRow(f"{prefix}{row.pk}", str(row.pk), _values_of(row), row.is_hidden, uses.get(row.pk, "")) for row in rows
    ]


def _values_of(row: Category | ContactCategory) -> dict[str, str]:
    if isinstance(row, ContactCategory):
        return {"name": row.name}
    return {"number": str(row.number), "name1": row.name1, "name2": row.name2, "note": row.note}
