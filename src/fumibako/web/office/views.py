"""システム設定: the office's own settings. 操作履歴: who did what."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from fumibako.apps.audit import labels, queries
from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.audit.office_changes import LABELS, NUMBERS, save_settings
from fumibako.apps.office.problems import Refused
from fumibako.apps.office.queries import office
from fumibako.web.operators import administrators_only, operator_of


class SettingsForm(forms.Form):
    """What was typed; the action judges it."""

    def __init__(self, data: Any = None, *, initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial, label_suffix="", auto_id="%s")
        for name, label in LABELS.items():
            if isinstance(initial[name], bool):
                self.fields[name] = forms.BooleanField(label=label, required=False)
            else:
                attrs = {"class": "in num", "inputmode": "numeric"} if name in NUMBERS else {"class": "in"}
                self.fields[name] = forms.CharField(label=label, required=False, widget=forms.TextInput(attrs=attrs))

    def values(self) -> dict[str, Any]:
        """Return what was typed, numbers as numbers where they can be read."""
        typed = {name: self[name].value() for name in LABELS}
        for name in NUMBERS:
            text = re.sub(r"[,\s]", "", unicodedata.normalize("NFKC", str(typed[name])))
            typed[name] = int(text) if re.fullmatch(r"\d{1,9}", text) else typed[name]
        return typed | {"company_name": str(typed["company_name"]).strip()}


@administrators_only
@require_http_methods(["GET", "POST"])
def office_settings(request: HttpRequest) -> HttpResponse:
    """Show and 登録 the settings."""
    found = office()
    initial = {name: getattr(found, name) for name in LABELS}
    form = SettingsForm(request.POST or None, initial=initial)
    status = 200
    if request.method == "POST":
        try:
            save_settings(operator_of(request), form.values())
        except Refused as refused:
            for problem in refused.problems:
                form.add_error(problem.field, problem.text)
            status = 422
        else:
            messages.success(request, "システム設定を登録しました。")
            return redirect("office_settings")
    page = {"form": form, "time_zone": settings.TIME_ZONE, "title_prefix": "エラー: " if status == 422 else ""}
    return render(request, "office/settings.html", page, status=status)


@administrators_only
@require_GET
def audit_log(request: HttpRequest) -> HttpResponse:
    """List what was done, newest first."""
    conditions = {name: request.GET.get(name, "") for name in ("actor", "target")}
    days = {name: _day(request.GET.get(name, "")) for name in ("since", "until")}
    page = Paginator(queries.entries(conditions | days), 50).get_page(request.GET.get("page"))
    rows = [_row(entry) for entry in page]
    return render(request, "office/audit.html", {"page": page, "rows": rows, "conditions": conditions | days})


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _row(entry: AuditEvent) -> dict[str, Any]:
    return {
        "entry": entry,
        "action": labels.action_text(entry.action),
        "target": labels.target_text(entry.target),
        "changes": [(name, *_pair(change)) for name, change in entry.changes.items()],
    }


def _pair(change: Any) -> tuple[Any, Any]:
    return (change[0], change[1]) if isinstance(change, list) and len(change) == 2 else ("", change)
