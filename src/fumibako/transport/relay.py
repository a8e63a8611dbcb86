"""One line that never waits: it plays one conversation, and lets the next begin behind the final dot of the first.

Whoever owns many lines watches them all at once, calls `advance` when something happened, makes the marks of all lines
that stand before their dot durable together, and then lets each go on with `hand_over`.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, Generic, Protocol, TypeVar

from fumibako.delivery.outcome import Stage
from fumibako.protocol.errors import Garbage, LineLost, NotHandedOver, RemoteError, TooSlow, Unsolicited
from fumibako.protocol.lines import Inbox
from fumibako.protocol.patience import Patience
from fumibako.protocol.steps import Conversation, Drop, HandOver, Listen, Payload, Say

T = TypeVar("T")


class Wire(Protocol):
    """What a relay needs of a line; `transport.stream.Stream` is the real one."""

    inbox: Inbox
    patience: Patience
    is_open: bool

    def clock(self) -> float:
        """Return seconds that only ever grow."""

    def arrive(self) -> bool:
        """Put what is there into the inbox, without waiting; return whether anything was."""

    def push(self, raw: memoryview) -> int:
        """Give the kernel what it takes now; return how many bytes."""

    def close(self) -> None:
        """Close at once."""


class Part(Generic[T]):
    """One conversation for the line, at its first step. `result` is there once `is_over`.

    Raises whatever the conversation raises before its first step.
    """

    __slots__ = ("_result", "has_begun", "is_over", "owed_count", "step", "steps")

    def __init__(self, conversation: Conversation[Any, T]) -> None:
        self.steps: Generator[Any, Any, T] = conversation
        self.step: Any = None
        self.owed_count = 0
        """What was said and not answered yet."""
        self.has_begun = False
        """True once any of it may have been written."""
        self.is_over = False
        self._result: T | None = None
        # What cannot be said at all shows here, while nothing hangs on it.
        self.go_on()

    @property
    def result(self) -> T:
        """What the conversation came to."""
        if not self.is_over:
            raise RuntimeError("the conversation is not over")
        return self._result  # type: ignore[return-value]

    def go_on(self, reply: Any = None) -> None:
        """Come to the next step, or to the end."""
        try:
            self.step = self.steps.send(reply)
        except StopIteration as end:
            self._finish(end.value)

    def break_off(self, error: RemoteError) -> None:
        """Tell the conversation that the line is no more."""
        try:
            self.step = self.steps.throw(error)
            while isinstance(self.step, Drop):
                self.step = self.steps.send(None)
        except StopIteration as end:
            self._finish(end.value)
        else:
            raise RuntimeError("a conversation went on without a line")

    def _finish(self, result: T) -> None:
        self.is_over, self._result, self.step = True, result, None


class Relay(Generic[T]):
    """The line's two conversations: the one under way, and the one said ahead behind its dot.

    A RemoteError closes the line and ends both: the first as it judges the loss itself, the second as lost before it
    began. Conversations must turn RemoteErrors into results.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._current: Part[T] | None = None
        self._behind: Part[T] | None = None
        self._out = memoryview(b"")
        self._unsaid: list[bytes] = []
        self._stage = Stage.CONNECT
        self._until = math.inf
        self._body_until = math.inf
        self.is_before_dot = False
        """All content is with the kernel, nothing unexpected has come, and only the durable mark is missing."""
        self.is_after_dot = False
        """The final dot of the conversation under way may have been written."""

    @property
    def is_free(self) -> bool:
        """True when a conversation may begin."""
        return self._current is None and self._wire.is_open

    @property
    def wants_to_write(self) -> bool:
        """True while the kernel has not taken all we said."""
        return bool(self._out)

    @property
    def until(self) -> float:
        """When patience ends, by the line's clock; infinite while nothing is awaited."""
        return self._until

    @property
    def _is_expecting(self) -> bool:
        """Whether something was said whose answer nobody has heard."""
        return any(part is not None and part.owed_count for part in (self._current, self._behind))

    def begin(self, part: Part[T]) -> None:
        """Begin a conversation on a free line."""
        if self._current is not None:
            raise RuntimeError("the line is not free")
        self._current = part
        part.has_begun = True
        self._guarded(self._play)

    def hand_over(self, marked_at: float, following: Part[T] | None = None) -> None:
        """The mark is durable since `marked_at`: write the dot, and what `following` says ahead, in one write.

        Nothing may have come between, and hardly any time may have passed; else the dot is not written, the line is
        closed, and `following` has not begun.
        """
        if not self.is_before_dot or self._current is None:
            raise RuntimeError("there is no mail before its dot")
        self.is_before_dot = False
        self._guarded(lambda: self._write_dot(marked_at, following))

    def advance(self) -> None:
        """Take in what has arrived, write what could not be written before, and go on as far as it leads."""
        self._guarded(self._take_in)

    def give_up_when_late(self) -> None:
        """Break off when patience has ended."""
        if self._wire.clock() >= self._until:
            words = "the server stopped taking our bytes" if self._out else "no answer in time"
            self.break_off(TooSlow(words))

    def break_off(self, error: RemoteError) -> None:
        """Close the line. What is before its dot will never get one; what is after it stays without an answer."""
        self._wire.close()
        self._until = math.inf
        self.is_before_dot = False
        self._out = memoryview(b"")
        current, behind = self._current, self._behind
        self._current = self._behind = None
        error.stage = error.stage or self._stage
        if current is not None:
            current.break_off(error)
        if behind is not None:
            behind.break_off(LineLost(error.detail, stage=Stage.MAIL))

    def _guarded(self, act: Any) -> None:
        try:
            act()
        except RemoteError as error:
            self.break_off(error)

    def _take_in(self) -> None:
        if self._out:
            self._flush()
        self._wire.arrive()
        self._play()

    def _play(self) -> None:
        """Perform steps until one must wait: for an answer, for the kernel, or for the mark."""
        while (part := self._current) is not None:
            if part.is_over:
                self._pass_on()
            elif self._out or not self._perform(part):
                return
        if self._wire.is_open:
            self._require_no_surplus()

    def _perform(self, part: Part[T]) -> bool:
        """Perform one step. Returns False when it must wait."""
        step = part.step
        if isinstance(step, Listen):
            return self._listen(part, step)
        if isinstance(step, HandOver):
            return self._come_before_dot()
        if isinstance(step, Say):
            self._say(part, step)
        elif isinstance(step, Payload):
            self._pay(step)
        elif isinstance(step, Drop):
            self._drop(part)
        else:
            raise RuntimeError(f"{type(step).__name__} has no place on a line with mails on it")
        part.go_on()
        return True

    def _pass_on(self) -> None:
        """The conversation under way is over; the one behind it, if any, is under way now."""
        over = self._current
        self._current, self._behind = self._behind, None
        self.is_after_dot = False
        self._until = math.inf
        if over is not None and over.owed_count and self._wire.is_open:
            # What comes next would be taken for the answer to something else.
            self._wire.close()
        if not self._wire.is_open:
            self.break_off(LineLost("the line was dropped after the mail before", stage=Stage.MAIL))

    def _listen(self, part: Part[T], step: Listen[Any]) -> bool:
        self._stage = step.stage
        if self._unsaid:
            self._write(b"".join(self._unsaid))
            self._unsaid.clear()
        inbox = self._wire.inbox
        reply = step.read(inbox) if inbox.lines else None
        if reply is None:
            inbox.require_bounds()
            if self._until is math.inf:
                patience = self._wire.patience
                self._until = self._wire.clock() + (
                    patience.farewell if step.is_farewell else patience.seconds(step.stage)
                )
            return False
        self._until = math.inf
        part.owed_count -= 1
        part.go_on(reply)
        return True

    def _say(self, part: Part[T], step: Say) -> None:
        self._require_no_surplus()
        self._unsaid.append(step.line)
        part.owed_count += 1

    def _pay(self, step: Payload) -> None:
        self._stage = Stage.BODY
        self._require_no_surplus()
        self._body_until = self._wire.clock() + self._wire.patience.body
        self._write(step.raw)

    def _come_before_dot(self) -> bool:
        """A line that broke, or brought an answer out of turn, is found before the mark rather than after the dot."""
        self._stage = Stage.MARK
        if not self.is_before_dot:
            self._wire.arrive()
        self._require_no_surplus()
        self.is_before_dot = True
        return False

    def _write_dot(self, marked_at: float, following: Part[T] | None) -> None:
        current = self._current
        assert current is not None
        self._require_fresh_mark(marked_at)
        self.is_after_dot = True
        current.go_on()
        self._say_ahead(current)
        if following is not None:
            self._behind = following
            following.has_begun = True
            self._say_ahead(following)
        self._play()

    def _say_ahead(self, part: Part[T]) -> None:
        while isinstance(part.step, Say):
            self._say(part, part.step)
            part.go_on()

    def _require_fresh_mark(self, marked_at: float) -> None:
        try:
            self._wire.arrive()
            if self._wire.inbox:
                raise Unsolicited(f"an answer before the final dot: {self._wire.inbox.excerpt()}")
        except (LineLost, Garbage) as error:
            raise NotHandedOver(error.detail, stage=Stage.MARK) from None
        if self._wire.clock() - marked_at > self._wire.patience.mark:
            raise NotHandedOver("too long between the mark and the final dot", stage=Stage.MARK)

    def _drop(self, part: Part[T]) -> None:
        self._unsaid.clear()
        part.owed_count = 0
        self._wire.close()

    def _write(self, raw: bytes) -> None:
        self._out = memoryview(raw)
        self._flush()

    def _flush(self) -> None:
        taken = self._wire.push(self._out)
        self._out = self._out[taken:]
        if not self._out:
            self._until = math.inf
        elif taken or self._until is math.inf:
            self._until = min(self._body_until, self._wire.clock() + self._wire.patience.block)

    def _require_no_surplus(self) -> None:
        if self._wire.inbox and not self._is_expecting:
            raise Unsolicited(f"an answer to nothing: {self._wire.inbox.excerpt()}")
