"""Faults put into a living process from outside, with strace: a kill or an error at the k-th call of one kind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.support.tools import require_tool

APT_LINE = "apt-get install -y strace"
SYNCS = "fdatasync,fsync"
"""How SQLite syncs depends on how it was built. Each of the two is counted by itself."""


class Tracer:
    """strace, attached to one process until that ends."""

    def __init__(self, pid: int, *options: str, log: Path | None = None, is_one_thread: bool = False) -> None:
        strace = require_tool("strace", APT_LINE)
        command = [strace, *([] if is_one_thread else ["-f"]), *options, "-o", str(log or os.devnull), "-p", str(pid)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        said = self._process.stderr.readline()
        assert "attached" in said, said

    def finish(self) -> None:
        """Wait for its end, which comes with the end of what it watches."""
        self._process.communicate(timeout=60)


def killing(call: str, number: int) -> tuple[str, ...]:
    """Options that kill the process as it enters the `number`-th `call` of a thread."""
    return ("-e", f"trace={call}", "-e", f"inject={call}:signal={signal.SIGKILL.name}:when={number}")


def failing(call: str, error: str, when: str) -> tuple[str, ...]:
    """Options that let `call` fail with `error`, at the calls that `when` names in strace's words (3, 3+, 3..5)."""
    return ("-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}")


def counted(log: Path) -> Counter[str]:
    """How often each system call is in a log, in the thread that called most."""
    threads: dict[str, Counter[str]] = {}
    for line in log.read_text("utf-8", "replace").splitlines():
        found = re.match(r"(\d+)\s+(\w+)\(", line)
        if found:
            threads.setdefault(found.group(1), Counter())[found.group(2)] += 1
    return max(threads.values(), key=lambda counts: counts.total())


def every_call(log: Path) -> Iterator[tuple[str, int]]:
    """Each call in a log as `killing` names it: which kind, and the how manieth of that kind."""
    for call, count in sorted(counted(log).items()):
        yield from ((call, number) for number in range(1, count + 1))
