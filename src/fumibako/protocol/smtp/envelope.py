"""Whom one mail goes to, and its content in the form DATA carries."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fumibako.protocol.errors import LocalError

_UNSPEAKABLE = re.compile(r"[^\x21-\x7e]|[<>]")
_MAX_ADDRESS_LENGTH = 254
"""RFC 5321 §4.5.3.1.3: a path is 256 octets with its angle brackets."""
_LINES = re.compile(rb"(?:[^\r\n\0]{0,998}\r\n)*+[^\r\n\0]{0,998}")
"""RFC 5321 §4.5.3.1.6: 998 octets and CRLF; CR and LF only together (§2.3.8)."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail for exactly one person. `sender` may be "" (the null path); `copies` are the CC and BCC addresses.

    Raises LocalError for an address that would not stay one command on the wire: CR, LF, NUL, space, angle brackets,
    non-ASCII, an unquoted comma, more than 254 characters.
    """

    sender: str
    recipient: str
    copies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for address in (self.recipient, *self.copies):
            if not address:
                raise LocalError("an envelope needs an address")
            _require_speakable(address)
        _require_speakable(self.sender)


def _require_speakable(address: str) -> None:
    if _UNSPEAKABLE.search(address) or len(address) > _MAX_ADDRESS_LENGTH:
        raise LocalError("an address holds characters that SMTP cannot carry, or is too long")
    if "," in address and not address.startswith('"'):
        raise LocalError("an address holds a comma outside quotes: it may be two addresses")


def content_of(raw: bytes) -> bytes:
    """Return `raw` dot-stuffed (RFC 5321 §4.5.2) and ending in CRLF, without the terminator.

    Raises LocalError for a bare CR or LF, a NUL, or a line over 998 octets: such bytes can end a mail early at one
    server and not at the next.
    """
    if not _LINES.fullmatch(raw):
        raise LocalError("content holds a bare CR or LF, a NUL, or a line over 998 octets")
    stuffed = raw.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed if stuffed.endswith(b"\r\n") or not stuffed else stuffed + b"\r\n"
