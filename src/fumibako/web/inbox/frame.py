"""The page inside the mail's frame: the sender's HTML made harmless, and the headers that would hold it if it were not.

Two walls that each hold alone: `mime.sanitize` leaves nothing that acts or loads, and the headers (with the frame's
sandbox) let nothing act or load. Pictures that came with the mail are written into the page itself: from a sandbox
without an origin the browser could not fetch them with a login.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Final

from django.http import HttpResponse

from fumibako.mime.sanitize import SafeHtml, safe_html

POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-DNS-Prefetch-Control": "off",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""RELIABILITY §4.1. No `allow-scripts`, no `allow-same-origin`, ever."""

PICTURE_OCTETS: Final = 4 * 1024 * 1024
"""Of all pictures of one mail together; larger ones are saved from the list below the mail."""
PICTURE_TYPES: Final = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp"))

STYLE: Final = """
html{background:#fff;color-scheme:light}
body{font:14px/1.65 "Noto Sans JP","Noto Sans CJK JP","Hiragino Sans","BIZ UDPGothic",Meiryo,sans-serif;margin:0;
color:#1a1a1a;background:#fff;padding:14px 18px 40px;overflow-wrap:anywhere;text-autospace:no-autospace}
blockquote{margin:12px 0 0;padding:2px 0 2px 14px;border-left:3px solid #c3ccd6;color:#626b77}
table{border-collapse:collapse;max-width:100%}
img{max-width:100%;height:auto}
td,th,table{border-color:#c3ccd6}
img:not([src]){display:inline-block;min-width:20px;min-height:16px;max-width:100%;padding:0;border:0;
outline:1px dashed #7d8896;outline-offset:-1px;background:#eef2f6;color:#626b77;font-size:12px;vertical-align:middle}
pre{white-space:pre-wrap}
a{color:#0055ad}
a:hover::after,a:focus::after{content:"移動先: " attr(href);position:fixed;inset:auto 0 0 0;padding:4px 12px;
background:#1d2733;color:#eef3f8;font:12px/1.6 "Noto Sans JP","Noto Sans CJK JP",sans-serif;white-space:nowrap;
overflow:hidden;text-overflow:ellipsis;z-index:9}
:focus-visible{outline:3px solid #1a1a1a;outline-offset:2px}
"""

Picture = tuple[str, bytes]
"""Content type and bytes of a picture that came with the mail."""


def body_page(html: str, pictures: Callable[[str], Picture | None]) -> str:
    """The whole document for the frame; `pictures` finds one by its Content-ID."""
    return framed(safe_html(html, picture=embedding(pictures)))


def framed(safe: SafeHtml) -> str:
    """Words that are already harmless, in the document that shows them."""
    return (
        '<!doctype html>\n<html lang="ja"><head><meta charset="utf-8"><title>メールの本文</title>'
        f'<base target="_blank"><style>{STYLE}</style></head><body>{safe.html}</body></html>\n'
    )


def embedding(pictures: Callable[[str], Picture | None]) -> Callable[[str], str]:
    """From a Content-ID to the picture as an address that holds it; "" for what is unknown, odd or too large."""
    left = PICTURE_OCTETS

    def address(content_id: str) -> str:
        nonlocal left
        found = pictures(content_id.strip("<> "))
        if found is None or found[0].lower() not in PICTURE_TYPES or len(found[1]) > left:
            return ""
        left -= len(found[1])
        return f"data:{found[0].lower()};base64,{base64.b64encode(found[1]).decode()}"

    return address


def answer(page: str) -> HttpResponse:
    """The document with the headers that hold it; always UTF-8, whatever the mail claims."""
    response = HttpResponse(page, content_type="text/html; charset=utf-8")
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response
