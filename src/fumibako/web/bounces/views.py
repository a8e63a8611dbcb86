"""/bounces/: by person, and what no send could be found for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from fumibako.apps.inbox import actions, queries
from fumibako.apps.inbox.board import has_inbox
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import Refused
from fumibako.apps.recipients import flags
from fumibako.apps.recipients.labels import FLAG
from fumibako.apps.recipients.models import PartyAddress
from fumibako.web.operators import operator_of

from . import groups, unmatched


@require_safe
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """人ごと."""
    operator = _permitted(request)
    after = request.GET.get("after", "")
    cursor = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    page = groups.page_of(operator, request.GET.get("reason", ""), cursor)
    return _render(request, operator, "bounces/people.html", {"page": page, "is_narrowed": "reason" in request.GET})


@require_safe
@never_cache
def work_list(request: HttpRequest) -> HttpResponse:
    """未照合."""
    operator = _permitted(request)
    return _render(request, operator, "bounces/unmatched.html", {"reports": unmatched.open_reports(operator)})


@require_POST
def settle(request: HttpRequest, report_id: int) -> HttpResponse:
    """[この宛先のエラーにする] or [エラーではない], with a reason."""
    operator = _permitted(request)
    report = unmatched.report_of(operator, report_id)
    if report is None:
        raise Http404
    chosen = request.POST.get("delivery", "")
    delivery = unmatched.delivery_of(report, int(chosen)) if chosen.isascii() and chosen.isdigit() else None
    if chosen and delivery is None:
        messages.error(request, "選んだ送信は、不達にできる状態ではなくなりました。画面の内容を確認してください。")
        return redirect("bounces:unmatched")
    try:
        actions.settle_bounce(operator, report, delivery, request.POST.get("reason", ""))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        words = f"送信管理NO {delivery.job.number} の不達" if delivery else "送信したメールのエラーではない"
        messages.success(request, f"{report.address or 'アドレス不明'} を「{words}」として確定しました。")
    return redirect("bounces:unmatched")


@require_POST
def restore(request: HttpRequest, address_id: int) -> HttpResponse:
    """[送るに戻す] with a reason."""
    operator = _permitted(request)
    if not queries.bounce_list(operator).filter(party_address=address_id).exists():
        raise Http404
    address = PartyAddress.objects.select_related("recipient").get(pk=address_id)
    try:
        row = flags.restore_address(operator, address, request.POST.get("reason", ""))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{row.address} を「{FLAG[row.flag]}」に戻し、エラー回数を 0 にしました。")
    return redirect("bounces:index")


def _permitted(request: HttpRequest) -> Operator:
    """Whoever may see the mail of at least one account. Raises Http404."""
    operator = operator_of(request)
    if not has_inbox(operator):
        raise Http404
    return operator


def _render(request: HttpRequest, operator: Operator, template: str, context: dict[str, Any]) -> HttpResponse:
    tabs = [
        ("人ごと", reverse("bounces:index"), None),
        ("未照合", reverse("bounces:unmatched"), queries.unmatched_bounces(operator).order_by().count()),
    ]
    shown = [
        {"label": label, "url": url, "count": count, "is_current": request.path == url} for label, url, count in tabs
    ]
    return render(request, template, context | {"tabs": shown})
