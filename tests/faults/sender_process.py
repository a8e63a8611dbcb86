"""A process that sends, or receives, in children of its own, so that each can be traced, and killed at any system call.

`python -m tests.faults.sender_process DATABASE PORT`; on stdin `send ACCOUNT`: a child takes its place as a worker and
waits; its process id is printed. On stdin `go`: it sends everything that is due; its wait status is printed at its end.
With `fetch ACCOUNT` it fetches instead, once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parent.parent.parent
LONGEST_SECONDS = 1800
Work = Callable[[int, int, Callable[[], None]], None]
"""What a child does: (account, port, wait for the start)."""
FAILED = 3


class SenderProcess:
    """The process, from the side of the test."""

    def __init__(self, database: Path, port: int, data: Path | None = None, *, pragmas: str = "") -> None:
        self._environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        if data is not None:
            self._environment["FUMIBAKO_DATA"] = str(data)
        self._process: subprocess.Popen[str] | None = None
        self._command = [sys.executable, "-m", "tests.faults.sender_process", str(database), str(port), pragmas]

    def __enter__(self) -> Self:
        if self._process is None:
            self.start()
        return self

    def start(self) -> None:
        """Start it, with the limits that this process has now."""
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._watchdog = threading.Timer(LONGEST_SECONDS, self._process.kill)
        self._watchdog.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._watchdog.cancel()
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def prepare(self, account_id: int, what: str = "send") -> int:
        """Start a child that is about to send or to fetch for an account; return its process id."""
        return int(self._ask(f"{what} {account_id}"))

    def go(self) -> int:
        """Let it begin; return its exit code, negative for the signal that ended it."""
        return os.waitstatus_to_exitcode(int(self._ask("go")))

    def _ask(self, words: str) -> str:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(words + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


def main(database: str, port: int, pragmas: str = "") -> None:
    """Be the process until stdin ends; `pragmas` replace the product's own (to show that a test would notice)."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fumibako.web.settings")
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    if pragmas:
        settings.DATABASES["default"]["OPTIONS"]["init_command"] = pragmas
    django.setup()
    # Imported here once, so that no child has to.
    for work in ("fumibako.apps.sending.work", "fumibako.apps.inbox.work"):
        import_module(work)
    from fumibako import logs

    logs.set_up("sender", settings.DATA.logs)
    for line in sys.stdin:
        what, account_id = line.split()
        _serve(WORKS[what], int(account_id), port)


def _serve(work: Work, account_id: int, port: int) -> None:
    starter, go = os.pipe()
    is_ready, ready = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        os._exit(_do(work, account_id, port, starter, ready))
    os.close(starter)
    os.close(ready)
    os.read(is_ready, 1)
    os.close(is_ready)
    print(child, flush=True)
    sys.stdin.readline()
    with suppress(BrokenPipeError):
        os.write(go, b".")
    os.close(go)
    print(os.waitpid(child, 0)[1], flush=True)


def _do(work: Work, account_id: int, port: int, starter: int, ready: int) -> int:
    from django.db import DatabaseError

    def wait_for_start() -> None:
        os.write(ready, b".")
        os.read(starter, 1)

    try:
        work(account_id, port, wait_for_start)
    except (DatabaseError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return FAILED
    return 0


def _send(account_id: int, port: int, wait_for_start: Callable[[], None]) -> None:
    from django.utils import timezone

    from fumibako.apps.sending import workers
    from fumibako.apps.sending.work import AROUND, Fleet, tidy_up
    from tests.support.jobs import FakeTime, around

    worker_id, lock = workers.enlist(timezone.now())
    tidy_up(timezone.now())
    world = replace(AROUND, route_of=around(port, FakeTime()).route_of, short_wait=timedelta(0))
    wait_for_start()
    Fleet(account_id, worker_id, threading.Event(), world).run()
    workers.retire(worker_id, lock, timezone.now())


def _fetch(account_id: int, port: int, wait_for_start: Callable[[], None]) -> None:
    from fumibako.apps.inbox.work import fetch_account

    wait_for_start()
    fetch_account(account_id)


WORKS: dict[str, Work] = {"send": _send, "fetch": _fetch}

if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
