"""次回対応: 期限切れ, 今日, 今週, それ以降; a tick is 対応済 with one line of what was done."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from fumibako.apps.contacts import actions, labels, queries
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import Refused
from fumibako.web.contacts.lists import Line, lines_of
from fumibako.web.contacts.record import record_or_404
from fumibako.web.operators import operator_of

ICONS = {"overdue": "circle-alert", "today": "calendar-clock", "week": "calendar-clock", "later": "clock"}


@dataclass(frozen=True, slots=True)
class Group:
    """One of the four groups with its rows."""

    name: str
    label: str
    icon: str
    lines: tuple[Line, ...]


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show one's own, or (?who=all) everybody's."""
    operator = operator_of(request)
    is_everybody = request.GET.get("who") == "all"
    found = queries.follow_ups(operator, timezone.localdate(), is_everybody=is_everybody)
    groups = [
        Group(name, labels.GROUPS[name], ICONS[name], tuple(lines_of(rows))) for name, rows in found.groups.items()
    ]
    context = {
        "groups": [group for group in groups if group.lines],
        "count": found.count,
        "is_cut": found.is_cut,
        "is_everybody": is_everybody,
        "mine_count": queries.to_follow_up(operator).count(),
        "all_count": queries.to_follow_up(operator, is_everybody=True).count(),
        "ticked": _ticked(operator, request.GET.get("undo", "")),
    }
    return render(request, "followups/index.html", context)


@require_POST
def done(request: HttpRequest, number: str) -> HttpResponse:
    """対応済 of one record; back to the list, where it can be taken back."""
    operator = operator_of(request)
    record = record_or_404(operator, number)
    try:
        actions.finish_follow_up(operator, record, request.POST.get("response", ""))
    except Refused as refused:
        messages.error(request, str(refused))
        return _back(request)
    messages.success(request, f"連絡記録 {record.full_number}「{record.subject}」を対応済にしました。")
    return _back(request, undo=record.full_number)


@require_POST
def reopen(request: HttpRequest, number: str) -> HttpResponse:
    """対応済を取り消す."""
    operator = operator_of(request)
    record = actions.reopen_follow_up(operator, record_or_404(operator, number))
    messages.success(request, f"連絡記録 {record.full_number} を、次回対応に戻しました。")
    return _back(request)


def _ticked(operator: Operator, number: str) -> str:
    """The 連絡NO that can be taken back, when it names a record that is ticked."""
    record = queries.record_called(operator, number) if number else None
    return record.full_number if record and record.next_done_at else ""


def _back(request: HttpRequest, **kept: str) -> HttpResponse:
    if request.POST.get("who") == "all":
        kept["who"] = "all"
    return redirect(reverse("followups:index") + (f"?{urlencode(kept)}" if kept else ""))
