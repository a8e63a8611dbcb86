"""The mail that failed, as far as the notice brings it back: its header fields, from a part or from quoted text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from fumibako.mime.bounce.notice import Notice
from fumibako.mime.bounce.report import Original
from fumibako.mime.reading.fields import Fields, read_fields
from fumibako.mime.reading.mailboxes import read_mailboxes
from fumibako.mime.reading.words import header_text

HEADERS: Final = 100
VALUE_CHARACTERS: Final = 1_000
RETURNED: Final = 64 * 1024

_ID: Final = re.compile(r"<([^<>\s]{1,998})>")
_QUOTE: Final = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.M)
_FIELD: Final = re.compile(r"^[ \t]{0,3}([A-Za-z][A-Za-z0-9-]{1,60}[ \t]*:)", re.M)
_TELLING: Final = re.compile(r"^(?:From|To|Subject|Message-ID|Date|Received|Return-Path)[ \t]*:", re.I | re.M)
_ID_INSIDE: Final = re.compile(
    r"(?:original-|x-original-)?message-?id[ \t]*[:=][ \t]*<?([^\s<>\"']{3,250}@[^\s<>\"']{1,250})>?", re.I
)


def original_of(notice: Notice, returned: str, own: str) -> Original:
    """What the returned part, the returned text or the status report tells of the original."""
    fields = notice.returned
    if fields is None or not _tells(fields):
        fields = _quoted_fields(returned) or fields
    status = "\n".join(notice.statuses)[:RETURNED]
    if fields is None or not _tells(fields):
        fields = _quoted_fields(own)
    if fields is None:
        return Original(message_id=_inside(status) or _inside(own))
    original = _read(fields, notice)
    if original.message_id:
        return original
    return Original(
        _inside(status) or _inside(own), original.from_address, original.to_addresses, original.subject,
        original.sent_at, original.headers,
    )  # fmt: skip


def _tells(fields: Fields) -> bool:
    return any(name in fields for name in ("From", "To", "Message-ID", "Subject"))


def _quoted_fields(text: str) -> Fields | None:
    """Header fields in text, quoted or indented by the same mark; None when there is no header."""
    text = text[:RETURNED]
    match = _TELLING.search(_QUOTE.sub("", text)) if text else None
    if match is None:
        return None
    plain = _QUOTE.sub("", text).lstrip("\n")
    start = plain.rfind("\n\n", 0, match.start() + 1)
    block = plain[max(start, 0) :].lstrip("\n") if start >= 0 else plain
    block = _FIELD.sub(r"\1", block)
    first = _FIELD.search(block)
    if first is None:
        return None
    raw = block[first.start() :].encode("utf-8", "replace")
    fields, _ = read_fields(raw, 0, len(raw))
    return fields if _tells(fields) else None


def _read(fields: Fields, notice: Notice) -> Original:
    context = notice.context
    senders, _ = read_mailboxes(fields.first("From") or fields.first("Return-Path") or fields.first("Sender"), context)
    recipients, _ = read_mailboxes(b",".join(fields.values("To")[:20])[:64_000], context)
    return Original(
        message_id=_bare_id(fields.first("Message-ID")),
        from_address=next((sender.address for sender in senders if sender.address), ""),
        to_addresses=tuple(dict.fromkeys(one.address for one in recipients[:100] if one.address)),
        subject=header_text(fields.first("Subject"), context)[:VALUE_CHARACTERS],
        sent_at=_moment(fields.first("Date")),
        headers=tuple(
            (field.name, header_text(field.value, context)[:VALUE_CHARACTERS]) for field in fields.all[:HEADERS]
        ),
    )


def _bare_id(value: bytes) -> str:
    text = value[:2_000].decode("ascii", "replace")
    match = _ID.search(text)
    if match is not None:
        return match.group(1)
    words = text.split()
    return words[0].strip("<>") if words and "@" in words[0] else ""


def _inside(text: str) -> str:
    match = _ID_INSIDE.search(text[:RETURNED])
    return match.group(1) if match is not None else ""


def _moment(value: bytes) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header_text(value[:200]))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
