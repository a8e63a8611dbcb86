"""Reading back the mails we composed ourselves, so that a preview shows what is really in the bytes.

Not for mail from outside: it trusts that the bytes are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import collapse_rfc2231_value, getaddresses

from fumibako.mime.headers import Mailbox

_FALLBACK = "utf-8"


@dataclass(frozen=True, slots=True)
class PreviewFile:
    """An attachment as its receiver will see it. `size` in octets, decoded."""

    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Preview:
    """A mail as its receiver will see it. `size` is the number of octets of the whole mail."""

    from_: Mailbox
    to: tuple[Mailbox, ...]
    cc: tuple[Mailbox, ...]
    reply_to: str
    subject: str
    date: str
    message_id: str
    text: str
    charset: str
    attachments: tuple[PreviewFile, ...]
    headers: tuple[tuple[str, str], ...]
    size: int


def show(raw: bytes) -> Preview:
    """Read one of our own mails back. Line ends in `text` are "\\n"."""
    message = BytesParser(policy=compat32).parsebytes(raw)
    headers = tuple((name, _decoded(value)) for name, value in message.items())
    senders = _mailboxes(message, "From")
    part = next((one for one in message.walk() if not one.is_multipart()), message)
    return Preview(
        from_=senders[0] if senders else Mailbox("", ""),
        to=_mailboxes(message, "To"),
        cc=_mailboxes(message, "Cc"),
        reply_to=_decoded(message.get("Reply-To", "")),
        subject=_decoded(message.get("Subject", "")),
        date=message.get("Date", ""),
        message_id=message.get("Message-ID", ""),
        text=_text(part),
        charset=str(part.get_content_charset(_FALLBACK)),
        attachments=tuple(_file(one) for one in message.walk() if one is not part and not one.is_multipart()),
        headers=headers,
        size=len(raw),
    )


def _unfolded(value: str) -> str:
    return value.replace("\r\n", "").replace("\n", "")


def _decoded(value: str) -> str:
    """A header's text with its RFC 2047 words decoded; white space between two words is theirs and goes (§6.2)."""
    try:
        pieces = decode_header(_unfolded(value))
    except HeaderParseError:
        return _unfolded(value)
    return "".join(
        piece if isinstance(piece, str) else piece.decode(charset or "ascii", "replace") for piece, charset in pieces
    )


def _mailboxes(message: Message, name: str) -> tuple[Mailbox, ...]:
    values = [_unfolded(value) for value in message.get_all(name, [])]
    return tuple(Mailbox(_decoded(shown), address) for shown, address in getaddresses(values))


def _octets(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    text = _octets(part).decode(str(part.get_content_charset(_FALLBACK)), "replace")
    return text.replace("\r\n", "\n")


def _file(part: Message) -> PreviewFile:
    name = collapse_rfc2231_value(part.get_filename(""))
    return PreviewFile(name, part.get_content_type(), len(_octets(part)))
