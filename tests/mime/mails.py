"""Mails for tests: one of everything, each part replaceable."""

from __future__ import annotations

from datetime import UTC, datetime

from fumibako.mime.compose import Attachment, Composed, Composer, Mailbox, Sheet
from fumibako.mime.encodings import Charset

FROM = Mailbox("株式会社ふみばこ", "info@example.co.jp")
TO = Mailbox("見本 花子", "hanako@example.ne.jp")
NOON = datetime(2026, 4, 1, 3, 0, 0, tzinfo=UTC)
MESSAGE_ID = "<d.17.3f9a@example.co.jp>"
BOUNDARY = "=_fumibako_3f9a17"


def sheet(
    charset: Charset = "utf-8",
    *,
    from_: Mailbox = FROM,
    reply_to: str = "",
    cc: tuple[Mailbox, ...] = (),
    attachments: tuple[Attachment, ...] = (),
    extra_headers: tuple[tuple[str, str], ...] = (),
) -> Sheet:
    """The common part of a job."""
    return Sheet(from_, reply_to, cc, charset, attachments, extra_headers)


def compose(
    paper: Sheet,
    *,
    to: Mailbox = TO,
    subject: str = "ご案内",
    text: str = "本文です。\n",
    extra_headers: tuple[tuple[str, str], ...] = (),
    boundary: str = BOUNDARY,
    ending: str = "",
) -> Composed:
    """One mail on this paper."""
    return Composer(paper).compose(
        to=to,
        subject=subject,
        text=text,
        message_id=MESSAGE_ID,
        date=NOON,
        boundary=boundary,
        extra_headers=extra_headers,
        ending=ending,
    )


def head_of(raw: bytes) -> list[str]:
    """The header lines as they stand in the mail, folds and all."""
    return raw.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")


def header_names(raw: bytes) -> list[str]:
    """The names of all header fields, in order."""
    return [line.partition(":")[0] for line in head_of(raw) if not line.startswith((" ", "\t"))]
