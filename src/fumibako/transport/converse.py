"""The one loop that reads a socket: performs the steps of a conversation on a line, and gives it the replies."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from fumibako.delivery.outcome import Stage
from fumibako.protocol.errors import InjectedPlaintext, RemoteError, TooSlow, Unsolicited
from fumibako.protocol.lines import Inbox
from fumibako.protocol.patience import Patience
from fumibako.protocol.steps import Conversation, Drop, Listen, Say, StartTls, Step
from fumibako.protocol.transcript import Listener

R = TypeVar("R")
T = TypeVar("T")


class Wire(Protocol):
    """What the loop needs of a line; `transport.stream.Stream` is the real one."""

    inbox: Inbox
    patience: Patience
    is_open: bool

    def clock(self) -> float:
        """Return seconds that only ever grow."""

    def read(self, until: float) -> bytes:
        """Return some bytes, at least one."""

    def write(self, raw: bytes) -> None:
        """Give all bytes to the kernel."""

    def look(self) -> None:
        """Take in what has arrived, without waiting."""

    def start_tls(self) -> None:
        """Turn to TLS. Nothing unread is left in the inbox."""

    def close(self) -> None:
        """Close at once."""


def converse(conversation: Conversation[R, T], stream: Wire, *, transcript: Listener | None = None) -> T:
    """Play `conversation` on `stream` and return its result. Mails go by `relay`, which can stop before the dot.

    A RemoteError closes the line and is thrown into the conversation, which may turn it into a result or let it out.
    A line left with bytes nobody asked for, or with questions nobody waited for, is closed.
    """
    performer = _Performer[R](stream, transcript)
    try:
        step = next(conversation)
        while True:
            step = _advance(conversation, step, performer)
    except StopIteration as end:
        if stream.inbox or performer.is_expecting:
            stream.close()
        result: T = end.value
        return result
    except BaseException:  # boundary: whatever goes wrong, the line is closed, and it comes out unchanged
        stream.close()
        conversation.close()
        raise


def _advance(conversation: Conversation[R, T], step: Step[R], performer: _Performer[R]) -> Step[R]:
    reply: R | None = None
    try:
        if isinstance(step, Listen):
            reply = performer.listen(step)
        else:
            performer.perform(step)
    except RemoteError as error:
        performer.give_up(error)
        return conversation.throw(error)
    return next(conversation) if reply is None else conversation.send(reply)


class _Performer(Generic[R]):
    """Performs single steps, and knows what was said but not yet written, and how many replies are owed."""

    def __init__(self, stream: Wire, transcript: Listener | None) -> None:
        self._stream = stream
        self._transcript = transcript
        self._unwritten: list[bytes] = []
        self._owed_count = 0
        self._stage = Stage.CONNECT

    @property
    def is_expecting(self) -> bool:
        """Whether something was said whose answer nobody has heard."""
        return self._owed_count > 0

    def give_up(self, error: RemoteError) -> None:
        """Close the line, and note where the conversation stood."""
        self._stream.close()
        error.stage = error.stage or self._stage

    def perform(self, step: Step[R]) -> None:
        """Perform any step but Listen."""
        match step:
            case Say():
                self._say(step)
            case StartTls():
                self._start_tls()
            case Drop():
                self._unwritten.clear()
                self._owed_count = 0
                self._stream.close()
            case _:
                raise RuntimeError(f"{type(step).__name__} belongs to a mail")

    def listen(self, step: Listen[R]) -> R:
        """Write what was said, then read until one reply is complete."""
        self._stage = step.stage
        self._flush()
        stream = self._stream
        patience = stream.patience
        until = stream.clock() + (patience.farewell if step.is_farewell else patience.seconds(step.stage))
        reply = self._read_bulk(step) if step.is_bulk else self._read_lines(step, until)
        self._owed_count = max(0, self._owed_count - 1)
        if self._transcript is not None:
            self._transcript.heard(step.stage, str(reply))
        return reply

    def _read_lines(self, step: Listen[R], until: float) -> R:
        stream = self._stream
        stream.inbox.feed(b"")
        reply = step.read(stream.inbox)
        while reply is None:
            if stream.inbox.feed(stream.read(until)):
                reply = step.read(stream.inbox)
            else:
                stream.inbox.require_bounds()
        return reply

    def _read_bulk(self, step: Listen[R]) -> R:
        stream = self._stream
        reply = step.read(stream.inbox) if stream.inbox else None
        if reply is not None:
            return reply
        patience = stream.patience
        until = stream.clock() + patience.bulk
        while reply is None:
            stream.inbox.pour(stream.read(min(until, stream.clock() + patience.silence)))
            reply = step.read(stream.inbox)
            if reply is None and stream.clock() >= until:
                raise TooSlow("the answer did not end in time")
        return reply

    def _say(self, step: Say) -> None:
        self._require_no_surplus()
        self._unwritten.append(step.line)
        self._owed_count += 1
        if self._transcript is not None:
            self._transcript.said(step.line, is_secret=step.is_secret)

    def _start_tls(self) -> None:
        self._stage = Stage.TLS
        if not self._stream.inbox:
            self._stream.look()
        if self._stream.inbox:
            raise InjectedPlaintext(f"plaintext behind the go-ahead for TLS: {self._stream.inbox.excerpt()}")
        self._stream.start_tls()

    def _flush(self) -> None:
        if not self._unwritten:
            return
        raw = b"".join(self._unwritten)
        self._unwritten.clear()
        self._stream.write(raw)

    def _require_no_surplus(self) -> None:
        if self._owed_count == 0 and self._stream.inbox:
            raise Unsolicited(f"an answer to nothing: {self._stream.inbox.excerpt()}")
