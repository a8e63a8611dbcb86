"""One file per class of hostile HTML that webmail programs have fallen to: nothing acts, loads or leaves its place."""

from __future__ import annotations

import html.parser
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fumibako.mime.reading.html_text import text_of_html
from fumibako.mime.sanitize import ATTRIBUTES, TAGS, safe_html

PAGES = sorted((Path(__file__).parent / "pages").glob("*.html"))
SOURCE = re.compile(r"data:image/(?:png|gif|jpeg|webp);base64,")
LINK = re.compile(r"https?://|mailto:|tel:")


class Walk(html.parser.HTMLParser):
    """Fails on whatever is not on the list."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        for name, value in attrs:
            assert name in ATTRIBUTES[tag] | {"rel", "target"}
            assert name not in ("id", "name", "class")
            assert (name, value) != ("target", "_top")
            assert name != "src" or SOURCE.match(value or "")
            assert name != "href" or LINK.match(value or "")
            assert name != "style" or not re.search(r"url|expression|position|\\|@|-moz|behavio", value or "", re.I)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_nothing_in_a_hostile_page_acts_loads_or_leaves_its_place(page: Path) -> None:
    clean = safe_html(page.read_text("utf-8")).html
    # A second time: what is clean must not turn into something else in the next reader.
    for shown in (clean, safe_html(clean).html):
        walk = Walk()
        walk.feed(shown)
        walk.close()
        assert "before" in shown
    assert "before" in text_of_html(page.read_text("utf-8"))


PIECES = st.sampled_from(
    [
        *("<", ">", '"', "'", "/", "&", "#", ";", " ", "=", "\x00", "--", "<!--", "-->", "<![CDATA[", "]]>"),
        *("<a href=", "<img src=", "<svg>", "<math>", "<style>", "</style>", "<table>", "<template>", "<noscript>"),
        *("<script>", "javascript:", "//e.example/", ' style="', "url(", "cid:a", "onerror=", "data:image/png;base64,"),
        *("<p", "</p>", "word", "<mglyph>", "<title>", "\\"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.text(max_size=3), max_size=40).map("".join))
def test_no_page_at_all_keeps_anything_that_is_not_on_the_list(page: str) -> None:
    walk = Walk()
    walk.feed(safe_html(page, picture=lambda cid: "data:image/png;base64,AAAA").html)
    walk.close()
    assert "\x00" not in text_of_html(page)
