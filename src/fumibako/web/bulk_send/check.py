"""Step 4 点検と確認: how many, what is wrong, who is left out, when, what it looks like, and the last gate.

The gate only helps; `approve_bulk_send` judges everything again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused
from fumibako.apps.office.queries import office
from fumibako.apps.sending import actions, drafts, labels
from fumibako.apps.sending.approval import Start, number_problems, release_time
from fumibako.apps.sending.errors import NotADraft
from fumibako.apps.sending.inspection import Finding, Inspection, inspect
from fumibako.apps.sending.inspection.labels import CHECKS
from fumibako.apps.sending.models import BulkSend
from fumibako.apps.sending.report import exclusions_csv
from fumibako.apps.sending.selection import counts_of
from fumibako.apps.sending.warning import warning_hours

from . import timeline
from .counted import exclusion_rows, kind_parts, kind_rows
from .csv_file import csv_file
from .frame import as_links, changed_words, for_draft, framed, steps
from .links import record_url
from .mail import chip_specs, sample_of
from .reading import whole

PLACES = {
    "typed_number": "cnt",
    "start_at": "start-at",
    "findings": "findings",
    "account": "findings",
    "sender": "findings",
    "recipients": "findings",
    "letter": "findings",
    "tick_sender": "tick-sender",
    "tick_recipients": "tick-recipients",
    "tick_letter": "tick-letter",
    "tick_attachments": "tick-attachments",
}
WEIGHTS = {"stop": ("止める", "octagon-x"), "confirm": ("確認", "triangle-alert"), "info": ("情報", "info")}
FIXES = {
    "sender": ("from", "送信元を直す"),
    "recipients": ("to", "宛先を見る"),
    "letter": ("body", "本文を直す"),
}
NAMES_SHOWN = 5
TICKS = (("sender", "送信元", "numbers"), ("recipients", "宛先と通数", "numbers"), ("letter", "件名と本文", "sample"))


@require_http_methods(["GET", "POST"])
@for_draft
def check(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    """Show 点検と確認; POST sends. htmx asks for one sample only."""
    if request.method == "POST":
        return _send(request, operator, job)
    if request.headers.get("HX-Target") == "sample":
        sample = sample_of(job, address_id=_address(request), step="check", specs=request.GET.getlist("chip"))
        return render(request, "bulk_send/sample.html", {"job": job, "sample": sample})
    if any(not step.is_done for step in steps(job, "check")[:3]):
        messages.info(request, "送信元・宛先・本文がそろうと、点検に進めます。")
        return redirect("bulk_send:opened", job.number)
    return _page(request, job)


@require_POST
@for_draft
def confirm(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    """Store which findings were accepted: one tick by htmx, or all of the page's with 下書きを登録."""
    _store_confirmations(request, operator, job)
    if "leave" in request.POST:
        messages.success(request, f"送信管理NO {job.number} の下書きを登録しました。")
        return redirect("bulk_send:index")
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return redirect("bulk_send:check", job.number)


def _store_confirmations(request: HttpRequest, operator: Operator, job: BulkSend) -> None:
    accepted = dict(value.rsplit("=", 1) for value in request.POST.getlist("confirm") if "=" in value)
    for key, fingerprint in accepted.items():
        if job.confirmed_findings.get(key) != fingerprint:
            drafts.confirm_finding(operator, job, key, fingerprint)
    for key, fingerprint in list(job.confirmed_findings.items()):
        if key not in accepted and key in request.POST.getlist("offered"):
            drafts.confirm_finding(operator, job, key, fingerprint, is_confirmed=False)
    job.refresh_from_db()


