"""A process that sends in children of its own, so that each can be traced, and killed at any system call.

`python -m tests.faults.sender_process DATABASE PORT`; on stdin `send ACCOUNT`: a child takes its place as a worker and
waits; its process id is printed. On stdin `go`: it sends everything that is due; its wait status is printed at its end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parent.parent.parent
LONGEST_SECONDS = 1800
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

    def prepare(self, account_id: int) -> int:
        """Start a child that is about to send for an account; return its process id."""
        return int(self._ask(f"send {account_id}"))

    def go(self) -> int:
        """Let it send; return its exit code, negative for the signal that ended it."""
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
    from fumibako import logs
    from fumibako.apps.sending import work

    assert work.AROUND
    logs.set_up("sender", settings.DATA.logs)
    for line in sys.stdin:
        _serve(int(line.split()[1]), port)


def _serve(account_id: int, port: int) -> None:
    starter, go = os.pipe()
    is_ready, ready = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        os._exit(_send(account_id, port, starter, ready))
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


def _send(account_id: int, port: int, starter: int, ready: int) -> int:
    from django.db import DatabaseError
    from django.utils import timezone

    from fumibako.apps.sending import workers
    from fumibako.apps.sending.work import AROUND, Fleet, tidy_up
    from tests.support.jobs import FakeTime, around

    try:
        worker_id, lock = workers.enlist(timezone.now())
        tidy_up(timezone.now())
        world = replace(AROUND, route_of=around(port, FakeTime()).route_of, short_wait=timedelta(0))
        os.write(ready, b".")
        os.read(starter, 1)
        Fleet(account_id, worker_id, threading.Event(), world).run()
        workers.retire(worker_id, lock, timezone.now())
    except (DatabaseError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return FAILED
    return 0


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
