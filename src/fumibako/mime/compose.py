"""Building mails: what all mails of a job share is encoded once, what belongs to one person is added per mail.

Rules:
* Seven bits, CRLF only, lines of at most 998 octets, the same input gives the same bytes.
* One mailbox in To. Never a Bcc header, never a User-Agent.
* The charset is the account's as long as every part of the mail fits it; else the whole mail is UTF-8 and says so.
* A Japanese body is base64 in UTF-8 and Shift_JIS, and bare 7-bit text in ISO-2022-JP: the forms that Outlook, Gmail,
  iPhone and old phones have all read for twenty years. Quoted-printable triples Japanese text and is cut by old phones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

from fumibako.mime.addresses import domain_on_the_wire, is_everyday, judge
from fumibako.mime.encodings import LABELS, Charset, DoesNotFit, Misfit, misfits
from fumibako.mime.headers import (
    Mailbox,
    address_header,
    checked,
    file_name_disposition,
    file_name_parameter,
    mailbox_header,
    structured_header,
    text_header,
)
from fumibako.mime.text_body import Ending, base64_lines, body_of
from fumibako.mime.unsendable import HeaderInjection, Reason, Unsendable

__all__ = [
    "Attachment",
    "Composed",
    "Composer",
    "HeaderInjection",
    "Mailbox",
    "Reason",
    "Sheet",
    "Unsendable",
    "new_message_id",
]

JST = timezone(timedelta(hours=9))
"""What the Date header is written in: readers and writers of these mails live in Japan, which knows no summer time."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_MESSAGE_ID = re.compile(r"<[!-;=?A-Z\[-~]+@[!-;=?A-Z\[-~]+>")
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{8,70}")
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9.+_-]{1,80}/[A-Za-z0-9.+_-]{1,80}(?:; ?charset=[A-Za-z0-9_-]{1,40})?")
_WRITTEN_HERE = frozenset(("from", "to", "cc", "reply-to", "subject", "date", "message-id", "mime-version"))
_NEVER_WRITTEN = frozenset(("bcc", "resent-bcc", "return-path", "received"))
# Stands for the boundary line between files, which are encoded before the boundary is known. Neither base64 nor a
# header can contain it.
_BOUNDARY_LINE = b"\x00--\x00"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file. `content_type` such as "application/pdf"; what is not one becomes application/octet-stream."""

    name: str
    content_type: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything common to all mails of one job: the prepared letter paper. `reply_to` is an address or ""."""

    from_: Mailbox
    reply_to: str
    cc: tuple[Mailbox, ...]
    charset: Charset
    attachments: tuple[Attachment, ...]
    extra_headers: tuple[tuple[str, str], ...] = ()


class Composed(NamedTuple):
    """One mail, ready for DATA except for dot-stuffing.

    `charset` is the one really used. When it is not the sheet's, `misfits` lists the characters that were the reason,
    each with its `field`. `size` is the number of octets in `raw`.
    """

    raw: bytes
    charset: Charset
    misfits: tuple[Misfit, ...]
    size: int


class _Mail(NamedTuple):
    """What is one person's alone."""

    name: str
    address: str
    """As it goes on the wire."""
    subject: str
    text: str
    message_id: str
    date: datetime
    boundary: str
    extra_headers: tuple[tuple[str, str], ...]
    ending: str

    def texts(self) -> tuple[tuple[str, str], ...]:
        extras = tuple((name.lower(), value) for name, value in self.extra_headers)
        return (("to", self.name), ("subject", self.subject), ("text", self.text + self.ending), *extras)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The common parts in one charset. `text_heads` has the lines before the body for each way it may travel."""

    senders: bytes
    copies: bytes
    extras: bytes
    text_heads: dict[str, bytes]
    files: bytes


class Composer:
    """Composes the mails of one job. Built once; raises Unsendable when the sheet itself cannot be sent."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._from = replace(sheet.from_, address=_wire(sheet.from_.address, "from"))
        self._reply_to = _wire(sheet.reply_to, "reply_to") if sheet.reply_to else ""
        self._cc = tuple(replace(one, address=_wire(one.address, "cc")) for one in sheet.cc)
        self._files = tuple(base64_lines(one.raw) for one in sheet.attachments)
        self._prepared: dict[Charset, _Prepared] = {}
        self._endings: dict[tuple[Charset, str], Ending] = {}
        self._sheet_misfits = self._misfits_of(self._common_texts())
        self._charset: Charset = "utf-8" if self._sheet_misfits else sheet.charset
        self._in(self._charset)

    def compose(
        self,
        *,
        to: Mailbox,
        subject: str,
        text: str,
        message_id: str,
        date: datetime,
        boundary: str,
        extra_headers: tuple[tuple[str, str], ...] = (),
        ending: str = "",
    ) -> Composed:
        """One person's mail. `ending` follows `text`: where many texts end in the same, it is encoded once, and the
        bytes are as if it stood in the text.

        `date` must know its offset; it is written in Japanese time (RFC 5322 §3.3).

        `message_id` comes with its angle brackets. `text` may end its lines in any way; it ends with a line end in the
        mail. Raises Unsendable (HeaderInjection for control characters on their way into a header).
        """
        if not _MESSAGE_ID.fullmatch(message_id) or len(message_id) > 250:
            raise Unsendable(Reason.BAD_MESSAGE_ID, "message_id")
        if not _BOUNDARY.fullmatch(boundary):
            raise Unsendable(Reason.BAD_BOUNDARY, "boundary")
        address = to.address if is_everyday(to.address) else _wire(to.address, "to")
        mail = _Mail(to.name, address, subject, text, message_id, date, boundary, extra_headers, ending)
        charset = self._charset
        try:
            raw = self._build(mail, charset)
        except DoesNotFit:
            charset = "utf-8"
            raw = self._build(mail, charset)
        is_as_wished = charset == self._sheet.charset
        found = () if is_as_wished else self._sheet_misfits + self._misfits_of(mail.texts())
        return Composed(raw, charset, found, len(raw))

    def _build(self, mail: _Mail, charset: Charset) -> bytes:
        common = self._in(charset)
        ending = self._ending(charset, mail.ending) if mail.ending else None
        encoding, body = body_of(mail.text, ending, charset, mail.boundary if common.files else "")
        head = (
            _date_line(mail.date),
            common.senders,
            mailbox_header("To", mail.name, mail.address, charset),
            common.copies,
            text_header("Subject", mail.subject, charset),
            b"Message-ID: %b\r\n" % mail.message_id.encode("ascii"),
            common.extras,
            _extra_lines(mail.extra_headers, charset) if mail.extra_headers else b"",
            b"MIME-Version: 1.0\r\n",
        )
        part = common.text_heads[encoding]
        if not common.files:
            return b"".join((*head, part, body))
        line = b"--" + mail.boundary.encode("ascii")
        kind = f'Content-Type: multipart/mixed; boundary="{mail.boundary}"\r\n\r\n'.encode("ascii")
        files = common.files.replace(_BOUNDARY_LINE, line)
        return b"".join((*head, kind, line, b"\r\n", part, body, b"\r\n", files, line, b"--\r\n"))

    def _ending(self, charset: Charset, text: str) -> Ending:
        known = self._endings.get((charset, text))
        if known is None:
            known = self._endings[charset, text] = Ending.of(text, charset)
        return known

    def _in(self, charset: Charset) -> _Prepared:
        """The common parts in this charset, encoded the first time they are asked for."""
        known = self._prepared.get(charset)
        if known is None:
            sheet = self._sheet
            copies = address_header("Cc", self._cc, charset) if self._cc else b""
            if self._reply_to:
                copies += f"Reply-To: {self._reply_to}\r\n".encode("ascii")
            known = _Prepared(
                senders=address_header("From", (self._from,), charset),
                copies=copies,
                extras=_extra_lines(sheet.extra_headers, charset),
                text_heads={encoding: _text_head(charset, encoding) for encoding in ("7bit", "base64")},
                files=b"".join(
                    _file_part(one, content, charset)
                    for one, content in zip(sheet.attachments, self._files, strict=True)
                ),
            )
            self._prepared[charset] = known
        return known

    def _common_texts(self) -> tuple[tuple[str, str], ...]:
        names = [("from", self._from.name), *(("cc", one.name) for one in self._cc)]
        files = [("attachment", one.name) for one in self._sheet.attachments]
        return (*names, *files, *((name.lower(), value) for name, value in self._sheet.extra_headers))

    def _misfits_of(self, texts: tuple[tuple[str, str], ...]) -> tuple[Misfit, ...]:
        charset = self._sheet.charset
        if charset == "utf-8":
            return ()
        return tuple(replace(one, field=field) for field, text in texts for one in misfits(text, charset))


def new_message_id(token: str, domain: str) -> str:
    """`<token@domain>` (RFC 5322 §3.6.4). Raises Unsendable when the two do not make one."""
    message_id = f"<{token}@{domain_on_the_wire(domain) or ''}>"
    if not _MESSAGE_ID.fullmatch(message_id) or "@" in token:
        raise Unsendable(Reason.BAD_MESSAGE_ID, "message_id")
    return message_id


def _wire(address: str, field: str) -> str:
    """The form that RCPT uses too. Whether an address outside the RFC may be used was decided before."""
    if any(control in address for control in "\r\n\x00\u2028\u2029\x85"):
        raise HeaderInjection(field)
    verdict = judge(address, allow_non_rfc=True)
    if not verdict.is_accepted:
        raise Unsendable(Reason.BAD_ADDRESS, field, verdict.problem or "")
    return verdict.wire


@lru_cache(maxsize=64)
def _date_line(at: datetime) -> bytes:
    if at.tzinfo is None:
        raise ValueError("a date without offset")
    local = at.astimezone(JST)
    day, month = _DAYS[local.weekday()], _MONTHS[local.month - 1]
    return f"Date: {day}, {local.day:02d} {month} {local.year:04d} {local:%H:%M:%S} +0900\r\n".encode("ascii")


def _text_head(charset: Charset, encoding: str) -> bytes:
    kind = f"Content-Type: text/plain; charset={LABELS[charset]}\r\n"
    return f"{kind}Content-Transfer-Encoding: {encoding}\r\n\r\n".encode("ascii")


def _extra_lines(headers: tuple[tuple[str, str], ...], charset: Charset) -> bytes:
    for name, _ in headers:
        if name.lower() in _WRITTEN_HERE | _NEVER_WRITTEN or name.lower().startswith("content-"):
            raise Unsendable(Reason.FORBIDDEN_HEADER, "extra_headers", checked(name, "extra_headers", limit=100))
    return b"".join(structured_header(name, value, charset) for name, value in headers)


def _file_part(attachment: Attachment, content: bytes, charset: Charset) -> bytes:
    kind = attachment.content_type
    # RFC 2046 §5: message and multipart bodies must not be base64, so a mail goes as a plain file.
    if not _CONTENT_TYPE.fullmatch(kind) or kind.lower().startswith(("message/", "multipart/")):
        kind = "application/octet-stream"
    head = (
        f"Content-Type: {kind}{file_name_parameter(attachment.name, charset)}\r\n"
        f"Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment{file_name_disposition(attachment.name, charset)}\r\n\r\n"
    )
    return _BOUNDARY_LINE + b"\r\n" + head.encode("ascii") + content
