"""Buttons of a running or finished job: 取り消す, 今すぐ開始, 一時停止, 再開, 中止, 送り直し, 削除, and its notice."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Refused
from fumibako.apps.sending import actions, drafts
from fumibako.apps.sending.models import BulkSend
from fumibako.web.operators import operator_of

from .frame import job_for, tell


@require_POST
def steer(request: HttpRequest, number: int) -> HttpResponse:
    """Do what the pressed button's name says; a refusal is told on the page that follows."""
    job = job_for(request, number)
    done = next((verb for name, verb in VERBS.items() if name in request.POST), None)
    if done is None:
        return redirect("bulk_send:opened", number)
    try:
        return done(request, operator_of(request), job)
    except (Refused, ChangedMeanwhile) as refusal:
        tell(request, refusal)
    return redirect("bulk_send:opened", number)


def _withdraw(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    draft = actions.withdraw(operator, job)
    words = f"送信管理NO {job.number} を取り消しました。内容は、下書き(送信管理NO {draft.number})にあります。"
    messages.success(request, words)
    return redirect("bulk_send:opened", draft.number)


def _start_now(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    actions.start_now(operator, job)
    return redirect("bulk_send:run", job.number)


def _pause(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    actions.pause(operator, job)
    return redirect("bulk_send:run", job.number)


def _resume(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    actions.resume(operator, job)
    return redirect("bulk_send:run", job.number)


def _cancel(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    actions.cancel(operator, job)
    messages.success(request, f"送信管理NO {job.number} の送信を中止しました。")
    return redirect("bulk_send:run", job.number)


def _resend(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    draft = actions.resend_failed(operator, job, idempotency_key=_key(request))
    messages.success(request, "失敗した宛先だけの下書きを作りました。宛先を確かめてから、点検に進んでください。")
    return redirect("bulk_send:to", draft.number)


def _discard(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    drafts.discard_draft(operator, job)
    messages.success(request, f"送信管理NO {job.number} の下書きを削除しました。")
    return redirect("bulk_send:index")


VERBS: dict[str, Callable[[HttpRequest, Operator, BulkSend], HttpResponse]] = {
    "withdraw": _withdraw,
    "start_now": _start_now,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "resend": _resend,
    "discard": _discard,
}


def _key(request: HttpRequest) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.POST.get("key", ""))
    except ValueError:
        return None


@require_POST
def notice(request: HttpRequest, number: int) -> HttpResponse:
    """Change this job's own 送信結果通知."""
    job = job_for(request, number)
    try:
        drafts.set_result_notice(operator_of(request), job, request.POST.get("notice", ""))
    except Refused as refusal:
        tell(request, refusal)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return redirect("bulk_send:run", number)
