"""What stands between an account and its server, as a kind that others put into words."""

from __future__ import annotations

import re
from enum import StrEnum

from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.protocol.errors import (
    Declined,
    Garbage,
    InjectedPlaintext,
    LineLost,
    NotOffered,
    RemoteError,
    TooSlow,
)
from fumibako.transport.connect import Miss, NotConnected
from fumibako.transport.tls import TlsFailed, TlsFlaw


class TroubleKind(StrEnum):
    """Every cause for which there is an own text and an own next step."""

    NAME_NOT_FOUND = "name_not_found"
    NAME_TIMEOUT = "name_timeout"
    CONNECT_TIMEOUT = "connect_timeout"
    PORT25_TIMEOUT = "port25_timeout"
    """Port 25 to the outside is often closed by the provider of the line (OP25B)."""
    REFUSED = "refused"
    NO_ROUTE = "no_route"
    NOT_LOOPBACK = "not_loopback"
    """Practice mode speaks to this machine only."""
    PLAIN_ON_SSL = "plain_on_ssl"
    """TLS was expected from the first byte, and the server begins in plaintext."""
    SSL_ON_PLAIN = "ssl_on_plain"
    """Plaintext was expected, and the server waits for TLS."""
    STARTTLS_MISSING = "starttls_missing"
    STARTTLS_REFUSED = "starttls_refused"
    TLS_FAILED = "tls_failed"
    TLS_TOO_OLD = "tls_too_old"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    CERTIFICATE_NAME_MISMATCH = "certificate_name_mismatch"
    CERTIFICATE_SELF_SIGNED = "certificate_self_signed"
    CERTIFICATE_UNKNOWN_ISSUER = "certificate_unknown_issuer"
    CERTIFICATE_CHANGED = "certificate_changed"
    """Not the one certificate this account trusts."""
    INJECTED_PLAINTEXT = "injected_plaintext"
    NO_GREETING = "no_greeting"
    GREETING_REFUSED = "greeting_refused"
    GARBAGE = "garbage"
    LOGIN_REFUSED = "login_refused"
    PASSWORD_LOGIN_DISABLED = "password_login_disabled"
    """The provider takes no plain passwords any more (OAuth or an application password is needed)."""
    ENCRYPTION_REQUIRED = "encryption_required"
    """The server wants TLS before a login."""
    LOGIN_REQUIRED = "login_required"
    """The server wants a login before mail."""
    MECHANISM_MISSING = "mechanism_missing"
    SERVER_BUSY = "server_busy"
    SENDER_REFUSED = "sender_refused"
    POP_IN_USE = "pop_in_use"
    POP_LOGIN_REFUSED = "pop_login_refused"
    POP_LOGIN_DELAY = "pop_login_delay"
    """The server wants a pause between two logins (RFC 2449 §8.1.1)."""
    POP_MAILBOX_BROKEN = "pop_mailbox_broken"
    """The server says that a person has to mend the mailbox there (RFC 3206, SYS/PERM)."""
    POP_TOO_MANY_MAILS = "pop_too_many_mails"
    POP_LIST_REFUSED = "pop_list_refused"
    """A session is there, and the server does not tell what is in the mailbox."""
    POP_LIST_CHANGED = "pop_list_changed"
    """The same numbers meant other mails later in one session."""
    POP_QUIT_REFUSED = "pop_quit_refused"
    """The server did not say that it deleted what it was told to delete."""
    LINE_LOST = "line_lost"
    TOO_SLOW = "too_slow"


class Trouble(Exception):
    """No session came about. No recipient is to blame.

    `text` is the server's or the system's own words, at most 500 printable characters, secrets removed. `extra` holds
    what a text for people may need: always `host`, `port`, `protocol` ("smtp" or "pop"); `offered` (login mechanisms)
    for mechanism_missing; `names`, `fingerprint` (SHA-256, hex), `issuer`, `not_before_at`, `not_after_at`
    for certificate troubles when the certificate could be read.
    """

    def __init__(
        self, stage: Stage, kind: TroubleKind, *, code: int = 0, text: str = "", extra: dict[str, object] | None = None
    ) -> None:
        super().__init__(f"{kind} at {stage}")
        self.stage = stage
        self.kind = kind
        self.code = code
        self.text = text
        self.extra = extra or {}


_KIND_OF_MISS = {
    Miss.NAME_NOT_FOUND: TroubleKind.NAME_NOT_FOUND,
    Miss.NAME_TIMEOUT: TroubleKind.NAME_TIMEOUT,
    Miss.TIMEOUT: TroubleKind.CONNECT_TIMEOUT,
    Miss.REFUSED: TroubleKind.REFUSED,
    Miss.NO_ROUTE: TroubleKind.NO_ROUTE,
    Miss.NOT_LOOPBACK: TroubleKind.NOT_LOOPBACK,
}
_KIND_OF_FLAW = {
    TlsFlaw.EXPIRED: TroubleKind.CERTIFICATE_EXPIRED,
    TlsFlaw.NOT_YET_VALID: TroubleKind.CERTIFICATE_NOT_YET_VALID,
    TlsFlaw.NAME_MISMATCH: TroubleKind.CERTIFICATE_NAME_MISMATCH,
    TlsFlaw.SELF_SIGNED: TroubleKind.CERTIFICATE_SELF_SIGNED,
    TlsFlaw.UNKNOWN_ISSUER: TroubleKind.CERTIFICATE_UNKNOWN_ISSUER,
    TlsFlaw.PIN_MISMATCH: TroubleKind.CERTIFICATE_CHANGED,
    TlsFlaw.TOO_OLD: TroubleKind.TLS_TOO_OLD,
    TlsFlaw.NOT_TLS: TroubleKind.PLAIN_ON_SSL,
    TlsFlaw.OTHER: TroubleKind.TLS_FAILED,
}
CERTIFICATE_KINDS = frozenset(kind for kind in TroubleKind if kind.startswith("certificate_"))

