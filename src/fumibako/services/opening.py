"""From an account's route to a session that may be used, stage by stage, with every failure named."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from fumibako.delivery.outcome import Stage
from fumibako.protocol.errors import Garbage, LineLost, NotOffered, RemoteError, TooSlow
from fumibako.protocol.lines import Veil
from fumibako.protocol.patience import Patience
from fumibako.protocol.pop3.session import PopReply, count_messages, greet_pop, log_in_pop, upgrade_pop
from fumibako.protocol.smtp.capabilities import Capabilities
from fumibako.protocol.smtp.replies import Reply
from fumibako.protocol.smtp.session import Terms, introduce, log_in, upgrade
from fumibako.protocol.steps import Conversation
from fumibako.protocol.transcript import Transcript
from fumibako.services.routes import PopRoute, PopSecurity, SmtpRoute, SmtpSecurity
from fumibako.services.trouble import CERTIFICATE_KINDS, Trouble, TroubleKind, kind_of
from fumibako.transport.connect import Address, Lookup, connect, resolve
from fumibako.transport.converse import converse
from fumibako.transport.stream import Stream
from fumibako.transport.tls import CertificateFacts, TlsFacts, TlsTerms

SECOND_LOOK = Patience(name=3, address=3, connect=3, tls=3, greeting=3, command=3, login=3, farewell=0.2)
"""For learning more about a failure; it must not keep anybody waiting."""

Act = Callable[[], object]
TlsWay = Literal["none", "upgrade", "direct"]
_SMTP_TLS: dict[SmtpSecurity, TlsWay] = {"none": "none", "starttls": "upgrade", "ssl": "direct"}
_POP_TLS: dict[PopSecurity, TlsWay] = {"none": "none", "stls": "upgrade", "tls": "direct"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The machine around the engine: its clock and its name service. `give_up_at` caps every wait."""

    clock: Callable[[], float] = time.monotonic
    lookup: Lookup = socket.getaddrinfo
    give_up_at: float = math.inf


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is and how the line to it becomes safe. "direct" is TLS from the first byte."""

    protocol: Literal["smtp", "pop"]
    host: str
    port: int
    tls: TlsWay
    tls_terms: TlsTerms
    is_loopback_only: bool
    patience: Patience


class Talk(Protocol):
    """What one protocol says while a session opens."""

    @property
    def login_stage(self) -> Stage | None:
        """The stage of the login, None when there is none."""

    def greet(self) -> Conversation[Any, None]:
        """Hear the greeting, and say who we are."""

    def upgrade(self) -> Conversation[Any, None]:
        """Turn to TLS inside the session."""

    def log_in(self) -> Conversation[Any, None]:
        """Say user and password once."""


class SmtpTalk:
    """SMTP's way; `server` is what the server offered last."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self.server = Capabilities()

    @property
    def login_stage(self) -> Stage | None:
        """LOGIN when the account has a mechanism."""
        return Stage.LOGIN if self._terms.mechanism else None

    def greet(self) -> Conversation[Reply, None]:
        """Greeting and EHLO."""
        self.server = yield from introduce(self._terms.helo_name)

    def upgrade(self) -> Conversation[Reply, None]:
        """STARTTLS and EHLO; the server is what it says it is after that."""
        self.server = yield from upgrade(self._terms.helo_name, self.server)

    def log_in(self) -> Conversation[Reply, None]:
        """AUTH with the mechanism chosen."""
        yield from log_in(self._terms, self.server)


class PopTalk:
    """POP3's way; `message_count` is known after the login."""

    def __init__(self, user: str, password: str) -> None:
        self._user = user
        self._password = password
        self.message_count = 0

    @property
    def login_stage(self) -> Stage | None:
        """POP3 always wants a login."""
        return Stage.POP_LOGIN

    def greet(self) -> Conversation[PopReply, None]:
        """The greeting."""
        yield from greet_pop()

    def upgrade(self) -> Conversation[PopReply, None]:
        """CAPA and STLS."""
        yield from upgrade_pop()

    def log_in(self) -> Conversation[PopReply, None]:
        """USER and PASS; STAT proves that the mailbox is open."""
        yield from log_in_pop(self._user, self._password)
        self.message_count = yield from count_messages()


