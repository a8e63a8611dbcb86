"""Opening and closing a POP3 session: greeting, CAPA, STLS, USER/PASS, STAT, QUIT.

APOP is not spoken: without TLS its digest can be broken off the wire, and inside TLS it adds nothing to USER/PASS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from fumibako.delivery.outcome import Stage
from fumibako.protocol.errors import Declined, Garbage, LocalError, NotOffered, RemoteError
from fumibako.protocol.lines import MAX_REPLY_BYTES, NO_VEIL, Inbox, Veil, shown, text_of
from fumibako.protocol.steps import Conversation, Listen, Say, StartTls

_MAX_BLOCK_LINES = 50
_STATUS = re.compile(rb"(\+OK|-ERR)(?:[ \t](.*))?", re.DOTALL)
_CODE = re.compile(rb"\[([A-Za-z0-9/-]{1,40})\]")
_UNSPEAKABLE = re.compile(r"[\r\n\0]")


@dataclass(frozen=True, slots=True)
class PopReply:
    """A complete answer: yes or no, the words behind it, and the lines of a multi-line answer."""

    is_positive: bool
    words: bytes
    block: tuple[bytes, ...] = ()
    veil: Veil = field(default=NO_VEIL, repr=False)

    @property
    def text(self) -> str:
        """The server's words, safe to show."""
        return shown(self.words, self.veil)

    def __str__(self) -> str:
        return f"{'+OK' if self.is_positive else '-ERR'} {self.text}"

    @property
    def response_code(self) -> str:
        """The code in brackets, such as IN-USE (RFC 2449 §8, RFC 3206), or ""."""
        match = _CODE.match(self.words)
        return match[1].decode().upper() if match else ""


T = TypeVar("T")
PopConversation: TypeAlias = Conversation[PopReply, T]


def greet_pop() -> PopConversation[None]:
    """Wait for the greeting. Raises Declined."""
    greeting: PopReply = yield Listen(Stage.GREETING, read_status)
    _require(greeting, Stage.GREETING)


def log_in_pop(user: str, password: str) -> PopConversation[None]:
    """Say user and password once. Raises Declined, NotOffered; LocalError when they would not stay one line each."""
    if _UNSPEAKABLE.search(user + password):
        raise LocalError("user and password may not hold CR, LF or NUL")
    yield Say(f"USER {user}\r\n".encode(), is_secret=True)
    reply: PopReply = yield Listen(Stage.POP_LOGIN, read_status)
    if not reply.is_positive and not reply.response_code:
        yield from _require_passwords()
    _require(reply, Stage.POP_LOGIN)
    yield Say(f"PASS {password}\r\n".encode(), is_secret=True)
    reply = yield Listen(Stage.POP_LOGIN, read_status)
    _require(reply, Stage.POP_LOGIN)


def _require_passwords() -> PopConversation[None]:
    """After a refused USER: a server that names other mechanisms only takes no passwords at all (RFC 2449 §6.3)."""
    yield Say(b"CAPA\r\n")
    offered: PopReply = yield Listen(Stage.POP_LOGIN, read_block)
    lines = [line.decode("ascii", "replace").upper().split() for line in offered.block]
    words = {line[0]: line[1:] for line in lines if line}
    mechanisms = words.get("SASL")
    if mechanisms and "USER" not in words:
        raise NotOffered("USER", tuple(mechanisms), stage=Stage.POP_LOGIN)


def upgrade_pop() -> PopConversation[None]:
    """Turn to TLS (RFC 2595 §4). A server without CAPA is asked for STLS all the same."""
    yield Say(b"CAPA\r\n")
    offered: PopReply = yield Listen(Stage.TLS, read_block)
    names = {line.split()[0].upper() for line in offered.block if line.split()}
    if offered.is_positive and b"STLS" not in names:
        raise NotOffered("STLS", (), stage=Stage.TLS)
    yield Say(b"STLS\r\n")
    reply: PopReply = yield Listen(Stage.TLS, read_status)
    if not reply.is_positive and not offered.is_positive:
        raise NotOffered("STLS", (), stage=Stage.TLS)
    _require(reply, Stage.TLS)
    yield StartTls()


def count_messages() -> PopConversation[int]:
    """Ask how many messages wait (RFC 1939 §5, STAT)."""
    yield Say(b"STAT\r\n")
    reply: PopReply = yield Listen(Stage.POP_LOGIN, read_status)
    _require(reply, Stage.POP_LOGIN)
    count = (reply.words.split() or [b""])[0]
    if not count.isdigit() or len(count) > 10:
        raise Garbage(f"not an answer to STAT: {reply.text}"[:500], stage=Stage.POP_LOGIN)
    return int(count)


def quit_pop() -> PopConversation[None]:
    """Say QUIT and wait a moment. Nothing was marked for deletion, so the answer changes nothing."""
    try:
        yield Say(b"QUIT\r\n")
        yield Listen(Stage.POP_LOGIN, read_status, is_farewell=True)
    except RemoteError:
        return


def read_status(inbox: Inbox) -> PopReply | None:
    """Take one +OK or -ERR line out of `inbox`. Raises Garbage for anything else."""
    if not inbox.lines:
        inbox.require_bounds()
        return None
    reply = status_of(inbox.lines[0], inbox.veil)
    inbox.drop(1)
    return reply


def read_block(inbox: Inbox) -> PopReply | None:
    """Take a multi-line answer (RFC 1939 §3) out of `inbox`; a -ERR is one line."""
    if not inbox.lines:
        inbox.require_bounds()
        return None
    first = status_of(inbox.lines[0], inbox.veil)
    if not first.is_positive:
        inbox.drop(1)
        return first
    block: list[bytes] = []
    for line in inbox.lines[1 : _MAX_BLOCK_LINES + 2]:
        text = text_of(line, inbox.veil)
        if text == b".":
            inbox.drop(len(block) + 2)
            return PopReply(True, first.words, tuple(block), inbox.veil)
        block.append(text.removeprefix(b"."))
    inbox.require_bounds(_MAX_BLOCK_LINES + 1)
    return None


def status_of(line: bytes, veil: Veil) -> PopReply:
    """Read one +OK or -ERR line, given without its LF. Raises Garbage for anything else."""
    match = _STATUS.fullmatch(text_of(line, veil))
    if match is None or len(line) > MAX_REPLY_BYTES:
        raise Garbage(f"not a POP3 answer: {shown(line, veil)}"[:500])
    return PopReply(match[1] == b"+OK", match[2] or b"", veil=veil)


def _require(reply: PopReply, stage: Stage) -> None:
    if not reply.is_positive:
        raise Declined(reply.text, stage=stage, enhanced=reply.response_code)
