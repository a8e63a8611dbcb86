"""A mail seen as a possible notice of a mail system: its top level, its own words apart from the mail it returns.

What a person attached (a mail inside the mail) is never looked into for failures; it only tells about the original.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from fumibako.mime.reading.bodies import TEXT_OCTETS
from fumibako.mime.reading.charsets import decode
from fumibako.mime.reading.fields import Fields, read_fields
from fumibako.mime.reading.html_text import text_of_html
from fumibako.mime.reading.mailboxes import read_mailboxes
from fumibako.mime.reading.origin import carrier_of, charset_for_bare_bytes
from fumibako.mime.reading.plain_text import with_line_feeds
from fumibako.mime.reading.structure import Part, read_structure
from fumibako.mime.reading.structure import with_line_feeds as with_lf_bytes
from fumibako.mime.reading.words import Context, header_text

WORDS: Final = 200_000
"""Characters of a notice's own text that are looked at; real ones have a few thousand."""
STATUS_OCTETS: Final = 1_000_000
RETURNED_OCTETS: Final = 256 * 1024

STATUS_TYPES: Final = frozenset(("message/delivery-status", "message/global-delivery-status"))
_MISSPELT_STATUS: Final = re.compile(r"(?:message|text|application)/x?-?delivery-?(?:status|report|error|notification)")
_RECEIPTS: Final = frozenset(("message/disposition-notification", "message/global-disposition-notification"))
_MAILS: Final = frozenset(("message/rfc822", "message/global"))
_HEADERS: Final = frozenset(
    ("text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers", "message/global-headers", "text/rfc822")
)
_HEADER_LINE: Final = re.compile(r"(?:Received|Return-Path|From|To|Subject|Message-ID|Date|MIME-Version)[ \t]*:", re.I)
_STATUS_INSIDE: Final = re.compile(
    r"^(?:Reporting-MTA|Original-Recipient|Final-Recipient)[ \t]*:[ \t]*[a-z0-9/-]{2,12}[ \t]*;", re.I | re.M
)
_RECIPIENT_INSIDE: Final = re.compile(
    r"^Final-Recipient[ \t]*:[ \t]*[a-z0-9/-]{2,12}[ \t]*;[^\n]*(?:\n[^\n]+){0,6}\nAction[ \t]*:|"
    r"^Action[ \t]*:[^\n]*(?:\n[^\n]+){0,6}\nFinal-Recipient[ \t]*:",
    re.I | re.M,
)
_SECTION: Final = re.compile(
    r"^ ?--[^\n]{2,200}\n(?:Content-[A-Za-z-]{3,40}:[^\n]{0,500}\n(?:[ \t][^\n]{0,500}\n){0,4}){1,8}", re.M | re.I
)
_LONG_SPACE: Final = re.compile(r"[ \t\f\v\u3000\xa0]{60,}")
_EMPTY_LINES: Final = re.compile(r"\n(?:[ \t]{0,60}\n){3,}")
_SECTION_TYPE: Final = re.compile(r"^Content-Type[ \t]*:[ \t]*([a-z]+/[a-z0-9.+-]+)", re.I | re.M)


@dataclass(slots=True)
class Notice:
    """A mail taken apart. `words` are its own, in the order of the parts; `returned` is the mail it brings back."""

    raw: bytes = field(repr=False)
    fields: Fields
    context: Context
    type: str = ""
    report_type: str = ""
    words: str = ""
    statuses: list[str] = field(default_factory=list)
    """The texts of its delivery-status parts."""
    returned: Fields | None = None
    returned_words: str = ""
    has_mail_inside: bool = False
    inside: bytes = field(default=b"", repr=False)
    """The first mail inside this one."""
    has_feedback: bool = False
    has_receipt: bool = False
    is_cut_short: bool = False

    def header(self, name: str) -> str:
        """A field's value as text; "" when it is missing."""
        return header_text(self.fields.first(name)[:8_000], self.context)

    def addresses(self, name: str) -> list[str]:
        """The addresses of a field."""
        found, _ = read_mailboxes(self.fields.first(name)[:64_000], self.context)
        return [mailbox.address for mailbox in found[:50] if mailbox.address]


def read_notice(raw: bytes) -> Notice:
    """Take a mail apart. Never raises."""
    raw = with_lf_bytes(raw)
    fields, _ = read_fields(raw, 0, len(raw))
    context = Context(carrier_of(fields), charset_for_bare_bytes(raw))
    top, _ = read_structure(raw, context)
    notice = Notice(raw, top.fields, context, top.type, _report_type(top))
    pieces: list[str] = []
    _walk(top, notice, pieces, 0)
    notice.words = _take_sections(_calm("\n".join(pieces)[:WORDS]), notice)
    return notice


def _calm(text: str) -> str:
    """The text without long runs of space and empty lines, which every pattern would have to walk through."""
    return _EMPTY_LINES.sub("\n\n\n", _LONG_SPACE.sub("    ", text))


