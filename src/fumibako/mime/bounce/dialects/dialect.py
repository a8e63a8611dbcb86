"""What one mail system's notices look like: marks to know them by, and what is special about reading them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fumibako.mime.bounce.notice import Notice
from fumibako.mime.bounce.report import Found

LOOKED_AT: Final = 20_000
"""Characters of a notice's own words in which marks are looked for."""

Reader = Callable[[Notice, str], list[Found]]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One mail system.

    `marks` are patterns in the notice's own words, `headers` patterns in its header fields; any of them is enough.
    `is_proof` says that only this system writes so, whoever seems to have sent it. `hint` is the reason where the words
    tell none. `read` finds the recipients; without it, or when it finds none, the general reader does.
    """

    name: str
    marks: tuple[re.Pattern[str], ...] = ()
    headers: tuple[tuple[str, re.Pattern[str]], ...] = ()
    is_proof: bool = False
    hint: str = ""
    read: Reader | None = None

    def speaks(self, notice: Notice, own: str) -> bool:
        """Whether this notice is in this dialect."""
        looked_at = own[:LOOKED_AT]
        if any(mark.search(looked_at) for mark in self.marks):
            return True
        return any(pattern.search(notice.header(name)) for name, pattern in self.headers)


def words(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """Marks, without case, `^` at the beginning of any line."""
    return tuple(re.compile(pattern, re.I | re.M) for pattern in patterns)


def header(name: str, pattern: str) -> tuple[str, re.Pattern[str]]:
    """A mark in a header field."""
    return name, re.compile(pattern, re.I)
