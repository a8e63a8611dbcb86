"""CSS declarations in `style` attributes: an allow-list of properties and a plain grammar for their values."""

from __future__ import annotations

import re
from typing import Final

STYLE_CHARACTERS: Final = 10_000

PROPERTIES: Final = frozenset(
    [
        "background-color",
        "border",
        "border-bottom",
        "border-bottom-color",
        "border-bottom-style",
        "border-bottom-width",
        "border-collapse",
        "border-color",
        "border-left",
        "border-left-color",
        "border-left-style",
        "border-left-width",
        "border-radius",
        "border-right",
        "border-right-color",
        "border-right-style",
        "border-right-width",
        "border-spacing",
        "border-style",
        "border-top",
        "border-top-color",
        "border-top-style",
        "border-top-width",
        "border-width",
        "box-sizing",
        "caption-side",
        "clear",
        "color",
        "direction",
        "display",
        "empty-cells",
        "float",
        "font",
        "font-family",
        "font-size",
        "font-style",
        "font-variant",
        "font-weight",
        "height",
        "letter-spacing",
        "line-break",
        "line-height",
        "list-style-position",
        "list-style-type",
        "margin",
        "margin-bottom",
        "margin-left",
        "margin-right",
        "margin-top",
        "max-height",
        "max-width",
        "min-height",
        "min-width",
        "overflow",
        "overflow-wrap",
        "overflow-x",
        "overflow-y",
        "padding",
        "padding-bottom",
        "padding-left",
        "padding-right",
        "padding-top",
        "table-layout",
        "text-align",
        "text-decoration",
        "text-indent",
        "text-transform",
        "unicode-bidi",
        "vertical-align",
        "white-space",
        "width",
        "word-break",
        "word-spacing",
        "word-wrap",
        "writing-mode",
    ]
)
_VALUE: Final = re.compile(r"[-#%.,!+\w\s\"'/]{1,400}")
_COLOUR: Final = re.compile(r"(?:rgb|rgba|hsl|hsla)\([-\d.,%\s/]{1,60}\)", re.I)
_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)", re.S)


def safe_style(style: str) -> str:
    """The declarations that only change how the words look where they stand. No functions but colours, no escapes."""
    if len(style) > STYLE_CHARACTERS or "\\" in style:
        return ""
    kept = []
    for declaration in _COMMENT.sub(" ", style).split(";"):
        name, colon, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if colon and name in PROPERTIES and _is_plain(name, value):
            kept.append(f"{name}: {value}")
    return "; ".join(kept)


def _is_plain(name: str, value: str) -> bool:
    without_colours = _COLOUR.sub("c", value)
    if not _VALUE.fullmatch(without_colours) or "//" in value:
        return False
    # Negative margins and text thrown off the page are how a mail covers what stands around it.
    if name.startswith(("margin", "text-indent", "letter-spacing", "word-spacing")) and "-" in value:
        return False
    return value.count('"') % 2 == 0 and value.count("'") % 2 == 0