def _report_type(top: Part) -> str:
    if not top.parameters.value.startswith("multipart/"):
        return ""
    return top.parameters.get("report-type").strip().lower()


def _walk(part: Part, notice: Notice, pieces: list[str], depth: int) -> None:
    """Top-level structure only: multiparts are entered, mails inside the mail are not."""
    if part.type == "multipart/alternative":
        pieces += _alternative(part, notice, depth)
    elif part.type.startswith("multipart/"):
        for child in part.children[:100] if depth < 6 else ():
            _walk(child, notice, pieces, depth + 1)
    elif part.type in _MAILS and depth:
        _take_returned(part.children[0].fields if part.children else None, part, notice)
        notice.has_mail_inside = True
        notice.inside = notice.inside or part.content()
    elif depth and (part.type in _HEADERS or part.type == "message/partial"):
        fields, _ = read_fields(part.content(RETURNED_OCTETS), 0, RETURNED_OCTETS)
        _take_returned(fields, part, notice)
    elif part.type in STATUS_TYPES or _MISSPELT_STATUS.fullmatch(part.type):
        notice.statuses.append(_status_text(part, notice))
    else:
        _leaf(part, notice, pieces, depth)


def _leaf(part: Part, notice: Notice, pieces: list[str], depth: int) -> None:
    notice.has_receipt = notice.has_receipt or part.type in _RECEIPTS
    notice.has_feedback = notice.has_feedback or part.type == "message/feedback-report"
    if not part.type.startswith("text/") and not (part.type in _MAILS and not depth):
        return
    text = _text(part, notice)
    if depth and pieces and notice.returned is None and _is_header_block(text):
        fields, _ = read_fields(text.encode("utf-8", "replace"), 0, RETURNED_OCTETS)
        _take_returned(fields, part, notice)
    elif notice.returned is None and sum(map(len, pieces)) < WORDS:
        pieces.append(text)


def _alternative(part: Part, notice: Notice, depth: int) -> list[str]:
    """The plain text of an alternative, or its HTML where the plain text says nothing."""
    offered: list[tuple[str, list[str]]] = []
    for child in part.children[:10]:
        mine: list[str] = []
        _walk(child, notice, mine, depth + 1)
        offered.append((child.type, mine))
    plain = [text for kind, texts in offered if kind == "text/plain" for text in texts]
    if sum(len(text.strip()) for text in plain) > 20:
        return plain
    return [text for _, texts in offered for text in texts]


def _text(part: Part, notice: Notice) -> str:
    raw = part.content(min(TEXT_OCTETS, WORDS * 4))
    text = decode(
        raw, part.parameters.get("charset"), carrier=notice.context.carrier, fallback=notice.context.fallback
    ).text
    if part.type == "text/html" or text.lstrip()[:200].lower().startswith(("<html", "<!doctype html")):
        text = text_of_html(text)
    return with_line_feeds(text)


def _status_text(part: Part, notice: Notice) -> str:
    raw = part.content(STATUS_OCTETS)
    return with_line_feeds(decode(raw, part.parameters.get("charset") or "utf-8", carrier=notice.context.carrier).text)


def _is_header_block(text: str) -> bool:
    """True when a text part begins with the header of a mail."""
    lines = [line for line in text.lstrip("\n").split("\n", 60)[:60] if line and line[0] not in " \t"]
    named = [line for line in lines[:6] if _HEADER_LINE.match(line)]
    return len(named) >= 2 and re.match(r"[A-Za-z][A-Za-z0-9-]{1,40}:", lines[0]) is not None


def _take_returned(fields: Fields | None, part: Part, notice: Notice) -> None:
    if notice.returned is None and fields is not None:
        notice.returned = fields
        notice.returned_words = part.content(4_000).decode("latin-1")


def _take_sections(text: str, notice: Notice) -> str:
    """The text without parts whose boundaries nobody announced; what they carry is taken like the parts they are."""
    first = _SECTION.search(text)
    if first is None:
        return _take_status(text, notice)
    pieces = [text[: first.start()]]
    sections = list(_SECTION.finditer(text))[:50]
    for place, match in enumerate(sections):
        end = sections[place + 1].start() if place + 1 < len(sections) else len(text)
        kind = _SECTION_TYPE.search(match.group())
        name = kind.group(1).lower() if kind else ""
        body = text[match.end() : end].lstrip("\n")
        if name in STATUS_TYPES:
            notice.statuses.append(body)
        elif name in _MAILS or name in _HEADERS:
            fields, _ = read_fields(body.encode("utf-8", "replace"), 0, RETURNED_OCTETS)
            notice.returned = notice.returned or fields
            break
        elif name.startswith("text/"):
            pieces.append(body)
    return _take_status("\n".join(pieces), notice)


def _take_status(text: str, notice: Notice) -> str:
    """The text without a status report that somebody pasted into it as it was."""
    match = _STATUS_INSIDE.search(text)
    if notice.statuses or match is None or _RECIPIENT_INSIDE.search(text, match.start()) is None:
        return text
    notice.statuses.append(text[match.start() :])
    return text[: match.start()]
