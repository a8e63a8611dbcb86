"""The state of a job and its sums, computed from its rows, the decisions stored on it, and the pace of its account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from fumibako.apps.sending.errors import SumsDisagree
from fumibako.apps.sending.models import BulkSend, Pace
from fumibako.delivery.states import State

HOLD_AT_MOST = timedelta(minutes=30)
"""The longest 開始までの待ち時間; a later start is a reservation."""


class JobState(StrEnum):
    """Where a job stands (SPEC §2.2). The value is a stable word; `labels.JOB_STATES` has the Japanese one."""

    DRAFT = "draft"
    DISCARDED = "discarded"
    HOLD = "hold"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    RESTING = "resting"
    """Between two bursts."""
    LIMITED = "limited"
    """The provider asked to wait, or a connection is tried again later."""
    RETRYING = "retrying"
    """Only rows are left that the receivers' servers asked to bring again later."""
    PAUSED = "paused"
    STOPPED = "stopped"
    """The account needs a person."""
    DONE = "done"
    PARTLY_FAILED = "partly_failed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"

    @property
    def is_over(self) -> bool:
        """True when nothing more will be sent."""
        return self in OVER


OVER = frozenset(
    {
        JobState.DISCARDED,
        JobState.DONE,
        JobState.PARTLY_FAILED,
        JobState.FAILED,
        JobState.CANCELLED,
        JobState.WITHDRAWN,
    }
)


@dataclass(frozen=True, slots=True)
class JobCounts:
    """Rows of a job by result. sent + failed + unknown + excluded + waiting + unsent = total, always (P1).

    `failed` includes the `bounced`, `unknown` the `closed` ones (given up on by a person), `waiting` the `in_flight`
    and `deferred` ones. A draft has no rows yet.
    """

    sent: int = 0
    failed: int = 0
    unknown: int = 0
    excluded: int = 0
    waiting: int = 0
    unsent: int = 0
    total: int = 0
    bounced: int = 0
    closed: int = 0
    in_flight: int = 0
    deferred: int = 0
    due_count: int = 0
    """Queued rows without a time to wait for."""
    next_try_at: datetime | None = None
    """When the first deferred row may be tried again."""

    @property
    def mail_count(self) -> int:
        """Rows that were to be mailed: all but the exclusions."""
        return self.total - self.excluded

    @property
    def done(self) -> int:
        """Rows with an end: sent, failed or unknown."""
        return self.sent + self.failed + self.unknown

    @property
    def open_unknown(self) -> int:
        """結果不明 that nobody has decided yet."""
        return self.unknown - self.closed


def counts_from(job: BulkSend, groups: Iterable[Mapping[str, Any]]) -> JobCounts:
    """Add up rows grouped by state. Raises SumsDisagree when they are not as many as were frozen."""
    rows = {State(group["state"]): group for group in groups}

    def of(*states: State) -> int:
        return sum(int(rows[state]["count"]) for state in states if state in rows)

    queued = rows.get(State.QUEUED, {})
    counts = JobCounts(
        sent=of(State.SENT),
        failed=of(State.FAILED, State.BOUNCED),
        unknown=of(State.UNKNOWN, State.CLOSED),
        excluded=of(State.SUPPRESSED),
        waiting=of(State.PLANNED, State.QUEUED, State.SENDING, State.HANDING_OVER),
        unsent=of(State.EXPIRED, State.CANCELLED),
        total=job.selected_count,
        bounced=of(State.BOUNCED),
        closed=of(State.CLOSED),
        in_flight=of(State.SENDING, State.HANDING_OVER),
        deferred=int(queued.get("deferred", 0)),
        due_count=int(queued.get("undated", 0)),
        next_try_at=queued.get("next_at"),
    )
    if counts.done + counts.excluded + counts.waiting + counts.unsent != job.selected_count:
        raise SumsDisagree(f"job {job.number}: {counts}")
    return counts


def state_of(job: BulkSend, counts: JobCounts, pace: Pace | None, now: datetime) -> JobState:
    """Where the job stands at `now`."""
    if job.approved_at is None:
        return JobState.DISCARDED if job.cancelled_at else JobState.DRAFT
    if job.cancelled_at is not None:
        return JobState.CANCELLED if job.released_at else JobState.WITHDRAWN
    if not counts.waiting:
        return _end_of(counts)
    if job.paused_at is not None:
        return JobState.PAUSED
    if job.released_at is None:
        is_hold = job.release_at is None or job.release_at - job.approved_at <= HOLD_AT_MOST
        return JobState.HOLD if is_hold else JobState.SCHEDULED
    return _going(counts, pace, now)


def _end_of(counts: JobCounts) -> JobState:
    if not counts.failed and not counts.unknown and not counts.unsent:
        return JobState.DONE
    return JobState.PARTLY_FAILED if counts.sent or counts.unknown else JobState.FAILED


def _going(counts: JobCounts, pace: Pace | None, now: datetime) -> JobState:
    if pace is not None and pace.stopped_at is not None:
        return JobState.STOPPED
    if counts.in_flight:
        return JobState.SENDING
    if pace is not None and pace.next_slot_at is not None and pace.next_slot_at > now:
        return JobState.RESTING if pace.wait_cause == "pause" else JobState.LIMITED
    if not counts.due_count and counts.next_try_at is not None and counts.next_try_at > now:
        return JobState.RETRYING
    return JobState.SENDING


def opens_result(notice: str, counts: JobCounts) -> bool:
    """送信結果通知: whether the result screen opens by itself at the end (SPEC §1.4 ⑩, example 17).

    `notice` is always, never or failures; for failures a failed or unknown mail opens it, exclusions and unsent ones do
    not.
    """
    if notice == "failures":
        return bool(counts.failed or counts.unknown)
    return notice == "always"
