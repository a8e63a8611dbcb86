"""送信履歴: jobs that left the draft, the rows of one, and one person's very mail with the server's answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from fumibako.apps.accounts.queries import usable_accounts
from fumibako.apps.office.actions import note_failure_seen
from fumibako.apps.recipients.labels import KIND
from fumibako.apps.sending import labels, queries
from fumibako.apps.sending.errors import AttachmentMissing
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.apps.sending.preview import preview_of
from fumibako.apps.sending.queries import JobLine
from fumibako.apps.sending.report import result_csv
from fumibako.delivery.states import State
from fumibako.web.bulk_send.csv_file import csv_file
from fumibako.web.bulk_send.happenings import raw_answer
from fumibako.web.bulk_send.links import record_url
from fumibako.web.bulk_send.mail import shown
from fumibako.web.bulk_send.progress import LOOKS, sum_words
from fumibako.web.bulk_send.reading import whole
from fumibako.web.operators import operator_of
from fumibako.web.paging import page_of

PAGE_SIZE = 50
DAYS_SHOWN = 30
KEYS = ("since", "until", "account", "creator", "subject", "recipient", "address")
RESULTS = {
    "": "すべて",
    "sent": "送信済み",
    "failed": "失敗",
    "unknown": "結果不明",
    "excluded": "除外",
    "unsent": "未送信",
    "waiting": "これから",
}
ROW_LOOKS = {
    State.SENT: ("o", "check"),
    State.FAILED: ("n", "x"),
    State.BOUNCED: ("n", "mail-x"),
    State.UNKNOWN: ("w", "circle-help"),
    State.CLOSED: ("w", "circle-help"),
    State.SUPPRESSED: ("", "minus"),
    State.EXPIRED: ("", "clock"),
    State.CANCELLED: ("", "ban"),
    State.PLANNED: ("k", "clock"),
    State.QUEUED: ("k", "clock"),
    State.SENDING: ("k", "send"),
    State.HANDING_OVER: ("k", "send"),
}


EXPLAINED = (State.FAILED, State.BOUNCED, State.UNKNOWN)
UNDATED = (State.SUPPRESSED, State.PLANNED, State.QUEUED)
"""Nothing happened yet, or nothing will."""


@dataclass(frozen=True, slots=True)
class Row:
    """One job of the history."""

    number: int
    subject: str
    account: str
    css: str
    icon: str
    state_label: str
    at: str
    counts: queries.JobCounts
    author: str

    @property
    def unsent_count(self) -> int:
        """未送信: still waiting, or never to be sent."""
        return self.counts.unsent + self.counts.waiting


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List jobs; without conditions those of the last 30 days."""
    operator = operator_of(request)
    asked = _asked(request)
    found = queries.jobs(operator, conditions=asked).exclude(approved_at=None)
    page = _page_of(found, request.GET.get("page"), is_slow=bool(asked["recipient"] or asked["address"]))
    context: dict[str, Any] = {
        "asked": asked,
        "is_filtered": any(request.GET.get(key, "").strip() for key in KEYS),
        "accounts": [(str(one.pk), one.name) for one in usable_accounts(operator, "send")],
        "page": page,
        "jobs": [_row(line) for line in queries.lines(page.object_list)],
    }
    return render(request, "history/index.html", context)


def _page_of(found: QuerySet[BulkSend], number: str | None, *, is_slow: bool) -> Page[BulkSend]:
    """One page of jobs. What may look through every row of every job is done once, not once more for the count."""
    if not is_slow:
        return Paginator(found, PAGE_SIZE).get_page(number)
    keys = Paginator(list(found.values_list("pk", flat=True)), PAGE_SIZE).get_page(number)
    jobs = BulkSend.objects.select_related("account").filter(pk__in=keys.object_list)
    paginator: Paginator[Any] = keys.paginator
    return Page(list(jobs), keys.number, paginator)


