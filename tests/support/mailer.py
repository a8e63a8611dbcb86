"""One mail at a time over the product's own sessions: for tests that look at a single mail and a single answer."""

from __future__ import annotations

import math
from collections.abc import Callable

from fumibako.delivery.outcome import Outcome, Scope, Verdict
from fumibako.services.carrier import LONGEST_WAIT
from fumibako.services.mailer import (
    Carrier,
    Envelope,
    SmtpRoute,
    Surroundings,
    Trouble,
    is_end_of_session,
    open_session,
)
from fumibako.services.opening import smtp_opening


class Mailer:
    """One SMTP session at a time on `route`, opened when needed.

    Raises LocalError for a route SMTP cannot carry.
    """

    def __init__(self, route: SmtpRoute, around: Surroundings | None = None) -> None:
        self._route = route
        self._around = around or Surroundings()
        self._carrier: Carrier | None = None
        smtp_opening(route, self._around)

    @property
    def is_alive(self) -> bool:
        """Whether a logged-in session is there and the server has not hung up."""
        if self._carrier is None:
            return False
        Carrier.wait([self._carrier], 0)
        return self._carrier.is_open

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
        return _carried(self._carrier, envelope, raw, on_hand_over)


def _carried(carrier: Carrier, envelope: Envelope, raw: bytes, on_hand_over: Callable[[], None]) -> Outcome:
    passage = carrier.prepare(envelope, raw)
    carrier.begin(passage)
    while not passage.is_over:
        if carrier.is_before_dot:
            try:
                on_hand_over()
            except BaseException:  # boundary: the mark was not made, so no dot may follow
                carrier.break_off("the mark was not made")
                raise
            carrier.hand_over(carrier.clock, None)
        else:
            Carrier.wait([carrier], math.inf)
    return passage.result
