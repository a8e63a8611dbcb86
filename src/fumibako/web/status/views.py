"""動作状況: the lines on a page that keeps itself fresh, and the same lines as JSON for monitoring."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from fumibako.apps.office import instance
from fumibako.apps.office.problems import Refused
from fumibako.apps.sending.releasing import release_copy
from fumibako.web.operators import administrators_only, operator_of
from fumibako.web.status.findings import Level, Line, worst
from fumibako.web.status.survey import survey

SUMMARIES = {
    Level.OK: "すべて正常です。",
    Level.WARN: "注意が必要なものがあります。",
    Level.BAD: "止まっているものがあります。次にすることを見てください。",
}
RELEASED = "送信と受信を始めます。結果不明にしたメールは {:,}通、一時停止した送信は {:,}件です。"
TAGS = {Level.OK: ("ok", "circle-check"), Level.WARN: ("warn", "triangle-alert"), Level.BAD: ("bad", "octagon-x")}


@require_safe
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """Show every line; asked by the page itself, only the part that changes."""
    now = timezone.now()
    operator = operator_of(request)
    lines = survey(operator, now)
    level = worst(lines)
    hold = next((str(line.facts["hold"]) for line in lines if line.key == "hold"), "")
    page: dict[str, Any] = {
        "lines": [(line, *TAGS[line.level], line.mark[1:]) for line in lines],
        "summary": SUMMARIES[level],
        "summary_kind": {Level.OK: "o", Level.WARN: "w", Level.BAD: "n"}[level],
        "summary_icon": TAGS[level][1],
        "now": now,
        "may_release": bool(hold) and hold != instance.RESTORING and operator.is_administrator,
        "may_vouch": hold not in instance.PROVES_MORE_HAPPENED,
    }
    # django-htmx sets `htmx` on every request.
    is_part = bool(getattr(request, "htmx", False))
    return render(request, "status/lines.html" if is_part else "status/index.html", page)


@administrators_only
@require_POST
def release(request: HttpRequest) -> HttpResponse:
    """送信と受信を始める: take a restored or copied data folder into use."""
    try:
        doubted = release_copy(operator_of(request), is_nothing_sent_since="nothing_sent_since" in request.POST)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, RELEASED.format(doubted.unknown_count, doubted.paused_count))
    return redirect("status:index")


@require_safe
@never_cache
def as_json(request: HttpRequest) -> HttpResponse:
    """The same for monitoring, to whoever is logged in; 503 while anything stands still.

    Without a login `./fumibako doctor --json` says the same on the computer itself.
    """
    now = timezone.now()
    lines = survey(operator_of(request), now)
    level = worst(lines)
    status = HTTPStatus.SERVICE_UNAVAILABLE if level is Level.BAD else HTTPStatus.OK
    facts = {"ok": level is not Level.BAD, "level": level, "at": timezone.localtime(now).isoformat(timespec="seconds")}
    return JsonResponse(
        facts | {"lines": [facts_of(line) for line in lines]},
        status=status,
        json_dumps_params={"ensure_ascii": False},
    )


def facts_of(line: Line) -> dict[str, Any]:
    """Return one line as monitoring reads it."""
    return {
        "key": line.key,
        "level": line.level,
        "name": line.name,
        "text": line.text,
        "next_step": line.next_step,
        "facts": line.facts,
    }
