"""Pages of a long list by where the last one ended: the hundredth page costs as much as the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from .models import ContactRecord
from .queries import SORTS


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page, and the cursors of the pages beside it; "" where there is none."""

    rows: Sequence[ContactRecord]
    before: str
    after: str


def page_of(found: QuerySet[ContactRecord], sort: str, *, after: str = "", before: str = "", size: int = 50) -> Page:
    """One page of `found` in the order of `sort` (a key of SORTS, "-" before it for descending).

    `after` and `before` are cursors of another page; one that makes no sense leads to the first page.
    """
    columns = SORTS.get(sort.removeprefix("-"), SORTS["at"])
    is_descending = sort.startswith("-")
    cursor = _read(before or after, columns)
    is_backwards = bool(before and cursor)
    rows = found.order_by(*_order(columns, is_descending != is_backwards))
    if cursor:
        rows = rows.filter(_beyond(columns, cursor, is_descending != is_backwards))
    page = list(rows[: size + 1])
    has_more, page = len(page) > size, page[:size]
    if is_backwards:
        page.reverse()
    has_newer = has_more if is_backwards else bool(cursor)
    has_older = bool(cursor) if is_backwards else has_more
    if not page:
        return Page([], "", "")
    return Page(page, _cursor(page[0], columns) if has_newer else "", _cursor(page[-1], columns) if has_older else "")


def _order(columns: tuple[str, str], is_descending: bool) -> list[str]:
    return [f"-{column}" if is_descending else column for column in columns]


def _beyond(columns: tuple[str, str], cursor: tuple[object, int], is_descending: bool) -> Q:
    way = "lt" if is_descending else "gt"
    first, second = columns
    return Q(**{f"{first}__{way}": cursor[0]}) | Q(**{first: cursor[0], f"{second}__{way}": cursor[1]})


def _cursor(record: ContactRecord, columns: tuple[str, str]) -> str:
    first = getattr(record, columns[0])
    head = first.isoformat() if isinstance(first, datetime) else str(first)
    return f"{head}_{getattr(record, columns[1])}"


def _read(text: str, columns: tuple[str, str]) -> tuple[object, int] | None:
    head, _, tail = text.rpartition("_")
    if not (tail.isascii() and tail.isdigit() and len(tail) < 19):
        return None
    if columns[0] == "contacted_at":
        try:
            at = datetime.fromisoformat(head)
        except ValueError:
            return None
        return (at, int(tail)) if at.tzinfo else None
    return (int(head), int(tail)) if head.isascii() and head.isdigit() and len(head) < 19 else None
