"""着手: one worker takes one delivery, marks it before the final dot, and records what came of it.

Each of the three is one short transaction; nothing is ever sent inside one.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from fumibako.apps.recipients.actions import count_refusal
from fumibako.apps.recipients.models import PartyAddress
from fumibako.delivery.decision import AccountMove, Effect, Move
from fumibako.delivery.outcome import Outcome
from fumibako.delivery.pace import Hold, Slot
from fumibako.delivery.states import IN_FLIGHT, State, Trigger, destination

from .. import pacing
from ..models import BulkSend, Delivery, JobEvent, Pace
from .jobs import going_jobs, pause_failing_job, pause_job, say_stopped
from .moves import Fence, LostClaim, Note, Step, markable, move, one_writer

DISK_RESERVE = 64 * 1024 * 1024
"""Bytes kept free, so that what happens after a dot can always be recorded (D02)."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing may be claimed: `cause` is "nothing", "stopped", "disk_full" or a word of `delivery.pace.Cause`.

    `until` is when to look again, None when only an event can change it.
    """

    cause: str
    until: datetime | None = None


@dataclass(slots=True)
class Row:
    """What an attempt needs of a delivery, as it was claimed."""

    pk: int
    account_id: int
    job_id: int
    seq: int
    attempt: int
    deferred_count: int
    wire_address: str
    party_name: str
    values: Mapping[str, str]
    message_id: str
    dated_at: datetime | None
    boundary: str
    raw_sha256: str
    party_address_id: int | None


@dataclass(slots=True)
class Claim:
    """One delivery in the hands of one worker, until `record`."""

    row: Row
    job: BulkSend
    worker_id: str
    trouble_count: int
    """The account's trouble in a row when this attempt began."""
    is_marked: bool = False

    @property
    def fence(self) -> Fence:
        """The row exactly as this worker left it."""
        state = State.HANDING_OVER if self.is_marked else State.SENDING
        return Fence(self.row.pk, state, self.row.attempt, self.worker_id)

    def mark(self, now: datetime | None = None) -> None:
        """Make durable that the final dot may follow. Raises LostClaim: then the dot must not be written.

        That the job is neither paused nor cancelled, and the address not opted out, is part of the condition.
        """
        with one_writer():
            move(self.fence, Step(Trigger.MARK, now or timezone.now()), among=markable())
        self.is_marked = True


def record(held: Claim, decided: Move, outcome: Outcome, now: datetime, *, seconds: float | None = None) -> State:
    """Write down what came of an attempt, for the row, the person and the account. Returns the row's state.

    A row that was taken from us after its mark became UNKNOWN; a complete 2xx that we read ourselves still proves it
    SENT, any other news is dropped. Raises LostClaim when the row has gone elsewhere.
    """
    with one_writer():
        state = _record_row(held, decided, outcome, now)
        if decided.is_counted and state is State.FAILED and held.row.party_address_id is not None:
            address = PartyAddress.objects.filter(pk=held.row.party_address_id).first()
            if address is not None:
                count_refusal(address, cause="refused", code=outcome.code, text=outcome.text)
        _record_account(held, decided, outcome, now, seconds)
        _record_job(held, decided, state, outcome, now)
    return state


def is_disk_low() -> bool:
    """True when less than the reserve is free where the database lives."""
    return shutil.disk_usage(settings.DATA.root).free < DISK_RESERVE


def next_due_at(account_id: int, now: datetime) -> datetime | None:
    """When the first row that must wait is due."""
    waiting = Delivery.objects.filter(account_id=account_id, state=State.QUEUED, job__in=going_jobs(now))
    first = waiting.filter(not_before_at__gt=now).order_by("not_before_at").first()
    return first.not_before_at if first is not None else None


def in_hands() -> QuerySet[Delivery, Delivery]:
    """What some worker holds. Exactly what is in flight has an owner; by the owner an index finds it."""
    return Delivery.objects.filter(owner__gt="", state__in=[state.value for state in IN_FLIGHT])


def in_flight(account_id: int) -> QuerySet[Delivery, Delivery]:
    """What some worker holds for the account."""
    return in_hands().filter(account_id=account_id)


def say_burst(job: BulkSend, what: str, found: Slot | Hold, now: datetime) -> None:
    """Write into the job that a burst began or ended."""
    # Counted within the job: what the account sent before it means nothing to who reads its 経過.
    begun_count = JobEvent.objects.filter(job=job, what="burst_started").count()
    number = begun_count + 1 if what == "burst_started" else begun_count
    data: dict[str, Any] = {"burst": number, "count": found.state.count}
    if isinstance(found, Hold):
        data["until"] = found.until.isoformat()
    JobEvent.objects.create(job=job, at=now, what=what, data=data)


def _record_row(held: Claim, decided: Move, outcome: Outcome, now: datetime) -> State:
    trigger = decided.trigger
    is_back = destination(held.fence.state, trigger) is State.QUEUED
    if is_back and not held.is_marked and BulkSend.objects.filter(pk=held.job.pk).exclude(cancelled_at=None).exists():
        trigger = Trigger.CANCEL
    note = Note(outcome.stage, outcome.code, outcome.enhanced[:12], outcome.text[:500])
    columns: dict[str, Any] = {
        "stage": note.stage,
        "code": note.code,
        "enhanced": note.enhanced,
        "text": note.text,
        "refused_copies": " ".join(outcome.refused_copies)[:1000],
        "not_before_at": now + decided.wait if is_back and decided.wait else None,
    }
    if decided.is_charged:
        columns["deferred_count"] = F("deferred_count") + 1
    if decided.is_counted:
        columns["is_counted"] = True
    if trigger is Trigger.ACCEPT:
        columns["sent_at"] = now
    try:
        return move(held.fence, Step(trigger, now, note, columns))
    except LostClaim:
        if trigger is not Trigger.ACCEPT:
            raise
        unknown = Fence(held.row.pk, State.UNKNOWN, held.row.attempt, "")
        return move(unknown, Step(Trigger.PROVE_SENT, now, note, columns))


def _record_account(held: Claim, decided: Move, outcome: Outcome, now: datetime, seconds: float | None) -> None:
    has_stopped = pacing.settle_pace(
        held.row.account_id,
        decided.account,
        seen_count=held.trouble_count,
        now=now,
        seconds=seconds,
        text=" ".join(part for part in (str(outcome.code or ""), outcome.enhanced, outcome.text) if part),
    )
    if has_stopped:
        say_stopped(held.row.account_id, decided.account.why, now)


def _record_job(held: Claim, decided: Move, state: State, outcome: Outcome, now: datetime) -> None:
    if state is State.SENT and held.job.first_sent_at is None:
        BulkSend.objects.filter(pk=held.job.pk, first_sent_at=None).update(first_sent_at=now)
    if decided.account.effect is Effect.PAUSE_JOB:
        pause_job(held.job.pk, decided.account.why, now, {"code": outcome.code})
    if state is State.FAILED:
        pause_failing_job(BulkSend.objects.select_related("account").get(pk=held.job.pk), now)


def note_trouble(account_id: int, account_move: AccountMove, *, seen_count: int, now: datetime, text: str) -> None:
    """Write down that no session came about: the account waits or stops, no delivery is touched."""
    with one_writer():
        if pacing.settle_pace(account_id, account_move, seen_count=seen_count, now=now, text=text):
            say_stopped(account_id, account_move.why, now)


def trouble_count_of(account_id: int) -> int:
    """Return the account's trouble in a row, as an attempt to open a session begins with it."""
    return Pace.objects.filter(pk=account_id).values_list("trouble_count", flat=True).first() or 0
