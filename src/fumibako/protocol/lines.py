"""What has arrived and is not yet understood: bounded lines, and the words of a reply made safe to show."""

from __future__ import annotations

import base64
import re

from fumibako.protocol.errors import Garbage

MAX_REPLY_BYTES = 64 * 1024
"""No reply may be longer, in one line or in many."""
MAX_REPLY_LINES = 100
MAX_SHOWN_CHARACTERS = 500

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_SHORTEST_SECRET = 3
"""Hiding one or two letters would blank half of every text and protect nothing."""


class Veil:
    """Hides secrets, and their base64 at any alignment, in what a server says back."""

    __slots__ = ("_pattern",)

    def __init__(self, *secrets: str) -> None:
        forms = {form for secret in secrets for form in _forms_of(secret)}
        ordered = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(map(re.escape, ordered))) if ordered else None

    def cover(self, raw: bytes) -> bytes:
        """Return `raw` with every secret replaced by three stars."""
        return self._pattern.sub(b"***", raw) if self._pattern else raw


def _forms_of(secret: str) -> set[bytes]:
    plain = secret.encode()
    if len(plain) < _SHORTEST_SECRET:
        return set()
    forms = {plain, base64.b64encode(plain)}
    # Inside a longer base64 text the secret starts at one of three alignments; only whole sextets are its own.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain)
        first = (shift * 8 + 5) // 6
        last = (shift + len(plain)) * 8 // 6
        core = encoded[first:last]
        if len(core) > _SHORTEST_SECRET:
            forms.add(core)
    return forms


NO_VEIL = Veil()


def shown(raw: bytes, veil: Veil = NO_VEIL) -> str:
    """Return the server's words for people: secrets hidden, printable characters only, at most 500 of them."""
    text = veil.cover(raw).decode("utf-8", "replace")
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return text.strip()[:MAX_SHOWN_CHARACTERS]


class Inbox:
    """Bytes read from the line: complete lines first, then the unfinished rest."""

    __slots__ = ("_rest", "_size", "lines", "veil")

    def __init__(self, veil: Veil = NO_VEIL) -> None:
        self.lines: list[bytes] = []
        self.veil = veil
        self._rest = b""
        self._size = 0

    def __bool__(self) -> bool:
        return self._size > 0

    def feed(self, raw: bytes) -> bool:
        """Add what was read; return whether it completed a line. Never raises: limits are the reader's business."""
        self._size += len(raw)
        *complete, self._rest = (self._rest + raw).split(b"\n")
        self.lines += complete
        return bool(complete)

    def pour(self, raw: bytes) -> None:
        """Add what was read without looking for lines in it: for a reader of whole blocks."""
        self._size += len(raw)
        self._rest += raw

    def draw(self) -> bytes:
        """Take everything out, exactly as it came."""
        raw = b"\n".join((*self.lines, self._rest)) if self.lines else self._rest
        self.lines, self._rest, self._size = [], b"", 0
        return raw

    def drop(self, count: int) -> None:
        """Forget the first `count` lines: they were understood."""
        self._size -= count + sum(map(len, self.lines[:count]))
        del self.lines[:count]

    def require_bounds(self, max_lines: int = MAX_REPLY_LINES) -> None:
        """Raise Garbage when what has arrived can no longer become a reply."""
        if self._size > MAX_REPLY_BYTES:
            raise Garbage(f"reply longer than {MAX_REPLY_BYTES} bytes: {self.excerpt()}"[:MAX_SHOWN_CHARACTERS])
        if len(self.lines) > max_lines:
            raise Garbage(f"reply longer than {max_lines} lines: {self.excerpt()}"[:MAX_SHOWN_CHARACTERS])

    def excerpt(self) -> str:
        """Return the beginning of what is waiting, safe to show."""
        return shown(b" ".join(self.lines[:2]) or self._rest, self.veil)[:200]


def text_of(line: bytes, veil: Veil) -> bytes:
    """Return `line` without its CR. A missing CR is tolerated, any other control character but TAB is Garbage."""
    text = line.removesuffix(b"\r")
    if _CONTROL.search(text):
        raise Garbage(f"control characters in a reply: {shown(text, veil)}"[:MAX_SHOWN_CHARACTERS])
    return text
