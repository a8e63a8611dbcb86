"""Texts for property tests: every character a charset can carry, and control characters where they may occur."""

from __future__ import annotations

from functools import lru_cache

from hypothesis import strategies as st

from fumibako.mime.encodings import TWINS, Charset, fits


@lru_cache
def repertoire(charset: Charset) -> str:
    """Every printable character of the basic plane that the charset can carry."""
    return "".join(c for c in map(chr, range(0x20, 0x10000)) if (c.isprintable() or c == "\u3000") and fits(c, charset))


def text_in(charset: Charset, *, max_size: int = 60, extra: str = "") -> st.SearchStrategy[str]:
    """Text that fits the charset; in UTF-8 any character but half a surrogate pair."""
    if charset == "utf-8":
        everything = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
        return st.text(everything | st.sampled_from(extra or " "), max_size=max_size)
    return st.text(st.sampled_from(repertoire(charset) + extra), max_size=max_size)


def canonical(text: str, charset: Charset) -> str:
    """The text as a strict reader of the charset spells it."""
    if charset != "utf-8":
        for windows, tables in TWINS:
            text = text.replace(windows, tables)
    return text


def with_plain_lines(text: str) -> str:
    """Any line ends as "\\n", and one at the very end."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return plain if plain.endswith("\n") else plain + "\n"
