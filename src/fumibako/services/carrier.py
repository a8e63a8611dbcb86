"""One logged-in session that carries mails one after another without ever waiting; many are watched together."""

from __future__ import annotations

import select
from collections.abc import Collection, Iterable
from typing import Any

from fumibako.delivery.outcome import Outcome
from fumibako.protocol.errors import LineLost
from fumibako.protocol.smtp.capabilities import Capabilities
from fumibako.protocol.smtp.deliver import deliver
from fumibako.protocol.smtp.envelope import Envelope
from fumibako.protocol.smtp.session import quit_session
from fumibako.transport.relay import Part, Relay
from fumibako.transport.stream import Stream

Passage = Part[Outcome]
"""One mail on its way over one session; its `result` is the Outcome."""


LONGEST_WAIT = 3600.0
"""Seconds that one wait may last; what is still awaited is waited for again."""


class Carrier:
    """The session: at most one mail between its mark and its answer, and at most one said ahead behind it."""

    def __init__(self, stream: Stream, server: Capabilities) -> None:
        self._stream = stream
        self._server = server
        self._relay: Relay[Any] = Relay(stream)
        self._farewell: Part[None] | None = None
        self.mail_count = 0
        """Mails begun on this session."""

    @property
    def is_open(self) -> bool:
        """Whether the line is there."""
        return self._stream.is_open

    @property
    def is_free(self) -> bool:
        """Whether a mail may begin."""
        return self._relay.is_free

    @property
    def is_before_dot(self) -> bool:
        """Whether only the durable mark is missing."""
        return self._relay.is_before_dot

    @property
    def is_after_dot(self) -> bool:
        """Whether the answer to a dot is awaited."""
        return self._relay.is_after_dot

    @property
    def may_say_ahead(self) -> bool:
        """Whether the server lets the next mail's commands follow the dot in the same write (RFC 2920)."""
        return self._server.has_pipelining

    @property
    def clock(self) -> float:
        """The line's monotonic clock."""
        return self._stream.clock()

    def prepare(self, envelope: Envelope, raw: bytes) -> Passage:
        """Make a mail ready for this session. Raises LocalError for content SMTP cannot carry."""
        return Part(deliver(envelope, raw, self._server))

    def begin(self, passage: Passage) -> None:
        """Say what may be said of a mail; the line must be free."""
        self.mail_count += 1
        self._relay.begin(passage)

    def hand_over(self, marked_at: float, following: Passage | None) -> None:
        """The mark is durable since `marked_at`: write the dot, and what `following` may say ahead, in one write.

        When the line turns out to be of no use before the dot, it is closed, and `following` has not begun.
        """
        self._relay.hand_over(marked_at, following)
        if following is not None and following.has_begun:
            self.mail_count += 1

    def leave(self) -> None:
        """Say QUIT on a free line, or hear its answer; the line closes when it came or patience ended."""
        if self._farewell is None and self.is_free:
            self._farewell = Part(quit_session())
            self._relay.begin(self._farewell)
        if self._farewell is None or self._farewell.is_over:
            self._relay.break_off(LineLost("the session is over"))

    def break_off(self, why: str) -> None:
        """Close the line at once, without a word: what is before its dot never gets one."""
        self._relay.break_off(LineLost(why))

    def advance(self) -> None:
        """Go on as far as what has arrived leads."""
        self._relay.advance()

    @staticmethod
    def wait(carriers: Iterable[Carrier], seconds: float, also: Collection[int] = ()) -> None:
        """Wait until something happens on one of the lines or descriptors, or patience ends, and go on where it did."""
        watched = {carrier._stream.descriptor: carrier for carrier in carriers if carrier.is_open}
        poll = select.poll()
        for descriptor, carrier in watched.items():
            poll.register(descriptor, select.POLLIN | (select.POLLOUT if carrier._relay.wants_to_write else 0))
            seconds = min(seconds, carrier._relay.until - carrier.clock)
        for descriptor in also:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(max(0.0, min(seconds, LONGEST_WAIT)) * 1000):
            if descriptor in watched:
                watched[descriptor].advance()
        for carrier in watched.values():
            carrier._relay.give_up_when_late()
