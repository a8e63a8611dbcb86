"""Text of header values: RFC 2047 words in every form they are really written in, and raw 8-bit or ISO-2022-JP."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from fumibako.mime.reading.charsets import Decoded, decode, decode_as, known_charset
from fumibako.mime.reading.pictograms import Carrier

TEXT_OCTETS: Final = 64 * 1024
"""Of a longer value only so much is read."""
SHORT_OCTETS: Final = 1_000
"""A value of so much is remembered for the next reader of the same mail."""

_OPENING: Final = re.compile(r"=\?([^?\s=]{0,60})\?([BbQq])\?")
_HEX: Final = re.compile(r"=([0-9A-Fa-f]{2})")
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")
_UNFINISHED_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]{4,}={0,2}\s*\??\Z")
_OPEN_KANJI: Final = re.compile(rb"\x1b\$\(?[@BDOPQ][!-~]*\Z")
_SPACE_IN_CHARACTER: Final = re.compile(rb"(?<=[\x80-\xff]) +\Z")
_FOLLOWED_BY_HEX: Final = re.compile(r"[0-9A-Fa-f]{2}")


@dataclass(frozen=True, slots=True)
class Context:
    """What the rest of the mail tells about bytes that do not say what they are."""

    carrier: Carrier = Carrier.UNKNOWN
    fallback: str = ""
    chosen: str = ""
    """The charset that a person chose, for bytes that do not say theirs and for those under the `doubted` labels."""
    doubted: frozenset[str] = frozenset()

    def text_of(self, raw: bytes, label: str, *, fallback: str = "") -> Decoded:
        """The text of bytes that came under this label."""
        if self.chosen and (not label or plain_label(label) in self.doubted):
            return decode_as(raw, self.chosen, self.carrier)
        return decode(raw, label, carrier=self.carrier, fallback=fallback)


PLAIN: Final = Context()
"""Where nothing is known."""


def plain_label(label: str) -> str:
    """A label for comparing: lower case, without the language that RFC 2231 §5 allows after it."""
    return label.strip().lower().partition("*")[0]


@dataclass(frozen=True, slots=True)
class _Word:
    charset: str
    is_base64: bool
    payload: str
    start: int
    end: int


def header_text(raw: bytes, context: Context | None = None) -> str:
    """The value of an unstructured field (Subject) as text, white space around it dropped."""
    context = context or PLAIN
    return _short_text(raw, context) if len(raw) <= SHORT_OCTETS else _text(raw, context)


def _text(raw: bytes, context: Context) -> str:
    return decode_words(raw_text(raw[:TEXT_OCTETS], context), context).strip(" \t\r\n")


_short_text = lru_cache(maxsize=64)(_text)


def raw_text(raw: bytes, context: Context) -> str:
    """The bytes of a field as text with its RFC 2047 words untouched."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    return context.text_of(raw, "", fallback=context.fallback).text


def decode_words(text: str, context: Context) -> str:
    """The text with its words decoded; space between two words is theirs and goes (RFC 2047 §6.2)."""
    if "=?" not in text:
        return text
    pieces: list[str] = []
    group: list[_Word] = []
    at = 0
    while True:
        word = _next_word(text, at)
        if word is None:
            break
        gap = text[at : word.start]
        if group and gap.strip(" \t\r\n"):
            pieces.append(_decoded_group(group, context))
            group = []
        if not group:
            pieces.append(gap)
        group.append(word)
        at = word.end
    pieces.append(_decoded_group(group, context))
    pieces.append(text[at:])
    return "".join(pieces)


def _next_word(text: str, at: int) -> _Word | None:
    while True:
        opening = _OPENING.search(text, at)
        if opening is None:
            return None
        is_base64 = opening.group(2) in "Bb"
        word = _closed(text, opening, is_base64)
        if word is not None:
            return word
        at = opening.end()


