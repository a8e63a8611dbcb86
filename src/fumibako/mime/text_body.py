"""The text of a mail as it travels: bare lines of seven bits where no relay has a reason to touch them, else base64.

What many texts end in is encoded once; the octets are the same as if each text had been encoded as a whole.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field

from fumibako.mime.encodings import Charset, DoesNotFit, encode
from fumibako.mime.unsendable import Reason, Unsendable

LINE_OCTETS = 57
"""What one line of 76 base64 characters carries."""
BODY_LINE_OCTETS = 990
"""RFC 5322 §2.1.1 allows 998; a relay that adds a dot or a mark must stay below it."""

_TEXT_OCTETS = bytes([*b"\t\r\n", *range(0x20, 0x7F)])


@dataclass(frozen=True, slots=True)
class Ending:
    """What many texts end in, in one charset, made ready in one of two forms or, with both empty, in none.

    `raw` for a text that is sure to become base64: `lines` has its base64 for each of the 57 places of a line where it
    may begin. `bare` for ISO-2022-JP: all but the first line, which is back in ASCII at every line end.
    """

    text: str
    raw: bytes = b""
    lines: dict[int, bytes] = field(default_factory=dict)
    first_line: str = ""
    bare: bytes = b""

    @classmethod
    def of(cls, text: str, charset: Charset) -> Ending:
        """Prepare an ending, or find that it cannot be."""
        first, end, others = text.partition("\n")
        if "\r" in text or not others.endswith("\n"):
            return cls(text)
        try:
            if charset == "iso-2022-jp":
                bare = encode(others.replace("\n", "\r\n"), charset)
                return cls(text, first_line=first + end, bare=bare if travels_bare(bare, charset, "") else b"")
            raw = encode(text.replace("\n", "\r\n"), charset)
        except DoesNotFit:
            return cls(text)
        return cls(text, raw if not raw.isascii() and len(raw) >= LINE_OCTETS else b"")

    def behind(self, text: str, charset: Charset, boundary: str) -> tuple[str, bytes] | None:
        """The body of `text` and the ending after it; None when it has to be encoded as a whole."""
        if "\r" in text:
            return None
        if self.bare:
            first = encode((text + self.first_line).replace("\n", "\r\n"), charset)
            is_bare = travels_bare(first, charset, boundary) and not _names(boundary, self.bare)
            return ("7bit", first + self.bare) if is_bare else None
        return ("base64", self._lines_behind(encode(text.replace("\n", "\r\n"), charset))) if self.raw else None

    def _lines_behind(self, beginning: bytes) -> bytes:
        missing = -len(beginning) % LINE_OCTETS
        rest = self.lines.get(missing)
        if rest is None:
            rest = self.lines[missing] = base64_lines(self.raw[missing:]) if self.raw[missing:] else b""
        first = beginning + self.raw[:missing]
        return base64_lines(first) + rest if first else rest


def body_of(text: str, ending: Ending | None, charset: Charset, boundary: str) -> tuple[str, bytes]:
    """(Content-Transfer-Encoding, the encoded body ending in CRLF) of the text and its ending.

    `boundary` is "" where nothing has to be told apart. Raises DoesNotFit, in UTF-8 Unsendable.
    """
    try:
        quick = None if ending is None else ending.behind(text, charset, boundary)
        return quick or _whole(text if ending is None else text + ending.text, charset, boundary)
    except DoesNotFit:
        if charset == "utf-8":
            raise Unsendable(Reason.NOT_TEXT, "text") from None
        raise


def _whole(text: str, charset: Charset, boundary: str) -> tuple[str, bytes]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    if not lines.endswith("\n"):
        lines += "\n"
    raw = encode(lines.replace("\n", "\r\n"), charset)
    is_seven_bit = charset == "iso-2022-jp" or raw.isascii()
    if is_seven_bit and travels_bare(raw, charset, boundary):
        return "7bit", raw
    return "base64", base64_lines(raw)


def travels_bare(raw: bytes, charset: Charset, boundary: str) -> bool:
    """True when no relay has a reason to touch these octets: no control characters, no long lines, nothing that looks
    like the end of the mail, an mbox separator or our own boundary."""
    escape = b"\x1b" if charset == "iso-2022-jp" else b""
    if raw.translate(None, _TEXT_OCTETS + escape):
        return False
    if raw.startswith((b".", b"From ")) or b"\n." in raw or b"\nFrom " in raw:
        return False
    if _names(boundary, raw):
        return False
    return len(raw) <= BODY_LINE_OCTETS or max(map(len, raw.split(b"\r\n"))) <= BODY_LINE_OCTETS


def _names(boundary: str, raw: bytes) -> bool:
    return bool(boundary) and b"--" + boundary.encode("ascii") in raw


def base64_lines(raw: bytes) -> bytes:
    """RFC 2045 §6.8: lines of 76 characters."""
    flat = binascii.b2a_base64(raw, newline=False)
    if len(flat) <= 76:
        return flat + b"\r\n"
    return b"\r\n".join([flat[at : at + 76] for at in range(0, len(flat), 76)]) + b"\r\n"
