"""The words of an HTML mail as plain text: what a reader would see, lines where the page has lines."""

from __future__ import annotations

import html
import re
from itertools import islice
from typing import Final

import nh3

HTML_CHARACTERS: Final = 1_000_000
"""Of longer HTML only so much is read."""
_DEEPEST: Final = 5_000
_DEAREST: Final = 30_000_000
_REFERENCES: Final = 50_000

_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>|<!--.*?-->", re.S)
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
_HIDDEN: Final = frozenset(("script", "style", "title", "head"))
_OPENS: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})")
_NO_REFERENCE: Final = re.compile(r"&(?!#?[0-9A-Za-z]{1,32};)")
_SHALLOW: Final = frozenset(
    [
        *("p", "li", "dt", "dd", "tr", "td", "th", "option", "thead", "tbody", "tfoot", "colgroup", "rp", "rt"),
        *("br", "hr", "img", "input", "col", "wbr", "meta", "link", "area", "base", "param", "source", "track"),
        *("embed", "frame", "keygen", "basefont", "bgsound", "image"),
    ]
)
"""Tags that end by themselves or when the next one of their kind begins."""
_KEPT_SPACE: Final = "\x00"
"""Stands for a space inside <pre>; nothing else can put it there."""
_MANY_LINES: Final = re.compile(r"\n{3,}")


def is_too_costly(page: str) -> bool:
    """True when laying the page out would need more than linear time: deep, or built of what is no reference.

    A tree builder walks up the open tags at every tag, so the sum of all depths is what it pays. Tags whose end is
    implied (<p>, <li>, <td>) do not make it deeper, end tags of what is not open do not make it shallower.
    """
    if sum(1 for _ in islice(_NO_REFERENCE.finditer(page), _REFERENCES + 1)) > _REFERENCES:
        return True
    level, cost, open_tags = 0, 0, dict[str, int]()
    for match in _OPENS.finditer(page):
        is_end, name = match.groups()
        if name not in _SHALLOW:
            count = open_tags.get(name, 0)
            step = (-1 if count else 0) if is_end else 1
            open_tags[name], level = count + step, level + step
        cost += level
        if level > _DEEPEST or cost > _DEAREST:
            return True
    return False


def text_of_html(page: str) -> str:
    """The visible text. Pictures give their description (alt), table cells stand apart, lists begin with ・."""
    page = page[:HTML_CHARACTERS]
    if is_too_costly(page):
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
    """The same in a cruder way and one pass, for HTML that is built to be expensive."""
    page = page[:HTML_CHARACTERS]
    lower = page.lower() if len(page.lower()) == len(page) else page
    pieces: list[str] = []
    never: set[str] = set()
    at = 0
    for _ in range(len(page)):
        start = page.find("<", at)
        if start < 0:
            break
        pieces.append(page[at:start])
        at = _after_tag(lower, start, never)
        if at == start:
            pieces.append("<")
            at += 1
    pieces.append(page[at:])
    return _SPACE.sub(" ", html.unescape(" ".join(pieces))).strip()


def _after_tag(page: str, start: int, never: set[str]) -> int:
    """Where the text goes on after the tag, comment or hidden element at `start`; `start` when there is none.

    `never` remembers the ends that were looked for in vain: nobody looks for them again.
    """
    match = _OPENS.match(page, start)
    ends = ["-->"] if page.startswith("<!--", start) else [">"] if match or page[start + 1 : start + 2] in "!?/" else []
    if match and not match.group(1) and match.group(2) in _HIDDEN:
        ends = [f"</{match.group(2)}", ">"]
    at = start
    for end in ends:
        found = -1 if end in never else page.find(end, at + 1)
        if found < 0:
            never.add(end)
            return start if at == start else at
        at = found + len(end)
    return at


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
    return _MANY_LINES.sub("\n\n", "\n".join(lines.pieces)).strip("\n").replace(_KEPT_SPACE, " ")


def _add_text(lines: _Lines, markup: str, is_preformatted: bool) -> None:
    if not markup:
        return
    text = html.unescape(markup).replace("\xa0", " ").replace("\u200b", "")
    if is_preformatted:
        first, *others = text.replace(" ", _KEPT_SPACE).split("\n")
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
