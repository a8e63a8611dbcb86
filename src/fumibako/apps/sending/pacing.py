"""The Pace row of an account: `delivery.pace` and `delivery.decision` put to use on what the database holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F

from fumibako.delivery.decision import AccountMove, Effect
from fumibako.delivery.pace import BurstRule, BurstState, Cause, Hold, Slot, held, next_slot

from .models import Pace

MEAN_WEIGHT = 0.1
"""How much the newest mail weighs in the moving mean of seconds per mail."""


def locked_pace(account_id: int) -> Pace:
    """Return the account's Pace row with its account, locked for this transaction; made on first use."""
    rows = Pace.objects.select_related("account")
    if connection.features.has_select_for_update:
        rows = rows.select_for_update(of=("self",))
    found = rows.filter(pk=account_id).first()
    if found is None:
        Pace.objects.get_or_create(account_id=account_id)
        found = rows.get(pk=account_id)
    return found


@dataclass(slots=True)
class OpenPace:
    """The Pace row of one account in the hands of one transaction: read once, asked many times, written once."""

    account_id: int
    rule: BurstRule
    state: BurstState
    trouble_count: int
    is_stopped: bool
    is_changed: bool = False

    @property
    def is_burst_full(self) -> bool:
        """True when the next mail would begin a new burst."""
        size = self.rule.size
        return bool(size) and self.state.count >= (size or 0)

    def ask(self, now: datetime, *, is_awaiting_answers: bool) -> Slot | Hold:
        """Ask for one more mail. A wait that began is kept at once; a slot only by `keep`."""
        found = next_slot(self.state, self.rule, now, is_awaiting_answers=is_awaiting_answers)
        if isinstance(found, Hold) and found.state != self.state:
            self.keep(found)
        return found

    def keep(self, found: Slot | Hold) -> None:
        """Take the slot, or begin the wait."""
        self.state, self.is_changed = found.state, True


def state_of(pace: Pace) -> BurstState:
    """Return the burst arithmetic's view of the row."""
    return BurstState(
        count=pace.burst_count,
        number=pace.burst_number,
        last_activity_at=pace.last_activity_at,
        not_before_at=pace.next_slot_at,
        cause=Cause(pace.wait_cause),
    )


def settle_pace(
    account_id: int,
    move: AccountMove,
    *,
    seen_count: int,
    now: datetime,
    seconds: float | None = None,
    text: str = "",
) -> bool:
    """After an attempt: the pause counts from here, and the account goes on, waits or stops as `move` says.

    `seen_count` is the trouble count that the attempt began with: several connections that fail together are one
    trouble. `seconds` is how long the mail took. Returns True when the account stopped by this.
    """
    pace = locked_pace(account_id)
    is_news = pace.trouble_count == seen_count and pace.stopped_at is None
    state = state_of(pace)
    if pace.last_activity_at is None or pace.last_activity_at < now:
        state = replace(state, last_activity_at=now)
    if seconds is not None:
        pace.mail_seconds += MEAN_WEIGHT * (seconds - pace.mail_seconds)
    if move.effect in (Effect.WELL, Effect.PAUSE_JOB):
        pace.trouble_count = 0
    if move.effect in (Effect.SLOW, Effect.STOP) and is_news:
        pace.trouble_count += 1
        pace.wait_text = text[:500]
        state = held(state, now, move.wait, Cause(move.cause))
    has_stopped = move.effect is Effect.STOP and is_news
    if has_stopped:
        pace.stopped_at, pace.stop_kind, pace.stop_text = now, move.why[:40], text[:500]
    _write(pace, state, "mail_seconds", "trouble_count", "wait_text", "stopped_at", "stop_kind", "stop_text")
    return has_stopped


def forgive_changed_accounts() -> int:
    """An account that was saved after it stopped may try again: new settings are a person's answer to the stop."""
    stopped = Pace.objects.filter(stopped_at__isnull=False, account__changed_at__gt=F("stopped_at"))
    return sum(allow_again(account_id) for account_id in stopped.values_list("pk", flat=True))


def allow_again(account_id: int) -> bool:
    """A person says: go on. Clears the stop, the trouble counted so far and any wait but the pause between bursts."""
    with transaction.atomic():
        pace = locked_pace(account_id)
        was_stopped = pace.stopped_at is not None
        pace.stopped_at, pace.stop_kind, pace.stop_text, pace.wait_text = None, "", "", ""
        pace.trouble_count = 0
        if pace.wait_cause != Cause.PAUSE:
            pace.next_slot_at, pace.wait_cause = None, Cause.NONE
        pace.save()
    return was_stopped


def _write(pace: Pace, state: BurstState, *more: str) -> None:
    pace.burst_count = state.count
    pace.burst_number = state.number
    pace.last_activity_at = state.last_activity_at
    pace.next_slot_at = state.not_before_at
    pace.wait_cause = state.cause
    burst = ("burst_count", "burst_number", "last_activity_at", "next_slot_at", "wait_cause")
    pace.save(update_fields=[*burst, *more])
