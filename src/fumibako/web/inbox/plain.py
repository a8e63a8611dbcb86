"""A mail's text cut into pieces: quoted lines, links, and the rest. Joined again the pieces are the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MOST_CHARACTERS: Final = 200_000
"""What is shown of one text; the whole is in the .eml file."""
MOST_LINKS: Final = 300

# Nothing but letters that a URL may hold: no quote, no bracket, no blank, so that what follows it stays text.
_URL: Final = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9._~:/?#@!$&*+,;=%-]{1,1500}")
_TAIL: Final = ".,;:!?*&#"
_QUOTE: Final = re.compile(r"[>＞]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `url` makes it a link, `is_quote` one of somebody else's words."""

    text: str
    url: str = ""
    is_quote: bool = False


def pieces_of(text: str) -> list[Piece]:
    """The text for a page that escapes every piece."""
    found: list[Piece] = []
    links = 0
    for is_quote, lines in _runs(text[:MOST_CHARACTERS]):
        if is_quote:
            found.append(Piece(lines, is_quote=True))
            continue
        at = 0
        for match in _URL.finditer(lines):
            url = match.group().rstrip(_TAIL)
            if links >= MOST_LINKS:
                break
            links += 1
            if match.start() > at:
                found.append(Piece(lines[at : match.start()]))
            found.append(Piece(url, url=url))
            at = match.start() + len(url)
        if lines[at:]:
            found.append(Piece(lines[at:]))
    return found


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    """Lines that stand together, quoted ones apart from the others."""
    held: list[str] = []
    was_quote = False
    for line in text.splitlines(keepends=True):
        is_quote = bool(_QUOTE.match(line))
        if held and is_quote != was_quote:
            yield was_quote, "".join(held)
            held = []
        was_quote = is_quote
        held.append(line)
    if held:
        yield was_quote, "".join(held)
