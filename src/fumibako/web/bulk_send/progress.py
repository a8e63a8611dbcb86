"""Step 5 進み具合: what is happening now, sums that always add up, who needs attention, and the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid5

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from fumibako.apps.recipients.labels import KIND
from fumibako.apps.sending import actions, labels, queries
from fumibako.apps.sending.models import BulkSend
from fumibako.apps.sending.plan import Burst
from fumibako.apps.sending.queries import JobCounts, JobState, StatusLine
from fumibako.apps.sending.schedule import plan_of
from fumibako.apps.sending.state import opens_result
from fumibako.apps.sending.warning import warning_hours

from . import facts, timeline
from .bars import Part, divisions, parts
from .counted import KindRow
from .frame import framed, job_for
from .happenings import attention_row, feed_of, reasons_of
from .links import place

STOP_POLLING = 286
ATTENTION_SHOWN = 12
MILESTONES = (100, 75, 50, 25)

LOOKS = {
    JobState.HOLD: ("k", "clock", ""),
    JobState.SCHEDULED: ("k", "calendar-clock", ""),
    JobState.SENDING: ("k", "loader-circle", "spin"),
    JobState.RESTING: ("k", "loader-circle", "spin"),
    JobState.LIMITED: ("w", "timer", ""),
    JobState.RETRYING: ("k", "timer", ""),
    JobState.PAUSED: ("w", "circle-pause", ""),
    JobState.STOPPED: ("n", "octagon-x", ""),
    JobState.DONE: ("o", "circle-check", ""),
    JobState.PARTLY_FAILED: ("w", "triangle-alert", ""),
    JobState.FAILED: ("n", "circle-x", ""),
    JobState.CANCELLED: ("", "circle-stop", ""),
    JobState.WITHDRAWN: ("", "undo-2", ""),
    JobState.DRAFT: ("", "file-text", ""),
    JobState.DISCARDED: ("", "trash-2", ""),
}
"""(colour of the tag, icon, movement) of each state; the word comes from labels."""

STANDING = {
    JobState.PAUSED: "「再開」を押すまで、1通も送られません。",
    JobState.STOPPED: "宛先のエラーの回数には数えません。",
    JobState.CANCELLED: "",
}
"""What to add to the sentence while nothing goes on by itself."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The sentence of now, its figure set large."""

    before: str
    figure: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Op:
    """One button of the moment; with `dialog` it asks first."""

    name: str
    label: str
    icon: str
    css: str = ""
    dialog: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """One way out of the finished job."""

    url: str
    label: str
    icon: str
    css: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One sum."""

    css: str
    label: str
    count: int
    is_bad: bool = False


@require_GET
def run(request: HttpRequest, number: int) -> HttpResponse:
    """Show where the job stands. A draft leads back to its steps."""
    job = job_for(request, number)
    if not job.approved_at:
        return redirect("bulk_send:opened", number)
    context = live_context(job, timezone.now())
    return framed(request, job, "run", **context, **_notice(job), sub=_sub(job))


@require_GET
def live(request: HttpRequest, number: int) -> HttpResponse:
    """The part that refreshes. At the end it either opens the result (送信結果通知) or says that polling may stop."""
    job = job_for(request, number)
    context = live_context(job, timezone.now())
    response = render(request, "bulk_send/live.html", {"job": job, "is_fragment": True, **context})
    if context["is_over"]:
        response.status_code = STOP_POLLING
        if opens_result(notice_of(job), context["counts"]):
            response["HX-Redirect"] = reverse("bulk_send:run", args=[number])
    return response


def notice_of(job: BulkSend) -> str:
    """送信結果通知 of this job: its own, else the account's."""
    return job.result_notice or (job.account.result_notice if job.account else "always")


def _notice(job: BulkSend) -> dict[str, Any]:
    own = notice_of(job)
    words = (("always", "常に"), ("failures", "失敗のみ"), ("never", "しない"))
    return {
        "notices": [{"value": value, "label": label, "is_on": value == own} for value, label in words],
        "account_notice": labels.RESULT_NOTICES[job.account.result_notice] if job.account else "",
    }


def _sub(job: BulkSend) -> str:
    return " ・ ".join(
        [f"送信管理NO {job.number}", f"{job.account.name if job.account else ''}から", job.created_by_name]
    )


