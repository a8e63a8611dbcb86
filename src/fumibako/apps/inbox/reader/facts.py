"""From the bytes of a mail to the facts that a row can hold: plain values with limits, made in the child process."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from fumibako.mime.addresses import address_key
from fumibako.mime.bounce import Kind, Report, recognise
from fumibako.mime.read import Attachment, Mailbox, ReadMail, read

from .answers import answer_in
from .grams import grams_of

Facts = dict[str, Any]
"""Plain JSON."""

TEXT_CHARACTERS: Final = 400_000
SNIPPET_CHARACTERS: Final = 120
LIST_CHARACTERS: Final = 20_000
ADDRESSES: Final = 1_000
ATTACHMENTS: Final = 1_000
FAILURES: Final = 200
REFERENCES: Final = 100
TOKENS: Final = 50

OUR_ID: Final = re.compile(r"fb\.(\d{1,10})\.(\d{1,10})\.([0-9a-f]{24})@[A-Za-z0-9.-]{1,190}")
"""The left side of every Message-ID that `apps.sending.build.Identities` gives."""
_SPACE: Final = re.compile(r"\s+")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def facts_of(raw: bytes, charset: str = "") -> Facts:
    """Everything one mail tells. Never raises for what it holds, but for memory and time."""
    mail = read(raw, charset)
    report = recognise(raw)
    text = _clean(mail.text)[:TEXT_CHARACTERS]
    is_cut = len(mail.text) > TEXT_CHARACTERS
    problems = dict.fromkeys([*map(str, mail.problems), *(["text_cut"] if is_cut else [])])
    facts = {
        "kind": str(report.kind),
        "subject": _clean(mail.subject)[:500],
        **_people(mail),
        "sent_at": _moment(mail.sent_at),
        "message_id": _bare(mail.message_id),
        "in_reply_to": _bare(mail.in_reply_to),
        "references": [_bare(one) for one in mail.references[-REFERENCES:]],
        "text": text,
        "snippet": _SPACE.sub(" ", text[:2_000]).strip()[:SNIPPET_CHARACTERS],
        "has_html": bool(mail.html),
        "charset": mail.charset[:20],
        "problems": list(problems),
        "attachments": [_attachment(one) for one in mail.attachments[:ATTACHMENTS]],
        "answer": answer_in(text) if report.kind is Kind.ORDINARY else "",
        **_bounces(raw, mail, report),
    }
    return facts | {"grams": grams_by_field(facts)}


def texts_by_field(facts: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Where words are looked for in a mail: sender, recipients, subject, text."""
    sender = f"{facts['from_name']} {facts['from_address']}"
    return sender, f"{facts['to_text']}, {facts['cc_text']}", facts["subject"], facts["text"]


def grams_by_field(facts: Mapping[str, Any]) -> list[str]:
    """The same as the search table takes it."""
    return [" ".join(grams_of(text)) for text in texts_by_field(facts)]


def _people(mail: ReadMail) -> Facts:
    copies = {"to": mail.to, "cc": mail.cc}
    return {
        "from_name": _clean(mail.from_.name)[:200],
        "from_address": _clean(mail.from_.address)[:254],
        "from_key": _key(mail.from_.address),
        "to_text": _list(mail.to),
        "cc_text": _list(mail.cc),
        "reply_to_text": _list(mail.reply_to),
        **{f"{name}_keys": list(dict.fromkeys(_key(one.address) for one in people)) for name, people in copies.items()},
    }


def _bounces(raw: bytes, mail: ReadMail, report: Report) -> Facts:
    """What an error mail says, and every Message-ID of our own form it carries, the likeliest first."""
    original = report.original
    named = f"{original.message_id} " + " ".join(f"{name}: {value}" for name, value in original.headers)
    links = " ".join([mail.in_reply_to, *mail.references])
    # Only a mail from a mail system quotes the header of what it returns; in anybody else's it is somebody's text.
    is_report = report.kind in (Kind.BOUNCE, Kind.DELAY, Kind.RECEIPT)
    quoted = raw.decode("ascii", "replace") if is_report and not OUR_ID.search(named) else ""
    return {
        "failures": [
            {
                "address": _clean(one.address)[:254],
                "address_key": _key(one.address),
                "action": one.action[:20],
                "is_permanent": one.permanent,
                "is_hard": one.hard,
                "reason": one.reason[:30],
                "code": one.code if 0 <= one.code <= 999 else 0,
                "enhanced": one.status[:12],
                "text": _clean(one.text)[:500],
            }
            for one in report.recipients[:FAILURES]
        ],
        "original_id": _bare(original.message_id),
        "original_sent_at": _moment(original.sent_at),
        "our_ids": list(dict.fromkeys(found.group() for found in OUR_ID.finditer(f"{named} {quoted}")))[:TOKENS],
        "our_links": list(dict.fromkeys(found.group() for found in OUR_ID.finditer(links)))[:TOKENS],
    }


def _attachment(one: Attachment) -> Facts:
    return {
        "name": _clean(one.name)[:255],
        "content_type": one.content_type[:100],
        "size": one.size,
        "sha256": hashlib.sha256(one.raw()).hexdigest(),
        "content_id": _clean(one.content_id)[:255],
        "is_inline": one.is_inline,
    }


def _list(people: tuple[Mailbox, ...]) -> str:
    shown = (f"{one.name} <{one.address}>" if one.name else one.address for one in people[:ADDRESSES])
    return _clean(", ".join(shown))[:LIST_CHARACTERS]


def _key(address: str) -> str:
    return _clean(address_key(address))[:254] if address else ""


def _bare(message_id: str) -> str:
    return _clean(message_id.strip().strip("<>"))[:255]


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _clean(text: str) -> str:
    """Without what no database takes: NUL, and halves of characters."""
    return _UNSTORABLE.sub("\ufffd", text)
