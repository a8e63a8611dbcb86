"""What one attempt to hand over one mail came to, as the engine saw it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """How far the conversation had come when the outcome was decided (RFC 5321 §3.3, §4.1)."""

    BUILD = "build"
    """The mail could not be built; nothing was said to any server."""
    NAME = "name"
    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    TLS = "tls"
    LOGIN = "login"
    POP_LOGIN = "pop_login"
    POP_LIST = "pop_list"
    POP_FETCH = "pop_fetch"
    POP_DELETE = "pop_delete"
    POP_QUIT = "pop_quit"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    MARK = "mark"
    DOT = "dot"


class Verdict(StrEnum):
    """The five things an attempt can come to."""

    SENT = "sent"
    """A complete 2xx to the final dot."""
    DEFERRED = "deferred"
    """A complete 4xx: the server did not take it, and asks to try later."""
    REFUSED = "refused"
    """A complete 5xx."""
    UNREACHABLE = "unreachable"
    """The conversation ended, and the final dot was surely not written."""
    UNCERTAIN = "uncertain"
    """The dot was (perhaps) written and no complete, well-formed answer was read (RFC 1047)."""


class Scope(StrEnum):
    """Whom the answer is about. Only RECIPIENT may ever count against a person."""

    RECIPIENT = "recipient"
    """The answer to the recipient's own RCPT, or to the dot of a mail that had only that recipient's fate in it."""
    MESSAGE = "message"
    """This mail as such: too large, needs an extension the server lacks."""
    SENDER = "sender"
    """MAIL FROM was refused: the account, not the person."""
    SESSION = "session"
    """Connection, TLS, login, 421, or throttling: the account, not the person."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one attempt.

    `code` is the three-digit reply code (0 when no complete reply was read), `enhanced` the RFC 3463 status ("5.1.1" or
    ""), `text` the server's own words: at most 500 printable characters, secrets removed. `refused_copies` are CC/BCC
    addresses that the server would not take although the recipient itself was accepted.
    `size_limit` is set when the server's SIZE made us stop before uploading (RFC 1870).
    """

    verdict: Verdict
    scope: Scope
    stage: Stage
    code: int = 0
    enhanced: str = ""
    text: str = ""
    refused_copies: tuple[str, ...] = ()
    size_limit: int = 0
