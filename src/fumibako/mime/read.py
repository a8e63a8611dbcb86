"""Reading a mail that somebody else wrote: any bytes go in, one value comes out, nothing raises, and time is bounded.

The mail itself is never changed. What could not be read as it claimed to be is told in `problems`; whatever is beyond
the limits (header block 256 KiB, 1,000 parts, depth 50, 1,000 addresses, 2 MiB of text) is still in the raw bytes.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

from fumibako.mime.headers import Mailbox
from fumibako.mime.reading.bodies import Attachment, Body, labels_of, read_bodies
from fumibako.mime.reading.charsets import known_charset
from fumibako.mime.reading.fields import Fields, read_fields
from fumibako.mime.reading.mailboxes import read_mailboxes
from fumibako.mime.reading.origin import carrier_of, charset_for_bare_bytes
from fumibako.mime.reading.structure import Survey, read_structure, with_line_feeds
from fumibako.mime.reading.words import Context, header_text

__all__ = ["CHARSETS", "Attachment", "Mailbox", "Problem", "ReadMail", "attachment_at", "read"]

CHARSETS: Final = (
    *("utf-8", "iso-2022-jp", "shift_jis", "euc-jp", "windows-1252", "gb18030", "big5", "euc-kr", "windows-1251"),
    *("koi8-r", "windows-1250", "windows-1254", "windows-1253", "windows-1255", "windows-1256", "windows-874"),
)
"""What a person may choose from for `read`."""

REFERENCES: Final = 200
SUBJECT_CHARACTERS: Final = 4_000

_ID: Final = re.compile(r"<[^<>\s]{1,998}>")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TURNING: Final = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class Problem(StrEnum):
    """What was wrong with the mail. None of them keeps it from being shown."""

    HEADER_CUT = "header_cut"
    """The header block of the mail or of a part is longer than 256 KiB."""
    TOO_MANY_PARTS = "too_many_parts"
    TOO_DEEP = "too_deep"
    TOO_MANY_ADDRESSES = "too_many_addresses"
    TEXT_CUT = "text_cut"
    BAD_BOUNDARY = "bad_boundary"
    """A boundary is missing, not announced or not closed: the parts are the likeliest ones."""
    CHARSET_GUESSED = "charset_guessed"
    """The text is not in the charset it claims, or claims none and has 8-bit bytes that are not UTF-8."""
    TEXT_DAMAGED = "text_damaged"
    """Some bytes are no characters in any charset; they are shown as U+FFFD."""
    NO_SENDER = "no_sender"
    SEVERAL_SENDERS = "several_senders"
    """More than one From field or address: which one a reader shows depends on the reader."""
    SENDER_NAME_IS_AN_ADDRESS = "sender_name_is_an_address"
    """The sender's name contains an address that is not the sender's."""
    HIDDEN_CHARACTERS = "hidden_characters"
    """Subject or sender's name carries characters that are invisible or turn the writing direction. U+200D, which holds
    emoji together, is none of them."""
    BAD_DATE = "bad_date"


@dataclass(frozen=True, slots=True)
class ReadMail:
    """A received mail as values. Texts are decoded, line ends are LF, missing fields are "" or empty.

    `html` is the sender's HTML, decoded and nothing else: it goes through `fumibako.mime.sanitize` before anybody sees
    it. `enclosed_texts` are the texts of mails enclosed in this one (message/rfc822), outermost first. `sent_at` is
    what the Date field claims, with its own offset; None when it makes no sense. `charset` is what the text was read
    as. Message-IDs keep their angle brackets.
    """

    subject: str
    from_: Mailbox
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    reply_to: tuple[Mailbox, ...]
    sent_at: datetime | None
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    text: str
    html: str
    enclosed_texts: tuple[str, ...]
    attachments: tuple[Attachment, ...]
    charset: str
    problems: tuple[Problem, ...]


def read(raw: bytes, charset: str = "") -> ReadMail:
    """Read a mail. Never raises, for any bytes.

    `charset` is one that a person chose because the mail lies about its own: all texts are read as it, and so are the
    parts of headers that name the same charset as the texts, or none.
    """
    raw = with_line_feeds(raw)
    context = context_of(raw)
    top, survey = read_structure(raw, context)
    if known_charset(charset):
        context = replace(context, chosen=charset, doubted=labels_of(top))
        top, survey = read_structure(raw, context)
    fields = top.fields
    body = read_bodies(top, context)
    lists = {name: read_mailboxes(b",".join(fields.values(name)), context) for name in ("To", "Cc", "Reply-To")}
    senders, _ = read_mailboxes(fields.first("From") or fields.first("Sender"), context)
    sender = senders[0] if senders else Mailbox("", "")
    subject = _one_line(header_text(fields.first("Subject"), context))[:SUBJECT_CHARACTERS]
    sent_at = _moment(fields.first("Date"))
    found = [
        *_problems_of_parts(survey, body),
        *_problems_of_sender(fields, senders, sender, subject),
        *([Problem.TOO_MANY_ADDRESSES] if any(is_cut for _, is_cut in lists.values()) else []),
        *([Problem.BAD_DATE] if sent_at is None and "Date" in fields else []),
    ]
    return ReadMail(
        subject=subject,
        from_=sender,
        to=lists["To"][0],
        cc=lists["Cc"][0],
        reply_to=lists["Reply-To"][0],
        sent_at=sent_at,
        message_id=_first_id(fields.first("Message-ID")),
        in_reply_to=_first_id(fields.first("In-Reply-To")),
        references=_ids(fields.first("References"))[-REFERENCES:],
        text=body.text(),
        html=body.page(),
        enclosed_texts=tuple(body.enclosed),
        attachments=tuple(body.attachments),
        charset=body.charset,
        problems=tuple(dict.fromkeys(found)),
    )


def attachment_at(raw: bytes, position: int) -> Attachment | None:
    """The file that stands at this place (from 0) in `read(raw).attachments`."""
    files = read(raw).attachments
    return files[position] if 0 <= position < len(files) else None


def context_of(raw: bytes) -> Context:
    """What the mail as a whole tells about bytes that do not say what they are."""
    fields, _ = read_fields(raw, 0, len(raw))
    return Context(carrier_of(fields), charset_for_bare_bytes(raw))


def _one_line(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()


def _problems_of_parts(survey: Survey, body: Body) -> list[Problem]:
    told = (
        (survey.is_header_cut, Problem.HEADER_CUT),
        (survey.has_too_many_parts, Problem.TOO_MANY_PARTS),
        (survey.is_too_deep, Problem.TOO_DEEP),
        (survey.has_bad_boundary, Problem.BAD_BOUNDARY),
        (body.is_cut, Problem.TEXT_CUT),
        (body.is_guessed, Problem.CHARSET_GUESSED),
        (body.is_damaged, Problem.TEXT_DAMAGED),
    )
    return [problem for is_so, problem in told if is_so]


def _problems_of_sender(fields: Fields, senders: tuple[Mailbox, ...], sender: Mailbox, subject: str) -> list[Problem]:
    name = sender.name
    # ＠ and ﹫ are read as @ by people.
    shown = unicodedata.normalize("NFKC", name).lower()
    told = (
        (not sender.address, Problem.NO_SENDER),
        (len(fields.values("From")) > 1 or len(senders) > 1, Problem.SEVERAL_SENDERS),
        ("@" in shown and sender.address.lower() not in shown, Problem.SENDER_NAME_IS_AN_ADDRESS),
        (_TURNING.search(name + subject) is not None, Problem.HIDDEN_CHARACTERS),
    )
    return [problem for is_so, problem in told if is_so]


def _moment(value: bytes) -> datetime | None:
    text = header_text(value[:200])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _ids(value: bytes) -> tuple[str, ...]:
    return tuple(_ID.findall(value.decode("ascii", "replace")))


def _first_id(value: bytes) -> str:
    found = _ids(value[:4000])
    if found:
        return found[0]
    # Some programs leave out the brackets.
    words = value[:998].decode("ascii", "replace").split()
    return f"<{words[0].strip('<>')}>" if words and "@" in words[0] else ""
