"""The words of an HTML mail as plain text: what a reader would see, lines where the page has lines."""

from __future__ import annotations

import html
import re
from typing import Final

import nh3

HTML_CHARACTERS: Final = 1_000_000
"""Of longer HTML only so much is read."""
_DEEPEST: Final = 500

_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>|<!--.*?-->", re.S)
_ANY_TAG: Final = re.compile(r"<(?:!--.{0,100000}?--|/?[a-zA-Z!?][^>]{0,20000})>", re.S)
_HIDDEN: Final = re.compile(r"<(script|style|title|head)\b[^>]{0,2000}>.{0,500000}?</\1\s*>", re.S | re.I)
_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
_ALT: Final = re.compile(r'\balt="([^"]*)"')
_LINES: Final = frozenset(
    [
        "div",
        "p",
        "tr",
        "table",
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "pre",
        "hr",
        "center",
        "address",
    ]
)
_APART: Final = frozenset(["p", "table", "ul", "ol", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre"])
_KEPT: Final = frozenset(_LINES | {"br", "td", "th", "img"})
_DROPPED_WITH_CONTENT: Final = frozenset(("script", "style", "title", "template", "noscript"))
_OPENS: Final = re.compile(r"<(/?)[a-zA-Z]")
_MANY_LINES: Final = re.compile(r"\n{3,}")


def is_too_deep(page: str, limit: int = _DEEPEST) -> bool:
    """True when tags are opened so much faster than closed that a tree builder would need more than linear time."""
    level = 0
    for match in _OPENS.finditer(page):
        level += -1 if match.group(1) else 1
        if level > limit * 20:
            return True
        level = max(level, 0)
    return False


def text_of_html(page: str) -> str:
    """The visible text. Pictures give their description (alt), table cells stand apart, lists begin with ・."""
    page = page[:HTML_CHARACTERS]
    if is_too_deep(page):
        return without_tags(page)
    clean = nh3.clean(
        page,
        tags=set(_KEPT),
        attributes={"img": {"alt"}},
        clean_content_tags=set(_DROPPED_WITH_CONTENT),
        strip_comments=True,
        link_rel=None,
    )
    return _laid_out(clean)


def without_tags(page: str) -> str:
    """The same in a cruder way, for HTML that is built to be expensive."""
    plain = _ANY_TAG.sub(" ", _HIDDEN.sub(" ", page[:HTML_CHARACTERS]))
    return _SPACE.sub(" ", html.unescape(plain)).strip()


class _Lines:
    """Text put together line by line."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.line = ""
        self.blank_wanted = False

    def end(self) -> None:
        """Go to a new line, unless this one is still empty."""
        if self.line.strip(" "):
            if self.blank_wanted and self.pieces:
                self.pieces.append("")
            self.pieces.append(self.line.strip(" "))
            self.blank_wanted = False
        self.line = ""

    def break_line(self) -> None:
        """<br>: also an empty line counts."""
        if self.line.strip(" "):
            self.end()
        else:
            self.pieces.append("")

    def apart(self) -> None:
        """A block that stands apart from the one before."""
        self.end()
        self.blank_wanted = True


def _laid_out(clean: str) -> str:
    lines = _Lines()
    in_pre = 0
    at = 0
    for match in _TAG.finditer(clean):
        _add_text(lines, clean[at : match.start()], in_pre > 0)
        at = match.end()
        if match.group(2):
            in_pre = max(0, in_pre + _tag(lines, match.group(1) == "/", match.group(2).lower(), match.group(3)))
    _add_text(lines, clean[at:], in_pre > 0)
    lines.end()
    return _MANY_LINES.sub("\n\n", "\n".join(lines.pieces)).strip("\n")


def _add_text(lines: _Lines, markup: str, is_preformatted: bool) -> None:
    if not markup:
        return
    text = html.unescape(markup).replace("\xa0", " ").replace("\u200b", "")
    if is_preformatted:
        first, *others = text.split("\n")
        lines.line += first
        for line in others:
            lines.break_line()
            lines.line = line
        return
    text = _SPACE.sub(" ", text)
    lines.line += text if lines.line.strip(" ") else text.lstrip(" ")


def _tag(lines: _Lines, is_end: bool, name: str, attributes: str) -> int:
    """Lay out one tag; returns the change in <pre> depth."""
    if name == "br":
        lines.break_line()
    elif name in ("td", "th"):
        if is_end:
            lines.line += "  "
    elif name == "img":
        alt = _ALT.search(attributes)
        lines.line += html.unescape(alt.group(1)) if alt else ""
    elif name in _LINES:
        _block(lines, is_end, name)
    return (-1 if is_end else 1) if name == "pre" else 0


def _block(lines: _Lines, is_end: bool, name: str) -> None:
    """What stands on lines of its own."""
    if name in _APART:
        lines.apart()
    else:
        lines.end()
    if name == "li" and not is_end:
        lines.line = "・"
    if name == "hr":
        lines.line = "-" * 20
        lines.end()
