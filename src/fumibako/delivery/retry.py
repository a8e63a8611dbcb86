"""How long a delivery waits before it is tried again. The chance in it comes from a number that the caller gives."""

from __future__ import annotations

from datetime import timedelta

DEFERRALS = (timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60), timedelta(minutes=240))
"""After the first, second, third and every later complete 4xx for one recipient."""
GREYLIST_FLOOR = timedelta(minutes=5)
"""Greylisting servers turn away whoever returns earlier, and any 4xx may be greylisting."""
LOST_LINES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=60))
"""After the line broke before the dot: the mail itself may be what the far side chokes on, so others go first."""
SPREAD = 0.2


def deferral(deferred_count: int, seed: int) -> timedelta:
    """Return the wait after 4xx number `deferred_count` + 1: 5, 15, 60, 240 minutes ± 20 %, never under 5."""
    return max(GREYLIST_FLOOR, spread(_step(DEFERRALS, deferred_count), seed))


def lost_line(attempt: int, seed: int) -> timedelta:
    """Return how long a mail steps aside after its attempt number `attempt` (from 1) lost the line before the dot."""
    return spread(_step(LOST_LINES, attempt - 1), seed)


def spread(span: timedelta, seed: int) -> timedelta:
    """Return `span` moved by up to ± 20 %, always the same for the same `seed`: no thundering herd, yet repeatable."""
    # Knuth's multiplicative hash: neighbouring seeds (row ids) land far apart.
    fraction = (seed * 2_654_435_761 % 2**32) / 2**32
    return span * (1 - SPREAD + 2 * SPREAD * fraction)


def _step(steps: tuple[timedelta, ...], index: int) -> timedelta:
    return steps[min(max(index, 0), len(steps) - 1)]