class Opening:
    """One try to come to a session. After `open()` the line is `stream`; after a Trouble it is closed."""

    def __init__(
        self, place: Place, talk: Talk, around: Surroundings, transcript: Transcript | None, veil: Veil
    ) -> None:
        self._place = place
        self._talk = talk
        self._around = around
        self._transcript = transcript
        self._veil = veil
        self._addresses: tuple[Address, ...] = ()
        self._stream: Stream | None = None

    @property
    def stream(self) -> Stream:
        """The line. Raises LineLost before there is one."""
        if self._stream is None:
            raise LineLost("there is no line")
        return self._stream

    @property
    def is_out_of_time(self) -> bool:
        """Whether the moment to give up has come."""
        return self._around.clock() >= self._around.give_up_at

    @property
    def tls(self) -> TlsFacts | None:
        """What is known about the TLS in use, None while there is none."""
        return self._stream.tls_facts() if self._stream else None

    def open(self) -> None:
        """Take every step. Raises Trouble."""
        for stage, act in self.steps():
            self.take(stage, act)

    def steps(self) -> Iterator[tuple[Stage, Act]]:
        """Yield what is to be done, in order; each act raises RemoteError when it fails."""
        yield from self._steps_to_tls()
        if self._talk.login_stage:
            yield self._talk.login_stage, lambda: self._converse(self._talk.log_in())

    def take(self, stage: Stage, act: Act) -> None:
        """Take one step. Raises Trouble, with the line closed."""
        try:
            act()
        except RemoteError as error:
            self.close()
            error.stage = error.stage or stage
            raise self.trouble_of(error) from None

    def close(self) -> None:
        """Close the line, if there is one, without a word."""
        if self._stream is not None:
            self._stream.close()

    def _steps_to_tls(self) -> Iterator[tuple[Stage, Act]]:
        yield Stage.NAME, self._resolve
        yield Stage.CONNECT, self._connect
        if self._place.tls == "direct":
            yield Stage.TLS, lambda: self.stream.start_tls()
        yield Stage.GREETING, lambda: self._converse(self._talk.greet())
        if self._place.tls == "upgrade":
            yield Stage.TLS, lambda: self._converse(self._talk.upgrade())

    def _resolve(self) -> None:
        place = self._place
        self._addresses = resolve(place.host, place.port, place.patience, lookup=self._around.lookup)

    def _connect(self) -> None:
        place, around = self._place, self._around
        sock = connect(
            self._addresses,
            place.patience,
            is_loopback_only=place.is_loopback_only,
            clock=around.clock,
            give_up_at=around.give_up_at,
        )
        self._stream = Stream(
            sock,
            place.patience,
            tls_terms=place.tls_terms,
            veil=self._veil,
            clock=around.clock,
            give_up_at=around.give_up_at,
        )

    def _converse(self, conversation: Conversation[Any, None]) -> None:
        converse(conversation, self.stream, transcript=self._transcript)

    def trouble(self, stage: Stage, kind: TroubleKind, text: str = "") -> Trouble:
        """Return a trouble with this server that no error told."""
        place = self._place
        return Trouble(
            stage, kind, text=text, extra={"protocol": place.protocol, "host": place.host, "port": place.port}
        )

    def trouble_of(self, error: RemoteError) -> Trouble:
        """Name the cause of `error`, if need be by looking at the server once more."""
        place = self._place
        kind = kind_of(error, place.port, is_upgrade=place.tls == "upgrade")
        extra: dict[str, object] = {"protocol": place.protocol, "host": place.host, "port": place.port}
        if isinstance(error, NotOffered):
            extra["offered"] = error.offered
        if kind in CERTIFICATE_KINDS:
            extra |= _certificate_extra(self._certificate_at_second_look())
        if _is_silent_beginning(error) and place.tls != "direct" and self._begins_with_tls():
            kind = TroubleKind.SSL_ON_PLAIN
        code = getattr(error, "code", 0)
        return Trouble(error.stage or Stage.CONNECT, kind, code=code, text=error.detail, extra=extra)

    def _certificate_at_second_look(self) -> CertificateFacts | None:
        """Come back without checking, only to read the certificate: a failed handshake does not hand it out."""
        return self._look_again(self._place.tls)

    def _begins_with_tls(self) -> bool:
        return self._look_again("direct") is not None

    def _look_again(self, tls: TlsWay) -> CertificateFacts | None:
        terms = TlsTerms(self._place.host, is_checked=False)
        place = replace(self._place, tls=tls, tls_terms=terms, patience=SECOND_LOOK)
        around = replace(self._around, give_up_at=self._around.clock() + SECOND_LOOK.connect)
        look = Opening(place, self._talk, around, None, self._veil)
        try:
            for stage, act in look._steps_to_tls():
                act()
                if stage is Stage.TLS:
                    break
        except RemoteError:
            return None
        finally:
            look.close()
        return look.tls.certificate if look.tls else None


def smtp_opening(
    route: SmtpRoute, around: Surroundings, transcript: Transcript | None = None
) -> tuple[Opening, SmtpTalk]:
    """Prepare a session on `route`. Raises LocalError for a route SMTP cannot carry."""
    password = route.password.reveal()
    talk = SmtpTalk(Terms(route.helo_name, mechanism=route.auth, user=route.user, password=password))
    veil = Veil(password, f"\0{route.user}\0{password}") if password else Veil()
    place = Place(
        protocol="smtp",
        host=route.host,
        port=route.port,
        tls=_SMTP_TLS[route.security],
        tls_terms=TlsTerms(route.host, route.pinned_sha256),
        is_loopback_only=route.loopback_only,
        patience=route.patience,
    )
    return Opening(place, talk, around, transcript, veil), talk


def pop_opening(route: PopRoute, around: Surroundings, transcript: Transcript | None = None) -> tuple[Opening, PopTalk]:
    """Prepare a POP3 session on `route`."""
    password = route.password.reveal()
    talk = PopTalk(route.user, password)
    place = Place(
        protocol="pop",
        host=route.host,
        port=route.port,
        tls=_POP_TLS[route.security],
        tls_terms=TlsTerms(route.host, route.pinned_sha256),
        is_loopback_only=route.loopback_only,
        patience=route.patience,
    )
    return Opening(place, talk, around, transcript, Veil(password)), talk


def _is_silent_beginning(error: RemoteError) -> bool:
    return error.stage is Stage.GREETING and isinstance(error, TooSlow | LineLost | Garbage)


def _certificate_extra(facts: CertificateFacts | None) -> dict[str, object]:
    if facts is None:
        return {}
    return {
        "names": facts.names,
        "fingerprint": facts.sha256,
        "issuer": facts.issuer,
        "not_before_at": facts.not_before_at,
        "not_after_at": facts.not_after_at,
    }
