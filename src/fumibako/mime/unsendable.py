"""Why a mail cannot be built: a kind and the name of the field at fault, never a sentence."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What is wrong with the value of the field."""

    HEADER_INJECTION = "header_injection"
    """A line break or another control character in something that goes into a header."""
    TOO_LONG = "too_long"
    BAD_ADDRESS = "bad_address"
    BAD_HEADER_NAME = "bad_header_name"
    FORBIDDEN_HEADER = "forbidden_header"
    """An extra header that the composer writes itself, or that must never be written (Bcc)."""
    BAD_MESSAGE_ID = "bad_message_id"
    BAD_BOUNDARY = "bad_boundary"
    NOT_TEXT = "not_text"
    """Half a surrogate pair: no charset can carry it."""


class Unsendable(ValueError):
    """This mail must not be built. `field` is a name such as "subject" or "to"; `detail` is plain data."""

    def __init__(self, kind: Reason, field: str, detail: str = "") -> None:
        super().__init__(f"{kind} in {field}")
        self.kind = kind
        self.field = field
        self.detail = detail


class HeaderInjection(Unsendable):
    """A value meant for one header line would have become two lines, or would hide characters (RFC 5322 §2.2)."""

    def __init__(self, field: str) -> None:
        super().__init__(Reason.HEADER_INJECTION, field)
