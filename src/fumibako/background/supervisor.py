"""`serve`: a parent that holds the listening socket, and children that are back within two seconds when they die.

The parent does nothing that can fail: it starts, waits, restarts. It owns the socket, so a web child that dies loses no
connection that was not accepted yet. Children read a pipe whose other end only the parent holds: when that end closes,
by whatever death, they know that they are alone and end.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

LIFELINE = "FUMIBAKO_LIFELINE"
"""Names the descriptor of the pipe in a child's environment."""
RESTART_SECONDS = 0.5
QUIET_SECONDS = 10.0
"""A child that lived longer died by accident; one that dies sooner, again and again, waits longer between starts."""
SLOWEST_RESTART_SECONDS = 30.0
QUICK_START_COUNT = 3

Note = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """A child to keep alive: its name for notes, its command, and the descriptors it inherits."""

    name: str
    command: Sequence[str]
    descriptors: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Keeps children alive until told to stop. `note` is told (what, which child)."""

    def __init__(self, plans: Sequence[ChildPlan], *, note: Note = lambda what, name: None) -> None:
        self._note = note
        self._lifeline, self._lifeline_end = os.pipe()
        self._children = [_Child(plan, self._lifeline) for plan in plans]
        self._waker, self._waker_end = os.pipe()
        os.set_blocking(self._waker_end, False)
        self._stop_count = 0

    @property
    def pids(self) -> dict[str, int]:
        """Return the process ids of the living children by name."""
        return {child.plan.name: child.pid for child in self._children if child.pid is not None}

    def stop(self) -> None:
        """First call: ask the children to finish what they hold and end. Second call: end them at once."""
        self._stop_count += 1
        os.write(self._waker_end, b".")

    def run(self) -> None:
        """Start the children and stay until stopped and alone."""
        told_count = 0
        while True:
            if self._stop_count > told_count:
                told_count = self._stop_count
                self._tell(signal.SIGTERM if told_count == 1 else signal.SIGKILL)
            is_anyone_left = [child.look(self._note, may_start=told_count == 0) for child in self._children]
            if told_count and not any(is_anyone_left):
                break
            self._sleep()
        os.close(self._lifeline_end)
        os.close(self._lifeline)

    def handle_signals(self) -> None:
        """Let SIGTERM and SIGINT stop us, and the end of a child wake us."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker_end, warn_on_full_buffer=False)

    def _tell(self, number: signal.Signals) -> None:
        for child in self._children:
            child.tell(number)

    def _sleep(self) -> None:
        if select.select([self._waker], [], [], RESTART_SECONDS)[0]:
            os.read(self._waker, 4096)


class _Child:
    """One child process: alive, or waiting for its next start."""

    def __init__(self, plan: ChildPlan, lifeline: int) -> None:
        self.plan = plan
        self._lifeline = lifeline
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._quick_death_count = 0
        self._start_at = 0.0

    @property
    def pid(self) -> int | None:
        """The process id while alive."""
        return self._process.pid if self._process is not None else None

    def look(self, note: Note, *, may_start: bool) -> bool:
        """Notice a death, start again when it is time. Returns whether the child is alive."""
        if self._process is not None and self._process.poll() is not None:
            note(f"ended with {self._process.returncode}", self.plan.name)
            self._process = None
            self._plan_next_start()
        if self._process is None and may_start and time.monotonic() >= self._start_at:
            self._start()
            note("started", self.plan.name)
        return self._process is not None

    def tell(self, number: signal.Signals) -> None:
        """Send a signal, if there is anybody to hear it."""
        if self._process is not None:
            self._process.send_signal(number)

    def _start(self) -> None:
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            list(self.plan.command),
            pass_fds=(self._lifeline, *self.plan.descriptors),
            env={**os.environ, **self.plan.environment, LIFELINE: str(self._lifeline)},
            stdin=subprocess.DEVNULL,
            # A Ctrl-C in the terminal reaches the parent alone, which then asks the children properly.
            start_new_session=True,
        )

    def _plan_next_start(self) -> None:
        lived = time.monotonic() - self._started_at
        self._quick_death_count = self._quick_death_count + 1 if lived < QUIET_SECONDS else 0
        excess = max(0, self._quick_death_count - QUICK_START_COUNT)
        wait = min(RESTART_SECONDS * 2**excess, SLOWEST_RESTART_SECONDS)
        self._start_at = time.monotonic() + wait


def follow_parent(on_alone: Callable[[], object]) -> bool:
    """Call `on_alone`, in a thread, when the parent is gone. Returns False in a process without a supervisor."""
    number = os.environ.get(LIFELINE, "")
    if not number.isdigit():
        return False

    def watch() -> None:
        # Nobody ever writes: reading ends when the last writing end, the parent's, is closed.
        os.read(int(number), 1)
        on_alone()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
    return True


def open_listener(host: str, port: int) -> socket.socket:
    """Return a listening socket that children may inherit. Raises OSError when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=128)
    listener.set_inheritable(True)
    return listener


def serve(plans: Sequence[ChildPlan], *, note: Note = lambda what, name: None) -> None:
    """Keep the children alive until SIGTERM or SIGINT: once, they finish what they hold; twice, they end at once."""
    supervisor = Supervisor(plans, note=note)
    supervisor.handle_signals()
    supervisor.run()
