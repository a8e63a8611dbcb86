"""警告MSG時間帯: a half-open span of the day, local time, that may cross midnight (SPEC §1.4 ①, example 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class WarningHours:
    """From `start`, included, to `end`, excluded. Both equal: no time at all."""

    start: time
    end: time

    @property
    def crosses_midnight(self) -> bool:
        """True when the end is on the next day."""
        return self.end < self.start

    def includes(self, at: datetime) -> bool:
        """True when the local time `at` lies inside."""
        clock = at.time().replace(tzinfo=None)
        if self.crosses_midnight:
            return clock >= self.start or clock < self.end
        return self.start <= clock < self.end

    def next_end(self, at: datetime) -> datetime:
        """The first moment after `at` at which the span ends, in the zone of `at`."""
        end = datetime.combine(at.date(), self.end, at.tzinfo)
        return end if end > at else end + timedelta(days=1)

    def next_start(self, at: datetime) -> datetime:
        """The first moment at or after `at` at which the span begins, in the zone of `at`."""
        start = datetime.combine(at.date(), self.start, at.tzinfo)
        return start if start >= at else start + timedelta(days=1)

    def touches(self, first: datetime, last: datetime) -> bool:
        """True when any moment from `first` to `last` (both included) lies inside."""
        if self.start == self.end:
            return False
        return self.includes(first) or self.next_start(first) <= last


def warning_hours(start: time | None, end: time | None) -> WarningHours | None:
    """The span of an account's two fields; None when either is empty."""
    if start is None or end is None:
        return None
    return WarningHours(start, end)
