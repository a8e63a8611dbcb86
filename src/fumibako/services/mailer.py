"""The way to an account's mail server: a logged-in session that carries mails, and what its end looks like."""

from __future__ import annotations

from fumibako.delivery.outcome import Outcome, Stage, Verdict
from fumibako.protocol.errors import LocalError
from fumibako.protocol.patience import Patience
from fumibako.protocol.pop3.session import quit_pop
from fumibako.protocol.smtp.envelope import Envelope
from fumibako.services.carrier import Carrier, Passage
from fumibako.services.opening import Surroundings, pop_opening, smtp_opening
from fumibako.services.routes import PopRoute, SmtpRoute
from fumibako.services.secret import Secret
from fumibako.services.trouble import Trouble, TroubleKind, kind_of_outcome
from fumibako.transport.converse import converse

__all__ = [
    "Carrier",
    "Envelope",
    "LocalError",
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


def is_end_of_session(outcome: Outcome) -> bool:
    """True when a mail that was not begun met a session that was over; not to be asked of a session's first mail."""
    is_over = outcome.verdict is Verdict.UNREACHABLE or outcome.code == _CLOSING
    return outcome.stage is Stage.MAIL and is_over


def _log_in_on_pop(route: PopRoute, around: Surroundings) -> None:
    opening, _ = pop_opening(route, around)
    opening.open()
    converse(quit_pop(), opening.stream)
    opening.close()
