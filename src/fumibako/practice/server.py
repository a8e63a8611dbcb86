"""The two practice servers in one thread of their own, on the loopback address and nowhere else."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from fumibako.practice.people import Delays
from fumibako.practice.pop_side import PopSide
from fumibako.practice.smtp_side import SmtpSide
from fumibako.practice.store import Store

LOOPBACK = "127.0.0.1"
START_PATIENCE_SECONDS = 20.0


class CannotListen(Exception):
    """A wanted port is taken or forbidden; the text names it."""


@dataclass(frozen=True, slots=True)
class PracticeAddresses:
    """Where the servers listen; the host is always 127.0.0.1."""

    smtp_port: int
    pop_port: int
    host: str = LOOPBACK


class PracticeServer:
    """SMTP and POP3 over the mailboxes in `folder`; also a context manager.

    Port 0 means any free port. The same `seed`, mails and `clock` give the same answers, byte for byte. `clock` gives
    seconds since 1970 and moves greylisting and the arrival of answers.
    """

    def __init__(
        self,
        folder: Path,
        *,
        smtp_port: int = 0,
        pop_port: int = 0,
        delays: Delays | None = None,
        seed: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = Store(folder, clock)
        self._smtp = SmtpSide(self._store, delays or Delays(), seed, clock)
        self._pop = PopSide(self._store)
        self._wanted = (smtp_port, pop_port)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop_asked: asyncio.Event | None = None

    def start(self) -> PracticeAddresses:
        """Listens and returns where. Raises CannotListen."""
        ready: _Ready = _Ready()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="practice-server", daemon=True)
        self._thread.start()
        if not ready.happened.wait(START_PATIENCE_SECONDS):
            raise CannotListen("the practice server did not start in time")
        if ready.trouble is not None:
            self._thread.join()
            self._loop = None
            raise ready.trouble
        assert ready.addresses is not None
        return ready.addresses

    def stop(self) -> None:
        """Cuts all lines and returns when the ports are free. Mails stay in the folder."""
        if self._loop is not None and self._stop_asked is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop_asked.set)
            self._thread.join()
        self._store.close()

    @property
    def accepted_count(self) -> int:
        """Mails accepted by SMTP since the folder was made, one for each recipient."""
        return self._store.accepted_count

    def copies_of(self, address: str) -> int:
        """How many mails for `address` were accepted by SMTP since the folder was made."""
        return self._store.copies_of(address)

    def mails_of(self, address: str) -> list[bytes]:
        """The raw mails that the owner of `address` could fetch now, oldest first."""
        return [mail.read() for mail in self._store.mails_of(address)]

    def lay_in(self, address: str, raw: bytes) -> None:
        """Lay a mail into a mailbox, as if it had come from outside."""
        self._store.put(address, raw)

    def __enter__(self) -> Self:
        self.addresses = self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, trouble: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, ready: _Ready) -> None:
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: _Ready) -> None:
        self._loop, self._stop_asked = asyncio.get_running_loop(), asyncio.Event()
        loop = self._loop
        try:
            smtp = await loop.create_server(lambda: self._smtp.protocol(loop), LOOPBACK, self._wanted[0], backlog=256)
        except OSError as trouble:
            ready.fail(CannotListen(f"port {self._wanted[0]} (SMTP): {trouble.strerror}"))
            return
        try:
            pop = await asyncio.start_server(self._pop.serve, LOOPBACK, self._wanted[1], backlog=256)
        except OSError as trouble:
            smtp.close()
            ready.fail(CannotListen(f"port {self._wanted[1]} (POP3): {trouble.strerror}"))
            return
        ready.succeed(PracticeAddresses(smtp.sockets[0].getsockname()[1], pop.sockets[0].getsockname()[1]))
        await self._stop_asked.wait()
        smtp.close()
        pop.close()
        await self._pop.stop()


class _Ready:
    """What the starting thread waits for: the addresses, or the reason why not."""

    def __init__(self) -> None:
        self.happened = threading.Event()
        self.addresses: PracticeAddresses | None = None
        self.trouble: CannotListen | None = None

    def succeed(self, addresses: PracticeAddresses) -> None:
        self.addresses = addresses
        self.happened.set()

    def fail(self, trouble: CannotListen) -> None:
        self.trouble = trouble
        self.happened.set()
