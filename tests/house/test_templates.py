"""Templates obey the strict Content-Security-Policy: no inline style, script or event attribute, no unescaped text."""

from __future__ import annotations

import re

import pytest

from tests.house.tree import PRODUCT, files, name_of

FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*=|<style\b", re.I),
    "an inline script": re.compile(r"<script\b(?![^>]*\bsrc=)(?![^>]*application/json)", re.I),
    "an event attribute": re.compile(r"\s(?:hx-)?on[a-z:-]{3,}\s*=", re.I),
    "a script address": re.compile(r"javascript:", re.I),
    "a form action of htmx that evaluates": re.compile(r"hx-vals\s*=\s*[\"']js:", re.I),
    "unescaped text": re.compile(r"\|\s*safe\b|autoescape\s+off"),
    "something fetched from elsewhere": re.compile(r"(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.I),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_has(what: str) -> None:
    found = [
        f"{name_of(path)}:{text.count(chr(10), 0, match.start()) + 1}"
        for path in files(PRODUCT, ".html")
        for text in [without_comments(path.read_text("utf-8"))]
        for match in FORBIDDEN[what].finditer(text)
    ]
    assert found == []


def without_comments(text: str) -> str:
    """The template with its comments blanked out, line numbers unchanged."""
    comment = re.compile(r"\{% comment\b.*?%\}.*?\{% endcomment %\}|\{#.*?#\}|<!--.*?-->", re.S)
    return comment.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
