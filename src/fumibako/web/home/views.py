"""ホーム: what is being sent, how the accounts are, and the first steps of the practice mode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.queries import configurable_accounts, sendable_accounts
from fumibako.apps.contacts.queries import follow_up_counts
from fumibako.apps.inbox.board import error_count, has_inbox, mine_count, open_count, receiving_of
from fumibako.apps.inbox.queries import receiving_accounts
from fumibako.apps.office import actions
from fumibako.apps.office.models import Operator
from fumibako.apps.office.queries import office
from fumibako.apps.sending import labels, queries
from fumibako.apps.sending.queries import JobLine
from fumibako.web.accounts.status import Status, statuses_of
from fumibako.web.home.steps import steps_of
from fumibako.web.operators import operator_of

SHOWN_JOBS = 3
SHOWN_ACCOUNTS = 8


@dataclass(frozen=True, slots=True)
class JobRow:
    """One line of the card 送信."""

    heading: str
    url: str
    number: int
    subject: str
    percent: int | None = None
    words: str = ""
    failed_count: int = 0
    failed_url: str = ""


@dataclass(frozen=True, slots=True)
class Todo:
    """One line of the card 今日すること; `css` "bad" is drawn in red. `own_count` of them are the operator's."""

    words: str
    count: int
    url: str
    css: str = ""
    own_count: int = 0
    own_url: str = ""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One line of the card アカウントの状態; `down_since` "" = receiving goes well."""

    account: MailAccount
    status: Status
    may_edit: bool
    stopped_since: str
    down_since: str


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show the start page."""
    operator = operator_of(request)
    is_practice = office().is_practice
    steps = steps_of(operator) if is_practice and not operator.hides_first_steps else []
    page = {
        "greeting": _greeting(timezone.localtime().hour),
        "family_name": operator.display_name.split()[0] if operator.display_name.split() else operator.username,
        "today": timezone.localtime(),
        "todos": _todos(operator),
        "jobs": _jobs(operator),
        "accounts": _accounts(operator),
        "has_put_steps_away": is_practice and operator.hides_first_steps,
        "steps": steps,
        "done_count": sum(step.is_done for step in steps),
    }
    return render(request, "home/home.html", page)


@require_POST
def hide_first_steps(request: HttpRequest) -> HttpResponse:
    """Put はじめの一歩 away for this operator, or (show=1) bring it back."""
    actions.hide_first_steps(operator_of(request), is_hidden=request.POST.get("show") != "1")
    return redirect("home")


def _greeting(hour: int) -> str:
    if 5 <= hour < 11:
        return "おはようございます"
    return "こんにちは" if 11 <= hour < 18 else "おつかれさまです"


def _todos(operator: Operator) -> list[Todo]:
    due = follow_up_counts(operator, timezone.localdate())
    followups = reverse("followups:index")
    found = [
        Todo("次回対応(期限切れ)", due["overdue"], f"{followups}#g_overdue", "bad"),
        Todo("次回対応(今日)", due["today"], f"{followups}#g_today"),
    ]
    if has_inbox(operator):
        # The numbers are those of all time: so are the lists that they lead to.
        every = {"v": "open", "p": "all"}
        mails = reverse("inbox:index")
        own = f"{mails}?{urlencode(every | {'assignee': str(operator.pk)})}"
        url = f"{mails}?{urlencode(every)}"
        found.insert(0, Todo("未処理のメール", open_count(operator), url, "", mine_count(operator), own))
        found.append(Todo("エラーメール", error_count(operator), reverse("bounces:index"), "bad"))
    return [todo for todo in found if todo.count]


def _jobs(operator: Operator) -> list[JobRow]:
    rows = []
    for heading, tab, limit in (
        ("送信中", "sending", SHOWN_JOBS),
        ("予約", "scheduled", SHOWN_JOBS),
        ("前回", "done", 1),
        ("下書き", "draft", 1),
    ):
        found = queries.jobs(operator, tab=tab)[:limit]
        rows += [_job_row(heading, line) for line in queries.lines(found)]
    return rows


def _job_row(heading: str, line: JobLine) -> JobRow:
    counts, job = line.counts, line.job
    place = "opened" if heading == "下書き" else "run"
    row = JobRow(heading, reverse(f"bulk_send:{place}", args=[job.number]), job.number, job.subject)
    mails = f"{counts.mail_count:,}通"
    if heading == "送信中":
        percent = counts.done * 100 // counts.mail_count if counts.mail_count else 0
        return replace(row, percent=percent, words=f"{labels.job_state_text(line.state)} {percent}%({mails})")
    if heading == "予約":
        return replace(row, words=f"{labels.clock(job.release_at)} に {mails}" if job.release_at else mails)
    if heading == "下書き":
        return replace(row, words=f"{labels.clock(job.changed_at)} に変更")
    words = f"{labels.job_state_text(line.state)}・送信済み {counts.sent:,}通"
    failed_url = f"{reverse('history:job', args=[job.number])}?result=failed"
    return replace(row, words=words, failed_count=counts.failed, failed_url=failed_url)


def _accounts(operator: Operator) -> list[AccountRow]:
    editable = set(configurable_accounts(operator).values_list("pk", flat=True))
    known = configurable_accounts(operator) | sendable_accounts(operator) | receiving_accounts(operator)
    shown = list(known.distinct()[:SHOWN_ACCOUNTS])
    downs = {account.pk: labels.clock(since) for account, since in receiving_of(shown).downs}
    statuses = statuses_of(shown)
    return [
        _account_row(account, statuses[account.pk], account.pk in editable, downs.get(account.pk, ""))
        for account in shown
    ]


def _account_row(account: MailAccount, status: Status, may_edit: bool, down_since: str) -> AccountRow:
    stopped_since = labels.clock(status.stopped_at) if status.stopped_at else ""
    return AccountRow(account, status, may_edit, stopped_since, down_since if status.can_receive else "")
