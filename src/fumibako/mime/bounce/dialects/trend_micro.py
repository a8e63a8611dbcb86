"""Trend Micro InterScan: a framed message that names one recipient and "others in the same domain"."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, words

DIALECT: Final = Dialect(
    name="trend_micro",
    marks=words(r"^\*{3,} Message from InterScan", r"^\*+\s*InterScan (?:Messaging|E-?Mail)"),
    is_proof=True,
    hint="userunknown",
)
