"""Inside a POP3 session: what is there, mails and heads in a window of questions, deletions, and a QUIT that counts.

A server that announces PIPELINING (RFC 2449 §6.6) is asked many questions ahead; any other is asked one at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from fumibako.delivery.outcome import Stage
from fumibako.protocol.lines import Inbox
from fumibako.protocol.pop3.blocks import ListReader, ListReply, LongReply, MailReader
from fumibako.protocol.pop3.session import PopConversation, PopReply, read_block, read_status, status_of
from fumibako.protocol.steps import Conversation, Drop, Listen, Say

WINDOW = 256
"""Questions ahead of answers. Short enough for the smallest receive buffer, or both sides would wait in writing."""


@dataclass(frozen=True, slots=True)
class PopCapabilities:
    """What a server announced (RFC 2449 §5). One without CAPA announces nothing, and may do it all the same."""

    has_pipelining: bool = False
    has_top: bool = True
    mechanisms: tuple[str, ...] = ()

    @property
    def window(self) -> int:
        """How many questions may be under way."""
        return WINDOW if self.has_pipelining else 1


def ask_capabilities() -> PopConversation[PopCapabilities]:
    """Ask CAPA inside the session; what was announced before the login may be different."""
    yield Say(b"CAPA\r\n")
    reply: PopReply = yield Listen(Stage.POP_LIST, read_block)
    if not reply.is_positive:
        return PopCapabilities()
    lines = [line.decode("ascii", "replace").upper().split() for line in reply.block]
    words = {line[0]: tuple(line[1:]) for line in lines if line}
    return PopCapabilities("PIPELINING" in words, "TOP" in words, words.get("SASL", ()))


def list_mailbox(
    max_count: int, *, has_pipelining: bool, with_sizes: bool = True
) -> Conversation[ListReply, tuple[ListReply, ListReply | None]]:
    """Ask UIDL, and LIST for what the server says about sizes. A list longer than `max_count` ends the session."""
    yield Say(b"UIDL\r\n")
    if has_pipelining and with_sizes:
        yield Say(b"LIST\r\n")
    uids: ListReply = yield Listen(Stage.POP_LIST, ListReader(max_count).read, is_bulk=True)
    if uids.is_too_long:
        yield Drop()
        return uids, None
    if not with_sizes:
        return uids, None
    if not has_pipelining:
        yield Say(b"LIST\r\n")
    sizes: ListReply = yield Listen(Stage.POP_LIST, ListReader(max_count).read, is_bulk=True)
    if sizes.is_too_long:
        yield Drop()
    return uids, sizes


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one mail: its bytes (RETR), its first lines (TOP), or only its uid (UIDL n)."""

    number: int
    is_check: bool = False
    top_lines: int | None = None

    @property
    def line(self) -> bytes:
        """The command."""
        if self.is_check:
            return b"UIDL %d\r\n" % self.number
        return (
            b"RETR %d\r\n" % self.number if self.top_lines is None else b"TOP %d %d\r\n" % (self.number, self.top_lines)
        )


def ask_all(
    questions: Iterable[Question], take: Callable[[Question, LongReply], None], *, window: int, cap: int
) -> Conversation[LongReply, bool]:
    """Ask every question and give each answer to `take`, in order; at most `window` are under way.

    An answer beyond `cap` bytes is given to `take` as too big, and the line is dropped: returns False. A RemoteError
    means that the first question without an answer did not get one.
    """
    rest = iter(questions)
    asked: deque[Question] = deque()
    while True:
        if len(asked) <= window // 2:
            for question in islice(rest, window - len(asked)):
                yield Say(question.line)
                asked.append(question)
        if not asked:
            return True
        read = _read_line if asked[0].is_check else MailReader(cap).read
        reply: LongReply = yield Listen(Stage.POP_FETCH, read, is_bulk=True)
        take(asked.popleft(), reply)
        if reply.is_too_big:
            yield Drop()
            return False


def delete_all(numbers: Iterable[int], *, window: int) -> PopConversation[list[int]]:
    """Say DELE for every number; return those the server said yes to. Nothing is gone before QUIT."""
    rest = iter(numbers)
    deleted: list[int] = []
    while asked := list(islice(rest, window)):
        for number in asked:
            yield Say(b"DELE %d\r\n" % number)
        for number in asked:
            reply: PopReply = yield Listen(Stage.POP_DELETE, read_status)
            if reply.is_positive:
                deleted.append(number)
    return deleted


def take_back() -> PopConversation[bool]:
    """Say RSET: nothing is marked for deletion any more."""
    yield Say(b"RSET\r\n")
    reply: PopReply = yield Listen(Stage.POP_DELETE, read_status)
    return reply.is_positive


def quit_with_update() -> PopConversation[bool]:
    """Say QUIT and hear whether everything marked is deleted (RFC 1939 §6). Silence is a RemoteError, and no yes."""
    yield Say(b"QUIT\r\n")
    reply: PopReply = yield Listen(Stage.POP_QUIT, read_status)
    return reply.is_positive


def _read_line(inbox: Inbox) -> LongReply | None:
    raw = inbox.draw()
    end = raw.find(b"\n")
    if end < 0:
        inbox.pour(raw)
        inbox.require_bounds()
        return None
    inbox.pour(raw[end + 1 :])
    status = status_of(raw[:end], inbox.veil)
    return LongReply(status.is_positive, words=status.words, veil=inbox.veil)
