"""m-FILTER (Digital Arts): Japanese text, then sections between dashes for the answer and the refused command."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, words

DIALECT: Final = Dialect(
    name="m_filter",
    marks=words(r"「m-FILTER」が自動的に", r"^-{3,}server message\s*$"),
    is_proof=True,
)
