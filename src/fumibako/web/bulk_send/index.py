"""一括送信の一覧: drafts, reservations, what is being sent, what is done; and where a new one begins."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.labels import KIND
from fumibako.apps.sending import drafts, labels, queries, selection
from fumibako.apps.sending.models import BulkSend
from fumibako.apps.sending.queries import JobLine, JobState
from fumibako.web.operators import operator_of

from . import conditions
from .frame import NO_SUBJECT, STEPS, job_for, steps
from .progress import LOOKS
from .reading import wholes

PAGE_SIZE = 50
TABS = {"draft": "下書き", "scheduled": "予約", "sending": "送信中", "done": "完了", "all": "すべて"}
EMPTY = {
    "draft": "下書きはありません。",
    "scheduled": "予約した送信はありません。",
    "sending": "送信中のものはありません。",
    "done": "終わった送信はありません。",
    "all": "まだ送信がありません。",
}


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of the list; `count` 0 shows no number."""

    name: str
    label: str
    count: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One job of the list."""

    number: int
    url: str
    subject: str
    account: str
    people: str
    css: str
    icon: str
    state_label: str
    start: str
    failed_count: int | None
    author: str
    verb: str = ""
    verb_label: str = ""
    verb_title: str = ""
    verb_question: str = ""


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show one tab; without a choice, drafts when there are any, else everything."""
    operator = operator_of(request)
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "all"
    page = Paginator(queries.jobs(operator, tab=tab), PAGE_SIZE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "tabs": [Tab(name, label, _count(operator, name), name == tab) for name, label in TABS.items()],
        "tab_label": TABS[tab],
        "page": page,
        "jobs": [_row(line) for line in queries.lines(page.object_list)],
        "empty_words": EMPTY[tab],
        "key": uuid.uuid4(),
    }
    return render(request, "bulk_send/index.html", context)


def _count(operator: Operator, tab: str) -> int:
    return queries.jobs(operator, tab=tab).count() if tab in ("draft", "scheduled", "sending") else 0


def _row(line: JobLine) -> Row:
    job, state = line.job, line.state
    css, icon, _ = LOOKS[state]
    verb = _verb(line)
    return Row(
        job.number,
        reverse("bulk_send:opened", args=[job.number]),
        job.subject or NO_SUBJECT,
        job.account.name if job.account else "",
        _people(line),
        css,
        icon,
        labels.job_state_text(state),
        _start(line),
        None if state is JobState.DRAFT else line.counts.failed,
        job.created_by_name,
        *verb,
    )


def _people(line: JobLine) -> str:
    if line.state is not JobState.DRAFT:
        return f"{line.counts.mail_count:,}通"
    counts = selection.counts_of(line.job)
    return f"{counts.person_count:,}人 {counts.mail_count:,}通" if counts.row_count else ""


def _start(line: JobLine) -> str:
    at = line.job.released_at or line.job.release_at
    if at is None or line.state in (JobState.DRAFT, JobState.WITHDRAWN):
        return ""
    local = timezone.localtime(at)
    return f"{local:%Y/%m/%d %H:%M}"


def _verb(line: JobLine) -> tuple[str, ...]:
    if line.state is JobState.DRAFT:
        question = "以下の下書きを削除しますか? この操作は元に戻せません。"
        return ("discard", "削除", "下書きを削除", question)
    if line.state in (JobState.HOLD, JobState.SCHEDULED):
        question = "送信を取り消して、下書きに戻しますか? まだ1通も送られていません。"
        return ("withdraw", "取り消す", "送信を取り消す", question)
    return ()


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """新規作成, also from a list of people (`id`, or `every` with `kind` and conditions). Pressed twice it is one."""
    operator = operator_of(request)
    draft = drafts.start_draft(operator, idempotency_key=_key(request.POST.get("key", "")))
    if draft.approved_at or draft.cancelled_at:
        # An old page, kept by the browser's Back, still carries the key of what was made from it.
        draft = drafts.start_draft(operator)
    _add_chosen(request, operator, draft)
    return redirect("bulk_send:from", draft.number)


def _add_chosen(request: HttpRequest, operator: Operator, draft: BulkSend) -> None:
    kind = request.POST.get("kind", "")
    ids = wholes(request.POST.getlist("id"))
    if request.POST.get("every") and kind in KIND:
        drafts.add_people(operator, draft, kind, conditions.of(conditions.flat(request.POST)))
    elif ids:
        drafts.add_people(operator, draft, kind, ids)


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()


@require_GET
def opened(request: HttpRequest, number: int) -> HttpResponse:
    """Lead to the step where the job stands: the first that is open, or its progress."""
    job = job_for(request, number)
    if job.approved_at:
        return redirect("bulk_send:run", number)
    open_steps = [step.number for step in steps(job, "run")[:3] if not step.is_done]
    return redirect(f"bulk_send:{STEPS[open_steps[0] - 1][0] if open_steps else 'check'}", number)
