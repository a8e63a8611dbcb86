"""The steps a conversation yields. The driver performs each one; only `Listen` gives something back."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from fumibako.delivery.outcome import Stage
from fumibako.protocol.lines import Inbox

R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Say:
    """One command line with its CRLF, queued until the next Listen, so that several go out in one write (RFC 2920).

    `is_secret` lines never show in a transcript.
    """

    line: bytes = field(repr=False)
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Listen(Generic[R]):
    """Write what was said, then wait for one reply. `stage` also chooses how long to wait (RFC 5321 §4.5.3.2).

    `read` takes one complete reply out of the inbox, returns None while it is incomplete, raises Garbage when it never
    can be one. `is_farewell` waits only as long as good manners ask for. With `is_bulk` the reader gets blocks as they
    come and bounds them itself; it may take as long as `Patience.bulk`, with no pause longer than `Patience.silence`.
    """

    stage: Stage
    read: Callable[[Inbox], R | None]
    is_farewell: bool = False
    is_bulk: bool = False


@dataclass(frozen=True, slots=True)
class Payload:
    """Content bytes, dot-stuffed, ending in CRLF, without the terminator."""

    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HandOver:
    """From here on silence no longer means "not delivered": the driver makes this durable before going on."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """Turn the line into TLS. Unread plaintext is InjectedPlaintext (RFC 3207 §4.2, §6)."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the line at once, saying nothing more."""


Step: TypeAlias = Say | Listen[R] | Payload | HandOver | StartTls | Drop
Conversation: TypeAlias = Generator[Step[R], R, T]
