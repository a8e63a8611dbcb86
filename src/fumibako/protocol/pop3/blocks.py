"""Reading POP3's long answers in whole blocks: where the terminator is, and which dots are stuffing (RFC 1939 §3).

Lines may have any length. Nothing is sized by what a server announces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from fumibako.protocol.errors import Garbage
from fumibako.protocol.lines import MAX_REPLY_BYTES, NO_VEIL, Inbox, Veil, shown
from fumibako.protocol.pop3.session import PopReply, status_of

_REACH = 4
"""A terminator or a stuffed dot that is not complete yet begins at most so many bytes before the end."""
_ENTRY = re.compile(rb"(\d{1,10})[ \t]+(?:([\x21-\x7e]{1,70})|(.*))", re.DOTALL)
_LONGEST_ENTRY = 2048


@dataclass(frozen=True, slots=True)
class LongReply:
    """A complete long answer. `is_too_big`: it went beyond the cap, `raw` is empty, and the line is of no more use."""

    is_positive: bool
    raw: bytes = field(default=b"", repr=False)
    words: bytes = b""
    is_too_big: bool = False
    veil: Veil = field(default=NO_VEIL, repr=False)

    @property
    def text(self) -> str:
        """The server's words, safe to show."""
        return shown(self.words, self.veil)

    def __str__(self) -> str:
        return f"+OK ({len(self.raw)} bytes)" if self.is_positive else f"-ERR {self.text}"


class MailReader:
    """Takes one RETR or TOP answer out of an inbox, in whatever blocks it comes; at most `cap` bytes of it."""

    __slots__ = ("_cap", "_carry", "_end", "_line_end", "_pieces", "_size", "_status")

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._status: PopReply | None = None
        self._line_end = b"\r\n"
        self._end = b"\r\n.\r\n"
        self._carry = b""
        self._pieces: list[bytes] = []
        self._size = 0

    def read(self, inbox: Inbox) -> LongReply | None:
        """Return the answer once it is complete, leaving what follows it in the inbox."""
        raw = self._carry + inbox.draw()
        if self._status is None:
            first = raw.find(b"\n")
            if first < 0:
                _require_short(raw, inbox.veil)
                self._carry = raw
                return None
            self._status = status_of(raw[: first + 1].rstrip(b"\n"), inbox.veil)
            if not self._status.is_positive:
                inbox.pour(raw[first + 1 :])
                return LongReply(False, words=self._status.words, veil=inbox.veil)
            start = first - 1
            if raw[start : start + 1] != b"\r":
                # A server that ends its lines with a bare LF; the same rules, with its line end.
                self._line_end, self._end, start = b"\n", b"\n.\n", first
            # The line end before the content stays in front, so that a first line is a line like any other.
            return self._content(raw, start, inbox)
        return self._content(raw, 0, inbox)

    def _content(self, raw: bytes, start: int, inbox: Inbox) -> LongReply | None:
        end = raw.find(self._end, start)
        if end >= 0:
            self._add(raw[start : end + len(self._line_end)])
            inbox.pour(raw[end + len(self._end) :])
        else:
            # A piece ends where no terminator and no stuffed dot can have begun.
            cut = raw.find(self._line_end[:1], max(start, len(raw) - _REACH))
            cut = len(raw) if cut < 0 else cut
            self._carry = raw[cut:]
            self._add(raw[start:cut])
        if self._size - len(self._line_end) > self._cap:
            self._pieces.clear()
            return LongReply(True, is_too_big=True)
        if end < 0:
            return None
        content = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        return LongReply(True, content[len(self._line_end) :])

    def _add(self, piece: bytes) -> None:
        stuffed = self._line_end + b".."
        if stuffed in piece:
            piece = piece.replace(stuffed, stuffed[:-1])
        self._size += len(piece)
        self._pieces.append(piece)


class Fault(Enum):
    """What was wrong with one line of a list."""

    NUMBER = "number"
    WORD = "word"
    LINE = "line"


@dataclass(slots=True)
class ListReply:
    """A complete UIDL or LIST answer: (number, word) in the server's order, faults told apart from what is usable."""

    is_positive: bool
    words: bytes = b""
    entries: list[tuple[int, bytes]] = field(default_factory=list, repr=False)
    faults: set[Fault] = field(default_factory=set)
    is_too_long: bool = False
    veil: Veil = field(default=NO_VEIL, repr=False)

    @property
    def text(self) -> str:
        """The server's words, safe to show."""
        return shown(self.words, self.veil)

    @property
    def response_code(self) -> str:
        """The code in brackets, or ""."""
        return PopReply(self.is_positive, self.words).response_code

    def __str__(self) -> str:
        return f"+OK ({len(self.entries)} entries)" if self.is_positive else f"-ERR {self.text}"


class ListReader:
    """Takes one UIDL or LIST answer out of an inbox, a block at a time, at most `max_count` entries."""

    __slots__ = ("_max_count", "_reply", "_rest")

    def __init__(self, max_count: int) -> None:
        self._max_count = max_count
        self._reply: ListReply | None = None
        self._rest = b""

    def read(self, inbox: Inbox) -> ListReply | None:
        """Return the answer once it is complete, leaving what follows it in the inbox."""
        raw = self._rest + inbox.draw()
        lines = raw.split(b"\n")
        self._rest = lines.pop()
        position = 0
        if self._reply is None:
            if not lines:
                _require_short(raw, inbox.veil)
                return None
            status = status_of(lines[0], inbox.veil)
            self._reply = ListReply(status.is_positive, status.words, veil=inbox.veil)
            position = 1
            if not status.is_positive:
                return self._done(lines, position, inbox)
        end = _end_of(lines, position)
        self._take(self._reply, lines[position : len(lines) if end is None else end])
        if self._reply.is_too_long:
            return self._reply
        return None if end is None else self._done(lines, end + 1, inbox)

    def _done(self, lines: list[bytes], position: int, inbox: Inbox) -> ListReply | None:
        inbox.pour(b"\n".join((*lines[position:], self._rest)))
        return self._reply

    def _take(self, reply: ListReply, lines: list[bytes]) -> None:
        entries, faults = reply.entries, reply.faults
        for line in lines:
            match = _ENTRY.fullmatch(line.removesuffix(b"\r"))
            if match is None:
                faults.add(Fault.NUMBER if line[:1].isdigit() or line[:1] in b"-+" else Fault.LINE)
                continue
            number, word, _ = match.groups()
            if word is None:
                faults.add(Fault.WORD)
            entries.append((int(number), word or b""))
        if len(entries) > self._max_count or len(self._rest) > _LONGEST_ENTRY:
            reply.is_too_long = True


def _end_of(lines: list[bytes], position: int) -> int | None:
    for ending in (b".\r", b"."):
        try:
            return lines.index(ending, position)
        except ValueError:
            continue
    return None


def _require_short(raw: bytes, veil: Veil) -> None:
    if len(raw) > MAX_REPLY_BYTES:
        raise Garbage(f"not a POP3 answer: {shown(raw[:200], veil)}"[:500])
