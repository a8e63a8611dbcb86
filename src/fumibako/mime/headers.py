"""Header lines of outgoing mail: 7-bit, folded at 76, Japanese as RFC 2047 words that are never cut inside a character.

Every function returns whole lines ending in CRLF, or text for one. All text goes through `checked` first: nothing that
could start a second line ever reaches a header (RFC 5322 §2.2).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

from fumibako.mime.encodings import LABELS, Charset, encode
from fumibako.mime.unsendable import HeaderInjection, Reason, Unsendable

LINE = 76
"""RFC 2047 §2 for lines that carry encoded words; RFC 5322 §2.1.1 recommends 78."""
WORD = 75
"""RFC 2047 §2: the longest encoded word."""
VALUE_CHARACTERS = 2000
"""Longer header values are refused: nobody reads them, and readers cut or drop such mails."""
FILE_NAME_CHARACTERS = 255

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_PRINTABLE = re.compile(r"[ -~]*")
_HEADER_NAME = re.compile(r"[!-9;-~]{1,50}")
_FOLDABLE_SPACE = re.compile(r"(?<=\S) (?=\S)")
_CONTINUE = "\r\n "
_ATTRIBUTE_OCTETS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~")
"""RFC 2231 §7 attribute-char."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name, possibly empty, and an address in the form it has on the wire."""

    name: str
    address: str


def checked(value: str, field: str, *, limit: int = VALUE_CHARACTERS) -> str:
    """The value as it may stand in a header: a tab is a space, and any other control character is HeaderInjection."""
    if len(value) > limit:
        raise Unsendable(Reason.TOO_LONG, field, str(len(value)))
    if value.isascii() and value.isprintable():
        return value
    plain = value.replace("\t", " ")
    if _CONTROL.search(plain):
        raise HeaderInjection(field)
    if _SURROGATE.search(plain):
        raise Unsendable(Reason.NOT_TEXT, field)
    return plain


def encoded_words(text: str, charset: Charset, *, first: int, rest: int = LINE - 1) -> list[str]:
    """`text` as RFC 2047 B words: the first at most `first` characters long, the others at most `rest` (and 75).

    Each word stands on its own: whole characters, and in ISO-2022-JP back in ASCII at its end (RFC 1468). A `first` too
    small for one character gives an empty first word, which means: begin on a fresh line. Raises DoesNotFit.
    """
    label = LABELS[charset]
    frame = len(label) + 7
    widths = [_payload(min(width, WORD) - frame) for width in (first, rest)]
    if len(text) <= widths[0]:
        whole = encode(text, charset)
        if len(whole) <= widths[0]:
            # The everyday case: a name, a short subject.
            return [f"=?{label}?B?{binascii.b2a_base64(whole, newline=False).decode('ascii')}?="] if text else [""]
    pieces = _utf8_pieces(text, *widths) if charset == "utf-8" else _encoded_pieces(text, charset, *widths)
    return [f"=?{label}?B?{binascii.b2a_base64(raw, newline=False).decode('ascii')}?=" if raw else "" for raw in pieces]


def _payload(width: int) -> int:
    """How many octets base64 can carry in `width` characters."""
    return max(width, 0) // 4 * 3


