"""Where an account's mail goes out, and the login that some servers want to see on POP first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from fumibako.protocol.errors import LocalError
from fumibako.protocol.patience import Patience
from fumibako.services.secret import Secret

SmtpSecurity = Literal["none", "starttls", "ssl"]
PopSecurity = Literal["none", "stls", "tls"]
Mechanism = Literal["", "LOGIN", "PLAIN"]


def _require_place(host: str, port: int) -> None:
    if not host.strip() or "\0" in host:
        raise LocalError("a server needs a name")
    if not 1 <= port <= 65535:
        raise LocalError("a port is a number from 1 to 65535")


@dataclass(frozen=True, slots=True)
class PopRoute:
    """A POP3 server and its login. "stls" upgrades the line, "tls" is TLS from the first byte; neither falls back.

    `pinned_sha256` trusts exactly that certificate. `loopback_only` speaks to no other machine.
    """

    host: str
    port: int
    security: PopSecurity = "none"
    user: str = field(default="", repr=False)
    password: Secret = field(default_factory=Secret)
    pinned_sha256: str = ""
    loopback_only: bool = False
    patience: Patience = field(default_factory=Patience, repr=False)

    def __post_init__(self) -> None:
        _require_place(self.host, self.port)
        if self.security not in ("none", "stls", "tls"):
            raise LocalError(f"unknown security {self.security!r}")


@dataclass(frozen=True, slots=True)
class SmtpRoute:
    """An SMTP server, how to reach it safely, and the login it wants.

    "starttls" upgrades the line, "ssl" is TLS from the first byte; neither falls back to plaintext. `auth` "" means no
    login. `helo_name` is our name in EHLO. With `pop_first` one POP login precedes every session (POP before SMTP).
    """

    host: str
    port: int
    security: SmtpSecurity = "starttls"
    auth: Mechanism = ""
    user: str = field(default="", repr=False)
    password: Secret = field(default_factory=Secret)
    pinned_sha256: str = ""
    helo_name: str = "localhost"
    pop_first: PopRoute | None = None
    loopback_only: bool = False
    patience: Patience = field(default_factory=Patience, repr=False)

    def __post_init__(self) -> None:
        _require_place(self.host, self.port)
        if self.security not in ("none", "starttls", "ssl"):
            raise LocalError(f"unknown security {self.security!r}")
