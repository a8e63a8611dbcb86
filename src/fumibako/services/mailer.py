"""Hands one account's mails to its server, one by one, over one session."""

from __future__ import annotations

from collections.abc import Callable

from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.protocol.errors import LocalError
from fumibako.protocol.patience import Patience
from fumibako.protocol.pop3.session import quit_pop
from fumibako.protocol.smtp.envelope import Envelope
from fumibako.services.carrier import LONGEST_WAIT, Carrier, Passage
from fumibako.services.opening import Surroundings, pop_opening, smtp_opening
from fumibako.services.routes import PopRoute, SmtpRoute
from fumibako.services.secret import Secret
from fumibako.services.trouble import Trouble, TroubleKind, kind_of_outcome
from fumibako.transport.converse import converse

__all__ = [
    "Carrier",
    "Envelope",
    "LocalError",
    "Mailer",
    "Outcome",
    "Passage",
    "Patience",
    "PopRoute",
    "Secret",
    "SmtpRoute",
    "Surroundings",
    "Trouble",
    "TroubleKind",
    "is_end_of_session",
    "kind_of_outcome",
    "open_session",
]

_CLOSING = 421


def open_session(route: SmtpRoute, around: Surroundings | None = None) -> Carrier:
    """Come to a logged-in session on `route`. User and password are tried once.

    Raises Trouble; LocalError for a route SMTP cannot carry.
    """
    surroundings = around or Surroundings()
    opening, talk = smtp_opening(route, surroundings)
    if route.pop_first is not None:
        _log_in_on_pop(route.pop_first, surroundings)
    opening.open()
    return Carrier(opening.stream, talk.server)


class Mailer:
    """One SMTP session at a time on `route`, opened when needed. Not for use by two threads at once.

    Raises LocalError for a route SMTP cannot carry.
    """

    def __init__(self, route: SmtpRoute, around: Surroundings | None = None) -> None:
        self._route = route
        self._around = around or Surroundings()
        self._carrier: Carrier | None = None
        smtp_opening(route, self._around)

    @property
    def is_alive(self) -> bool:
        """Whether a logged-in session is there and the server has not hung up. Costs one system call, says nothing."""
        return self._carrier is not None and self._carrier.is_alive

    def ready(self) -> None:
        """Come to a logged-in session, or keep the one there is. User and password are tried once. Raises Trouble."""
        if not self.is_alive:
            self._carrier = open_session(self._route, self._around)

    def send(self, envelope: Envelope, raw: bytes, on_hand_over: Callable[[], None]) -> Outcome:
        """Hand over one mail. `on_hand_over` must make "the final dot may be written" durable before it returns.

        Whatever `on_hand_over` raises closes the line without the final dot and comes out unchanged. Raises LocalError,
        before a byte is written, for content SMTP cannot carry; never anything for what the server or network does.
        """
        outcome = self._send_once(envelope, raw, on_hand_over)
        if self._carrier is not None and self._carrier.mail_count > 1 and is_end_of_session(outcome):
            # Many servers close after n mails. The mail was not begun, so a fresh session may take it at once.
            self.close()
            outcome = self._send_once(envelope, raw, on_hand_over)
        return outcome

    def close(self) -> None:
        """Say QUIT and close. Nothing that goes wrong here changes what was sent."""
        carrier, self._carrier = self._carrier, None
        if carrier is not None:
            carrier.leave()
            while carrier.is_open:
                Carrier.wait([carrier], LONGEST_WAIT)
                carrier.leave()

    def _send_once(self, envelope: Envelope, raw: bytes, on_hand_over: Callable[[], None]) -> Outcome:
        try:
            self.ready()
        except Trouble as trouble:
            return Outcome(Verdict.UNREACHABLE, Scope.SESSION, trouble.stage, trouble.code, text=trouble.text)
        assert self._carrier is not None
        return self._carrier.carry(envelope, raw, on_hand_over)


def is_end_of_session(outcome: Outcome) -> bool:
    """True when a mail that was not begun met a session that was over; not to be asked of a session's first mail."""
    is_over = outcome.verdict is Verdict.UNREACHABLE or outcome.code == _CLOSING
    return outcome.stage is Stage.MAIL and is_over


def _log_in_on_pop(route: PopRoute, around: Surroundings) -> None:
    opening, _ = pop_opening(route, around)
    opening.open()
    converse(quit_pop(), opening.stream)
    opening.close()
