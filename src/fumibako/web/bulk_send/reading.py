"""Reading what a browser sent: numbers that may be anything."""

from __future__ import annotations

LONGEST = 15
"""Digits; more than any of our ids has, and fewer than the database refuses."""


def whole(text: str | None) -> int:
    """The number written in ASCII digits; 0, which is nobody's id, for everything else."""
    found = text or ""
    return int(found) if found.isascii() and found.isdigit() and len(found) <= LONGEST else 0


def wholes(texts: list[str]) -> list[int]:
    """Those of the texts that are numbers."""
    return [number for number in map(whole, texts) if number]
