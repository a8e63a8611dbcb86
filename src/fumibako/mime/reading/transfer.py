"""Content-Transfer-Encoding undone: base64, quoted-printable and uuencode, as tolerant as the mails need it."""

from __future__ import annotations

import binascii
import re
from typing import Final

_NOT_BASE64: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_PADDING: Final = re.compile(rb"=+")
_SOFT_SPACE: Final = re.compile(rb"[ \t]+(?=\r?\n)")
_UU_BEGIN: Final = re.compile(rb"^begin[ \t]+[0-7]{3,4}[ \t]+[^\n]*\n", re.M)


def known_encoding(label: bytes) -> str:
    """ "base64", "quoted-printable", "uuencode" or "" for everything that is read as it stands."""
    plain = label.strip().strip(b"\"';").lower().partition(b";")[0].strip()
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


def _base64(raw: bytes) -> bytes:
    letters = raw.translate(None, _NOT_BASE64)
    if b"=" not in letters[:-2]:
        return _four_by_four(letters.rstrip(b"="))
    # Several base64 texts one after the other, each with its own padding.
    return b"".join(_four_by_four(run) for run in _PADDING.split(letters))


def _four_by_four(letters: bytes) -> bytes:
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _uuencode(raw: bytes) -> bytes:
    begin = _UU_BEGIN.search(raw)
    lines = raw[begin.end() if begin else 0 :].splitlines()
    pieces = []
    for line in lines:
        if line.strip() in (b"end", b"`"):
            break
        pieces.append(_uu_line(line))
    return b"".join(pieces)


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
