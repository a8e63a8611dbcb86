"""How long we wait for what, in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from fumibako.delivery.outcome import Stage


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for each part of a conversation; every wait is an absolute deadline, however the peer dribbles.

    The defaults are the minima of RFC 5321 §4.5.3.2 where it names one. A short `dot` would create unknown results.
    """

    name: float = 10.0
    address: float = 10.0
    """Connecting to one address of the server."""
    connect: float = 30.0
    """Connecting to any of its addresses."""
    tls: float = 30.0
    greeting: float = 300.0
    command: float = 300.0
    login: float = 60.0
    data: float = 120.0
    block: float = 180.0
    """The peer takes not one byte of the content for so long."""
    body: float = 1200.0
    """The whole content, however slowly the peer takes it."""
    mark: float = 5.0
    """Longest pause between the durable mark and the final dot; after that the dot is not written."""
    dot: float = 600.0
    bulk: float = 3600.0
    """One long answer of POP3, a mail or a list, however slowly it comes."""
    silence: float = 120.0
    """Not one byte of a long answer comes for so long."""
    farewell: float = 2.0
    """QUIT is a courtesy; its answer changes nothing."""

    def seconds(self, stage: Stage) -> float:
        """Return how long to wait for an answer that belongs to `stage`."""
        match stage:
            case Stage.DOT:
                return self.dot
            case Stage.GREETING:
                return self.greeting
            case Stage.DATA:
                return self.data
            case Stage.LOGIN | Stage.POP_LOGIN:
                return self.login
            case Stage.TLS:
                return self.tls
            case _:
                return self.command
