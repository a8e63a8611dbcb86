"""A first look at a mail's head: most mail is surely no notice of any mail system, and need not be read for one.

The answer is only "surely ordinary" where every way of `recognising` to another answer asks for something that is not
there: a system's signature, a failing subject, a report, a field that robots write. Whatever is unclear is read.
"""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.bounce.automatic import COMPLAINT_SUBJECT
from fumibako.mime.bounce.senders import (
    DELAY_SUBJECTS,
    FAILING_SUBJECTS,
    REPLYING_SUBJECTS,
    is_null_path,
    is_system_address,
    is_system_name,
)
from fumibako.mime.reading.fields import Fields, read_fields
from fumibako.mime.reading.mailboxes import read_mailboxes
from fumibako.mime.reading.structure import with_line_feeds
from fumibako.mime.reading.words import Context, header_text

_TELLING: Final = frozenset(
    (
        *("x-failed-recipients", "auto-submitted", "x-autoreply", "x-autorespond", "x-autoresponder"),
        *("x-auto-response-suppress", "x-mlserver"),
    )
)
"""Fields that only programs write."""
_TELLING_PARTS: Final = (b"feedback-report", b"disposition-notification", b"notificationtype", b"eventtype")
"""What reports and notifications that anybody may have signed carry, in parts or in their text."""
_UNCODED: Final = re.compile(rb"[\x1b\x80-\xff]")
_NOTIFICATION: Final = re.compile(r"amazonaws\.com|amazonses\.com", re.I)


def is_surely_ordinary(raw: bytes) -> bool:
    """Whether nothing at all speaks for a notice, a report or the answer of a robot."""
    raw = with_line_feeds(raw)
    fields, _ = read_fields(raw, 0, len(raw))
    if fields.is_cut or any(field.name.lower() in _TELLING for field in fields.all):
        return False
    if b"report" in fields.first("Content-Type").lower() or b"auto" in fields.first("Precedence").lower():
        return False
    if not _is_signed_by_somebody(fields):
        return False
    lowered = raw.lower()
    return not any(part in lowered for part in _TELLING_PARTS)


def _is_signed_by_somebody(fields: Fields) -> bool:
    """Whether a sender with an address of a person or company signed it, under a subject that tells of no failing."""
    named, subject = fields.first("From"), fields.first("Subject")
    if _UNCODED.search(named) or _UNCODED.search(subject):
        return False
    context = Context()
    if "Return-Path" in fields and is_null_path(header_text(fields.first("Return-Path")[:8_000], context)):
        return False
    senders, _ = read_mailboxes(named[:64_000], context)
    addresses = [one.address for one in senders if one.address]
    if not addresses or any(is_system_address(address) for address in addresses):
        return False
    others, _ = read_mailboxes(fields.first("Sender")[:64_000], context)
    if any(is_system_address(one.address) for one in others if one.address):
        return False
    name = header_text(named[:8_000], context)
    if is_system_name(name) or _NOTIFICATION.search(name):
        return False
    title = header_text(subject[:8_000], context)
    lowered = title.lower()
    words = (FAILING_SUBJECTS, DELAY_SUBJECTS, REPLYING_SUBJECTS)
    return not any(one.search(lowered) for one in words) and COMPLAINT_SUBJECT.search(title) is None
