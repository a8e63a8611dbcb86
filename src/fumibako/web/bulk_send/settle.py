"""結果不明: a named person decides what became of one mail, with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from fumibako.apps.office.problems import Refused
from fumibako.apps.recipients.labels import KIND
from fumibako.apps.sending import actions, queries
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.delivery.states import State
from fumibako.web.operators import operator_of

from .frame import job_for, tell

DECISIONS = (
    ("sent", "届いていた", "送信済みとして扱います。"),
    ("resend", "もう一度送る", "届いていた場合、相手には2通になります。"),
    ("give_up", "あきらめる", "結果不明のまま終わりにします。送り直しません。"),
)
DONE = {
    "sent": "届いていたものとして、送信済みにしました。",
    "resend": "もう一度送ります。",
    "give_up": "結果不明のまま、終わりにしました。",
}


@require_http_methods(["GET", "POST"])
def settle(request: HttpRequest, number: int, seq: int) -> HttpResponse:
    """Ask what became of one mail, in a dialog or on a page of its own; POST records the decision."""
    job = job_for(request, number)
    row = job.deliveries.filter(seq=seq).first()
    if row is None:
        raise Http404
    if row.state != State.UNKNOWN:
        messages.info(request, f"{row.party_name}さんへの送信は、結果不明ではありません。")
        return redirect("bulk_send:run", number)
    if request.method != "POST":
        return _ask(request, job, row)
    decision, reason = request.POST.get("decision", ""), request.POST.get("reason", "")
    if decision not in DONE:
        return _ask(request, job, row, "どうするかを選択してください。")
    try:
        actions.settle(operator_of(request), row.pk, decision, reason)  # type: ignore[arg-type]
    except Refused as refusal:
        if not reason.strip():
            return _ask(request, job, row, refusal.problems[0].text)
        tell(request, refusal)
        return redirect("bulk_send:run", number)
    messages.success(request, f"{row.party_name}さん: {DONE[decision]}")
    return redirect("bulk_send:run", number)


def _ask(request: HttpRequest, job: BulkSend, row: Delivery, problem: str = "") -> HttpResponse:
    context: dict[str, Any] = {
        "job": job,
        "row": row,
        "kind_label": KIND.get(row.party_kind, ""),
        "text": queries.explanation_of(row).text,
        "decisions": [(value, label, hint, value == request.POST.get("decision")) for value, label, hint in DECISIONS],
        "reason": request.POST.get("reason", ""),
        "problem": problem,
        "title_prefix": "エラー: " if problem else "",
    }
    template = "bulk_send/settle_form.html" if request.headers.get("HX-Request") else "bulk_send/settle.html"
    return render(request, template, context, status=422 if problem else 200)
