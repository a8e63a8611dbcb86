"""From the first lines of a mail (POP3 `TOP n 0`): may it be an error mail, before it is fetched whole."""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.bounce.senders import (
    DELAY_SUBJECTS,
    FAILING_SUBJECTS,
    is_null_path,
    is_system_address,
    is_system_name,
)
from fumibako.mime.reading.fields import HEADER_OCTETS, Fields, read_fields
from fumibako.mime.reading.mailboxes import read_mailboxes
from fumibako.mime.reading.structure import with_line_feeds
from fumibako.mime.reading.words import Context, header_text

_END: Final = re.compile(rb"\r?\n\r?\n")
_REPORT: Final = re.compile(r"report-type\s*=\s*\"?\s*(delivery-status|global-delivery-status)", re.I)
_OTHER_REPORT: Final = re.compile(r"report-type\s*=\s*\"?\s*(feedback-report|disposition-notification|tlsrpt)", re.I)
_NOTIFICATION: Final = re.compile(r"@(?:sns\.amazonaws\.com|(?:[\w.-]+\.)?amazonses\.com)", re.I)


def head_is_bounce(top: bytes) -> bool | None:
    """True for an error mail or another notice of a mail system, False for surely none, None when the head cannot tell.

    False only for a complete head that a person or program signed and that has a return path and no word of failing:
    whoever gets None fetches the mail whole and asks `recognise`.
    """
    raw = with_line_feeds(top[: HEADER_OCTETS * 2])
    is_whole = _END.search(raw) is not None
    fields, _ = read_fields(raw, 0, len(raw))
    context = Context()
    kind = header_text(fields.first("Content-Type")[:4_000], context)
    if _REPORT.search(kind) or fields.first("X-Failed-Recipients"):
        return True
    subject = header_text(fields.first("Subject")[:4_000], context).lower()
    is_failing = FAILING_SUBJECTS.search(subject) is not None or DELAY_SUBJECTS.search(subject) is not None
    is_system = _is_system(fields, context)
    if is_system and is_failing:
        return True
    if not is_whole or not fields.all:
        return None
    if is_system or is_failing or _may_still_be(fields, kind, context):
        return None
    return False


def _is_system(fields: Fields, context: Context) -> bool:
    senders, _ = read_mailboxes(fields.first("From")[:8_000], context)
    if any(is_system_address(one.address) for one in senders):
        return True
    if "Return-Path" in fields and is_null_path(header_text(fields.first("Return-Path")[:500], context)):
        return True
    return not any(one.address for one in senders)


def _may_still_be(fields: Fields, kind: str, context: Context) -> bool:
    """What error mails of unusual systems have and ordinary mails rarely do."""
    if kind.lower().startswith("multipart/report") and not _OTHER_REPORT.search(kind):
        return True
    sender = header_text(fields.first("From")[:2_000], context)
    if is_system_name(sender):
        return True
    return _NOTIFICATION.search(sender) is not None or any(
        name in fields for name in ("X-MLServer", "X-Autoreply", "Auto-Submitted", "X-Loop")
    )