def _closed(text: str, opening: re.Match[str], is_base64: bool) -> _Word | None:
    """The word up to its `?=`. One that was cut off at the end of the field still counts when nothing follows it."""
    start = opening.end()
    close = text.find("?=", start)
    if not is_base64:
        # A `?` that should have been encoded, before a character that is: ?=3D is not the end.
        while close >= 0 and _FOLLOWED_BY_HEX.match(text, close + 2) and _next_close(text, close) >= 0:
            close = _next_close(text, close)
        if close >= 0 and text.startswith("?", close + 1):
            close += 1
    reopened = _OPENING.search(text, start, close if close >= 0 else len(text))
    if close >= 0 and reopened is None:
        return _Word(opening.group(1), is_base64, text[start:close], opening.start(), close + 2)
    if reopened is not None:
        # The next word opens before this one closes: it ends where that begins.
        payload = (
            text[start : reopened.start()].rstrip(" \t?=") if is_base64 else text[start : reopened.start()].rstrip()
        )
        return _Word(opening.group(1), is_base64, payload, opening.start(), reopened.start())
    rest = text[start:]
    if (is_base64 and _UNFINISHED_BASE64.match(rest)) or (not is_base64 and _HEX.search(rest) and " " not in rest):
        return _Word(opening.group(1), is_base64, rest.rstrip("? \t"), opening.start(), len(text))
    return None


def _next_close(text: str, close: int) -> int:
    """The next `?=` that still belongs to the same word."""
    following = text.find("?=", close + 2)
    opening = text.find("=?", close + 2)
    return following if following >= 0 and (opening < 0 or following < opening) else -1


def _decoded_group(group: list[_Word], context: Context) -> str:
    """Words with nothing but space between them. Equal charsets are joined as bytes where a word alone is cut short."""
    pieces: list[str] = []
    at = 0
    while at < len(group):
        last = at + 1
        while last < len(group) and _same_charset(group[at], group[last]):
            last += 1
        pieces.append(_joined(group[at:last], context))
        at = last
    return "".join(pieces)


def _same_charset(one: _Word, other: _Word) -> bool:
    return plain_label(one.charset) == plain_label(other.charset)


def _joined(words: list[_Word], context: Context) -> str:
    label = words[0].charset
    octets = _octets(words)
    if len(octets) > 1 and not _is_cut_in_kanji(octets):
        separately = [context.text_of(piece, label) for piece in octets]
        if all("\ufffd" not in one.text and not one.is_guess for one in separately):
            return "".join(one.text for one in separately)
        # A fold inside a Q word left a space behind half a character.
        octets = [_SPACE_IN_CHARACTER.sub(b"", piece) for piece in octets]
    fallback = context.fallback if known_charset(label) is None else ""
    return context.text_of(b"".join(octets), label, fallback=fallback).text


def _is_cut_in_kanji(octets: list[bytes]) -> bool:
    """True when a word of ISO-2022-JP ends among two-byte characters and the next one goes on with them."""
    return any(_OPEN_KANJI.search(one) is not None and not other.startswith(b"\x1b") for one, other in pairwise(octets))


def _octets(words: list[_Word]) -> list[bytes]:
    """The bytes of each word; base64 that was cut in the middle of four letters is put together first."""
    found: list[bytes] = []
    carried = ""
    for word in words:
        if not word.is_base64:
            if carried:
                found.append(base64_octets(carried))
                carried = ""
            found.append(_quoted(word.payload))
            continue
        letters = carried + word.payload
        plain = _NOT_BASE64.sub("", letters)
        is_open = len(plain) % 4 != 0 and "=" not in letters and len(words) > 1
        carried = letters if is_open else ""
        if not is_open:
            found.append(base64_octets(letters))
    if carried:
        found.append(base64_octets(carried))
    return found


def base64_octets(letters: str) -> bytes:
    """What the letters say, whatever else stands among them and however they are padded. Padding starts afresh."""
    found = b""
    for run in re.split("=+", letters):
        plain = _NOT_BASE64.sub("", run)
        if len(plain) % 4 == 1:
            plain = plain[:-1]
        found += binascii.a2b_base64(plain + "=" * (-len(plain) % 4))
    return found


def _quoted(payload: str) -> bytes:
    """RFC 2047 Q: `_` is a space, =XX an octet; characters that should have been encoded are kept."""
    out = bytearray()
    # A lone `=` at the end is a line break that was folded away.
    payload = payload.removesuffix("=")
    at = 0
    for match in _HEX.finditer(payload):
        out += payload[at : match.start()].replace("_", " ").encode("utf-8", "replace")
        out.append(int(match.group(1), 16))
        at = match.end()
    out += payload[at:].replace("_", " ").encode("utf-8", "replace")
    return bytes(out)
