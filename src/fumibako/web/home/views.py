"""ホーム: what is being sent, how the accounts are, and the first steps of the practice mode."""

from __future__ import annotations

from dataclasses import dataclass

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
from fumibako.apps.office.models import Operator
from fumibako.apps.office.queries import office
from fumibako.apps.sending import labels, queries
from fumibako.apps.sending.models import BulkSend, JobEvent
from fumibako.apps.sending.queries import JobLine
from fumibako.web.accounts.status import Status, status_of
from fumibako.web.operators import operator_of

SHOWN_JOBS = 3
SHOWN_ACCOUNTS = 8
HIDDEN = "first_steps"
YEAR_SECONDS = 365 * 24 * 3600
OWN_COMPUTER = ("127.0.0.1", "localhost", "::1", "")


@dataclass(frozen=True, slots=True)
class JobRow:
    """One line of the card 送信."""

    heading: str
    url: str
    number: int
    subject: str
    percent: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Todo:
    """One line of the card 今日すること; `css` "bad" is drawn in red."""

    words: str
    count: int
    url: str
    css: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One of はじめの一歩; ticked by what really happened."""

    words: str
    hint: str
    url: str
    is_done: bool


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show the start page."""
    operator = operator_of(request)
    steps = _steps(operator) if office().is_practice and HIDDEN not in request.COOKIES else []
    page = {
        "greeting": _greeting(timezone.localtime().hour),
        "family_name": operator.display_name.split()[0] if operator.display_name.split() else operator.username,
        "today": timezone.localtime(),
        "todos": _todos(operator),
        "jobs": _jobs(operator),
        "accounts": _accounts(operator),
        "downs": _downs(operator),
        "steps": steps,
        "done_count": sum(step.is_done for step in steps),
    }
    return render(request, "home/home.html", page)


@require_POST
def hide_first_steps(request: HttpRequest) -> HttpResponse:
    """Hide はじめの一歩 on this device."""
    response = redirect("home")
    response.set_cookie(HIDDEN, "hidden", max_age=YEAR_SECONDS, httponly=True, samesite="Lax")
    return response


def _greeting(hour: int) -> str:
    if 5 <= hour < 11:
        return "おはようございます"
    return "こんにちは" if 11 <= hour < 18 else "おつかれさまです"


def _todos(operator: Operator) -> list[Todo]:
    due = follow_up_counts(operator, timezone.localdate())
    followups = reverse("followups:index")
    found = [
        Todo("次回対応(期限切れ)", due["overdue"], followups, "bad"),
        Todo("次回対応(今日)", due["today"], followups),
    ]
    if has_inbox(operator):
        own = mine_count(operator)
        words = f"未処理のメール(自分 {own:,})" if own else "未処理のメール"
        found.insert(0, Todo(words, open_count(operator), reverse("inbox:index")))
        found.append(Todo("エラーメール", error_count(operator), reverse("bounces:index"), "bad"))
    return [todo for todo in found if todo.count]


def _jobs(operator: Operator) -> list[JobRow]:
    rows = []
    for heading, tab, limit in (
        ("送信中", "sending", SHOWN_JOBS),
        ("予約", "scheduled", SHOWN_JOBS),
        ("前回", "done", 1),
    ):
        found = queries.jobs(operator, tab=tab)[:limit]
        rows += [_job_row(heading, line) for line in queries.lines(found)]
    return rows


def _job_row(heading: str, line: JobLine) -> JobRow:
    counts, job = line.counts, line.job
    words = f"{counts.mail_count:,}通"
    percent = None
    if heading == "送信中":
        percent = counts.done * 100 // counts.mail_count if counts.mail_count else 0
        words = f"{labels.job_state_text(line.state)} {percent}%({words})"
    elif heading == "予約" and job.release_at:
        words = f"{labels.clock(job.release_at)} に {words}"
    elif heading == "前回":
        words = f"{labels.job_state_text(line.state)}・送信済み {counts.sent:,}通・失敗 {counts.failed:,}"
    url = reverse("bulk_send:run", args=[job.number])
    return JobRow(heading, url, job.number, job.subject, percent, words)


def _accounts(operator: Operator) -> list[tuple[MailAccount, Status, bool]]:
    editable = set(configurable_accounts(operator).values_list("pk", flat=True))
    shown = (configurable_accounts(operator) | sendable_accounts(operator)).distinct()[:SHOWN_ACCOUNTS]
    return [(account, status_of(account), account.pk in editable) for account in shown]


def _downs(operator: Operator) -> list[str]:
    """Accounts that cannot be received from, and since when."""
    receiving = receiving_of(list(receiving_accounts(operator)))
    return [f"{account.name}は {labels.clock(since)} から受信できていません。" for account, since in receiving.downs]


def _steps(operator: Operator) -> list[Step]:
    own = BulkSend.objects.filter(created_by=operator)
    accounts = reverse("accounts:index")
    bulk, history = reverse("bulk_send:index"), reverse("history:index")
    tested = own.filter(origin=BulkSend.Origin.TEST, first_sent_at__isnull=False)
    paused = JobEvent.objects.filter(job__created_by=operator, what="paused")
    return [
        Step(
            "メールアカウントを見る",
            "練習用のアカウントで、接続をテストします。",
            accounts,
            MailAccount.objects.exists(),
        ),
        Step("自分に1通送る", "一括送信の本文の画面で、[自分にテスト送信] を押します。", bulk, tested.exists()),
        Step("20人に一括送信し、途中で止めてみる", "進み具合の画面で、[一時停止] を押します。", bulk, paused.exists()),
        Step(
            "失敗の理由を見る",
            "送信履歴で、届かなかった人と理由を見ます。",
            history,
            own.filter(seen_result_at__isnull=False).exists(),
        ),
        Step("自社のアカウントを登録する", "提供会社を選び、接続をテストします。", accounts, _has_own_account()),
    ]


def _has_own_account() -> bool:
    return MailAccount.objects.exclude(smtp_host__in=OWN_COMPUTER).exists()
