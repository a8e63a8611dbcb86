"""Hands one account's mails to its server, one by one, over one session."""

from __future__ import annotations

from collections.abc import Callable

from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.protocol.errors import LocalError, RemoteError
from fumibako.protocol.patience import Patience
from fumibako.protocol.pop3.session import quit_pop
from fumibako.protocol.smtp.capabilities import Capabilities
from fumibako.protocol.smtp.deliver import deliver
from fumibako.protocol.smtp.envelope import Envelope
from fumibako.protocol.smtp.session import quit_session
from fumibako.services.opening import Surroundings, pop_opening, smtp_opening
from fumibako.services.routes import PopRoute, SmtpRoute
from fumibako.services.secret import Secret
from fumibako.services.trouble import Trouble, TroubleKind, kind_of_outcome
from fumibako.transport.converse import converse
from fumibako.transport.stream import Stream

__all__ = [
    "Envelope",
    "LocalError",
    "Mailer",
    "Outcome",
    "Patience",
    "PopRoute",
    "Secret",
    "SmtpRoute",
    "Surroundings",
    "Trouble",
    "TroubleKind",
    "kind_of_outcome",
]

_CLOSING = 421


class Mailer:
    """One SMTP session at a time on `route`, opened when needed. Not for use by two threads at once.

    Raises LocalError for a route SMTP cannot carry.
    """

    def __init__(self, route: SmtpRoute, around: Surroundings | None = None) -> None:
        self._route = route
        self._around = around or Surroundings()
        self._server = Capabilities()
        self._stream: Stream | None = None
        self._mail_count = 0
        smtp_opening(route, self._around)

    @property
    def is_alive(self) -> bool:
        """Whether a logged-in session is there and the server has not hung up. Costs one system call, says nothing."""
        stream = self._stream
        if stream is None or not stream.is_open:
            return False
        try:
            stream.look()
        except RemoteError:
            stream.close()
        if stream.inbox:
            # Words we did not ask for, most often a 421 before hanging up.
            stream.close()
        return stream.is_open

    def ready(self) -> None:
        """Come to a logged-in session, or keep the one there is. User and password are tried once. Raises Trouble."""
        if self.is_alive:
            return
        if self._route.pop_first is not None:
            _log_in_on_pop(self._route.pop_first, self._around)
        opening, talk = smtp_opening(self._route, self._around)
        opening.open()
        self._stream, self._server, self._mail_count = opening.stream, talk.server, 0

    def send(self, envelope: Envelope, raw: bytes, on_hand_over: Callable[[], None]) -> Outcome:
        """Hand over one mail. `on_hand_over` must make "the final dot may be written" durable before it returns.

        Whatever `on_hand_over` raises closes the line without the final dot and comes out unchanged. Raises LocalError,
        before a byte is written, for content SMTP cannot carry; never anything for what the server or network does.
        """
        outcome = self._send_once(envelope, raw, on_hand_over)
        if self._mail_count > 1 and _is_end_of_session(outcome):
            # Many servers close after n mails. The mail was not begun, so a fresh session may take it at once.
            self.close()
            outcome = self._send_once(envelope, raw, on_hand_over)
        return outcome

    def close(self) -> None:
        """Say QUIT and close. Nothing that goes wrong here changes what was sent."""
        stream, self._stream = self._stream, None
        if stream is not None and stream.is_open:
            converse(quit_session(), stream)
            stream.close()

    def _send_once(self, envelope: Envelope, raw: bytes, on_hand_over: Callable[[], None]) -> Outcome:
        try:
            self.ready()
        except Trouble as trouble:
            return Outcome(Verdict.UNREACHABLE, Scope.SESSION, trouble.stage, trouble.code, text=trouble.text)
        assert self._stream is not None
        self._mail_count += 1
        return converse(deliver(envelope, raw, self._server), self._stream, on_hand_over=on_hand_over)


def _is_end_of_session(outcome: Outcome) -> bool:
    is_over = outcome.verdict is Verdict.UNREACHABLE or outcome.code == _CLOSING
    return outcome.stage is Stage.MAIL and is_over


def _log_in_on_pop(route: PopRoute, around: Surroundings) -> None:
    opening, _ = pop_opening(route, around)
    opening.open()
    converse(quit_pop(), opening.stream)
    opening.close()
