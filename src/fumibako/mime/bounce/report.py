"""What an error mail says, as values: its kind, one failure per recipient, and the mail it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

TEXT_CHARACTERS: Final = 500
RECIPIENTS: Final = 1_000


class Kind(StrEnum):
    """What a mail is. Only BOUNCE says that somebody did not get a mail."""

    ORDINARY = "ordinary"
    """Written by a person or a program for a reader; also when it quotes or forwards an error mail."""
    BOUNCE = "bounce"
    DELAY = "delay"
    """Not delivered yet; the mail system goes on trying."""
    AUTO_REPLY = "auto_reply"
    RECEIPT = "receipt"
    """Delivered, relayed or read."""
    FEEDBACK = "feedback"
    """A complaint or a report about many mails (RFC 5965, DMARC, TLS reports)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What became of one recipient.

    `action` is RFC 3464's word: failed, delayed, delivered, relayed, expanded. `permanent` is whether the mail system
    calls it final (5xx) or passing (4xx), None when it does not say. `hard` is whether the address itself is at fault
    and should not be written to again. `reason` is a word of docs/bounces.md. `status` is the enhanced status code
    (RFC 3463) or "", `code` the SMTP code or 0, `text` the server's own words.
    """

    address: str
    action: str
    permanent: bool | None
    hard: bool
    reason: str
    status: str
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Original:
    """What the returned part or quoted header tells of the mail that failed; "" and None where it tells nothing.

    `message_id` has no angle brackets.
    """

    message_id: str = ""
    from_address: str = ""
    to_addresses: tuple[str, ...] = ()
    subject: str = ""
    sent_at: datetime | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What was recognised. `recipients` is empty when the mail tells of none, whatever its kind."""

    kind: Kind
    recipients: tuple[Failure, ...] = ()
    original: Original = field(default_factory=Original)


@dataclass(slots=True)
class Found:
    """What a dialect or a status report says about one recipient, before it is judged.

    `words` is what was said about this recipient, `around` what was said about all of them. `command` is the SMTP
    command that was refused: CONN, HELO, MAIL, RCPT, DATA or "". `kind_of_words` is the type of the Diagnostic-Code
    (smtp, x-unix, x-postfix …), `host` who refused. `hint` is the reason the dialect stands for when words say nothing.
    `is_answer` is whether `words` are the server's own; `is_passing`, that the mail system gave up on what was only
    refused for the moment.
    """

    address: str
    words: str = ""
    around: str = ""
    action: str = "failed"
    status: str = ""
    code: int = 0
    command: str = ""
    kind_of_words: str = ""
    host: str = ""
    hint: str = ""
    is_answer: bool = False
    is_passing: bool = False
    is_one_of_several: bool = False
