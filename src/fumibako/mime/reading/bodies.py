"""What a reader of the mail sees: its text, its HTML, its files, and the texts of mails enclosed in it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import unquote

from fumibako.mime.reading.file_names import file_name_of
from fumibako.mime.reading.html_text import text_of_html
from fumibako.mime.reading.pictograms import with_emoji_in_page
from fumibako.mime.reading.plain_text import unflowed, with_line_feeds
from fumibako.mime.reading.structure import Part
from fumibako.mime.reading.uuencoded import without_uuencoded
from fumibako.mime.reading.words import Context, plain_label

TEXT_OCTETS: Final = 2 * 1024 * 1024
"""All texts of one mail together; files are not counted."""

_META: Final = re.compile(
    rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})|<\?xml[^>]{0,100}encoding=[\"']([A-Za-z0-9_.:-]{2,40})",
    re.I,
)
_CID: Final = re.compile(r"\bcid:([^\"'\s<>)]{1,500})", re.I)
_MARKUP: Final = re.compile(r"<[^<>]{0,200}>")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail. Its octets stay where they are in the mail until `raw` is called.

    `name` is text to show, never a path; "" when the mail gives none. `content_type` is what the mail claims. `size` in
    octets, decoded. `content_id` without angle brackets; `is_inline` when the HTML shows it in its place.
    """

    name: str
    content_type: str
    size: int
    content_id: str
    is_inline: bool
    _part: Part = field(repr=False)

    def raw(self) -> bytes:
        """The octets of the file, transfer encoding undone."""
        return self._part.content()


@dataclass(frozen=True, slots=True)
class _Shown:
    """One piece of text; both forms where the mail offers alternatives."""

    plain: str | None
    page: str | None


@dataclass(slots=True)
class Body:
    """What was found, in the order of the mail."""

    shown: list[_Shown] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    enclosed: list[str] = field(default_factory=list)
    charset: str = ""
    is_guessed: bool = False
    is_damaged: bool = False
    is_cut: bool = False
    left: int = TEXT_OCTETS

    def text(self) -> str:
        """All text; HTML only where there is no plain text for it."""
        pieces = [one.plain if one.plain and one.plain.strip() else text_of_html(one.page or "") for one in self.shown]
        return "\n".join(piece.strip("\n") for piece in pieces if piece.strip())

    def page(self) -> str:
        """All HTML, plain pieces among it escaped; "" when the mail has none."""
        if not any(one.page for one in self.shown):
            return ""
        return "\n".join(one.page or f"<pre>{html.escape(one.plain or '')}</pre>" for one in self.shown)


def read_bodies(top: Part, context: Context) -> Body:
    """Walk the parts. Never raises; of more than 2 MiB of text the rest is left out and `is_cut` is set."""
    body = Body()
    _walk(top, body, context, is_enclosed=False)
    shown = {unquote(match.group(1)) for one in body.shown for match in _CID.finditer(html.unescape(one.page or ""))}
    body.attachments = [replace(one, is_inline=one.content_id in shown) for one in body.attachments]
    return body


def labels_of(part: Part) -> frozenset[str]:
    """The charsets that the texts of this part claim to be in."""
    labels = [plain_label(part.parameters.get("charset"))] if part.type.startswith("text/") else []
    return frozenset(label for label in labels if label).union(*map(labels_of, part.children))


def _walk(part: Part, body: Body, context: Context, *, is_enclosed: bool) -> None:
    if part.type == "multipart/alternative":
        _alternatives(part, body, context, is_enclosed=is_enclosed)
    elif part.type.startswith("multipart/"):
        for child in part.children:
            _walk(child, body, context, is_enclosed=is_enclosed)
    elif part.type in ("message/rfc822", "message/global") and part.children:
        _enclosed_mail(part, body, context, is_enclosed=is_enclosed)
    else:
        _leaf(part, body, context)


def _alternatives(part: Part, body: Body, context: Context, *, is_enclosed: bool) -> None:
    before = len(body.shown)
    for child in part.children:
        _walk(child, body, context, is_enclosed=is_enclosed)
    offered = body.shown[before:]
    plain = [one.plain for one in offered if one.plain and one.plain.strip() and one.page is None]
    pages = [one.page for one in offered if one.page]
    body.shown[before:] = [_Shown("\n".join(plain) or None, "\n".join(pages) or None)] if offered else []


def _enclosed_mail(part: Part, body: Body, context: Context, *, is_enclosed: bool) -> None:
    inner = part.children[0]
    if not is_enclosed:
        name = file_name_of(part, context)
        body.attachments.append(_file(part, name))
    mine = Body(left=body.left)
    _walk(inner, mine, context, is_enclosed=True)
    body.left, body.is_cut = mine.left, body.is_cut or mine.is_cut
    text = mine.text()
    body.enclosed += [*([text] if text else []), *mine.enclosed]
    # Files inside an enclosed mail are offered as well: to the reader they are files of this mail.
    body.attachments += mine.attachments


def _leaf(part: Part, body: Body, context: Context) -> None:
    name = file_name_of(part, context)
    is_file = _is_file(part, name, body)
    if is_file or name:
        body.attachments.append(_file(part, name))
    if is_file:
        return
    text = _text_of(part, body, context)
    if part.type == "text/html":
        body.shown.append(_Shown(None, with_emoji_in_page(text, context.carrier)))
    elif part.type in ("text/enriched", "text/richtext"):
        body.shown.append(_Shown(html.unescape(_MARKUP.sub("", text)), None))
    else:
        if not part.encoding:
            text = _without_uuencoded(text, body)
        flows = part.parameters.get("format").lower() == "flowed"
        plain = unflowed(text, delete_space=part.parameters.get("delsp").lower() == "yes") if flows else text
        body.shown.append(_Shown(plain, None))


def _without_uuencoded(text: str, body: Body) -> str:
    """The text without the files that programs before MIME wrote into it; they are attachments like others."""
    kept, files = without_uuencoded(text)
    body.attachments += [_file(one, file_name_of(one, Context())) for one in files]
    return kept


def _is_file(part: Part, name: str, body: Body) -> bool:
    if part.disposition.value == "attachment":
        return True
    if part.type == "text/html":
        return bool(name) and bool(body.shown)
    if part.type in ("text/plain", "text/enriched", "text/richtext"):
        return False
    is_only_part = part.start and not body.shown and part.end == len(part.raw)
    return not (part.type.startswith("text/") and part.type not in _DATA and not name and is_only_part)


_DATA: Final = frozenset(("text/calendar", "text/vcard", "text/x-vcard", "text/csv", "text/directory"))


def _file(part: Part, name: str) -> Attachment:
    size = part.size()
    content_id = part.fields.first("Content-ID").decode("ascii", "replace").strip().strip("<>").strip()
    return Attachment(name, part.type, size, content_id, False, part)


def _text_of(part: Part, body: Body, context: Context) -> str:
    raw = part.content(body.left)
    body.is_cut = body.is_cut or part.is_cut_by(body.left)
    body.left = max(0, body.left - (part.end - part.start))
    label = part.parameters.get("charset")
    if part.type == "text/html":
        meta = _META.search(raw, 0, 4096)
        if meta is not None and not label:
            label = (meta.group(1) or meta.group(2)).decode("ascii")
    decoded = context.text_of(raw, "" if context.chosen else label, fallback=context.fallback)
    body.charset = body.charset or decoded.charset
    body.is_guessed = body.is_guessed or decoded.is_guess
    body.is_damaged = body.is_damaged or "\ufffd" in decoded.text
    return with_line_feeds(decoded.text)
