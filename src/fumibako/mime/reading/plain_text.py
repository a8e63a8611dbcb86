"""Plain text bodies: line ends, format=flowed (RFC 3676), and characters that have no business in a text."""

from __future__ import annotations

import re
from typing import Final

_QUOTES: Final = re.compile(r">*")
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")


def with_line_feeds(text: str) -> str:
    """Every line ends in LF; other control characters but tab and form feed are gone."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def unflowed(text: str, *, delete_space: bool) -> str:
    """format=flowed undone: lines that end in a space go on in the next one of the same quote depth.

    `delete_space` is the DelSp parameter, which texts without spaces between words (Japanese) are sent with.
    """
    paragraphs: list[tuple[str, list[str]]] = []
    is_open = False
    for line in text.split("\n"):
        match = _QUOTES.match(line)
        quotes = match.group() if match else ""
        rest = line[len(quotes) :]
        # RFC 3676 §4.4: one space in front was stuffed in.
        rest = rest.removeprefix(" ")
        is_signature = rest == "-- "
        flows = rest.endswith(" ") and not is_signature
        body = rest[:-1] if flows and delete_space else rest
        if is_open and not is_signature and paragraphs[-1][0] == quotes:
            paragraphs[-1][1].append(body)
        else:
            paragraphs.append((quotes, [body]))
        is_open = flows
    return "\n".join(f"{quotes} {''.join(lines)}" if quotes else "".join(lines) for quotes, lines in paragraphs)
