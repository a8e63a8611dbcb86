"""What the tests of fetching share: invented mails, a route to a peer, and a run of the collector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fumibako.protocol.patience import Patience
from fumibako.services.collector import Collected, PopRoute, Rule, Surroundings, collect
from fumibako.services.secret import Secret
from tests.support.mail_desk import Desk

USER, PASSWORD = "desk", "himitsu-no-kotoba"
QUICK = Patience(
    name=2, address=2, connect=2, tls=2, greeting=2, command=2, login=2, bulk=20, silence=5, block=1, farewell=0.2
)
IMPATIENT = replace(QUICK, silence=0.3)


def mail(number: int, body: str = "body") -> bytes:
    """An ordinary mail."""
    head = f"Received: by mx.example.jp id {number}\r\nFrom: sato@example.jp\r\nSubject: mail {number}\r\n\r\n"
    return (head + body + "\r\n").encode()


def bounce(number: int) -> bytes:
    """An error mail, for `looks_like_bounce`."""
    return mail(number, "gone").replace(b"From: sato@", b"From: mailer-daemon@")


def looks_like_bounce(raw: bytes) -> bool | None:
    """A judge for tests: sure by the sender, undecided where the subject says so."""
    if b"Subject: undecided" in raw:
        return None
    return b"From: mailer-daemon@" in raw


def fetch(
    port: int,
    desk: Desk,
    *,
    user: str = USER,
    security: Any = "none",
    pin: str = "",
    patience: Patience = QUICK,
    around: Surroundings | None = None,
    **rule: Any,
) -> Collected:
    """One run of the collector."""
    route = PopRoute("127.0.0.1", port, security, user, Secret(PASSWORD), pin, loopback_only=True, patience=patience)
    return collect(route, Rule(**rule), desk, desk, around)


def until_done(step: Callable[[], Collected], most: int = 10) -> list[Collected]:
    """Run again and again until a run has no trouble."""
    runs = [step()]
    while runs[-1].trouble is not None and len(runs) < most:
        runs.append(step())
    assert runs[-1].trouble is None, str(runs[-1].trouble)
    return runs