_PASSWORD_DISABLED = re.compile(
    r"5\.7\.139|application-specific password|app(?:lication)? password|basic authentication is disabled", re.IGNORECASE
)
_KIND_OF_RESPONSE_CODE = {
    "LOGIN-DELAY": TroubleKind.POP_LOGIN_DELAY,
    "SYS/TEMP": TroubleKind.SERVER_BUSY,
    "SYS/PERM": TroubleKind.POP_MAILBOX_BROKEN,
}
_MAILBOX_LOCKED = re.compile(r"\block|in use|another session", re.IGNORECASE)


def kind_of(error: RemoteError, port: int, *, is_upgrade: bool) -> TroubleKind:
    """Name the cause of `error`. `is_upgrade` says that TLS was to begin inside a plaintext session."""
    match error:
        case NotConnected():
            is_port25 = error.miss is Miss.TIMEOUT and port == 25
            return TroubleKind.PORT25_TIMEOUT if is_port25 else _KIND_OF_MISS[error.miss]
        case TlsFailed():
            is_broken_upgrade = is_upgrade and error.flaw is TlsFlaw.NOT_TLS
            return TroubleKind.TLS_FAILED if is_broken_upgrade else _KIND_OF_FLAW[error.flaw]
        case NotOffered():
            return _kind_of_missing(error)
        case Declined():
            return _kind_of_no(error)
        case _:
            return _kind_of_break(error)


def _kind_of_missing(error: NotOffered) -> TroubleKind:
    if error.stage is Stage.TLS:
        return TroubleKind.STARTTLS_MISSING
    is_pop = error.stage is Stage.POP_LOGIN
    return TroubleKind.PASSWORD_LOGIN_DISABLED if is_pop else TroubleKind.MECHANISM_MISSING


def _kind_of_break(error: RemoteError) -> TroubleKind:
    match error:
        case InjectedPlaintext():
            return TroubleKind.INJECTED_PLAINTEXT
        case Garbage():
            return TroubleKind.GARBAGE
        case TooSlow() if error.stage is Stage.GREETING:
            return TroubleKind.NO_GREETING
        case TooSlow():
            return TroubleKind.TOO_SLOW
        case LineLost() if error.stage is Stage.TLS:
            return TroubleKind.TLS_FAILED
        case _:
            return TroubleKind.LINE_LOST


def _kind_of_no(error: Declined) -> TroubleKind:
    match error.stage:
        case Stage.POP_LOGIN:
            return _kind_of_pop_no(error)
        case Stage.POP_QUIT:
            return TroubleKind.POP_QUIT_REFUSED
        case _ if 400 <= error.code < 500:
            return TroubleKind.SERVER_BUSY
        case _ if error.enhanced in _KIND_OF_RESPONSE_CODE:
            return _KIND_OF_RESPONSE_CODE[error.enhanced]
        case Stage.POP_LIST:
            return TroubleKind.POP_LIST_REFUSED
        case Stage.LOGIN:
            return _kind_of_login_no(error)
        case Stage.TLS:
            return TroubleKind.STARTTLS_REFUSED
        case _:
            return TroubleKind.GREETING_REFUSED


def _kind_of_login_no(error: Declined) -> TroubleKind:
    if error.enhanced == "5.7.9" or _PASSWORD_DISABLED.search(f"{error.enhanced} {error.detail}"):
        return TroubleKind.PASSWORD_LOGIN_DISABLED
    if error.code in (530, 538) or error.enhanced == "5.7.11":
        return TroubleKind.ENCRYPTION_REQUIRED
    if error.code == 504:
        return TroubleKind.MECHANISM_MISSING
    return TroubleKind.LOGIN_REFUSED


def _kind_of_pop_no(error: Declined) -> TroubleKind:
    if error.enhanced == "IN-USE" or (not error.enhanced and _MAILBOX_LOCKED.search(error.detail)):
        return TroubleKind.POP_IN_USE
    if error.enhanced in _KIND_OF_RESPONSE_CODE:
        return _KIND_OF_RESPONSE_CODE[error.enhanced]
    if _PASSWORD_DISABLED.search(error.detail):
        return TroubleKind.PASSWORD_LOGIN_DISABLED
    return TroubleKind.POP_LOGIN_REFUSED


def kind_of_outcome(outcome: Outcome) -> TroubleKind | None:
    """Name the account-level trouble in one mail's outcome, or None when it is about the recipient or the mail."""
    if outcome.scope is Scope.SENDER:
        return TroubleKind.SENDER_REFUSED
    if outcome.scope is not Scope.SESSION:
        return None
    if outcome.verdict is Verdict.DEFERRED:
        return TroubleKind.SERVER_BUSY
    return TroubleKind.LOGIN_REQUIRED if outcome.verdict is Verdict.REFUSED else TroubleKind.LINE_LOST
