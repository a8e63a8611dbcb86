"""連絡区分マスタ: three columns; choosing a row at the left fills the column at its right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from fumibako.apps.categories import actions, queries
from fumibako.apps.categories.models import ContactCategory
from fumibako.apps.office.problems import ChangedMeanwhile, Refused
from fumibako.web.operators import administrators_only, operator_of

from .grid import GridRow, posted_rows, stored_rows, tell


@dataclass(slots=True)
class Column:
    """One level below what is chosen in the column before; `is_open` is False while nothing is chosen there."""

    level: int
    parent: ContactCategory | None
    is_open: bool
    chosen: ContactCategory | None = None
    rows: list[GridRow] = field(default_factory=list)
    seen: str = ""

    @property
    def prefix(self) -> str:
        """What the names of this column's inputs begin with."""
        return f"c{self.level}-"

    def choose_url(self, row_id: str) -> str:
        """The address that shows what is below one row of this column."""
        chain = [*_chain(self.parent), row_id]
        return f"?{urlencode({f'c{level}': pk for level, pk in enumerate(chain, start=1)})}"

    @property
    def lines(self) -> list[tuple[GridRow, str, bool]]:
        """(row, address that chooses it, is chosen)."""
        chosen = str(self.chosen.pk) if self.chosen else ""
        return [
            (row, self.choose_url(row.id) if row.id and self.level < 3 else "", bool(row.id) and row.id == chosen)
            for row in self.rows
        ]


@require_http_methods(["GET", "POST"])
@administrators_only
def index(request: HttpRequest) -> HttpResponse:
    """Show the three columns, or store them as they were edited, all or nothing."""
    columns = _columns(request)
    if request.method == "GET":
        return _render(request, columns)
    if "remove" in request.POST:
        return _remove(request, columns)
    opened = [column for column in columns if column.is_open]
    for column in opened:
        column.rows = posted_rows(request.POST, queries.children_of(column.parent), column.prefix)
    others: list[tuple[str, str]] = []
    try:
        with transaction.atomic():
            for column in opened:
                others += _save(request, column)
            if others or any(row.errors for column in opened for row in column.rows):
                raise Refused([])
    except Refused:
        return _render(request, columns, status=422, others=others)
    except ChangedMeanwhile as meanwhile:
        return _render(request, columns, status=409, meanwhile=meanwhile)
    messages.success(request, "連絡区分を登録しました。")
    return redirect(_url(columns))


def _save(request: HttpRequest, column: Column) -> list[tuple[str, str]]:
    seen = request.POST.get(f"seen{column.level}", "")
    try:
        actions.save_level(operator_of(request), column.parent, [row.as_given() for row in column.rows], seen)
    except Refused as refused:
        return tell(column.rows, refused.problems)
    return []


def _remove(request: HttpRequest, columns: Sequence[Column]) -> HttpResponse:
    wanted = request.POST["remove"]
    row = get_object_or_404(ContactCategory, pk=wanted if wanted.isdigit() else None)
    try:
        actions.remove(operator_of(request), row)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect(_url(columns))
    messages.success(request, f"「{row.name}」を削除しました。")
    return redirect(reverse("codes:contact_categories") + _query(_chain(row.parent)))


def _columns(request: HttpRequest) -> list[Column]:
    """The columns with what is stored; a choice that does not belong to the one before is no choice."""
    columns: list[Column] = []
    parent: ContactCategory | None = None
    for level in (1, 2, 3):
        is_open = level == 1 or parent is not None
        stored = queries.children_of(parent) if is_open else []
        asked = request.GET.get(f"c{level}", "")
        chosen = next((row for row in stored if str(row.pk) == asked), None)
        column = Column(level, parent, is_open, chosen, seen=queries.fingerprint(stored))
        column.rows = stored_rows(stored, column.prefix) if is_open else []
        columns.append(column)
        parent = chosen
    return columns


def _chain(row: ContactCategory | None) -> list[str]:
    ids: list[str] = []
    while row is not None:
        ids.insert(0, str(row.pk))
        row = row.parent
    return ids


def _query(chain: Sequence[str]) -> str:
    return f"?{urlencode({f'c{level}': pk for level, pk in enumerate(chain, start=1)})}" if chain else ""


def _url(columns: Sequence[Column]) -> str:
    chosen = [column.chosen for column in columns if column.chosen]
    return reverse("codes:contact_categories") + _query(_chain(chosen[-1] if chosen else None))


def _render(
    request: HttpRequest,
    columns: Sequence[Column],
    *,
    status: int = 200,
    others: Sequence[tuple[str, str]] = (),
    meanwhile: ChangedMeanwhile | None = None,
) -> HttpResponse:
    errors = [error for column in columns for row in column.rows for error in row.error_list]
    context = {
        "columns": columns,
        "problems": [*others, *errors],
        "meanwhile": meanwhile,
        "url": _url(columns),
        "title_prefix": "エラー: " if status == 422 else "",
    }
    return render(request, "codes/levels.html", context, status=status)
