"""How fast the rounds of one account go, as moving means: what to wait for, and how much to claim at once."""

from __future__ import annotations

import math

AHEAD_SECONDS = 0.25
"""For how long mails may be claimed ahead at the pace of the latest rounds: one question to the database for many."""
MOST_ROUNDS_AHEAD = 8
_WEIGHT = 1 / 8
"""How much the newest round weighs."""


class Tempo:
    """Seconds by the monotonic clock. What is not known yet is taken to be slow."""

    def __init__(self) -> None:
        self.commit_seconds = 0.0
        self._round_seconds = AHEAD_SECONDS
        self._began_at = -math.inf

    def round_begins(self, now: float) -> None:
        """A round goes into its transaction."""
        self._round_seconds += (min(now - self._began_at, AHEAD_SECONDS) - self._round_seconds) * _WEIGHT
        self._began_at = now

    def committed(self, now: float) -> None:
        """Its transaction is durable."""
        self.commit_seconds += (now - self._began_at - self.commit_seconds) * _WEIGHT

    @property
    def rounds_ahead(self) -> int:
        """For how many rounds mails may be claimed at once."""
        return int(AHEAD_SECONDS / max(self._round_seconds, AHEAD_SECONDS / MOST_ROUNDS_AHEAD))