def _send(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    """Approve what was looked at, or say on the same page why not, with everything typed kept."""
    _store_confirmations(request, operator, job)
    try:
        start = _start(request)
        actions.approve_bulk_send(
            operator,
            job.pk,
            version=whole(request.POST.get("version")),
            typed_number=request.POST.get("typed_number", ""),
            ticks=set(request.POST.getlist("tick")),
            start=start,
            accept_warning_hours="yes" in request.POST.getlist("accept_warning_hours"),
        )
    except Refused as refusal:
        job.refresh_from_db()
        return _page(request, job, refusal.problems)
    except NotADraft:
        raise
    except ChangedMeanwhile as refusal:
        job.refresh_from_db()
        return _page(request, job, (Problem("", "", changed_words(refusal)),), is_changed=True)
    return redirect("bulk_send:run", job.number)


def _start(request: HttpRequest) -> Start:
    """hold, now, or the moment that was typed. Raises Refused when it cannot be read."""
    chosen = _chosen(request)
    if chosen != "at":
        return "now" if chosen == "now" else "hold"
    try:
        typed = datetime.fromisoformat(_typed_start(request))
    except ValueError:
        raise Refused([labels.problem("start_at", "V01", item="送信予約日時")]) from None
    return timezone.make_aware(typed) if timezone.is_naive(typed) else typed


def _page(
    request: HttpRequest, job: BulkSend, refused: tuple[Problem, ...] = (), *, is_changed: bool = False
) -> HttpResponse:
    """The page. After a change by somebody else nothing counts as looked at any more."""
    now = timezone.now()
    seen = inspect(job, now, start_at=_planned_start(request, job, now))
    asks = next((problem for problem in refused if problem.id == "B03"), None)
    problems = as_links([problem for problem in refused if problem.id != "B03"], PLACES)
    context = (
        _facts(request, job, seen, now)
        | _gate(request, job, seen, now, set() if is_changed else set(request.POST.getlist("tick")))
        | {
            "problems": problems,
            "asks_warning_hours": asks is not None,
            "number_is_wrong": any(problem.field == "typed_number" for problem in refused),
        }
    )
    if asks is not None:
        context["warning_question"] = asks.text
    return framed(request, job, "check", **context)


def _facts(request: HttpRequest, job: BulkSend, seen: Inspection, now: datetime) -> dict[str, Any]:
    account = job.account
    hours = warning_hours(account.warn_from, account.warn_to) if account else None
    has_mails = bool(seen.counts.mail_count)
    specs = request.GET.getlist("chip") or chip_specs(seen.samples)
    return {
        "counts": seen.counts,
        "kinds": kind_rows(seen.counts),
        "kind_parts": kind_parts(seen.counts),
        "sender": {"name": account.from_name or account.name, "address": account.from_address} if account else {},
        "findings": [_row(one, job, now) for one in seen.findings],
        "stop_count": seen.stop_count,
        "confirm_count": sum(1 for one in seen.findings if one.weight == "confirm"),
        "passed": [CHECKS[id] for id in seen.passed],
        "exclusions": exclusion_rows(seen.counts),
        "plan": _plan_words(seen, account, now),
        "timeline": timeline.draw(seen.plan, hours, width=372) if has_mails else None,
        "sample": sample_of(job, address_id=_address(request), step="check", specs=specs),
        "seal": {
            "name": job.created_by_name.split(" ")[0][:4],
            "at": f"{timezone.localtime(job.created_at):%m/%d %H:%M}",
        },
    }


@dataclass(frozen=True, slots=True)
class Row:
    """One finding as a line of the list."""

    finding: Finding
    css: str
    icon: str
    weight_label: str
    people: str
    fix_url: str
    fix_label: str

    @property
    def is_about_testing(self) -> bool:
        """True when a test mail is the way out (C20)."""
        return self.finding.id == "C20"

    @property
    def everybody(self) -> list[tuple[str, str]]:
        """(name with number, record) of the people it is about, as many as are named."""
        return [
            (f"{one.name} {one.number}", record_url(one.kind, one.number, one.recipient_id))
            for one in self.finding.people
        ]

    @property
    def unnamed_count(self) -> int:
        """How many more there are."""
        return self.finding.people_count - len(self.finding.people)

    @property
    def needs_tick(self) -> bool:
        """True when somebody has to say このままでよい."""
        return self.finding.weight == "confirm"

    @property
    def is_stop(self) -> bool:
        """True when it keeps the job from being sent."""
        return self.finding.weight == "stop"

    @property
    def value(self) -> str:
        """What a tick posts: the finding and what exactly it said."""
        return f"{self.finding.key}={self.finding.fingerprint}"


def _row(finding: Finding, job: BulkSend, now: datetime) -> Row:
    label, icon = WEIGHTS[finding.weight]
    names = [person.name for person in finding.people[:NAMES_SHOWN]]
    people = "、".join(names)
    if finding.people_count > len(names):
        people += f" ほか {finding.people_count - len(names):,}人"
    url, words = _fix(finding, job)
    red = " red" if finding.id in ("C07", "C11") else ""
    return Row(finding, f"{finding.weight}{red}", icon, label, people, url, words)


def _fix(finding: Finding, job: BulkSend) -> tuple[str, str]:
    """Where to put it right, and the button's words."""
    if finding.fix is not None and finding.fix.kind == "start_at":
        moment = timezone.localtime(datetime.fromisoformat(finding.fix.value))
        query = f"?start=at&start_at={moment:%Y-%m-%dT%H:%M}"
        return reverse("bulk_send:check", args=[job.number]) + query, finding.fix.text
    if finding.link not in FIXES:
        return "", ""
    step, words = FIXES[finding.link]
    if finding.people_count or finding.id == "C20":
        return "", ""
    return reverse(f"bulk_send:{step}", args=[job.number]), words


def _plan_words(seen: Inspection, account: Any, now: datetime) -> dict[str, Any]:
    plan = seen.plan
    words = "休止なし"
    if account is not None and plan.pause_count:
        words = f"{account.batch_size:,}通ごとに{labels.span(account.sleep_seconds)}休止"
    warning = "警告時間帯は設定されていません。"
    if account is not None and account.warn_from is not None and account.warn_to is not None:
        hours = labels.hours_text(account.warn_from, account.warn_to)
        does = "かかります" if plan.touches_warning else "、かかりません"
        warning = f"警告時間帯({hours})に{does}。"
    return {
        "pause_words": words,
        "warning_words": warning,
        "duration": labels.span(_whole_minutes(plan.duration)),
        "end": labels.clock(plan.end_at, now),
        "recipients_per_hour": plan.recipients_per_hour,
        "has_copies": plan.recipients_per_hour != plan.mails_per_hour,
    }


def _whole_minutes(duration: timedelta) -> float:
    seconds = duration.total_seconds()
    return seconds if seconds < 60 else round(seconds / 60) * 60


def _gate(request: HttpRequest, job: BulkSend, seen: Inspection, now: datetime, ticked: set[str]) -> dict[str, Any]:
    file_count = job.attachments.count()
    ticks = [*TICKS, ("attachments", f"添付 {file_count}件" if file_count else "添付なし", "sample")]
    typed_from = office().typed_number_from
    typed = request.POST.get("typed_number", "")
    is_number_open = any(True for _ in number_problems(typed, seen.counts.mail_count, typed_from))
    chosen = _chosen(request)
    return {
        "ticks": [Tick(name, label, place, name in ticked) for name, label, place in ticks],
        "needs_number": seen.counts.mail_count >= typed_from,
        "typed_number": typed,
        "starts": [
            StartOption("hold", _hold_words(job, seen, now), chosen == "hold"),
            StartOption("at", "日時を指定", chosen == "at"),
            StartOption("now", "すぐ", chosen == "now"),
        ],
        "start_at": _typed_start(request),
        "warning_question": _warning_question(job, now),
        "open_count": len(ticks) - len(ticked) + is_number_open + seen.open_count,
    }


def _hold_words(job: BulkSend, seen: Inspection, now: datetime) -> str:
    if job.account is None:
        return "待ってから"
    hold = release_time("hold", now, seen.counts, job.account, office()) - now
    return f"{labels.span_of(hold)}後" if hold else "待たない"


def _warning_question(job: BulkSend, now: datetime) -> str:
    """B03 when a start from now on lies inside the warning hours."""
    account = job.account
    hours = warning_hours(account.warn_from, account.warn_to) if account else None
    if account is None or hours is None or not hours.includes(timezone.localtime(now)):
        return ""
    return labels.INSIDE_WARNING.format(hours=labels.hours_text(account.warn_from, account.warn_to))


@dataclass(frozen=True, slots=True)
class Tick:
    """One box of the gate; ticking it leads to `place`."""

    name: str
    label: str
    place: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class StartOption:
    """One way to start."""

    value: str
    label: str
    is_on: bool


def _chosen(request: HttpRequest) -> str:
    chosen = request.POST.get("start") or request.GET.get("start")
    return chosen if chosen in ("at", "now") else "hold"


def _typed_start(request: HttpRequest) -> str:
    return request.POST.get("start_at") or request.GET.get("start_at", "")


def _planned_start(request: HttpRequest, job: BulkSend, now: datetime) -> datetime:
    """When the send would begin by what is chosen on the page."""
    if job.account is None:
        return now
    try:
        return release_time(_start(request), now, counts_of(job), job.account, office())
    except Refused:
        return now


def _address(request: HttpRequest) -> int | None:
    return whole(request.GET.get("address")) or None


@require_GET
@for_draft
def excluded(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponseBase:
    """送信しない宛先 with their reasons, as CSV."""
    return csv_file(exclusions_csv(job), f"送信しない宛先_NO{job.number}.csv")
