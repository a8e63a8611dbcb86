"""A bounded record of one conversation for people: secrets and content are never in it."""

from __future__ import annotations

from typing import Protocol

from fumibako.delivery.outcome import Stage
from fumibako.protocol.lines import NO_VEIL, Veil, shown


class Listener(Protocol):
    """Somebody who follows a conversation while it happens."""

    def said(self, line: bytes, *, is_secret: bool) -> None:
        """We said `line`."""

    def heard(self, stage: Stage, text: str) -> None:
        """The server's complete answer, secrets already hidden."""


class Transcript:
    """The last `limit` lines of a conversation, "C: " for ours and "S: " for theirs."""

    def __init__(self, veil: Veil = NO_VEIL, limit: int = 200) -> None:
        self._veil = veil
        self._limit = limit
        self.lines: list[str] = []

    def said(self, line: bytes, *, is_secret: bool) -> None:
        """Note a line of ours; a secret one only as stars."""
        self._note("C: ***" if is_secret else f"C: {shown(line, self._veil)}")

    def heard(self, stage: Stage, text: str) -> None:
        """Note an answer."""
        self._note(f"S: {text}")

    def _note(self, line: str) -> None:
        self.lines.append(line)
        del self.lines[: -self._limit]