def live_context(job: BulkSend, now: datetime) -> dict[str, Any]:
    """Everything that `live.html` shows at this moment."""
    counts = queries.counts_of_job(job)
    line = queries.status_line(job, counts, now)
    state = line.state
    css, icon, spin = LOOKS[state]
    is_over = not counts.waiting
    rest = counts.waiting + counts.unsent
    bar = parts([("s", counts.sent), ("n", counts.failed), ("q", counts.unknown), ("w", rest)])
    context = {
        "counts": counts,
        "is_over": is_over,
        "is_waiting": state in (JobState.HOLD, JobState.SCHEDULED),
        "state_label": labels.job_state_text(state),
        "tag_css": css,
        "tag_icon": icon,
        "tag_spin": spin,
        "headline": _headline(job, counts, line),
        "subline": _subline(job, counts, line, now),
        "ops": _ops(job, state, is_over),
        "resend_key": uuid5(job.idempotency_key, f"resend {counts.failed}") if is_over else None,
        "links": _links(job, is_over, state is JobState.STOPPED),
        "may_stop": not is_over and state not in (JobState.HOLD, JobState.SCHEDULED),
        "mail_count": counts.mail_count,
        "done_count": counts.done,
        "waiting_count": counts.waiting,
        "sent_count": counts.sent,
        "bar": bar,
        "divisions": _divisions(job, counts, bar),
        "figures": _figures(counts),
        "sum_words": sum_words(counts),
        "milestone": _milestone(counts, line),
        "worker_is_missing": line.is_worker_missing,
        "status_url": place("status:index"),
        "as_of": f"{labels.clock(now, now)} 現在 ・ {'送信は終わっています' if is_over else '自動で更新しています'}",
        "feed": feed_of(job, now),
        "failed_count": counts.failed,
        "unknown_count": counts.open_unknown,
        "excluded_count": counts.excluded,
    }
    if is_over:
        context["reasons"] = reasons_of(job)
    if context["is_waiting"]:
        context |= _frozen(job)
    return context | _end(job, counts, line, now) | _plan(job, counts, line, now) | _attention(job)


def _headline(job: BulkSend, counts: JobCounts, line: StatusLine) -> Headline:
    if line.state is JobState.HOLD and line.seconds_to_resume:
        minutes, seconds = divmod(line.seconds_to_resume, 60)
        return Headline("あと ", f"{minutes}:{seconds:02d}", " で送信を開始します")
    if line.state in (JobState.DONE, JobState.PARTLY_FAILED):
        return Headline(f"{counts.mail_count:,}通のうち ", f"{counts.sent:,}", "通を送信しました")
    figure = labels.span(line.seconds_to_resume)
    if line.state is JobState.RESTING and figure in line.text:
        before, _, after = line.text.partition(figure)
        return Headline(before, figure, after.rstrip("。"))
    return Headline(line.text.removesuffix("。") if line.text.count("。") == 1 else line.text)


def _subline(job: BulkSend, counts: JobCounts, line: StatusLine, now: datetime) -> str:
    if line.state in (JobState.HOLD, JobState.SCHEDULED) and job.release_at:
        return f"{labels.clock(job.release_at, now)} に開始します。それまでは、1通も送られません。"
    if not counts.waiting:
        return _lasted(job, counts, now)
    if line.state in STANDING:
        return STANDING[line.state]
    words = []
    if line.state is JobState.RESTING and line.resumes_at:
        number = len(facts.burst_starts(job)) + 1
        words.append(f"{number}回目を {labels.clock(line.resumes_at, now)} に開始します{_rhythm(job)}。")
    elif line.state is JobState.SENDING and _rhythm(job):
        words.append(f"{_rhythm(job)[1:-1]}します。")
    words.append("この画面を閉じても、送信は続きます。")
    return "".join(words)


def _rhythm(job: BulkSend) -> str:
    account = job.account
    if account is None or not account.batch_size or not account.sleep_seconds:
        return ""
    return f"({account.batch_size:,}通ごとに{labels.span(account.sleep_seconds)}休止)"


def _lasted(job: BulkSend, counts: JobCounts, now: datetime) -> str:
    start, end = job.first_sent_at or job.released_at, _ended(job)
    if start is None or end is None or not counts.done:
        return f"送信管理NO {job.number}"
    took = labels.span(max(1, round((end - start).total_seconds())))
    return f"{labels.clock(start, now)} 〜 {labels.clock(end, now)}({took}) 送信管理NO {job.number}"


def _ended(job: BulkSend) -> datetime | None:
    return job.finished_at or queries.last_move_of(job)


def _ops(job: BulkSend, state: JobState, is_over: bool) -> list[Op]:
    if is_over:
        count = len(actions.repeatable_deliveries(job))
        return [Op("resend", f"失敗した{count:,}通を送り直す", "refresh-cw", " p")] if count else []
    if state is JobState.HOLD:
        return [Op("withdraw", "取り消して下書きに戻す", "undo-2", " d"), Op("start_now", "今すぐ開始", "play")]
    if state is JobState.SCHEDULED:
        return [Op("withdraw", "取り消して下書きに戻す", "undo-2", " d")]
    stop = Op("cancel", "送信を中止", "square", " d", "stop")
    if state is JobState.CANCELLED:
        return []
    if state is JobState.PAUSED:
        return [Op("resume", "再開", "play", " p"), stop]
    return [Op("pause", "一時停止", "pause"), stop]


