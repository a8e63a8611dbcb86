"""送信の計画: when a send ends and how fast it goes, by arithmetic alone (UX §4.5 item 4).

T = (⌈N/b⌉ − 1)·s + N·m, with N mails, b mails per burst, s seconds of sleep between bursts, m seconds per mail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fumibako.apps.sending.warning import WarningHours

BURSTS_SHOWN = 500
"""A timeline with more bars than pixels helps nobody."""

FASTEST_SECONDS = 0.001
"""No server takes mails faster; a measured mean of nothing must not become an endless rate."""


@dataclass(frozen=True, slots=True)
class Speed:
    """How an account sends: `batch_size` None = all in one burst; `copy_count` = CC and BCC addresses on every mail."""

    batch_size: int | None
    sleep_seconds: int
    mail_seconds: float = 0.5
    copy_count: int = 0

    def seconds_for(self, mail_count: int) -> float:
        """How long `mail_count` mails take, pauses included."""
        if mail_count <= 0:
            return 0.0
        return (self.burst_count(mail_count) - 1) * self.sleep_seconds + mail_count * self.mail_seconds

    def burst_count(self, mail_count: int) -> int:
        """How many bursts `mail_count` mails need."""
        return -(-mail_count // (self.batch_size or max(mail_count, 1)))

    @property
    def mails_per_hour(self) -> float:
        """The long-run rate: 3600·b / (s + b·m)."""
        seconds = max(self.mail_seconds, FASTEST_SECONDS)
        if not self.batch_size:
            return 3600 / seconds
        return 3600 * self.batch_size / (self.sleep_seconds + self.batch_size * seconds)

    @property
    def recipients_per_hour(self) -> float:
        """The same as providers count it: every copy is a recipient."""
        return self.mails_per_hour * (1 + self.copy_count)


@dataclass(frozen=True, slots=True)
class Burst:
    """One run of mails without a pause."""

    start_at: datetime
    end_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Plan:
    """When what will happen. `warning_from` is the first moment of the send inside the warning hours."""

    mail_count: int
    start_at: datetime
    end_at: datetime
    burst_count: int
    pause_count: int
    bursts: tuple[Burst, ...]
    mails_per_hour: int
    recipients_per_hour: int
    starts_in_warning: bool
    warning_from: datetime | None
    deadline_at: datetime | None
    start_after_warning_at: datetime | None
    """The next start at which the send stays clear of the warning hours; None when it fits nowhere."""

    @property
    def duration(self) -> timedelta:
        """From the first mail to the last."""
        return self.end_at - self.start_at

    @property
    def touches_warning(self) -> bool:
        """True when any part of the send lies inside the warning hours."""
        return self.warning_from is not None

    @property
    def misses_deadline(self) -> bool:
        """True when the send would still be running at its deadline."""
        return self.deadline_at is not None and self.end_at > self.deadline_at


def speed_of(values: Mapping[str, Any], *, mail_seconds: float = 0.5) -> Speed:
    """The speed of an account as typed on its screen; what is no number counts as empty."""
    copies = f"{values.get('cc') or ''},{values.get('bcc') or ''}"
    return Speed(
        batch_size=_number(values.get("batch_size")) or None,
        sleep_seconds=_number(values.get("sleep_seconds")),
        mail_seconds=mail_seconds,
        copy_count=sum(1 for one in re.split(r"[\s,;、，；]+", copies) if "@" in one),
    )


def _number(value: object) -> int:
    text = str(value if value is not None else "").strip()
    return int(text) if text.isascii() and text.isdigit() else 0


def plan(
    mail_count: int,
    start_at: datetime,
    speed: Speed,
    *,
    hours: WarningHours | None = None,
    deadline_at: datetime | None = None,
) -> Plan:
    """Lay out `mail_count` mails from `start_at`, which must be in local time when `hours` are given."""
    duration = timedelta(seconds=speed.seconds_for(mail_count))
    end_at = start_at + duration
    burst_count = speed.burst_count(mail_count)
    return Plan(
        mail_count=mail_count,
        start_at=start_at,
        end_at=end_at,
        burst_count=burst_count,
        pause_count=max(0, burst_count - 1),
        bursts=_bursts(mail_count, start_at, speed),
        mails_per_hour=round(speed.mails_per_hour),
        recipients_per_hour=round(speed.recipients_per_hour),
        starts_in_warning=hours is not None and hours.includes(start_at),
        warning_from=_first_warning(start_at, end_at, hours),
        deadline_at=deadline_at,
        start_after_warning_at=_clear_start(start_at, duration, hours),
    )


def _bursts(mail_count: int, start_at: datetime, speed: Speed) -> tuple[Burst, ...]:
    size = speed.batch_size or max(mail_count, 1)
    bursts = []
    at = start_at
    for first in range(0, min(mail_count, size * BURSTS_SHOWN), size):
        count = min(size, mail_count - first)
        end = at + timedelta(seconds=count * speed.mail_seconds)
        bursts.append(Burst(at, end, count))
        at = end + timedelta(seconds=speed.sleep_seconds)
    return tuple(bursts)


def _first_warning(start_at: datetime, end_at: datetime, hours: WarningHours | None) -> datetime | None:
    if hours is None or not hours.touches(start_at, end_at):
        return None
    return start_at if hours.includes(start_at) else hours.next_start(start_at)


def _clear_start(start_at: datetime, duration: timedelta, hours: WarningHours | None) -> datetime | None:
    if hours is None or not hours.touches(start_at, start_at + duration):
        return start_at
    later = hours.next_end(start_at)
    return None if hours.touches(later, later + duration) else later
