"""区分マスタ: カテゴリ → 区分 at the left, the rows of one list at the right."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from fumibako.apps.categories import actions, labels, queries
from fumibako.apps.categories.models import Category
from fumibako.apps.office.problems import ChangedMeanwhile, Refused
from fumibako.web.operators import administrators_only, operator_of

from .grid import GridRow, posted_rows, stored_rows, tell


@require_http_methods(["GET", "POST"])
@administrators_only
def index(request: HttpRequest, section: str = labels.STATUS) -> HttpResponse:
    """Show one list, or store it as it was edited."""
    shown = next((one for one in queries.sections() if one.name == section), None)
    if shown is None:
        raise Http404(f"区分「{section}」はありません。")
    stored = queries.rows_of(shown.group, shown.name)
    if request.method == "GET":
        return _render(request, shown, stored_rows(stored), queries.fingerprint(stored))
    if "remove" in request.POST:
        return _remove(request, shown)
    rows = posted_rows(request.POST, stored)
    try:
        given = [row.as_given() for row in rows]
        actions.save_section(operator_of(request), shown.group, shown.name, given, request.POST.get("seen", ""))
    except Refused as refused:
        others = tell(rows, refused.problems)
        return _render(request, shown, rows, request.POST.get("seen", ""), status=422, others=others)
    except ChangedMeanwhile as meanwhile:
        return _render(request, shown, rows, queries.fingerprint(stored), status=409, meanwhile=meanwhile)
    messages.success(request, f"「{shown.name}」を登録しました。")
    return redirect(_url(shown))


def _remove(request: HttpRequest, shown: queries.Section) -> HttpResponse:
    row = get_object_or_404(Category, pk=request.POST["remove"] if request.POST["remove"].isdigit() else None)
    try:
        actions.remove(operator_of(request), row)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"「{row.name1}」を削除しました。")
    return redirect(_url(shown))


def _url(shown: queries.Section) -> str:
    return reverse("codes:section", args=[shown.name])


def _render(
    request: HttpRequest,
    shown: queries.Section,
    rows: Sequence[GridRow],
    seen: str,
    *,
    status: int = 200,
    others: Sequence[tuple[str, str]] = (),
    meanwhile: ChangedMeanwhile | None = None,
) -> HttpResponse:
    groups: dict[str, list[queries.Section]] = {}
    for one in queries.sections():
        groups.setdefault(one.group, []).append(one)
    context = {
        "groups": groups.items(),
        "shown": shown,
        "explained": labels.EXPLAINED.get(shown.name, ""),
        "rows": rows,
        "seen": seen,
        "problems": [*others, *(error for row in rows for error in row.error_list)],
        "meanwhile": meanwhile,
        "url": _url(shown),
        "title_prefix": "エラー: " if status == 422 else "",
    }
    return render(request, "codes/sections.html", context, status=status)
