"""Pages by number, each reached from the nearest row that is known: the thousandth costs what the first costs.

Every link of a page names the page it stands on and the first and last row of that page (`near=999-48213-48262`): ◀
and ▶ go on from there and skip nothing, and whatever else is linked is a few rows away. A number without such rows is
counted from the nearer end of the list, over keys alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet

NEAR = "near"
"""In the address of a page, beside `page`."""
PAGE = "page"

M = TypeVar("M", bound=Model)


class NumberedPage(Page[M]):
    """A page of Django's that knows its rows already; `near` goes into the links that stand on it."""

    near = ""


@dataclass(frozen=True, slots=True)
class _Way:
    """How the rows of a page are read: from an end or beyond a key, forwards or backwards, past `skip` others."""

    skip: int
    size: int
    is_forwards: bool = True
    key: tuple[Any, ...] = ()
    is_key_in: bool = False
    """The row of the key itself is the first one."""


def page_of(
    found: QuerySet[M], per: int, asked: Mapping[str, str], order: Sequence[str], total: int | None = None
) -> NumberedPage[M]:
    """The page of `found` that an address asks for, in an order of columns that no two rows share.

    Columns of other tables may be empty, and what is empty stands neither before nor after a key: such an order is
    always counted from its ends. `total` is for whoever knows it already.
    """
    total = found.order_by().count() if total is None else total
    paginator: Paginator[Any] = Paginator(range(total), per)
    number = paginator.get_page(asked.get(PAGE)).number
    ways = [
        _Way((number - 1) * per, per),
        _Way(max(0, total - number * per), min(per, total - (number - 1) * per), is_forwards=False),
    ]
    known = _from_known(found.model, asked.get(NEAR, ""), order, number, per)
    nearest = min([*ways, *([known] if known else [])], key=lambda way: way.skip)
    rows = _taken(found, order, nearest) if total else []
    if nearest is known and not rows:
        # What the link knew is no longer so.
        rows = _taken(found, order, ways[0])
    page: NumberedPage[M] = NumberedPage(rows, number, paginator)
    page.near = f"{number}-{rows[0].pk}-{rows[-1].pk}" if rows else ""
    return page


def _from_known(model: type[M], near: str, order: Sequence[str], number: int, per: int) -> _Way | None:
    known = near.split("-")
    if len(known) != 3 or not all(map(_is_whole, known)) or any("__" in column for column in order):
        return None
    at, first, last = map(int, known)
    columns = [column.removeprefix("-") for column in order]
    key = model._default_manager.filter(pk=last if number > at else first).values_list(*columns).first()
    if key is None:
        return None
    if number == at:
        return _Way(0, per, key=key, is_key_in=True)
    return _Way((abs(number - at) - 1) * per, per, is_forwards=number > at, key=key)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _taken(found: QuerySet[M], order: Sequence[str], way: _Way) -> list[M]:
    rows = found.order_by(*(order if way.is_forwards else [_turned(column) for column in order]))
    if way.key:
        rows = rows.filter(_from(order, way))
    if way.skip:
        # Skipped by their keys alone: an index holds these, and a row may be long.
        keys = list(rows.values_list("pk", flat=True)[way.skip : way.skip + way.size])
        taken = sorted(found.order_by().filter(pk__in=keys), key=lambda row: keys.index(row.pk))
    else:
        taken = list(rows[: way.size])
    return taken if way.is_forwards else taken[::-1]


def _turned(column: str) -> str:
    return column.removeprefix("-") if column.startswith("-") else f"-{column}"


def _from(order: Sequence[str], way: _Way) -> Q:
    """What lies beyond the row with this key."""
    wanted = Q()
    for place, (column, value) in reversed(list(enumerate(zip(order, way.key, strict=True)))):
        is_rising = column.startswith("-") != way.is_forwards
        name, beyond = column.removeprefix("-"), "gt" if is_rising else "lt"
        if place == len(order) - 1:
            wanted = Q(**{f"{name}__{beyond}{'e' if way.is_key_in else ''}": value})
        else:
            # The first half is for the database, which then begins at the right place of an index.
            wanted = Q(**{f"{name}__{beyond}e": value}) & (Q(**{f"{name}__{beyond}": value}) | wanted)
    return wanted
