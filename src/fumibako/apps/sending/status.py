"""What is happening to a job right now: one sentence, when it goes on, and when it will be over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fumibako.apps.sending import labels
from fumibako.apps.sending.models import BulkSend, Pace
from fumibako.apps.sending.plan import Speed
from fumibako.apps.sending.state import JobCounts, JobState

WORKER_SILENCE = timedelta(seconds=60)

NEEDS_WORKER = frozenset(
    {JobState.SENDING, JobState.RESTING, JobState.LIMITED, JobState.RETRYING, JobState.HOLD, JobState.SCHEDULED}
)
NO_ESTIMATE = frozenset({JobState.PAUSED, JobState.STOPPED, JobState.DRAFT})


@dataclass(frozen=True, slots=True)
class StatusLine:
    """`text` is the sentence. `resumes_at` is set while something is waited for, with the seconds until then;
    `finish_at` is an estimate. `is_worker_missing` turns the line red whatever the state."""

    state: JobState
    text: str
    resumes_at: datetime | None = None
    seconds_to_resume: int = 0
    finish_at: datetime | None = None
    seconds_left: int = 0
    is_worker_missing: bool = False

    @property
    def is_alarm(self) -> bool:
        """True when a person should look."""
        return self.is_worker_missing or self.state in (JobState.STOPPED, JobState.PAUSED)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentence is made of. `worker_seen_at` is the last sign of life of any worker."""

    job: BulkSend
    counts: JobCounts
    state: JobState
    pace: Pace | None
    speed: Speed
    worker_seen_at: datetime | None
    now: datetime


def line_of(facts: Facts) -> StatusLine:
    """The status line of a job."""
    resumes_at = resume_time(facts)
    finish_at = finish_time(facts, resumes_at)
    is_missing = is_worker_missing(facts)
    seconds = max(0, round((resumes_at - facts.now).total_seconds())) if resumes_at else 0
    return StatusLine(
        state=facts.state,
        text=labels.WORKER_MISSING if is_missing else _sentence(facts, resumes_at, seconds),
        resumes_at=resumes_at,
        seconds_to_resume=seconds,
        finish_at=finish_at,
        seconds_left=max(0, round((finish_at - facts.now).total_seconds())) if finish_at else 0,
        is_worker_missing=is_missing,
    )


def is_worker_missing(facts: Facts) -> bool:
    """True when the job could go on and no worker has shown itself for a minute."""
    if facts.state not in NEEDS_WORKER or facts.job.release_at is None:
        return False
    if facts.now - facts.job.release_at < WORKER_SILENCE:
        return False
    return facts.worker_seen_at is None or facts.now - facts.worker_seen_at > WORKER_SILENCE


def resume_time(facts: Facts) -> datetime | None:
    """What the job waits for, if it waits."""
    if facts.state in (JobState.HOLD, JobState.SCHEDULED):
        return facts.job.release_at
    if facts.state in (JobState.RESTING, JobState.LIMITED) and facts.pace is not None:
        return facts.pace.next_slot_at
    return facts.counts.next_try_at if facts.state is JobState.RETRYING else None


def finish_time(facts: Facts, resumes_at: datetime | None) -> datetime | None:
    """終了の見込み: the rest of this burst, then whole bursts with their pauses. None when nobody can tell."""
    if facts.state in NO_ESTIMATE or facts.state.is_over or not facts.counts.waiting:
        return None
    begun = facts.pace.burst_count if facts.pace is not None and facts.job.released_at else 0
    if facts.state is JobState.RESTING or (facts.speed.batch_size and begun >= facts.speed.batch_size):
        begun = 0
    whole = facts.speed.seconds_for(facts.counts.waiting + begun) - begun * facts.speed.mail_seconds
    return max(resumes_at or facts.now, facts.now) + timedelta(seconds=whole)


def _sentence(facts: Facts, resumes_at: datetime | None, seconds: int) -> str:
    if facts.state is JobState.PAUSED:
        return labels.paused_line(facts.job, facts.now)
    if facts.state is JobState.STOPPED:
        kind, text = (facts.pace.stop_kind, facts.pace.stop_text) if facts.pace else ("", "")
        return labels.stopped_line(kind, text, facts.job.account)
    if resumes_at is not None:
        cause, text = (facts.pace.wait_cause, facts.pace.wait_text) if facts.pace else ("", "")
        return labels.waiting_line(facts.state, facts.counts.waiting, resumes_at, facts.now, cause, text)
    return labels.state_line(facts.state, facts.counts)
