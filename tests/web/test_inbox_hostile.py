"""Hostile HTML in a real Chromium: each of the two walls around a mail holds alone, and both together."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from fumibako.mime.sanitize import safe_html
from fumibako.web.inbox.frame import HEADERS, STYLE, framed
from tests.support.beacon import Beacon, beacon
from tests.support.browser import OpenPage
from tests.web.hostile_html import CLASSES, shapes
from tests.web.inbox_scene import deliver, inbox_account, letter

pytestmark = pytest.mark.browser
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
TAGS = "SCRIPT|IFRAME|OBJECT|EMBED|FORM|INPUT|BUTTON|LINK|META|SVG|MATH|VIDEO|AUDIO|FRAME|DIALOG|TEMPLATE"
NAMES = "on.*|srcset|ping|background|poster|formaction|action|id|name|class"
ACTIVE = f"""() => [...document.querySelectorAll("*")].filter((one) =>
  /^({TAGS})$/i.test(one.tagName) || [...one.attributes].some((a) => /^({NAMES})$/i.test(a.name)
  || /^\\s*(javascript|vbscript|data:text)/i.test(a.value))).map((one) => one.outerHTML.slice(0, 200))"""
"""What may act or be reached by name."""


@pytest.fixture
def lure() -> Iterator[Beacon]:
    """A place that counts who comes."""
    with beacon() as found:
        yield found


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of nobody's."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def show(place: Beacon, page: Page, documents: list[str], headers: dict[str, str], attributes: str) -> None:
    """Show every document in a frame of its own."""
    for number, document in enumerate(documents):
        place.pages[f"/doc/{number}"] = (headers, document)
    outer = "".join(f'<iframe {attributes} src="/doc/{number}"></iframe>' for number in range(len(documents)))
    place.pages["/outer"] = ({}, f"<!doctype html><title>outer</title>{outer}")
    page.goto(f"{place.url}/outer", wait_until="commit")


def settle(page: Page) -> None:
    """Wait until everything has loaded, also under the pointer, and as long again as a timer of a mail may need.

    A page that hostile mail keeps busy is never idle; what acts at all has acted by then (see the first test).
    """
    page.wait_for_load_state("load")
    page.mouse.move(60, 60)
    page.mouse.move(200, 90)
    page.wait_for_timeout(1200)


def document_of(html: str) -> str:
    """The frame's document around HTML that nobody made harmless."""
    head = f"<!doctype html><html><head><title>x</title><style>{STYLE}</style></head>"
    return f"{head}<body>{html}</body></html>"


def test_the_beacon_itself_is_reached_by_what_is_not_held(lure: Beacon, page: Page) -> None:
    documents = [document_of(html) for _, html in shapes(lure.js, f"{lure.url}/r")]
    show(lure, page, documents, {}, "")
    assert lure.wait_for("/js", 25)
    assert lure.wait_for("/r", 25)


def test_x02_the_frame_alone_lets_nothing_act_or_load(lure: Beacon, page: Page) -> None:
    documents = [document_of(html) for _, html in shapes(lure.js, f"{lure.url}/r")]
    show(lure, page, documents, dict(HEADERS), f'sandbox="{SANDBOX}" referrerpolicy="no-referrer"')
    settle(page)
    assert lure.hits == []
    assert (page.url, page.title(), len(page.context.pages)) == (f"{lure.url}/outer", "outer", 1)


def test_x02_the_policy_holds_without_the_sandbox_of_the_frame_too(lure: Beacon, page: Page) -> None:
    documents = [document_of(html) for _, html in shapes(lure.js, f"{lure.url}/r")]
    show(lure, page, documents, dict(HEADERS), "")
    settle(page)
    assert lure.hits == []
    assert page.url == f"{lure.url}/outer"


def test_x03_the_sanitiser_alone_leaves_nothing_that_acts_or_loads(lure: Beacon, page: Page) -> None:
    documents = [framed(safe_html(html)) for _, html in shapes(lure.js, f"{lure.url}/r")]
    show(lure, page, documents, {}, "")
    settle(page)
    assert lure.hits == []
    assert page.url == f"{lure.url}/outer"
    for frame in page.frames[1:]:
        ours = re.compile(r"^<(?:meta charset|title|base target|style)")
        assert [one for one in frame.evaluate(ACTIVE) if not ours.match(one)] == []


@pytest.mark.parametrize("name", CLASSES)
def test_x01_a_hostile_mail_is_opened_and_nothing_happens(open_page: OpenPage, lure: Beacon, name: str) -> None:
    account = inbox_account()
    every = "".join(html for kind, html in shapes(lure.js, f"{lure.url}/r") if kind == name)
    mail = deliver(account, letter(html=f"<p>はじめ</p>{every}", subject="すべて"))
    page = open_page(f"/inbox/{mail.number}/")
    page.frame_locator("iframe.mf").get_by_text("はじめ").wait_for()
    settle(page)
    assert lure.hits == []
    assert page.url.endswith(f"/inbox/{mail.number}/")
    assert page.title() == "すべて - メール受信|ふみばこ"
    assert page.locator("iframe").count() == 1
    assert len(page.context.pages) == 1
    page.goto(page.url.replace(f"/{mail.number}/", f"/{mail.number}/reply/"))
    settle(page)
    assert lure.hits == []
