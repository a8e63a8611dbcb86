"""Cells that a spreadsheet would take for a formula get an apostrophe on the way out and lose it on the way in."""

from __future__ import annotations

import re

# ASVS 1.2.10, and the full-width signs that Japanese Excel takes too; blanks and quotes before them change nothing.
_DANGEROUS = re.compile("[\\s'\"]*(?:[=+\\-@＝＋－＠]|[\t\r\n\0])")


def guard(text: str) -> str:
    """The text as it may stand in a CSV file."""
    return "'" + text if _DANGEROUS.match(text) else text


def unguard(text: str) -> str:
    """What `guard` was given: exactly its inverse, and no change to anything else."""
    return text[1:] if text.startswith("'") and _DANGEROUS.match(text[1:]) else text
