"""A running `./fumibako serve` or `demo` in a process of its own, watched from outside as a person at a terminal would.

Nothing here sleeps: what is awaited is read from a pipe or asked of a socket, and a watchdog ends a run that hangs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
LONGEST_SECONDS = 120.0


def surroundings(home: Path) -> dict[str, str]:
    """An environment that knows nothing of the one the tests run in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FUMIBAKO", "DJANGO"))}
    return kept | {"HOME": str(home), "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}


def command(data: Path, *words: str) -> list[str]:
    """What the launcher runs in the end."""
    return [sys.executable, "-P", "-m", "fumibako", "--data", str(data), *words]


def finished(data: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    environment = surroundings(data.parent) | more
    return subprocess.run(
        command(data, *words), env=environment, cwd=data.parent, capture_output=True, text=True, timeout=LONGEST_SECONDS
    )


class Running:
    """The started command. `told` is what it said on stdout in `--json`; `url` the address."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        line = process.stdout.readline()
        assert line, f"it did not start: {self._rest()}"
        self.told: dict[str, Any] = json.loads(line)
        self.url = str(self.told["url"])

    @property
    def pid(self) -> int:
        """The parent's process id."""
        return self._process.pid

    def fetch(self) -> str:
        """Ask for the printed address; the open socket keeps the question until somebody answers."""
        with urllib.request.urlopen(self.url, timeout=30) as answer:
            return str(answer.read().decode())

    def children(self) -> dict[str, int]:
        """Process ids of the children by the command each one runs: _web, worker."""
        found = {}
        for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii").split():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            if "fumibako" in words:
                found[words[words.index("fumibako") + 1]] = int(pid)
        return found

    def next_note(self, part: str) -> str:
        """Read what it says to the person until a line has `part` in it."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if part in line:
                return line
        raise AssertionError(f"it ended without saying {part!r}")

    def interrupt(self) -> int:
        """Ctrl+C; returns the exit code when everything has ended."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(timeout=60)

    def _rest(self) -> str:
        self._process.kill()
        return self._process.communicate()[1]


@contextmanager
def running(data: Path, *words: str, **more: str) -> Iterator[Running]:
    """Start `words` with --json on a data folder, and end it whatever happens."""
    process = subprocess.Popen(
        command(data, *words, "--json"),
        env=surroundings(data.parent) | more,
        cwd=data.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(LONGEST_SECONDS, process.kill)
    watchdog.start()
    try:
        yield Running(process)
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)
        process.communicate()
