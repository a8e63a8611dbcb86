"""HTML from strangers: nothing in it acts, loads or leaves its place, and its words stay."""

from __future__ import annotations

import pytest

from fumibako.mime.sanitize import safe_html

HOSTILE = {
    "script": "<p>word</p><script>alert(1)</script>",
    "event": '<img src=x onerror="alert(1)"><p>word</p>',
    "split scheme": '<a href="jav&#9;ascript:alert(1)">word</a>',
    "entity scheme": '<a href="j&#x61vascript:alert(1)">word</a>',
    "data page": '<a href="data:text/html,<script>alert(1)</script>">word</a>',
    "svg": '<p>word</p><svg onload=alert(1)><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    "mutation": (
        "<p>word</p><math><mtext><table><mglyph><style><!--</style>"
        '<img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">'
    ),
    "css expression": '<p style="width: expression(alert(1))">word</p>',
    "css escape": '<p style="background: \\75rl(https://example.com/x)">word</p>',
    "fixed": '<div style="position:fixed;top:0">word</div>',
    "frame": '<iframe src="https://example.com/"></iframe><p>word</p>',
    "form": '<form action="https://example.com/"><input name=password>word</form>',
    "base": '<base href="javascript:alert(1)//"><p>word</p>',
    "refresh": '<meta http-equiv=refresh content="0;url=https://example.com"><p>word</p>',
    "remote picture": '<img src="https://example.com/pixel.gif" alt="word"><p>word</p>',
    "remote background": '<table background="https://example.com/x.png"><tr><td>word</table>',
}
BAD = (
    "<script",
    "onerror",
    "onload",
    "javascript:",
    "expression(",
    "<iframe",
    "<form",
    "<base",
    "<meta",
    "<svg",
    "fixed",
)


@pytest.mark.parametrize("shape", HOSTILE)
def test_nothing_active_or_remote_is_left_and_the_words_are(shape: str) -> None:
    clean = safe_html(HOSTILE[shape]).html.lower()
    assert not [bad for bad in BAD if bad in clean.replace("&lt;", "")]
    assert "https://example.com" not in clean
    assert "word" in clean


def test_remote_pictures_are_counted() -> None:
    assert safe_html('<img src="https://example.com/a.png"><img src="//example.com/b.png">').remote_count == 2


def test_a_picture_of_the_mail_itself_is_shown_from_where_we_serve_it() -> None:
    clean = safe_html('<img src="cid:logo@example.jp">', picture=lambda cid: f"/inbox/1/part/{cid}").html
    assert 'src="/inbox/1/part/logo@example.jp"' in clean


def test_pictures_of_the_mail_may_be_given_as_a_table_and_are_found_under_any_spelling() -> None:
    clean = safe_html('<img src="CID:%3clogo%40example.jp%3E">', picture={"logo@example.jp": "/p/1"})
    assert 'src="/p/1"' in clean.html
    assert clean.remote_count == 0


def test_remote_pictures_are_shown_when_a_person_wants_them() -> None:
    page = '<img src="https://example.com/a.png"><img src=" \t//exa\nmple.com/b.png"><img src="a.png">'
    shown = safe_html(page, remote=lambda address: f"/outside?{address}")
    assert shown.remote_count == 0
    assert shown.html.count('src="/outside?https://example.com/') == 2
    assert 'src="a.png"' not in shown.html


def test_what_hides_in_backgrounds_and_styles_is_counted_too() -> None:
    page = '<table background="https://example.com/a.png"><tr><td style="background:url(//example.com/b.png)">word'
    assert safe_html(page).remote_count == 2


@pytest.mark.parametrize("tag", ["svg><text", "math><mi", "noscript", "object", "video", "xmp", "button"])
def test_words_inside_what_is_taken_away_stay(tag: str) -> None:
    assert "word" in safe_html(f"<{tag}>word").html


def test_a_link_opens_beside_the_mail_and_tells_the_other_side_nothing() -> None:
    clean = safe_html('<a href="https://example.com/" target="_top">word</a>').html
    assert 'target="_blank"' in clean
    assert 'rel="noopener noreferrer nofollow"' in clean


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("mailto:a@example.jp?subject=x&attach=/etc/passwd", "mailto:a@example.jp?subject=x"),
        ("mailto:a@example.jp?attachment=c:/a", "mailto:a@example.jp"),
        ("mailto:a@example.jp;javascript:alert(1)", "mailto:a@example.jp"),
        ("tel:03-0000-0000", "tel:03-0000-0000"),
    ],
)
def test_a_mail_link_can_bring_no_file_along(link: str, kept: str) -> None:
    assert f'href="{kept}"' in safe_html(f'<a href="{link}">word</a>').html


def test_x22_a_page_too_deep_to_lay_out_becomes_its_words() -> None:
    found = safe_html("<div>" * 100_000 + "word")
    assert found.is_text_only
    assert "word" in found.html
