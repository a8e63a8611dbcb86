"""The POP3 side (RFC 1939, RFC 2449): enough of the protocol for any client, over the same mailboxes.

Any password but "wrong" is right. Deletions happen at QUIT and only there; one session at a time has a mailbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fumibako.practice.store import Store, StoredMail

CAPABILITIES = ("USER", "TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "IMPLEMENTATION Fumibako-practice")
IDLE_SECONDS = 600.0

T = TypeVar("T")


class Trouble(Exception):
    """The command cannot be obeyed; the text follows -ERR."""


class PopSide:
    """All POP3 sessions of one practice server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._in_use: set[str] = set()
        self._sessions: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One session, from greeting to closed line."""
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        session = _Session(self._store, self._in_use, writer)
        try:
            await session.converse(reader)
        except (ConnectionError, asyncio.LimitOverrunError, ValueError, TimeoutError):
            # The client went away, sent a line beyond all limits, or fell asleep: no UPDATE state (RFC 1939 §3, §6).
            writer.transport.abort()
        finally:
            session.release()
            self._sessions.discard(task)
            writer.close()

    async def stop(self) -> None:
        """Ends what is still being said."""
        for task in list(self._sessions):
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)


class _Session:
    def __init__(self, store: Store, in_use: set[str], writer: asyncio.StreamWriter) -> None:
        self._store, self._in_use, self._writer = store, in_use, writer
        self._user = ""
        self._box = ""
        self._mails: list[StoredMail] = []
        self._deleted: set[int] = set()
        self._is_over = False
        self._before_login: dict[str, Callable[[list[str]], bytes]] = {
            "CAPA": self._capa,
            "USER": self._take_user,
            "PASS": self._take_password,
            "QUIT": self._quit,
        }
        self._after_login: dict[str, Callable[[list[str]], bytes]] = {
            "CAPA": self._capa,
            "STAT": self._stat,
            "LIST": self._list,
            "UIDL": self._uidl,
            "RETR": self._retrieve,
            "TOP": self._top,
            "DELE": self._delete,
            "RSET": self._reset,
            "NOOP": lambda words: b"+OK\r\n",
            "QUIT": self._quit,
        }

    async def converse(self, reader: asyncio.StreamReader) -> None:
        await self._say(b"+OK Fumibako practice POP3 server ready\r\n")
        while not self._is_over:
            line = await _in_time(reader.readline())
            if not line.endswith(b"\n"):
                return
            await self._say(self._obey(line.decode("utf-8", "surrogateescape").rstrip("\r\n")))

    def release(self) -> None:
        """Frees the mailbox for the next session."""
        if self._box:
            self._in_use.discard(self._box)

    def _obey(self, line: str) -> bytes:
        name, _, rest = line.partition(" ")
        known = self._after_login if self._box else self._before_login
        try:
            if name.upper() not in known:
                raise Trouble("unknown command, or not now")
            return known[name.upper()]([rest] if name.upper() in ("USER", "PASS") else rest.split())
        except Trouble as trouble:
            return f"-ERR {trouble}\r\n".encode("utf-8", "surrogateescape")

    def _capa(self, words: list[str]) -> bytes:
        return _lines(b"+OK Capability list follows", [name.encode() for name in CAPABILITIES])

    def _take_user(self, words: list[str]) -> bytes:
        self._user = words[0].strip()
        if not self._user:
            raise Trouble("USER needs a name")
        return b"+OK\r\n"

    def _take_password(self, words: list[str]) -> bytes:
        if not self._user:
            raise Trouble("USER first")
        if words[0] == "wrong":
            self._user = ""
            raise Trouble("[AUTH] wrong user or password")
        box = self._store.mailbox_of(self._user).lower()
        if box in self._in_use:
            raise Trouble("[IN-USE] another session has this mailbox")
        self._in_use.add(box)
        self._box, self._mails = box, self._store.mails_of(box)
        return f"+OK {len(self._mails)} messages\r\n".encode()

    def _stat(self, words: list[str]) -> bytes:
        left = self._left()
        return f"+OK {len(left)} {sum(_size(mail) for _, mail in left)}\r\n".encode()

    def _list(self, words: list[str]) -> bytes:
        return self._listing(words, lambda mail: str(_size(mail)))

    def _uidl(self, words: list[str]) -> bytes:
        return self._listing(words, lambda mail: mail.uidl)

    def _listing(self, words: list[str], fact: Callable[[StoredMail], str]) -> bytes:
        if words:
            number = self._number(words)
            return f"+OK {number} {fact(self._mails[number - 1])}\r\n".encode()
        return _lines(b"+OK", [f"{number} {fact(mail)}".encode() for number, mail in self._left()])

    def _retrieve(self, words: list[str]) -> bytes:
        raw = self._mails[self._number(words) - 1].read()
        return _lines(f"+OK {len(raw)} octets".encode(), _split(raw))

    def _top(self, words: list[str]) -> bytes:
        number = self._number(words[:1])
        if len(words) != 2 or not words[1].isdecimal():
            raise Trouble("TOP needs a message and a number of lines")
        lines = _split(self._mails[number - 1].read())
        head_count = lines.index(b"") + 1 if b"" in lines else len(lines)
        return _lines(b"+OK", lines[: head_count + int(words[1])])

    def _delete(self, words: list[str]) -> bytes:
        number = self._number(words)
        self._deleted.add(number)
        return f"+OK message {number} deleted\r\n".encode()

    def _reset(self, words: list[str]) -> bytes:
        self._deleted.clear()
        return b"+OK\r\n"

    def _quit(self, words: list[str]) -> bytes:
        self._store.delete([self._mails[number - 1] for number in sorted(self._deleted)])
        self._is_over = True
        return b"+OK bye\r\n"

    def _left(self) -> list[tuple[int, StoredMail]]:
        return [(n, mail) for n, mail in enumerate(self._mails, start=1) if n not in self._deleted]

    def _number(self, words: list[str]) -> int:
        if len(words) != 1 or not words[0].isdecimal():
            raise Trouble("a message number is needed")
        number = int(words[0])
        if not 1 <= number <= len(self._mails) or number in self._deleted:
            raise Trouble("no such message")
        return number

    async def _say(self, raw: bytes) -> None:
        self._writer.write(raw)
        await _in_time(self._writer.drain())


async def _in_time(step: Awaitable[T]) -> T:
    return await asyncio.wait_for(step, IDLE_SECONDS)


def _split(raw: bytes) -> list[bytes]:
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    return lines[:-1] if lines and lines[-1] == b"" else lines


def _size(mail: StoredMail) -> int:
    return mail.path.stat().st_size


def _lines(first: bytes, lines: list[bytes]) -> bytes:
    """A multi-line reply, dot-stuffed (RFC 1939 §3)."""
    stuffed = [b"." + line if line.startswith(b".") else line for line in lines]
    return b"\r\n".join([first, *stuffed, b".", b""])