def _links(job: BulkSend, is_over: bool, is_stopped: bool) -> list[Link]:
    if is_stopped and job.account:
        return [Link(place("accounts:account", job.account.account_no), "送信元を確認", "at-sign")]
    if not is_over:
        return []
    return [Link(reverse("history:csv", args=[job.number]), "CSVで書き出す", "download")]


def _divisions(job: BulkSend, counts: JobCounts, bar: Sequence[Part]) -> tuple[str, ...]:
    waiting = next((part for part in bar if part.css == "w"), None)
    size = job.account.batch_size if job.account else None
    if not size or not counts.waiting:
        return ()
    return divisions(waiting, -(-counts.waiting // size))


def _figures(counts: JobCounts) -> list[Figure]:
    return [
        Figure("s", "送信済み", counts.sent),
        Figure("n", "失敗", counts.failed, counts.failed > 0),
        Figure("q", "結果不明", counts.unknown),
        Figure("w", "未送信", counts.waiting + counts.unsent),
    ]


def sum_words(counts: JobCounts) -> str:
    """The sum that proves that nobody is missing."""
    unsent = counts.waiting + counts.unsent
    return (
        f"送信済み {counts.sent:,} + 失敗 {counts.failed:,} + 結果不明 {counts.unknown:,} + 未送信 {unsent:,}"
        f" + 除外 {counts.excluded:,} = 対象 {counts.total:,}件"
    )


def _milestone(counts: JobCounts, line: StatusLine) -> str:
    percent = counts.done * 100 // counts.mail_count if counts.mail_count else 0
    reached = next((mark for mark in MILESTONES if percent >= mark), 0)
    words = [f"{reached}%の送信が終わりました。"] if reached else []
    words += ["失敗した宛先があります。"] if counts.failed else []
    words += [line.text] if line.is_alarm or not counts.waiting else []
    return "".join(words)


def _end(job: BulkSend, counts: JobCounts, line: StatusLine, now: datetime) -> dict[str, Any]:
    if not counts.waiting:
        at = _ended(job)
        return {"end_label": "終了", "end": labels.clock(at, now) if at else "", "left": ""}
    if line.finish_at is None:
        return {"end_label": "終了の見込み", "end": "-", "left": ""}
    seconds = round(line.seconds_left / 60) * 60 if line.seconds_left >= 60 else line.seconds_left
    return {
        "end_label": "終了の見込み",
        "end": labels.clock(line.finish_at, now),
        "left": f"あと {labels.span(seconds)}",
    }


def _plan(job: BulkSend, counts: JobCounts, line: StatusLine, now: datetime) -> dict[str, Any]:
    """The drawing: bursts that were, at their real times, and bursts to come from now on."""
    account = job.account
    if account is None or not counts.mail_count or line.state in (JobState.WITHDRAWN, JobState.DISCARDED):
        return {"timeline": None}
    begun = facts.burst_starts(job)
    whole = plan_of(account, counts.mail_count, job.release_at or now)
    if begun or job.released_at:
        ahead = plan_of(account, counts.waiting, max(line.resumes_at or now, now))
        length = timedelta(seconds=1)
        past = tuple(Burst(timezone.localtime(at), timezone.localtime(at) + length, 0) for at in begun)
        bursts = past + ahead.bursts
        if not bursts:
            return {"timeline": None}
        end = ahead.end_at if counts.waiting else timezone.localtime(_ended(job) or now)
        whole = replace(whole, start_at=bursts[0].start_at, end_at=end, bursts=bursts, burst_count=len(bursts))
    hours = warning_hours(account.warn_from, account.warn_to)
    shown_now = timezone.localtime(now) if counts.waiting else None
    words = "開始" if counts.waiting else "完了"
    return {
        "timeline": timeline.draw(whole, hours, now=shown_now),
        "burst_words": f"{min(len(begun), whole.burst_count)}回 / {whole.burst_count}回 {words}",
    }


def _frozen(job: BulkSend) -> dict[str, Any]:
    mails = facts.mails_by_kind(job)
    counted = Counter(kind for kind, _ in mails)
    people = Counter(kind for kind, _ in set(mails))
    kinds = [KindRow(f"k-{kind}", KIND[kind], counted[kind], people[kind]) for kind in KIND if counted[kind]]
    return {
        "kinds": kinds,
        "kind_parts": parts([(row.css, row.mail_count) for row in kinds]),
        "sender": f"{job.sheet.get('from_name', '')} <{job.sheet.get('from_address', '')}>".strip(),
        "attachments": "、".join(one["name"] for one in job.sheet.get("attachments", [])),
    }


def _attention(job: BulkSend) -> dict[str, Any]:
    found = queries.needs_attention(job, ATTENTION_SHOWN + 1)
    rows = [attention_row(one) for one in found[:ATTENTION_SHOWN]]
    return {"attention": rows, "attention_more": len(found) > ATTENTION_SHOWN}
