"""The tree of parts a mail consists of, as places in its bytes: nothing is copied or decoded until somebody asks.

Tolerant where mails are broken and bounded where they are hostile: boundaries that are missing, wrong or repeated; at
most 1,000 parts, 50 levels. What is beyond stays in the raw mail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from fumibako.mime.reading.fields import Fields, read_fields
from fumibako.mime.reading.parameters import Parameterised, read_parameters
from fumibako.mime.reading.transfer import decoded, decoded_size, known_encoding
from fumibako.mime.reading.words import Context

PARTS: Final = 1_000
DEPTH: Final = 50

_CONTENT_FIELD: Final = re.compile(rb"\r?\n--([^\r\n]{1,200}?)[ \t]*\r?\nContent-[A-Za-z-]+[ \t]*:", re.I)
_BEFORE: Final = re.compile(rb"(?:\xef\xbb\xbf[\r\n]{0,20}|[\r\n]{1,20})(?=[A-Za-z][A-Za-z-]{1,60}[ \t]*:)")
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,120}")


@dataclass(frozen=True, slots=True)
class Part:
    """One part, or the whole mail. `start` and `end` are where its body lies in `raw`.

    `children` are the parts of a multipart, or the one mail inside a message/rfc822.
    """

    raw: bytes = field(repr=False)
    fields: Fields
    start: int
    end: int
    type: str
    """Such as "text/plain", lower case, never empty."""
    parameters: Parameterised
    disposition: Parameterised
    encoding: str
    children: tuple[Part, ...] = ()

    def content(self, limit: int | None = None) -> bytes:
        """The body with its transfer encoding undone; of a longer body only what the first `limit` octets hold."""
        end = self.end if limit is None else min(self.end, self.start + limit)
        return decoded(self.raw[self.start : end], self.encoding)

    def size(self) -> int:
        """How many octets `content()` has."""
        return decoded_size(self.raw, self.start, self.end, self.encoding)

    def is_cut_by(self, limit: int) -> bool:
        """True when `content(limit)` is not everything."""
        return self.end - self.start > limit


@dataclass(slots=True)
class Survey:
    """What was met on the way through the parts."""

    count: int = 0
    has_too_many_parts: bool = False
    is_too_deep: bool = False
    is_header_cut: bool = False
    has_bad_boundary: bool = False


def with_line_feeds(raw: bytes) -> bytes:
    """A mail whose lines end in a lone CR, as if they ended in LF; every other mail as it is.

    A byte order mark and empty lines before the first field are not looked at.
    """
    before = _BEFORE.match(raw)
    if before is not None:
        raw = raw[before.end() :]
    if b"\r" in raw[:65536] and b"\n" not in raw:
        return raw.replace(b"\r", b"\n")
    return raw


def read_structure(raw: bytes, context: Context | None = None) -> tuple[Part, Survey]:
    """The tree of a mail. Never raises."""
    survey = Survey()
    return _part(raw, 0, len(raw), context or Context(), survey, 0, "text/plain"), survey


def _part(raw: bytes, start: int, end: int, context: Context, survey: Survey, depth: int, usual: str) -> Part:
    survey.count += 1
    fields, body = read_fields(raw, start, end)
    survey.is_header_cut = survey.is_header_cut or fields.is_cut
    kind = read_parameters(fields.first("Content-Type"), context)
    disposition = read_parameters(fields.first("Content-Disposition"), context)
    name = kind.value if _TYPE.fullmatch(kind.value) else _nearest_type(kind.value, usual)
    encoding = known_encoding(fields.first("Content-Transfer-Encoding"))
    children: tuple[Part, ...] = ()
    if name.startswith("multipart/"):
        children = _children(raw, body, end, kind.get("boundary"), context, survey, depth, name)
        children = _part_without_boundary(raw, fields, body, end, children, context) + children
        if not children:
            # Nothing to take apart: shown as the text it is.
            name = "text/plain"
    elif name in ("message/rfc822", "message/global"):
        # RFC 2045 §6.4 forbids base64 here, and some programs use it all the same.
        inner = decoded(raw[body:end], encoding) if encoding else raw
        children = _message_inside(inner, *((0, len(inner)) if encoding else (body, end)), context, survey, depth)
    return Part(raw, fields, body, end, name, kind, disposition, encoding, children)


def _nearest_type(value: str, usual: str) -> str:
    """What an incomplete or misspelt type stands for (RFC 2045 §5.2 says text/plain)."""
    if not value:
        return usual
    main = value.partition("/")[0].strip()
    if main == "multipart":
        return "multipart/mixed"
    if main == "text":
        return "text/html" if "html" in value else "text/plain"
    return "text/plain" if "/" not in value and value.isalpha() else "application/octet-stream"


def _children(
    raw: bytes, start: int, end: int, boundary: str, context: Context, survey: Survey, depth: int, name: str
) -> tuple[Part, ...]:
    if depth >= DEPTH:
        survey.is_too_deep = True
        return ()
    marker = boundary.rstrip(" \t").encode("utf-8", "surrogateescape")
    places = _places(raw, start, end, marker, survey) if marker else []
    if marker and not places:
        # Single quotation marks are no quotation marks here: they may be part of the boundary.
        places = _places(raw, start, end, b"'" + marker + b"'", survey)
    if not places:
        survey.has_bad_boundary = True
        # One character early: the first boundary may be the first line.
        guessed = _CONTENT_FIELD.search(raw, max(start - 2, 0), end)
        places = _places(raw, start, end, guessed.group(1), survey) if guessed else []
    usual = "message/rfc822" if name == "multipart/digest" else "text/plain"
    children = []
    for first, last in places:
        if survey.count >= PARTS:
            survey.has_too_many_parts = True
            break
        children.append(_part(raw, first, last, context, survey, depth + 1, usual))
    return tuple(children)


def _part_without_boundary(
    raw: bytes, fields: Fields, start: int, end: int, children: tuple[Part, ...], context: Context
) -> tuple[Part, ...]:
    """The first part of a multipart whose own fields run on in the multipart's: its boundary line got lost."""
    places = [place for place, one in enumerate(fields.all) if one.name.lower() == "content-type"]
    if len(places) < 2 or not children:
        return ()
    own = Fields(fields.all[places[1] :])
    kind = read_parameters(own.first("Content-Type"), context)
    last = raw.rfind(b"\n--", start, children[0].start)
    if not kind.value.startswith("text/") or not raw[start : max(last, start)].strip():
        return ()
    encoding = known_encoding(own.first("Content-Transfer-Encoding"))
    return (Part(raw, own, start, last, kind.value, kind, Parameterised(""), encoding),)


