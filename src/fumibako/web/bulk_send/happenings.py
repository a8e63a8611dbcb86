"""What happened to single mails and to the job: 対応が必要な宛先 and 経過, in plain words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from fumibako.apps.recipients.labels import KIND
from fumibako.apps.sending import labels, queries
from fumibako.apps.sending.explain import explain
from fumibako.apps.sending.models import BulkSend

from . import facts
from .links import record_url

FEED_SHOWN = 7
COUNTED = 5000
"""Failures that are explained one by one for 理由別."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of 経過."""

    at: datetime
    clock: str
    words: str
    css: str


@dataclass(frozen=True, slots=True)
class AttentionRow:
    """One row of 対応が必要な宛先."""

    seq: int
    name: str
    kind_label: str
    number: str
    text: str
    raw: str
    is_unknown: bool
    action_label: str
    action_url: str


ACTIONS = {
    "fix_address": "アドレスを直す",
    "call": "電話で確認する",
    "resend": "あとで送り直す",
    "ask_provider": "提供会社に問い合わせる",
    "fix_letter": "本文を直して送り直す",
    "wait": "待つ",
    "find_out": "届いたか確かめる",
}


def attention_row(one: queries.Attention) -> AttentionRow:
    """A row that wants a person, with the one thing to do next."""
    row, meaning = one.delivery, one.explanation
    is_unknown = meaning.action == "find_out"
    url = ""
    if is_unknown:
        url = reverse("bulk_send:settle", args=[row.job.number, row.seq])
    elif meaning.action in ("fix_address", "call"):
        url = record_url(row.party_kind, row.party_number, row.recipient_id)
    raw = raw_answer(row.code, row.enhanced, row.text)
    return AttentionRow(
        row.seq,
        row.party_name,
        KIND.get(row.party_kind, ""),
        row.party_number,
        meaning.text,
        raw,
        is_unknown,
        ACTIONS[meaning.action],
        url,
    )


def raw_answer(code: int, enhanced: str, text: str) -> str:
    """What the server said, as it came: 550 5.1.1 User unknown."""
    status = "" if text.startswith(enhanced) else enhanced
    return " ".join(filter(None, [str(code or ""), status, text]))


@dataclass(frozen=True, slots=True)
class Reason:
    """How many mails ended for one reason, and where to see them."""

    label: str
    count: int
    url: str


def reasons_of(job: BulkSend) -> list[Reason]:
    """理由別 of a finished job: failures as they are explained, unknown results, then exclusions."""
    rows = queries.filtered(job, {"result": "failed"})[:COUNTED]
    texts = Counter(queries.explanation_of(row).text for row in rows)
    address = reverse("history:job", args=[job.number])
    found = [Reason(text, count, f"{address}?result=failed") for text, count in texts.most_common()]
    unknown = queries.filtered(job, {"result": "unknown"}).count()
    if unknown:
        found.append(Reason("結果不明", unknown, f"{address}?result=unknown"))
    excluded = queries.exclusions_of_job(job)
    for reason, label in labels.EXCLUSIONS.items():
        if excluded.get(reason):
            found.append(Reason(f"除外: {label}", excluded[reason], f"{address}?result=excluded&reason={reason}"))
    return found


def feed_of(job: BulkSend, now: datetime) -> list[Line]:
    """経過: the job's own events and single failures together, newest first."""
    lines = [
        Line(event.at, _second(event.at, now), labels.event_text(event.what, event.data, event.actor_name), "")
        for event in facts.last_events(job, FEED_SHOWN)
    ]
    for event in facts.last_failures(job, FEED_SHOWN):
        row = event.delivery
        is_lost = not event.code
        domain = row.wire_address.rpartition("@")[2]
        words = "接続が切れ、結果不明" if is_lost else explain(event.code, event.enhanced, event.text, domain).text
        css = "q" if is_lost else "n"
        lines.append(Line(event.at, _second(event.at, now), f"{row.party_name} … {words.rstrip('。')}", css))
    return sorted(lines, key=lambda line: line.at, reverse=True)[:FEED_SHOWN]


def _second(at: datetime, now: datetime) -> str:
    local = timezone.localtime(at)
    if local.date() == timezone.localtime(now).date():
        return f"{local:%H:%M:%S}"
    return f"{local.month}/{local.day} {local:%H:%M}"
