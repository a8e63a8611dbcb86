"""Header lines of outgoing mail: 7-bit, folded at 76, Japanese as RFC 2047 words that are never cut inside a character.

Every function returns whole lines ending in CRLF, or text for one. All text goes through `checked` first: nothing that
could start a second line ever reaches a header (RFC 5322 §2.2).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

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
    if value.isprintable():
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
    start, *widths = _frame(charset, first, rest)
    whole = encode(text, charset)
    pieces = [whole] if len(whole) <= widths[0] else _pieces(text, whole, charset, *widths)
    return [f"{start}{binascii.b2a_base64(raw, newline=False).decode('ascii')}?=" if raw else "" for raw in pieces]


@lru_cache(maxsize=64)
def _frame(charset: Charset, first: int, rest: int) -> tuple[str, int, int]:
    """What an encoded word begins with, and how many octets the first one and the others can carry."""
    start = f"=?{LABELS[charset]}?B?"
    room, later_room = (_payload(min(width, WORD) - len(start) - 2) for width in (first, rest))
    return start, room, later_room


def _payload(width: int) -> int:
    """How many octets base64 can carry in `width` characters."""
    return max(width, 0) // 4 * 3


def _pieces(text: str, whole: bytes, charset: Charset, first: int, rest: int) -> list[bytes]:
    """The text, encoded as `whole`, cut between characters: pieces of at most `first` (then `rest`) octets."""
    if charset == "utf-8":
        return _utf8_pieces(whole, first, rest)
    if charset == "iso-2022-jp":
        return _jis_pieces(whole, first, rest)
    return _shift_jis_pieces(text, whole, first, rest)


def _utf8_pieces(whole: bytes, first: int, rest: int) -> list[bytes]:
    """Every octet that continues a character shows it."""
    pieces, start, room = [], 0, first
    while len(whole) - start > room:
        end = start + room
        while whole[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(whole[start:end])
        start, room = end, rest
    return [*pieces, whole[start:]]


def _jis_pieces(whole: bytes, first: int, rest: int) -> list[bytes]:
    """Each piece enters the two-byte set anew and leaves it at its end: 6 octets for a run of kanji, none for ASCII."""
    pieces: list[bytes] = []
    piece, room = b"", first
    beginning, *runs = whole.split(b"\x1b")
    for run in (b"(B" + beginning, *runs):
        content, is_kanji = run[2:], run.startswith(b"$B")
        while content:
            left = max(room - len(piece), 0)
            fitting = max(left - 6, 0) // 2 * 2 if is_kanji else left
            taken, content = content[:fitting], content[fitting:]
            if taken:
                piece += b"\x1b$B" + taken + b"\x1b(B" if is_kanji else taken
            if content:
                pieces.append(piece)
                piece, room = b"", rest
    return [*pieces, piece]


def _shift_jis_pieces(text: str, whole: bytes, first: int, rest: int) -> list[bytes]:
    pieces, start, end, room = [], 0, 0, first
    for char in text:
        code = ord(char)
        width = 1 if code < 0x80 or 0xFF61 <= code <= 0xFF9F else 2
        if end + width - start > room:
            pieces.append(whole[start:end])
            start, room = end, rest
        end += width
    return [*pieces, whole[start:]]


def text_header(name: str, value: str, charset: Charset) -> bytes:
    """A header whose value is plain text (Subject). ASCII stays readable where it can be folded at its spaces."""
    plain = checked(value, name.lower())
    if plain.isascii() and _may_stay_ascii(plain):
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
    """From, Cc: one mailbox per line. The addresses are wire forms (`addresses.judge`), never touched."""
    lines = []
    prefix = f"{name}: "
    for mailbox in mailboxes:
        lines.append(prefix + _mailbox(mailbox.name, mailbox.address, charset, len(prefix), name.lower()))
        prefix = " "
    return (",\r\n".join(lines) + "\r\n").encode("ascii")


def mailbox_header(name: str, shown: str, address: str, charset: Charset) -> bytes:
    """To: the same for the one mailbox of a mail."""
    return f"{name}: {_mailbox(shown, address, charset, len(name) + 2, name.lower())}\r\n".encode("ascii")


def _mailbox(shown: str, address: str, charset: Charset, used: int, field: str) -> str:
    name = checked(shown, field).strip()
    if not name:
        return address
    phrase = _phrase(name, charset, used)
    last = phrase.rpartition("\n")[2]
    width = len(last) if "\n" in phrase else len(last) + used
    separator = " " if width + len(address) + 4 <= LINE else _CONTINUE
    return f"{phrase}{separator}<{address}>"


def _phrase(name: str, charset: Charset, used: int) -> str:
    """A display name (RFC 5322 §3.2.5): atoms, else a quoted string, else encoded words."""
    if name.isascii() and _PRINTABLE.fullmatch(name) and "=?" not in name:
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
