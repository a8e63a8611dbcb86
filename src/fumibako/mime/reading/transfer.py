"""Content-Transfer-Encoding undone: base64, quoted-printable and uuencode, as tolerant as the mails need it."""

from __future__ import annotations

import binascii
import re
from itertools import islice
from typing import Final

_NOT_BASE64: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_COMMENT: Final = re.compile(rb"\([^()]{0,200}\)")
_PADDING: Final = re.compile(rb"[^=]+")
_SOFT_SPACE: Final = re.compile(rb"(?<![ \t])[ \t]+(?=\r?\n)")
_UU_BEGIN: Final = re.compile(rb"^begin[ \t]{1,8}[0-7]{3,4}[ \t]{1,8}[^\n]*\n", re.M)
_UU_LINE: Final = re.compile(rb"[^\r\n]+")
_UU_LINES: Final = 500_000
_CHUNK: Final = 256 * 1024


def known_encoding(label: bytes) -> str:
    """ "base64", "quoted-printable", "uuencode" or "" for everything that is read as it stands."""
    plain = _COMMENT.sub(b"", label).strip().strip(b"\"';").lower().partition(b";")[0].strip()
    if plain.startswith((b"base64", b"base-64", b"b64")):
        return "base64"
    if plain.startswith((b"quoted-p", b"quoted p", b"quotedp", b"qp")):
        return "quoted-printable"
    return "uuencode" if plain in (b"x-uuencode", b"uuencode", b"x-uue", b"uue") else ""


def decoded(raw: bytes, encoding: str) -> bytes:
    """The content. What is not valid is skipped or kept as it stands; nothing raises."""
    if encoding == "base64":
        return _base64(raw)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(_SOFT_SPACE.sub(b"", raw))
    return _uuencode(raw) if encoding == "uuencode" else raw


def decoded_size(raw: bytes, start: int, end: int, encoding: str) -> int:
    """How many octets `decoded` would give for `raw[start:end]`, without holding a large file in memory."""
    if encoding != "base64":
        return len(decoded(raw[start:end], encoding)) if encoding else end - start
    total, run = 0, 0
    for at in range(start, end, _CHUNK):
        first, *others = raw[at : min(at + _CHUNK, end)].translate(None, _NOT_BASE64).split(b"=")
        run += len(first)
        for other in others:
            total, run = total + _octets_of(run), len(other)
    return total + _octets_of(run)


def _octets_of(letters: int) -> int:
    return (letters - (letters % 4 == 1)) * 3 // 4


def _base64(raw: bytes) -> bytes:
    letters = raw.translate(None, _NOT_BASE64).rstrip(b"=")
    if b"=" not in letters:
        return _four_by_four(letters)
    # Several base64 texts one after the other, each with its own padding.
    found = bytearray()
    for run in _PADDING.finditer(letters):
        found += _four_by_four(run.group())
    return bytes(found)


def _four_by_four(letters: bytes) -> bytes:
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _uuencode(raw: bytes) -> bytes:
    begin = _UU_BEGIN.search(raw)
    found = bytearray()
    # A line of one letter claims up to 63 octets: what comes out stays in proportion to what went in.
    for match in islice(_UU_LINE.finditer(raw, begin.end() if begin else 0), _UU_LINES):
        line = match.group()
        if line.strip() in (b"end", b"`") or len(found) > 2 * len(raw) + 4096:
            break
        found += _uu_line(line)
    return bytes(found)


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except (binascii.Error, ValueError):
        if not line:
            return b""
        # Some encoders pad a line by one group too many (as the standard library's own reader works around).
        length = ((line[0] - 32 & 63) * 4 + 5) // 3
        try:
            return binascii.a2b_uu(line[: length + 1])
        except (binascii.Error, ValueError):
            return b""
