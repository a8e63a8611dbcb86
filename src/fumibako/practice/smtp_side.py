"""The SMTP side: aiosmtpd speaks, this handler lets each recipient behave as the table of people says.

Any password but "wrong" is right. A mail is judged per recipient; the answer after the dot is one for all (RFC 5321).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from fumibako.practice import replies
from fumibako.practice.people import AfterDot, Behaviour, Delays, behaviour_of
from fumibako.practice.store import Store

WRONG_PASSWORD = b"wrong"
SIZE_LIMIT = 20 * 1024 * 1024


class SmtpSide:
    """aiosmtpd's handler. Greylisting and cut lines are remembered while the server runs."""

    def __init__(self, store: Store, delays: Delays, seed: int, clock: Callable[[], float]) -> None:
        self._store, self._delays, self._seed, self._clock = store, delays, seed, clock
        self._first_tried_at: dict[tuple[str, str], float] = {}
        self._cut_before: set[tuple[str, str]] = set()

    def protocol(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        """One conversation."""
        return SMTP(
            self,
            data_size_limit=SIZE_LIMIT,
            hostname=replies.HOST,
            ident="Fumibako practice server",
            authenticator=self._authenticate,
            auth_require_tls=False,
            loop=loop,
        )

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offers what large servers offer."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", responses[-1]]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Takes every sender."""
        envelope.mail_from = "" if address == "<>" else address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accepts or refuses by the table of people."""
        behaviour = behaviour_of(address)
        if behaviour.is_slow:
            await asyncio.sleep(self._delays.slow_seconds)
        if behaviour.refusal and not self._has_waited(behaviour, envelope.mail_from or "", address):
            return behaviour.refusal.format(address=address)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keeps the mail for everyone accepted and sends back what each person sends back."""
        raw = envelope.original_content or b""
        sender = envelope.mail_from or ""
        is_cut = False
        for address in envelope.rcpt_tos:
            is_cut = self._receive(sender, address, raw) or is_cut
        if any(behaviour_of(address).is_slow for address in envelope.rcpt_tos):
            await asyncio.sleep(self._delays.slow_seconds)
        if is_cut and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
            # aiosmtpd ends this conversation when it learns of the lost line; no reply may be written before.
            await asyncio.Event().wait()
        return f"250 2.0.0 Ok: queued as {self._store.accepted_count:08X}"

    def _receive(self, sender: str, address: str, raw: bytes) -> bool:
        """Does what the person does with one mail; True when the line is to be cut before the answer."""
        behaviour = behaviour_of(address)
        message_id = replies.header(raw, "Message-ID")
        is_cut = behaviour.after_dot in (AfterDot.DROP, AfterDot.LOSE) and self._is_first_cut(address, message_id)
        if is_cut and behaviour.after_dot is AfterDot.LOSE:
            return True
        if behaviour.after_dot is AfterDot.BOUNCE:
            self._store.note_accepted(sender, address, message_id)
        else:
            self._store.accept(sender, address, raw, message_id)
        if not replies.is_automatic(raw, sender):
            self._send_back(behaviour, sender, address, raw)
        return is_cut

    def _send_back(self, behaviour: Behaviour, sender: str, address: str, raw: bytes) -> None:
        chance = random.Random(f"{self._seed}|{address.lower()}|{replies.header(raw, 'Message-ID')}")
        number = chance.randrange(1_000_000)
        at = datetime.fromtimestamp(self._clock(), UTC)
        match behaviour.after_dot:
            case AfterDot.ANSWER:
                delay = chance.uniform(*self._delays.answer_seconds)
                to, mail = replies.reply_address(raw, sender), replies.answer(raw, address, sender, at, number)
            case AfterDot.VACATION:
                delay = self._delays.answer_seconds[0]
                to, mail = sender, replies.vacation(raw, address, sender, at, number)
            case AfterDot.BOUNCE:
                delay = self._delays.bounce_seconds
                diagnosis = behaviour.diagnosis.format(address=address)
                to, mail = sender, replies.error_mail(raw, address, sender, at, diagnosis)
            case _:
                return
        self._store.put(to, mail, delay_seconds=delay)

    def _has_waited(self, behaviour: Behaviour, sender: str, address: str) -> bool:
        """Greylisting: the first attempt starts the wait; a passed one is forgotten, so the next mail waits again."""
        if not behaviour.is_greylisted:
            return False
        key = (sender.lower(), address.lower())
        first_tried_at = self._first_tried_at.setdefault(key, self._clock())
        if self._clock() - first_tried_at < max(self._delays.greylist_seconds, 0.001):
            return False
        del self._first_tried_at[key]
        return True

    def _is_first_cut(self, address: str, message_id: str) -> bool:
        key = (address.lower(), message_id)
        if key in self._cut_before:
            return False
        self._cut_before.add(key)
        return True

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: object
    ) -> AuthResult:
        is_right = isinstance(auth_data, LoginPassword) and auth_data.password != WRONG_PASSWORD
        return AuthResult(success=is_right, handled=False, message=None if is_right else REFUSED_LOGIN)


REFUSED_LOGIN = "535 5.7.8 Error: authentication failed: wrong user or password"
