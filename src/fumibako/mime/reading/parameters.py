"""Content-Type and Content-Disposition: their value and parameters, RFC 2231 included, in every form they come in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from fumibako.mime.reading.words import Context, decode_words, raw_text

PARAMETERS: Final = 500
VALUE_CHARACTERS: Final = 64_000
SHORT_OCTETS: Final = 200
"""A value of so much is remembered: most mails say one of a few things."""

_NAME: Final = re.compile(r"\s*([^\s=;\"]{1,80}?)\s*=\s*")
# One of these after white space begins a parameter whose semicolon got lost.
_NEXT: Final = (
    r"\s+(?:charset|name|filename|boundary|format|delsp|type|size|start|protocol|micalg|x-[a-z-]{1,30})"
    r"(?:\*\d{0,3}\*?)?\s*="
)
_LOST: Final = re.compile(_NEXT, re.I)
_UNQUOTED: Final = re.compile(rf"[^;]*?(?=;|\Z|{_NEXT})", re.I)
_WORDS: Final = re.compile(r"(?:=\?[^?\s]{0,60}\?[BbQq]\?[^?]*\?=[ \t]*)+")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|\Z)', re.S)
_PAIR: Final = re.compile(r"""\\(["'\\])""")
_SEGMENT: Final = re.compile(r"(.+?)\*(\d{1,4})?(\*)?\Z")
_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_CHARSET: Final = re.compile(r"([^'\s]{0,40})'([^']{0,40})'")
_COMMENT: Final = re.compile(r"(?:\A|(?<=\s))\([^()\"=]{0,200}\)")
_END: Final = re.compile(r'"\s*(?:;|\Z)')


@dataclass(frozen=True, slots=True)
class Parameterised:
    """A value such as `text/plain` in lower case, and its parameters by lower-case name, decoded. Never changed."""

    value: str
    parameters: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """The parameter, or ""."""
        return self.parameters.get(name, "")


def read_parameters(raw: bytes, context: Context) -> Parameterised:
    """Read a field's value. The first of two parameters with one name counts, an RFC 2231 form before a plain one."""
    return _read_short(raw, context) if len(raw) <= SHORT_OCTETS else _read(raw, context)


def _read(raw: bytes, context: Context) -> Parameterised:
    text = raw_text(raw, context)[:VALUE_CHARACTERS]
    value, _, rest = text.partition(";")
    value = _COMMENT.sub(" ", value)
    words = value.strip().split(None, 1)
    if _LOST.search(value) and "=" not in words[0]:
        # `text/plain charset=utf-8`
        value, rest = words[0], f"{words[-1]};{rest}"
    elif "=" in value and "/" not in value.partition("=")[0]:
        value, rest = "", text
    plain, segments = _collected(rest)
    decoded = {name: _unworded(found, context) for name, found in plain.items()}
    for name, parts in segments.items():
        joined = _joined(parts, context)
        if joined:
            decoded[name] = joined
    return Parameterised(value.strip().strip('"').lower(), decoded)


_read_short = lru_cache(maxsize=64)(_read)


def _collected(text: str) -> tuple[dict[str, str], dict[str, list[tuple[int, bool, str]]]]:
    plain: dict[str, str] = {}
    segments: dict[str, list[tuple[int, bool, str]]] = {}
    at = 0
    for _ in range(PARAMETERS):
        match = _NAME.match(text, at)
        if match is None:
            following = text.find(";", at)
            if following < 0:
                break
            at = following + 1
            continue
        value, at = _value(text, match.end())
        name = match.group(1).lower()
        segment = _SEGMENT.match(name)
        if segment is not None:
            number, is_encoded = int(segment.group(2) or 0), segment.group(3) == "*" or segment.group(2) is None
            segments.setdefault(segment.group(1), []).append((number, is_encoded, value))
        else:
            plain.setdefault(name, value)
    return plain, segments


def _value(text: str, at: int) -> tuple[str, int]:
    """(value, where the next parameter begins)."""
    if text.startswith('"', at):
        match = _QUOTED.match(text, at)
        inner, end = (match.group(1), match.end()) if match else ("", at + 1)
        if _LOST.match(text, end):
            return _PAIR.sub(r"\1", inner), end
        rest = _UNQUOTED.match(text, end)
        tail = rest.group() if rest else ""
        # A quotation mark inside a name that nobody escaped: the value goes on to the one before `;` or the end.
        close = _END.search(text, end) if tail.strip() else None
        if close is not None and "=" not in text[end : close.start()]:
            inner, end = text[at + 1 : close.start()], close.start() + 1
            rest = _UNQUOTED.match(text, end)
        return _PAIR.sub(r"\1", inner), (rest.end() if rest else end) + 1
    words = _WORDS.match(text, at)
    if words is not None:
        end = text.find(";", words.end())
        return text[at : end if end >= 0 else len(text)].strip(), (end if end >= 0 else len(text)) + 1
    match = _UNQUOTED.match(text, at)
    value, end = (match.group(), match.end()) if match else ("", at)
    return _without_comment(value.strip().rstrip('"')), end + text.startswith(";", end)


def _without_comment(value: str) -> str:
    """`us-ascii (Plain text)` → `us-ascii`; a file name with brackets in it has no space before them or is kept."""
    before, bracket, _ = value.partition(" (")
    return before.strip() if bracket and value.endswith(")") and "." not in value else value.strip("'") or value


def _unworded(value: str, context: Context) -> str:
    if "=?" in value:
        return decode_words(value, context)
    if "%" in value and "''" in value:
        charset = _CHARSET.match(value)
        if charset is not None:
            return context.text_of(_unpercent(value[charset.end() :]), charset.group(1)).text
    return _unpercented_name(value)


def _unpercented_name(value: str) -> str:
    """`%E8%A1%A8.pdf` in a plain parameter, as some webmails write it: decoded when it is UTF-8 beyond ASCII."""
    if value.count("%") < 3 or not value.isascii():
        return value
    raw = _unpercent(value)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return value
    return text if not text.isascii() else value


def _unpercent(value: str) -> bytes:
    return _PERCENT.sub(lambda match: bytes((int(match.group(1), 16),)), value.encode("utf-8", "surrogateescape"))


def _joined(parts: list[tuple[int, bool, str]], context: Context) -> str:
    """RFC 2231 §3 and §4: the segments in order of their numbers, joined as bytes, decoded once."""
    ordered = sorted({number: (number, is_encoded, value) for number, is_encoded, value in reversed(parts)}.values())
    label = ""
    octets = b""
    has_encoded = False
    for place, (_, is_encoded, value) in enumerate(ordered):
        if place == 0:
            charset = _CHARSET.match(value) if is_encoded else None
            if charset is not None:
                label, value = charset.group(1), value[charset.end() :]
        elif label and is_encoded:
            # Only the first segment names the charset (§4.1), but some programs repeat it.
            value = re.sub(rf"\A{re.escape(label)}'(?:[A-Za-z-]{{0,8}}')?", "", value)
        has_encoded = has_encoded or is_encoded
        octets += _unpercent(value) if is_encoded else value.encode("utf-8", "surrogateescape")
    text = context.text_of(octets, label, fallback=context.fallback).text if has_encoded else ""
    if not has_encoded:
        text = octets.decode("utf-8", "replace")
    return decode_words(text, context) if "=?" in text else text