def _utf8_pieces(text: str, first: int, rest: int) -> list[bytes]:
    """The same as `_encoded_pieces`: every octet that continues a character shows it."""
    raw = encode(text, "utf-8")
    pieces, start, room = [], 0, first
    while len(raw) - start > room:
        end = start + room
        while raw[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(raw[start:end])
        start, room = end, rest
    return [*pieces, raw[start:]]


def _encoded_pieces(text: str, charset: Charset, first: int, rest: int) -> list[bytes]:
    return [encode(piece, charset) for piece in _pieces(text, charset, first, rest)]


def _pieces(text: str, charset: Charset, first: int, rest: int) -> list[str]:
    """The text cut between characters so that each piece's encoded form has at most `first` (then `rest`) octets."""
    pieces: list[str] = []
    room, start, used, is_kanji = first, 0, 0, False
    for position, char in enumerate(text):
        cost, wants_kanji = _cost(char, charset, is_kanji)
        if used + cost + (3 if wants_kanji else 0) > room:
            pieces.append(text[start:position])
            room, start, used = rest, position, 0
            cost, wants_kanji = _cost(char, charset, False)
        used += cost
        is_kanji = wants_kanji
    pieces.append(text[start:])
    return pieces


def _cost(char: str, charset: Charset, is_kanji: bool) -> tuple[int, bool]:
    """Octets this character adds, and whether ISO-2022-JP is in its two-byte set afterwards (3 octets to leave it)."""
    code = ord(char)
    if charset == "utf-8":
        return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4, False
    if charset == "shift_jis":
        return 1 if code < 0x80 or 0xFF61 <= code <= 0xFF9F else 2, False
    if code < 0x80:
        return (4 if is_kanji else 1), False
    return (2 if is_kanji else 5), True


def text_header(name: str, value: str, charset: Charset) -> bytes:
    """A header whose value is plain text (Subject). ASCII stays readable where it can be folded at its spaces."""
    plain = checked(value, name.lower())
    if _may_stay_ascii(plain):
        line = _folded(name, plain, LINE)
        if line is not None:
            return line
    words = encoded_words(plain, charset, first=LINE - len(name) - 2)
    return f"{name}: {_CONTINUE.join(words)}\r\n".encode("ascii")


def _may_stay_ascii(text: str) -> bool:
    return bool(_PRINTABLE.fullmatch(text)) and "=?" not in text and text == text.strip()


def _folded(name: str, value: str, width: int) -> bytes | None:
    """The header folded at single spaces, or None when some line would be longer than `width`."""
    lines: list[str] = []
    line = f"{name}: "
    words = _FOLDABLE_SPACE.split(value)
    for position, word in enumerate(words):
        if position and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = " " + word
        else:
            line = f"{line} {word}" if position else line + word
    lines.append(line)
    if any(len(one) > width for one in lines):
        return None
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def structured_header(name: str, value: str, charset: Charset) -> bytes:
    """An extra header such as List-Unsubscribe: ASCII is kept as it is and folded at spaces only.

    Raises Unsendable when the name is not a header name or a piece without space is longer than a line may be.
    """
    if not _HEADER_NAME.fullmatch(name):
        raise Unsendable(Reason.BAD_HEADER_NAME, "extra_headers", name[:60])
    plain = checked(value, name.lower())
    if not plain.isascii() or "=?" in plain:
        return text_header(name, plain, charset)
    line = _folded(name, plain, LINE) or _folded(name, plain, 998)
    if line is None:
        raise Unsendable(Reason.TOO_LONG, name.lower(), str(len(plain)))
    return line


def address_header(name: str, mailboxes: Iterable[Mailbox], charset: Charset) -> bytes:
    """To, From, Cc: one mailbox per line. The addresses are wire forms (`addresses.judge`), never touched."""
    lines = []
    prefix = f"{name}: "
    for mailbox in mailboxes:
        lines.append(prefix + _mailbox(mailbox, charset, len(prefix), name.lower()))
        prefix = " "
    return (",\r\n".join(lines) + "\r\n").encode("ascii")


def _mailbox(mailbox: Mailbox, charset: Charset, used: int, field: str) -> str:
    name = checked(mailbox.name, field).strip()
    if not name:
        return mailbox.address
    phrase = _phrase(name, charset, used)
    last = phrase.rpartition("\n")[2]
    width = len(last) + (0 if "\n" in phrase else used)
    separator = " " if width + len(mailbox.address) + 4 <= LINE else _CONTINUE
    return f"{phrase}{separator}<{mailbox.address}>"


def _phrase(name: str, charset: Charset, used: int) -> str:
    """A display name (RFC 5322 §3.2.5): atoms, else a quoted string, else encoded words."""
    if _PRINTABLE.fullmatch(name) and "=?" not in name:
        phrase = name if _ATOMS.fullmatch(name) else quoted(name)
        if used + len(phrase) <= LINE:
            return phrase
    return _CONTINUE.join(encoded_words(name, charset, first=LINE - used))


def quoted(text: str) -> str:
    """A quoted string (RFC 5322 §3.2.4) of printable ASCII."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def file_name_parameter(name: str, charset: Charset) -> str:
    """`; name="…"` for Content-Type, in the RFC 2047 form that old mail programs and phones read; "" without a name."""
    plain = checked(name, "attachment", limit=FILE_NAME_CHARACTERS).strip()
    if not plain:
        return ""
    if _PRINTABLE.fullmatch(plain) and "=?" not in plain:
        return f";\r\n name={quoted(plain)}"
    start = ' name="'
    words = encoded_words(plain, charset, first=LINE - len(start) - 1, rest=LINE - 2)
    return f';\r\n{start}{_CONTINUE.join(words)}"'


def file_name_disposition(name: str, charset: Charset) -> str:
    """`; filename…` for Content-Disposition: plain ASCII, else RFC 2231, in segments when it is long."""
    plain = checked(name, "attachment", limit=FILE_NAME_CHARACTERS).strip()
    if not plain:
        return ""
    if _PRINTABLE.fullmatch(plain) and "=?" not in plain:
        return f";\r\n filename={quoted(plain)}"
    whole = f" filename*={LABELS[charset]}''{_percent(encode(plain, charset))}"
    lines = [whole] if len(whole) <= LINE else _segments(plain, charset)
    return "".join(";\r\n" + line for line in lines)


def _percent(raw: bytes) -> str:
    return "".join(chr(octet) if octet in _ATTRIBUTE_OCTETS else f"%{octet:02X}" for octet in raw)


def _segments(name: str, charset: Charset) -> list[str]:
    """RFC 2231 §4.1: charset and language in the first segment only, and each segment whole in itself.

    The standard wants the octets joined before they are decoded; many readers decode each segment alone. Both get the
    name when no segment ends inside a character or, in ISO-2022-JP, outside ASCII.
    """
    lines: list[str] = []
    prefix, piece, line = f" filename*0*={LABELS[charset]}''", "", ""
    for char in name:
        longer = prefix + _percent(encode(piece + char, charset))
        if piece and len(longer) > LINE - 1:  # room for the ";"
            lines.append(line)
            prefix, piece = f" filename*{len(lines)}*=", ""
            longer = prefix + _percent(encode(char, charset))
        piece, line = piece + char, longer
    return [*lines, line]
