"""Whose mistake it was: ours (`LocalError`) or theirs, the network's included (`RemoteError`)."""

from __future__ import annotations

from fumibako.delivery.outcome import Stage


class LocalError(Exception):
    """We were asked to say something SMTP or POP3 cannot carry. Raised before a byte is written."""


class RemoteError(Exception):
    """The other side, or the line to it, did not do what the conversation needs.

    `detail` is safe to show: at most 500 printable characters, secrets removed. `stage` is filled in by the driver
    when the place that raised could not know it.
    """

    def __init__(self, detail: str = "", *, stage: Stage | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.stage = stage


class LineLost(RemoteError):
    """The line was closed or reset."""


class TooSlow(RemoteError):
    """A deadline passed without a complete answer, or without the peer taking our bytes."""


class Garbage(RemoteError):
    """The bytes are not the protocol: no code, two codes in one reply, a reply without end, control characters."""


class Unsolicited(Garbage):
    """Bytes that answer nothing we said. Whatever follows could be taken for the answer to something else."""


class InjectedPlaintext(RemoteError):
    """Plaintext arrived behind the go-ahead for TLS: somebody on the way is writing into the line (RFC 3207 §6)."""


class NotHandedOver(RemoteError):
    """The hand-over was announced, but the final dot was surely not written."""


class NotOffered(RemoteError):
    """The server does not offer what the account's settings require. Nothing secret was said.

    `wanted` is the keyword ("STARTTLS", "LOGIN", …), `offered` the login mechanisms the server named.
    """

    def __init__(self, wanted: str, offered: tuple[str, ...], *, stage: Stage) -> None:
        super().__init__(f"{wanted} is not offered", stage=stage)
        self.wanted = wanted
        self.offered = offered


class Declined(RemoteError):
    """A complete negative reply to something the whole session depends on.

    `code` is the SMTP reply code (0 for POP3), `enhanced` the RFC 3463 status or POP3 response code (RFC 2449 §8).
    """

    def __init__(self, detail: str, *, stage: Stage, code: int = 0, enhanced: str = "") -> None:
        super().__init__(detail, stage=stage)
        self.code = code
        self.enhanced = enhanced