def _places(raw: bytes, start: int, end: int, marker: bytes, survey: Survey) -> list[tuple[int, int]]:
    """Where the parts between the boundary lines lie, each without the line end that belongs to the boundary."""
    line = re.compile(rb"(?:\A|(?<=\n))--" + re.escape(marker) + rb"(--)?[ \t]*(?:\r*\n|\Z)")
    places: list[tuple[int, int]] = []
    begun: int | None = None
    needle = b"--" + marker
    at = raw.find(needle, start, end)
    while at >= 0:
        match = line.match(raw, at, end) if at == start or raw[at - 1] == 0x0A else None
        if match is not None:
            if begun is not None:
                places.append((begun, _before_line_end(raw, begun, at)))
            begun = None if match.group(1) else match.end()
            if begun is None or survey.count + len(places) > PARTS:
                break
        at = raw.find(needle, at + len(needle), end)
    if begun is not None:
        survey.has_bad_boundary = survey.has_bad_boundary or at < 0
        places.append((begun, end))
    return places


def _before_line_end(raw: bytes, begun: int, at: int) -> int:
    if at > begun and raw[at - 1] == 0x0A:
        at -= 1
        if at > begun and raw[at - 1] == 0x0D:
            at -= 1
    return at


def _message_inside(raw: bytes, start: int, end: int, context: Context, survey: Survey, depth: int) -> tuple[Part, ...]:
    if depth >= DEPTH:
        survey.is_too_deep = True
        return ()
    if survey.count >= PARTS:
        survey.has_too_many_parts = True
        return ()
    return (_part(raw, start, end, context, survey, depth + 1, "text/plain"),)
