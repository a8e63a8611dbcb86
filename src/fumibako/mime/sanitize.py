"""HTML from strangers made harmless before anybody sees it: an allow-list of tags, attributes and CSS, nothing remote.

Three walls stand behind this one (the sandboxed frame, the content security policy, remote pictures off); it is built
as if they were not there. It works on decoded text only: a charset trick can no longer be played after it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

import nh3

from fumibako.mime.reading.html_text import is_too_costly, without_tags
from fumibako.mime.reading.styles import safe_style

PAGE_CHARACTERS: Final = 1_000_000

TAGS: Final = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "address",
        "article",
        "aside",
        "b",
        "bdi",
        "bdo",
        "big",
        "blockquote",
        "br",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "dfn",
        "details",
        "dir",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "main",
        "mark",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
        "wbr",
    ]
)
_HIDDEN: Final = frozenset(("script", "style", "title", "head", "noframes"))
_SHARED: Final = frozenset(["align", "bgcolor", "color", "dir", "height", "lang", "style", "title", "valign", "width"])
_OWN: Final[dict[str, set[str]]] = {
    "a": {"href"},
    "img": {"src", "alt", "border", "hspace", "vspace"},
    "font": {"face", "size"},
    "table": {"background", "border", "cellpadding", "cellspacing", "summary", "rules", "frame"},
    "tr": {"background"},
    "td": {"background", "colspan", "rowspan", "nowrap", "headers", "scope", "abbr"},
    "th": {"background", "colspan", "rowspan", "nowrap", "headers", "scope", "abbr"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type", "reversed"},
    "ul": {"type"},
    "li": {"type", "value"},
    "hr": {"size", "noshade"},
    "br": {"clear"},
    "del": {"datetime"},
    "ins": {"datetime"},
    "time": {"datetime"},
}
ATTRIBUTES: Final = {tag: set(_SHARED | _OWN.get(tag, set())) for tag in TAGS}
SCHEMES: Final = frozenset(("http", "https", "mailto", "tel", "cid"))

_CID: Final = re.compile(r"cid:(.{1,500})\Z", re.I | re.S)
_REMOTE: Final = re.compile(r"(?:https?:)?[/\\]{2}[^\s/\\]", re.I)
_REMOTE_STYLE: Final = re.compile(r"url\(\s{0,9}[\"']?\s{0,9}(?:https?:)?//", re.I)
# What a browser drops from an address before it looks at it (WHATWG URL).
_IN_ADDRESS: Final = re.compile("^[\x00-\x20]+|[\x00-\x20]+$|[\t\r\n]+")
_PICTURE: Final = re.compile(r"data:image/(?:png|gif|jpeg|webp);base64,[A-Za-z0-9+/=\s]+\Z", re.I)
_LINK: Final = re.compile(r"(?:https?://|mailto:|tel:)\S", re.I)
_INVISIBLE: Final = re.compile("[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
# Done before cleaning, never after it: form controls leave their words, and words keep apart; templates,
# drawings and formulas show theirs.
_CONTROL: Final = re.compile(
    r"(?=</?(?:button|input|select|option|optgroup|textarea|label|legend|form|fieldset)\b)", re.I
)
_DRAWN: Final = re.compile(
    r"(?<=<)(/?)(?:svg|g|switch|text|tspan|textpath|desc|foreignobject|math|semantics|m(?:i|n|o|s|text|row|sup|sub|subsup|"
    r"frac|sqrt|root|style|table|tr|td|action|error|padded|fenced|over|under|underover))(?=[\s/>])",
    re.I,
)
_TEMPLATE: Final = re.compile(r"(?<=<)(/?)template\b", re.I)
_PLAIN_VALUE: Final = re.compile(r"[^<>\x00-\x08\x0e-\x1f]*")

PictureAddress = Callable[[str], str] | Mapping[str, str]
"""From the Content-ID of a picture in the mail, or the address of one outside, to where we serve it; "" for nowhere."""


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """`remote_count` pictures were left out because they are not in the mail; `is_text_only` when the page was too
    hostile to lay out and only its words are given."""

    html: str
    remote_count: int = 0
    is_text_only: bool = False


def safe_html(page: str, *, picture: PictureAddress | None = None, remote: PictureAddress | None = None) -> SafeHtml:
    """The page without anything that acts, loads, leaves its place or sends.

    `picture` gives the addresses for `cid:` pictures; without it they are left out and their description is shown.
    `remote` gives the addresses under which pictures from outside may be shown; without it they are counted and left
    out: looking at a mail tells its sender nothing.
    """
    page = page[:PAGE_CHARACTERS].replace("\x00", "")
    if is_too_costly(page):
        return SafeHtml(f"<pre>{html.escape(without_tags(page))}</pre>", is_text_only=True)
    page = _DRAWN.sub(r"\1span", _TEMPLATE.sub(r"\1div", _CONTROL.sub(" ", page)))
    keeper = _Keeper(picture, remote)
    clean = nh3.clean(
        page,
        tags=set(TAGS),
        clean_content_tags=set(_HIDDEN),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=keeper.keep,
        url_schemes=set(SCHEMES | {"data"}),
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return SafeHtml(clean, keeper.remote_count)


class _Keeper:
    """Decides about one attribute after another and counts what was left out."""

    def __init__(self, picture: PictureAddress | None, remote: PictureAddress | None) -> None:
        self.picture = picture
        self.remote = remote
        self.remote_count = 0

    def keep(self, tag: str, name: str, value: str) -> str | None:
        """The value to keep, or None to drop the attribute."""
        if name == "style":
            self.remote_count += _REMOTE_STYLE.search(value) is not None
            return safe_style(value) or None
        if name == "href":
            return _target(value.strip()) if tag == "a" else None
        if name == "src":
            return self._source(_IN_ADDRESS.sub("", value))
        if name == "background":
            self.remote_count += _REMOTE.match(value.strip()) is not None
            return None
        return value if _PLAIN_VALUE.fullmatch(value) else None

    def _source(self, source: str) -> str | None:
        if _PICTURE.match(source):
            return source
        cid = _CID.match(source)
        if cid is not None:
            return _address(self.picture, unquote(cid.group(1)).strip().strip("<>")) or None
        if not _REMOTE.match(source):
            return None
        shown = _address(self.remote, f"https:{source}" if source.startswith("//") else source)
        self.remote_count += not shown
        return shown or None


def _target(target: str) -> str | None:
    """Where a link goes. Of a `mailto:` the address, subject and text are left: some programs take files from it."""
    if not _LINK.match(target) or _INVISIBLE.search(target[:12]):
        return None
    if target[:7].lower() != "mailto:":
        return target
    people, _, rest = target.partition("?")
    wanted = [one for one in rest.split("&") if one.lower().startswith(("subject=", "body="))]
    return people.partition(";")[0] + ("?" if wanted else "") + "&".join(wanted)


def _address(addresses: PictureAddress | None, name: str) -> str:
    if addresses is None:
        return ""
    return addresses.get(name, "") if isinstance(addresses, Mapping) else addresses(name)
