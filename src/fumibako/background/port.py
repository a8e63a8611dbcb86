"""The five calls that everything which runs work must offer; one set of tests holds for every one of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

Work = Callable[[], object]


class Background(Protocol):
    """Runs work beside the caller. It keeps no queue: lost wake-ups are made good by the next round of `every`."""

    def every(self, seconds: float, work: Work) -> None:
        """Run `work` now and again `seconds` after each end of it, until `stop`. A failure ends one round only."""

    def run(self, name: str, work: Work) -> bool:
        """Run `work` once, unless work of that name is under way. Returns whether it was begun."""

    def is_running(self, name: str) -> bool:
        """True while work of that name is under way."""

    def wake(self) -> None:
        """Begin the next round of everything scheduled at once."""

    def stop(self, patience_seconds: float | None = None) -> bool:
        """Begin nothing new and wait for what is under way, at most `patience_seconds`. Returns whether all ended."""


Beside = Callable[[Background, threading.Event], Work]
"""Given what runs work and the sign to stop: what a part of the product does in each round, beside the others."""
