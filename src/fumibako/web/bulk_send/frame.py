"""What the five steps share: whose job it is, the stepper, and how a refusal is told on the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused
from fumibako.apps.sending import labels
from fumibako.apps.sending.errors import NotADraft
from fumibako.apps.sending.models import BulkSend
from fumibako.apps.sending.queries import job_seen_by
from fumibako.web.operators import operator_of

from .facts import has_people

NO_SUBJECT = "件名のない下書き"
STEPS = (("from", "送信元"), ("to", "宛先"), ("body", "本文"), ("check", "点検と確認"), ("run", "送信・結果"))


@dataclass(frozen=True, slots=True)
class Step:
    """One of the five places of the stepper; `url` is "" while its inputs are missing."""

    number: int
    label: str
    url: str
    is_done: bool
    is_now: bool

    @property
    def css(self) -> str:
        """Class of the list item."""
        if self.is_now:
            return "now"
        return "done" if self.is_done else ""


def steps(job: BulkSend, current: str) -> list[Step]:
    """The stepper. Before approval the three inputs open freely and 点検と確認 when all three are there."""
    done = _done(job)
    reachable = {"from", "to", "body", "check"} if not job.approved_at else {"run"}
    if not all(done[name] for name in ("from", "to", "body")):
        reachable.discard("check")
    return [
        Step(
            number,
            label,
            reverse(f"bulk_send:{name}", args=[job.number]) if name in reachable and name != current else "",
            done[name] and name != current,
            name == current,
        )
        for number, (name, label) in enumerate(STEPS, start=1)
    ]


def _done(job: BulkSend) -> dict[str, bool]:
    if job.approved_at:
        return {name: name != "run" for name, _ in STEPS}
    return {
        "from": job.account_id is not None,
        "to": has_people(job),
        "body": bool(job.subject and job.body),
        "check": False,
        "run": False,
    }


def framed(request: HttpRequest, job: BulkSend, step: str, **context: Any) -> HttpResponse:
    """Show one step. `problems` make it a refused page: status 422 and 「エラー: 」 before the title."""
    problems = context.get("problems")
    frame = {
        "job": job,
        "title": job.subject or NO_SUBJECT,
        "sub": f"送信管理NO {job.number} ・ {job.created_by_name}が {labels.clock(job.created_at)} に作成",
        "step_name": dict(STEPS)[step],
        "steps": steps(job, step),
        "title_prefix": "エラー: " if problems else "",
    }
    template = f"bulk_send/{step}.html"
    return render(request, template, frame | context, status=422 if problems else 200)


def job_for(request: HttpRequest, number: int) -> BulkSend:
    """The job with this 送信管理NO. Raises Http404 when there is none, PermissionDenied when it is not theirs."""
    job = BulkSend.objects.filter(number=number, origin=BulkSend.Origin.BULK).select_related("account").first()
    if job is None:
        raise Http404
    if not job_seen_by(operator_of(request), job):
        raise PermissionDenied
    return job


DraftView = Callable[[HttpRequest, Operator, BulkSend], HttpResponseBase]
"""A view of one draft, with who is at the screen."""


def for_draft(view: DraftView) -> Callable[[HttpRequest, int], HttpResponseBase]:
    """Open a view for drafts only; a job that was approved leads to its last step, also when that happened just now."""

    @wraps(view)
    def opened(request: HttpRequest, number: int) -> HttpResponseBase:
        job = job_for(request, number)
        if job.approved_at:
            return redirect("bulk_send:run", number)
        if job.cancelled_at:
            messages.warning(request, f"送信管理NO {number} の下書きは、{job.cancelled_by_name}が削除しました。")
            return redirect("bulk_send:index")
        try:
            return view(request, operator_of(request), job)
        except NotADraft as refusal:
            messages.warning(request, changed_words(refusal))
            return redirect("bulk_send:run", number)

    return opened


def changed_words(refusal: ChangedMeanwhile) -> str:
    """What to tell somebody whose page is older than what is stored."""
    at = labels.clock(refusal.at)
    if isinstance(refusal, NotADraft):
        return f"{refusal.who}さんが {at} に送信を指示したため、下書きは変更できません。"
    return f"{refusal.who}さんが {at} に、この下書きを変更しています。内容を確認してから、もう一度押してください。"


def as_links(problems: Iterable[Problem], places: dict[str, str]) -> list[tuple[str, str]]:
    """Problems as (element id, words) for the summary; `places` maps field names to ids."""
    return [(places.get(problem.field, ""), problem.text) for problem in problems]


def tell(request: HttpRequest, refusal: Refused | ChangedMeanwhile) -> None:
    """Say a refusal above the page that is shown next."""
    if isinstance(refusal, ChangedMeanwhile):
        messages.warning(request, changed_words(refusal))
        return
    for problem in refusal.problems:
        messages.error(request, problem.text)
