"""What follows an operator on every screen while a send of theirs is waiting or under way: the pill and the banner."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from fumibako.apps.office.models import Operator
from fumibako.apps.sending import labels, queries
from fumibako.apps.sending.queries import JobState


@dataclass(frozen=True, slots=True)
class Pill:
    """For `parts/live.html`; `banner` is set while the send can still be taken back, with `number` to do so."""

    url: str
    words: str
    percent: int
    number: int
    banner: str


def pill(operator: Operator) -> Pill | None:
    """The operator's newest send that is not over."""
    now = timezone.now()
    line = queries.live_job(operator, now)
    if line is None:
        return None
    counts = line.counts
    percent = counts.done * 100 // counts.mail_count if counts.mail_count else 0
    banner = ""
    if line.state is JobState.HOLD and line.job.release_at:
        banner = f"{labels.clock(line.job.release_at, now)} に {counts.mail_count:,}通の送信を開始します。"
    url = reverse("bulk_send:run", args=[line.job.number])
    return Pill(url, labels.job_state_text(line.state), percent, line.job.number, banner)
