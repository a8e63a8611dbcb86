"""(moment, 受信管理NO) as one whole number: every list of mails sorts by it and goes on after it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

NUMBER_BITS: Final = 30
LATEST_SECOND: Final = 2**33 - 1
"""In the year 2242; what claims to be later, or before 1970, sorts at the end of time."""
TOLERANCE: Final = timedelta(minutes=10)
"""How far a sender's clock may be ahead of ours."""


def sort_key(at: datetime, number: int) -> int:
    """Newest mail, greatest number; of two in one second the one fetched later."""
    seconds = min(max(int(at.timestamp()), 0), LATEST_SECOND)
    return seconds << NUMBER_BITS | number


def moment_of(sent_at: datetime | None, fetched_at: datetime) -> datetime:
    """日時: the mail's own date, or its arrival where that is missing, in the future or before there was mail."""
    if sent_at is None or sent_at > fetched_at + TOLERANCE or sent_at.year < 1980:
        return fetched_at
    return sent_at
