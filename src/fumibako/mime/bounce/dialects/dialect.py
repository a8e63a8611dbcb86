"""What one mail system's notices look like: marks to know them by, and what is special about reading them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from fumibako.mime.bounce.notice import Notice
from fumibako.mime.bounce.phrases import Lazy
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
    marks: tuple[Lazy, ...] = ()
    headers: tuple[tuple[str, Lazy], ...] = ()
    is_proof: bool = False
    hint: str = ""
    read: Reader | None = None

    def speaks(self, notice: Notice, own: str) -> bool:
        """Whether this notice is in this dialect."""
        looked_at = own[:LOOKED_AT]
        if any(mark.search(looked_at) for mark in self.marks):
            return True
        return self.is_in_head(notice)

    def is_in_head(self, notice: Notice) -> bool:
        """Whether the header names this system."""
        return any(pattern.search(notice.header(name)) for name, pattern in self.headers)


def words(*patterns: str) -> tuple[Lazy, ...]:
    """Marks, without case, `^` at the beginning of any line."""
    return tuple(Lazy(partial(re.compile, pattern, re.I | re.M)) for pattern in patterns)


def header(name: str, pattern: str) -> tuple[str, Lazy]:
    """A mark in a header field."""
    return name, Lazy(partial(re.compile, pattern, re.I))
