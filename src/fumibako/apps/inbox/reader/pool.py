"""The parent's side of the reading children: a few of them, kept alive, replaced when a mail was too much for one."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import fumibako

PATIENCE_SECONDS: Final = 20.0
"""For one mail, by the clock on the wall: a child that only waits uses no processor time."""
LINE_OCTETS: Final = 16 * 1024 * 1024
PIECE: Final = 256 * 1024
AHEAD_OCTETS: Final = 1024 * 1024
"""Answers that a child may give before anybody listens; where the system allows less, it waits sooner."""
SOURCE: Final = Path(fumibako.__file__).parent.parent
"""All that a child knows of our surroundings."""
CHILD: Final = ("-P", "-m", "fumibako.apps.inbox.reader.child")


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to read: `do` is "facts", "kind", "page" (the HTML) or "attachment" (the bytes of one file).

    The mail is the file at `path`, or `raw` itself, then the only request of its `ask`.
    """

    path: str = ""
    do: str = "facts"
    charset: str = ""
    position: int = 0
    raw: bytes = b""

    def line(self) -> bytes:
        """As it goes to the child."""
        told = {name: getattr(self, name) for name in ("path", "do", "charset", "position")}
        return json.dumps(told | {"length": len(self.raw)}).encode("ascii") + b"\n" + self.raw


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child said. `failed` says why it was of no use: died, time, memory, garbage, size, file, position."""

    facts: dict[str, Any] = field(default_factory=dict)
    html: str = ""
    raw: bytes = b""
    failed: str = ""


class _Lost(Exception):
    """The child ended, fell silent or babbles: `why` is the word for `Answer.failed`."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class NoReader(Exception):
    """No child came to life: our own trouble, which no mail is to blame for."""


class Reader:
    """One child process, started when it is first asked. Not for two threads at once."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""
        self._said: list[Request] = []
        """What the child was told to go on with, and nobody has asked yet."""

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        return self._process.pid if self._process else None

    def ask(self, requests: Sequence[Request], following: Sequence[Request] = ()) -> list[Answer]:
        """Answer every request, in order. A child that dies costs only the request it was at. Raises NoReader.

        `following` is what will be asked next: the child is told, and goes on while nobody listens.
        """
        answers: list[Answer] = []
        if self._said and self._said != list(requests):
            self.close()
        while len(answers) < len(requests):
            waiting = requests[len(answers) :]
            try:
                if not self._said:
                    self._send(waiting)
                self._said = []
                for _ in waiting:
                    answers.append(self._hear())
            except _Lost as lost:
                self.close()
                answers.append(Answer(failed=lost.why))
        if following:
            # Not before every answer was heard: both sides might wait in writing.
            with suppress(NoReader):
                self._send(following)
                self._said = list(following)
        return answers

    def close(self) -> None:
        """End the child at once."""
        process, self._process = self._process, None
        self._unread, self._said = b"", []
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _send(self, requests: Sequence[Request]) -> None:
        if self._process is None or self._process.poll() is not None:
            self._begin()
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"".join(one.line() for one in requests))
            self._process.stdin.flush()
        except OSError:
            # It died while nobody asked anything: the next look at its answers says so.
            return

    def _begin(self) -> None:
        self.close()
        try:
            self._process = subprocess.Popen(
                [sys.executable, *CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PYTHONPATH": str(SOURCE), "PYTHONUTF8": "1"},
                start_new_session=True,
            )
            assert self._process.stdout is not None
            with suppress(OSError):
                fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, AHEAD_OCTETS)
            self._line(time.monotonic() + self._patience_seconds)
        except (OSError, _Lost) as error:
            self.close()
            raise NoReader(str(error)) from error

    def _hear(self) -> Answer:
        until = time.monotonic() + self._patience_seconds
        line = self._line(until)
        try:
            told = json.loads(line)
        except ValueError:
            raise _Lost("garbage") from None
        if told.get("failed") == "memory":
            raise _Lost("memory")
        raw = self._exactly(int(told.get("length", 0)), until)
        return Answer(told.get("facts", {}), told.get("html", ""), raw, told.get("failed", ""))

    def _line(self, until: float) -> bytes:
        pieces = [self._unread]
        size = len(self._unread)
        while b"\n" not in pieces[-1]:
            if size > LINE_OCTETS:
                raise _Lost("garbage")
            pieces.append(self._more(until))
            size += len(pieces[-1])
        line, _, self._unread = b"".join(pieces).partition(b"\n")
        return line

    def _exactly(self, length: int, until: float) -> bytes:
        pieces = [self._unread]
        size = len(self._unread)
        while size < length:
            pieces.append(self._more(until))
            size += len(pieces[-1])
        whole = b"".join(pieces)
        self._unread = whole[length:]
        return whole[:length]

    def _more(self, until: float) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        watch = select.poll()
        watch.register(descriptor, select.POLLIN)
        if not watch.poll(max(0.0, until - time.monotonic()) * 1000):
            raise _Lost("time")
        piece = os.read(descriptor, PIECE)
        if not piece:
            raise _Lost("died")
        return piece


class Pool:
    """Readers for several threads: `reader()` lends one and takes it back."""

    def __init__(self) -> None:
        self._free: list[Reader] = []
        self._guard = threading.Lock()

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """A reader for this thread alone."""
        with self._guard:
            lent = self._free.pop() if self._free else Reader()
        try:
            yield lent
        finally:
            with self._guard:
                self._free.append(lent)

    def close(self) -> None:
        """End every child that is not lent out."""
        with self._guard:
            readers, self._free = self._free, []
        for one in readers:
            one.close()


POOL = Pool()
"""This process's readers. Children end when our end of their pipes closes, so nobody has to remember them."""
