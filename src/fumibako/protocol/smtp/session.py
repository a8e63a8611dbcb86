"""Opening and closing an SMTP session: greeting, EHLO, STARTTLS, login, QUIT."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from fumibako.delivery.outcome import Stage
from fumibako.protocol.errors import Garbage, LocalError, NotOffered, RemoteError
from fumibako.protocol.smtp.capabilities import Capabilities, capabilities_of
from fumibako.protocol.smtp.replies import Reply, declined, read_reply
from fumibako.protocol.steps import Conversation, Listen, Say, StartTls

T = TypeVar("T")
SmtpConversation: TypeAlias = Conversation[Reply, T]

_HELO_NAME = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a session must come to before mail may be sent.

    `mechanism` is "", "LOGIN" or "PLAIN" and is used exactly as chosen. `helo_name` is our own name or address literal.
    """

    helo_name: str
    mechanism: str = ""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not _HELO_NAME.fullmatch(self.helo_name):
            raise LocalError("the name for EHLO may hold only letters, digits, '.', '-', '_' and an address literal")
        if self.mechanism not in ("", "LOGIN", "PLAIN"):
            raise LocalError(f"unknown login mechanism {self.mechanism!r}")
        if "\0" in self.user + self.password:
            raise LocalError("user and password may not hold NUL")


def introduce(helo_name: str) -> SmtpConversation[Capabilities]:
    """Wait for the greeting, then say who we are."""
    greeting: Reply = yield Listen(Stage.GREETING, read_reply)
    if greeting.code != 220:
        raise declined(greeting, Stage.GREETING)
    return (yield from _hello(helo_name))


def upgrade(helo_name: str, server: Capabilities) -> SmtpConversation[Capabilities]:
    """Turn to TLS and ask again: what the server said before counts for nothing (RFC 3207 §4.2)."""
    if not server.has_starttls:
        raise NotOffered("STARTTLS", server.mechanisms, stage=Stage.TLS)
    yield Say(b"STARTTLS\r\n")
    reply: Reply = yield Listen(Stage.TLS, read_reply)
    if reply.code != 220:
        raise declined(reply, Stage.TLS)
    yield StartTls()
    return (yield from _hello(helo_name))


def log_in(terms: Terms, server: Capabilities) -> SmtpConversation[None]:
    """Say user and password once, with the mechanism chosen (RFC 4954; RFC 4616 for PLAIN)."""
    if terms.mechanism not in server.mechanisms:
        raise NotOffered(terms.mechanism, server.mechanisms, stage=Stage.LOGIN)
    user, password = terms.user.encode(), terms.password.encode()
    if terms.mechanism == "PLAIN":
        yield Say(_command(b"AUTH PLAIN", base64.b64encode(b"\0" + user + b"\0" + password)), is_secret=True)
        reply: Reply = yield Listen(Stage.LOGIN, read_reply)
    else:
        yield Say(b"AUTH LOGIN\r\n")
        reply = yield Listen(Stage.LOGIN, read_reply)
        for answer in (user, password):
            if reply.code != 334:
                break
            yield Say(_command(base64.b64encode(answer)), is_secret=True)
            reply = yield Listen(Stage.LOGIN, read_reply)
    if reply.is_negative:
        raise declined(reply, Stage.LOGIN)
    if reply.code != 235:
        raise Garbage(f"not an answer to AUTH: {reply.code}", stage=Stage.LOGIN)


def quit_session() -> SmtpConversation[None]:
    """Say QUIT; whatever comes back, the mails before it are what they are (RFC 5321 §4.1.1.10)."""
    try:
        yield Say(b"QUIT\r\n")
        yield Listen(Stage.EHLO, read_reply, is_farewell=True)
    except RemoteError:
        return


def _hello(helo_name: str) -> SmtpConversation[Capabilities]:
    yield Say(_command(b"EHLO", helo_name.encode("ascii")))
    reply: Reply = yield Listen(Stage.EHLO, read_reply)
    if reply.code in (500, 502):
        # A server from before ESMTP still takes mail; it just offers nothing (RFC 5321 §3.2).
        yield Say(_command(b"HELO", helo_name.encode("ascii")))
        reply = yield Listen(Stage.EHLO, read_reply)
        if reply.is_positive:
            return Capabilities()
    if reply.is_negative:
        raise declined(reply, Stage.EHLO)
    if reply.code != 250:
        raise Garbage(f"not an answer to EHLO: {reply.code}", stage=Stage.EHLO)
    return capabilities_of(reply)


def _command(*words: bytes) -> bytes:
    return b" ".join(words) + b"\r\n"
