"""One SMTP reply: three digits and the server's words (RFC 5321 §4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fumibako.delivery.outcome import Stage
from fumibako.protocol.errors import Declined, Garbage
from fumibako.protocol.lines import (
    MAX_REPLY_BYTES,
    MAX_REPLY_LINES,
    MAX_SHOWN_CHARACTERS,
    NO_VEIL,
    Inbox,
    Veil,
    shown,
    text_of,
)

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_EVERYDAY = re.compile(rb"([2-5][0-9]{2}) ([\t\x20-\x7e]{0,500})\r")
"""A reply of one line and nothing odd in it: the same as by `_LINE`, known at one look."""
_ENHANCED = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ \t]|$)|.*\(#([45]\.[0-9]{1,3}\.[0-9]{1,3})\)", re.DOTALL)
"""RFC 3463 at the head of the text; qmail writes it at the end, as (#5.1.1)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete, well-formed reply. `lines` are the texts behind the code, as they came."""

    code: int
    lines: tuple[bytes, ...]
    veil: Veil = field(default=NO_VEIL, repr=False)

    @property
    def is_positive(self) -> bool:
        """Whether it is a 2yz."""
        return 200 <= self.code < 300

    @property
    def is_transient(self) -> bool:
        """Whether it is a 4yz."""
        return 400 <= self.code < 500

    @property
    def is_negative(self) -> bool:
        """Whether it is a 4yz or 5yz."""
        return self.code >= 400

    @property
    def enhanced(self) -> str:
        """The RFC 3463 status, or "" when there is none of the same class as the code."""
        match = _ENHANCED.match(self.lines[-1])
        status = (match[1] or match[2]).decode() if match else ""
        return status if status[:1] == str(self.code)[0] else ""

    @property
    def text(self) -> str:
        """The server's words, safe to show."""
        return shown(b" ".join(self.lines), self.veil)

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


def read_reply(inbox: Inbox) -> Reply | None:
    """Take one reply out of `inbox`, or return None while it is incomplete.

    Raises Garbage for anything RFC 5321 §4.2 does not allow: no code, a 1yz, two codes in one reply, a reply over
    64 KiB or 100 lines, control characters. Text outside ASCII is tolerated, so that it cannot make a result unknown.
    """
    if inbox.lines and (everyday := _EVERYDAY.fullmatch(inbox.lines[0])) is not None:
        inbox.drop(1)
        return Reply(int(everyday[1]), (everyday[2],), inbox.veil)
    code = b""
    texts: list[bytes] = []
    size = 0
    for line in inbox.lines[:MAX_REPLY_LINES]:
        size += len(line) + 1
        match = _LINE.fullmatch(text_of(line, inbox.veil))
        if match is None or (code and match[1] != code) or size > MAX_REPLY_BYTES:
            raise Garbage(f"not an SMTP reply: {shown(line, inbox.veil)}"[:MAX_SHOWN_CHARACTERS])
        code = match[1]
        texts.append(match[3] or b"")
        if match[2] != b"-":
            inbox.drop(len(texts))
            return Reply(int(code), tuple(texts), inbox.veil)
    inbox.require_bounds(MAX_REPLY_LINES - 1)
    return None


def declined(reply: Reply, stage: Stage) -> Declined:
    """Return `reply` as the reason why the session cannot go on."""
    return Declined(reply.text, stage=stage, code=reply.code, enhanced=reply.enhanced)
