"""Work in threads of this very process: all that an office on one computer needs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from .port import Work

Report = Callable[[str, BaseException], None]


class Embedded:
    """`background.port.Background` in threads. `report` is told of work that failed, by name; `tidy` runs at the end of
    every piece of work in its own thread (to close what the thread opened)."""

    def __init__(self, report: Report, tidy: Work = lambda: None) -> None:
        self._report = report
        self._tidy = tidy
        self._turn = threading.Condition()
        self._running: dict[str, threading.Thread] = {}
        self._wake_count = 0
        self._is_stopping = False

    def every(self, seconds: float, work: Work) -> None:
        """Run `work` now and `seconds` after each end of it."""
        name = f"every {seconds:g} s {getattr(work, '__qualname__', work)}"

        def rounds() -> None:
            while not self._is_stopping:
                seen_count = self._wake_count
                self._guard(name, work)
                self._rest(seconds, seen_count)

        self.run(name, rounds)

    def run(self, name: str, work: Work) -> bool:
        """Run `work` once, unless work of that name is under way."""
        with self._turn:
            if self._is_stopping or name in self._running:
                return False
            thread = threading.Thread(target=self._run, args=(name, work), name=name, daemon=True)
            self._running[name] = thread
            thread.start()
        return True

    def is_running(self, name: str) -> bool:
        """True while work of that name is under way."""
        with self._turn:
            return name in self._running

    def wake(self) -> None:
        """Begin the next round of everything scheduled at once."""
        with self._turn:
            self._wake_count += 1
            self._turn.notify_all()

    def stop(self, patience_seconds: float | None = None) -> bool:
        """Begin nothing new and wait for what is under way."""
        until = None if patience_seconds is None else time.monotonic() + patience_seconds
        with self._turn:
            self._is_stopping = True
            self._turn.notify_all()
            rest = None if until is None else max(0.0, until - time.monotonic())
            return self._turn.wait_for(lambda: not self._running, rest)

    def _rest(self, seconds: float, seen_count: int) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._is_stopping or self._wake_count != seen_count, seconds)

    def _run(self, name: str, work: Work) -> None:
        try:
            self._guard(name, work)
        finally:
            with self._turn:
                del self._running[name]
                self._turn.notify_all()

    def _guard(self, name: str, work: Work) -> None:
        try:
            try:
                work()
            finally:
                self._tidy()
        except Exception as error:  # boundary: one piece of work may fail without taking the others along
            self._report(name, error)
