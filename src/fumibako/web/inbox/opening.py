"""/inbox/ and /inbox/<受信管理NO>/: the list, and one mail beside it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.office.models import Operator
from fumibako.web.operators import operator_of

from .asking import Asked, asked_in
from .listing import board_of
from .pane import mail_or_404, pane_of
from .person import beside
from .presence import presence_of


@require_safe
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """The list alone."""
    return render(request, "inbox/index.html", _list(request, operator_of(request)))


@require_safe
@never_cache
def part(request: HttpRequest) -> HttpResponse:
    """The rows alone, for the list that refreshes by itself; `on` is the mail that is open beside it."""
    operator = operator_of(request)
    number = request.GET.get("on", "")
    shown = ReceivedMail.objects.filter(number=int(number)).first() if number.isascii() and number.isdigit() else None
    context = _list(request, operator, shown)
    return render(request, "inbox/list.html", context | {"is_fragment": True})


@require_safe
@never_cache
def mail(request: HttpRequest, number: int) -> HttpResponse:
    """One mail beside the list."""
    operator = operator_of(request)
    shown = mail_or_404(operator, number)
    return render(request, "inbox/index.html", opened(request, operator, shown, asked_in(request.GET.dict())))


def opened(request: HttpRequest, operator: Operator, shown: ReceivedMail, asked: Asked, **more: Any) -> dict[str, Any]:
    """What the page with one mail needs; `more` keeps what was typed when it is shown again."""
    board = board_of(operator, asked, shown)
    context = {
        "board": board,
        "asked": board.asked.values,
        "pane": pane_of(operator, shown, asked, request.GET.get("way", "")),
        "beside": beside(operator, shown),
        "presence": presence_of(operator, shown, shown.version, url=reverse("inbox:mail", args=[shown.number])),
    }
    return context | more


def _list(request: HttpRequest, operator: Operator, shown: ReceivedMail | None = None) -> dict[str, Any]:
    board = board_of(operator, asked_in(request.GET.dict()), shown)
    return {"board": board, "asked": board.asked.values}