def _asked(request: HttpRequest) -> dict[str, str]:
    asked = {key: request.GET.get(key, "").strip() for key in KEYS}
    for key in ("since", "until"):
        asked[key] = asked[key] if _is_day(asked[key]) else ""
    asked["account"] = str(whole(asked["account"]) or "")
    if not any(key in request.GET for key in KEYS):
        asked["since"] = (timezone.localdate() - timedelta(days=DAYS_SHOWN)).isoformat()
    return asked


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2026-11-24")


def _row(line: JobLine) -> Row:
    css, icon, _ = LOOKS[line.state]
    at = line.job.first_sent_at or line.job.released_at or line.job.release_at or line.job.approved_at
    return Row(
        line.job.number,
        line.job.subject,
        line.job.account.name if line.job.account else "",
        css,
        icon,
        labels.job_state_text(line.state),
        f"{timezone.localtime(at):%Y/%m/%d %H:%M}" if at else "",
        line.counts,
        line.job.created_by_name,
    )


def job_of(request: HttpRequest, number: int) -> BulkSend:
    """An approved job that this operator may see, tests included. Raises Http404 or PermissionDenied."""
    found = BulkSend.objects.filter(number=number, approved_at__isnull=False).select_related("account").first()
    if found is None:
        raise Http404
    if not queries.job_seen_by(operator_of(request), found):
        raise PermissionDenied
    return found


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a job."""

    seq: int
    url: str
    name: str
    kind_label: str
    number: str
    address: str
    css: str
    icon: str
    state_label: str
    words: str
    at: str


@require_GET
def job(request: HttpRequest, number: int) -> HttpResponse:
    """The rows of one job, by result, reason, kind and words."""
    found = job_of(request, number)
    filters = {key: request.GET.get(key, "").strip() for key in ("result", "reason", "kind", "q")}
    rows, total = queries.rows_of_job(found, filters)
    page = page_of(rows, queries.PAGE_SIZE, request.GET, ("seq",), total)
    counts = queries.counts_of_job(found)
    state = queries.state_of(found, counts, queries.pace_of(found), timezone.now())
    css, icon, _ = LOOKS[state]
    context = {
        "job": found,
        "counts": counts,
        "sum_words": sum_words(counts),
        "state_label": labels.job_state_text(state),
        "css": css,
        "icon": icon,
        "rows": [_line(one, found) for one in page.object_list],
        "page": page,
        "filters": filters,
        "is_filtered": any(filters.values()),
        "results": list(RESULTS.items()),
        "kinds": list(KIND.items()),
        "reasons": list(labels.EXCLUSIONS.items()) if counts.excluded else [],
        "query": urlencode({key: value for key, value in filters.items() if value}),
        "repeatable_count": counts.failed,
    }
    return render(request, "history/job.html", context)


def _line(row: Delivery, found: BulkSend) -> Line:
    css, icon = ROW_LOOKS[State(row.state)]
    at = None if row.state in UNDATED else row.sent_at or row.changed_at
    return Line(
        row.seq,
        reverse("history:mail", args=[found.number, row.seq]),
        row.party_name,
        KIND.get(row.party_kind, ""),
        row.party_number,
        row.address,
        css,
        icon,
        labels.delivery_state_text(row.state),
        _words(row),
        f"{timezone.localtime(at):%m/%d %H:%M:%S}" if at else "",
    )


def _words(row: Delivery) -> str:
    if row.state == State.SUPPRESSED:
        return labels.exclusion_text(row.exclusion)
    if row.state in EXPLAINED or (row.state == State.QUEUED and row.deferred_count):
        return queries.explanation_of(row).text
    return ""


@require_GET
def result_file(request: HttpRequest, number: int) -> HttpResponseBase:
    """The same rows as CSV."""
    found = job_of(request, number)
    filters = {key: request.GET.get(key, "").strip() for key in ("result", "reason", "kind", "q")}
    return csv_file(result_csv(found, filters), f"送信結果_NO{number}.csv")


@dataclass(frozen=True, slots=True)
class Move:
    """One move of a delivery, in words."""

    at: str
    words: str
    raw: str


@require_GET
def first_mail(request: HttpRequest, number: int) -> HttpResponse:
    """Lead to the first mail of a job, past the exclusions before it."""
    found = job_of(request, number)
    seq = found.deliveries.exclude(message_id="").order_by("seq").values_list("seq", flat=True).first()
    return redirect("history:mail", number, seq) if seq else redirect("history:job", number)


@require_GET
def mail(request: HttpRequest, number: int, seq: int) -> HttpResponse:
    """One person's very mail, what the server answered, and every try."""
    found = job_of(request, number)
    row = found.deliveries.filter(seq=seq).select_related("job", "recipient").first()
    if row is None:
        raise Http404
    css, icon = ROW_LOOKS[State(row.state)]
    if row.state in EXPLAINED:
        note_failure_seen(operator_of(request))
    context = {
        "job": found,
        "row": row,
        "kind_label": KIND.get(row.party_kind, ""),
        "record_url": record_url(row.party_kind, row.party_number, row.recipient_id),
        "css": css,
        "icon": icon,
        "state_label": labels.delivery_state_text(row.state),
        "words": _words(row),
        "next_step": _next_step(row),
        "raw": raw_answer(row.code, row.enhanced, row.text),
        "moves": _moves(queries.attempts_of(row)),
        "before": _neighbour(found, seq, -1),
        "after": _neighbour(found, seq, +1),
        **_mail(row),
    }
    return render(request, "history/mail.html", context)


