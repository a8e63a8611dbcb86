"""流量制御: when an account may send its next mail, as arithmetic on values.

N mails, a pause that begins with the burst's last answer, the next N: shared by everything the account sends. The state
lives in the database, so a restart in the middle of a pause changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

POLL = timedelta(seconds=1)
"""How soon to look again when only an answer that is still awaited holds the burst up."""


class Cause(StrEnum):
    """Why an account waits."""

    NONE = ""
    PAUSE = "pause"
    """スリープ間隔 after a full burst."""
    ANSWERS = "answers"
    """The burst is full and answers are still awaited; the pause begins with the last of them."""
    PUSH_BACK = "push_back"
    """The provider asked for it."""
    TROUBLE = "trouble"
    """Connection, login or sender refused: wait, then try again."""


@dataclass(frozen=True, slots=True)
class BurstRule:
    """1回の送信処理件数 (None = no bursts) and スリープ間隔 of the account."""

    size: int | None
    sleep: timedelta

    @property
    def has_bursts(self) -> bool:
        """True when there is anything to count."""
        return self.size is not None and self.size > 0


@dataclass(frozen=True, slots=True)
class BurstState:
    """Where an account stands: mails claimed in this burst, its number, the last claim or answer, and any wait."""

    count: int = 0
    number: int = 0
    last_activity_at: datetime | None = None
    not_before_at: datetime | None = None
    cause: Cause = Cause.NONE


@dataclass(frozen=True, slots=True)
class Slot:
    """One mail may go now; `state` is what holds once it is taken."""

    state: BurstState

    @property
    def starts_burst(self) -> bool:
        """True for the first mail of a burst."""
        return self.state.count == 1


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing may go before `until`; `state` is to be kept (a pause that began, a clock that stepped back)."""

    until: datetime
    cause: Cause
    state: BurstState


def next_slot(state: BurstState, rule: BurstRule, now: datetime, *, is_awaiting_answers: bool) -> Slot | Hold:
    """Return the slot for one more mail at `now`, or what to wait for.

    `is_awaiting_answers` tells that mails of this account are in flight on some connection.
    """
    state = anchored(state, now)
    if state.not_before_at is not None and now < state.not_before_at:
        return Hold(state.not_before_at, state.cause, state)
    is_pause_due = _is_full(state, rule) and rule.sleep > timedelta(0) and state.cause is not Cause.PAUSE
    if is_pause_due and is_awaiting_answers:
        return Hold(now + POLL, Cause.ANSWERS, state)
    pause_ends_at = (state.last_activity_at or now) + rule.sleep
    if is_pause_due and now < pause_ends_at:
        return Hold(pause_ends_at, Cause.PAUSE, replace(state, not_before_at=pause_ends_at, cause=Cause.PAUSE))
    return Slot(_taken(state, rule, now))


def anchored(state: BurstState, now: datetime) -> BurstState:
    """Return `state` moved back when the clock was: a wait never grows beyond its own length (T02)."""
    if state.last_activity_at is None or state.last_activity_at <= now:
        return state
    step = state.last_activity_at - now
    moved = state.not_before_at - step if state.not_before_at is not None else None
    return replace(state, last_activity_at=now, not_before_at=moved)


def held(state: BurstState, now: datetime, wait: timedelta, cause: Cause) -> BurstState:
    """Return `state` made to wait at least `wait` from `now`; a longer wait that already holds is kept."""
    state = anchored(state, now)
    until = now + wait
    if state.not_before_at is not None and state.not_before_at > until:
        until, cause = state.not_before_at, state.cause
    return replace(state, last_activity_at=now, not_before_at=until, cause=cause)


def _is_full(state: BurstState, rule: BurstRule) -> bool:
    return rule.size is not None and rule.has_bursts and state.count >= rule.size


def _taken(state: BurstState, rule: BurstRule, now: datetime) -> BurstState:
    idle = now - state.last_activity_at if state.last_activity_at is not None else rule.sleep
    # After a rest as long as the pause the server sees a new burst anyway. Without a pause only a full burst ends one.
    is_rested = rule.sleep > timedelta(0) and idle >= rule.sleep
    begins = state.count == 0 or _is_full(state, rule) or (rule.has_bursts and is_rested)
    return BurstState(
        count=1 if begins else state.count + 1,
        number=state.number + 1 if begins else state.number,
        last_activity_at=now,
    )
