"""The header block of a mail or of one of its parts: where it ends, and its fields as raw bytes in order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

HEADER_OCTETS: Final = 256 * 1024
"""Of a longer header block only so much is read; what follows stays in the raw mail."""
FIELDS: Final = 5_000
"""More fields than this are not looked at."""

BLOCK_OCTETS: Final = 32 * 1024
"""A header block of so much is remembered for the next reader of the same mail."""

_LINE: Final = re.compile(rb"([^\n]*)(\n|\Z)")
_FIELD: Final = re.compile(rb"([!-9;-~]{1,120})[ \t]*:[ \t]*")
_ENVELOPE: Final = re.compile(rb">?From [^:\n]*(?:\d\d:\d\d|\d{4})")


@dataclass(frozen=True, slots=True)
class Field:
    """One header field. `value` is unfolded: each fold is one space, and the bytes are as they came."""

    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a header block in order. Names are compared without case."""

    all: tuple[Field, ...] = ()
    is_cut: bool = False
    _by_name: dict[str, list[bytes]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Every name is asked for many times."""
        for one in self.all:
            self._by_name.setdefault(one.name.lower(), []).append(one.value)

    def values(self, name: str) -> list[bytes]:
        """Every value of this name, in order."""
        return list(self._by_name.get(name.lower(), ()))

    def first(self, name: str) -> bytes:
        """The first value of this name that is not empty, or b""."""
        return next((value for value in self._by_name.get(name.lower(), ()) if value.strip()), b"")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_name


def read_fields(raw: bytes, start: int, end: int) -> tuple[Fields, int]:
    """The fields from `start`, and where the body begins.

    Lines end in LF, with or without CR. A line that is neither a field nor folded is taken for a fold whose space got
    lost when fields follow it, and else for the first line of the body of a mail whose empty line got lost.
    """
    empty = _BLANK.search(raw, start, min(end, start + BLOCK_OCTETS))
    if empty is None:
        return _read(raw, start, end)
    # Nothing behind the empty line has a say, and several readers ask for the same block.
    fields, body = _read_block(raw[start : empty.end()])
    return fields, start + body


@lru_cache(maxsize=4)
def _read_block(block: bytes) -> tuple[Fields, int]:
    return _read(block, 0, len(block))


def _read(raw: bytes, start: int, end: int) -> tuple[Fields, int]:
    found: list[tuple[bytes, list[bytes]]] = []
    at, limit = start, min(end, start + HEADER_OCTETS)
    is_cut = False
    while at < end:
        match = _LINE.match(raw, at, limit)
        line = match.group(1) if match else b""
        after = match.end() if match else limit
        if at >= limit or (after == limit < end and not line.endswith(b"\n") and raw[limit - 1] != 0x0A):
            is_cut = True
            at = _end_of_block(raw, at, end)
            break
        stripped = line.rstrip(b"\r")
        if not stripped:
            at = after
            break
        if not _take(found, stripped, at == start) and not _goes_on(raw, after, limit, bool(found)):
            break
        if len(found) > FIELDS:
            is_cut, at = True, _end_of_block(raw, at, end)
            break
        at = after
    fields = tuple(Field(name.decode("ascii"), b" ".join(lines).strip()) for name, lines in found)
    return Fields(fields, is_cut), at


def _take(found: list[tuple[bytes, list[bytes]]], line: bytes, is_first: bool) -> bool:
    """Add the line to what was found; False when it is no header line (it is kept as a fold for now)."""
    if line[:1] in (b" ", b"\t"):
        if found:
            found[-1][1].append(line.strip(b" \t"))
        return True
    match = _FIELD.match(line)
    if match is not None:
        found.append((match.group(1), [line[match.end() :]]))
        return True
    return bool(_ENVELOPE.match(line) and (is_first or not found))


def _goes_on(raw: bytes, at: int, limit: int, has_fields: bool) -> bool:
    """Whether the next lines are fields again: then the odd line before them belongs to the header block."""
    for _ in range(3):
        match = _LINE.match(raw, at, limit)
        line = match.group(1).rstrip(b"\r") if match else b""
        if not line:
            return False
        if _KNOWN.match(line):
            return has_fields
        at = match.end() if match else limit
    return False


_KNOWN: Final = re.compile(
    rb"(?:from|to|cc|subject|date|message-id|mime-version|received|return-path|reply-to|sender|references|in-reply-to|"
    rb"content-[a-z-]+|x-[a-z0-9-]+|delivered-to|dkim-signature|list-[a-z-]+)[ \t]*:",
    re.I,
)
_BLANK: Final = re.compile(rb"\n\r?\n")


def _end_of_block(raw: bytes, at: int, end: int) -> int:
    match = _BLANK.search(raw, max(at - 1, 0), end)
    return match.end() if match else end