def _next_step(row: Delivery) -> str:
    if row.state in EXPLAINED or (row.state == State.QUEUED and row.deferred_count):
        return queries.explanation_of(row).next_step
    return ""


def _mail(row: Delivery) -> dict[str, Any]:
    if not row.message_id:
        return {"mail": None, "why_none": "この宛先には送信しないため、メールはありません。"}
    try:
        found = preview_of(row)
    except AttachmentMissing as missing:
        return {"mail": None, "why_none": f"添付ファイル「{missing.name}」がないため、メールを表示できません。"}
    return {"mail": shown(found), "is_same": found.sha256 == row.raw_sha256}


MOVES = {
    "release": "送信待ちにしました",
    "claim": "送信を始めました",
    "mark": "本文を引き渡しています",
    "put_back": "引き渡す前に中断し、送信待ちに戻しました",
    "defer": "サーバーの求めにより、あとで送り直します",
    "accept": "サーバーが受け取りました",
    "refuse": "サーバーが断りました",
    "lose_answer": "引き渡した後に返答がなく、結果不明になりました",
    "suppress": "送信する直前の確認で、除外しました",
    "expire": "送信期限を過ぎました",
    "cancel": "送信しないことになりました",
    "prove_sent": "届いていたことが分かりました",
    "bounce": "エラーメールが返ってきました",
    "resend": "もう一度送ることにしました",
    "treat_as_sent": "届いていたものとして扱うことにしました",
    "give_up": "結果不明のまま、終わりにしました",
    "restore": "控えから戻したため、送られたかどうかが分からなくなりました",
}


def _moves(events: Sequence[Any]) -> list[Move]:
    found = []
    for event in events:
        words = MOVES[event.trigger]
        if event.actor_name:
            words = f"{event.actor_name}: {words}"
        if event.reason:
            words = f"{words}(理由: {event.reason})"
        raw = raw_answer(event.code, event.enhanced, event.text)
        found.append(Move(f"{timezone.localtime(event.at):%m/%d %H:%M:%S}", words, raw))
    return found


def _neighbour(found: BulkSend, seq: int, step: int) -> str:
    rows = found.deliveries.exclude(message_id="")
    near = rows.filter(seq__lt=seq).order_by("-seq") if step < 0 else rows.filter(seq__gt=seq).order_by("seq")
    other = near.values_list("seq", flat=True).first()
    return reverse("history:mail", args=[found.number, other]) if other else ""
