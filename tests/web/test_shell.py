"""The frame around every screen: menu, function bar, look, keys, files."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.conf import settings
from django.templatetags.static import static
from django.test import Client

from fumibako.apps.office.models import Office, Operator
from fumibako.web.static_files import STATIC, content_digest
from fumibako.web.templatetags.parts import icon_names
from tests.support.browser import LOOKS, OpenPage, assert_accessible, assert_no_sideways_scroll, press, shoot

TEMPLATES = Path(settings.TEMPLATES[0]["DIRS"][0])
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@pytest.mark.browser
@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_start_page_is_accessible_and_fits(open_page: OpenPage, size: tuple[int, int], scheme: str) -> None:
    page = open_page("/", size=size, scheme=scheme)
    assert page.title() == "ホーム|ふみばこ"
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    shoot(page, f"home_{size[0]}_{scheme}")


@pytest.mark.browser
def test_the_small_screen_has_the_menu_in_a_dialog(open_page: OpenPage) -> None:
    page = open_page("/", size=(390, 844))
    page.get_by_role("button", name="メニューを開く").click()
    assert page.get_by_role("dialog").get_by_role("link", name="ホーム").is_visible()
    press(page, "Escape")
    assert page.get_by_role("button", name="メニューを開く").evaluate("e => e === document.activeElement")


@pytest.mark.browser
def test_practice_mode_shows_the_yellow_stripe(open_page: OpenPage) -> None:
    Office.objects.update_or_create(id=1, defaults={"is_practice": True})
    page = open_page("/")
    assert page.get_by_text("練習モードです。メールは社外に送られません。").is_visible()
    assert_accessible(page)


@pytest.mark.browser
def test_the_look_of_an_operator_is_kept(open_page: OpenPage, administrator: Operator) -> None:
    page = open_page("/")
    page.get_by_role("button", name="佐藤 美咲").click()
    page.get_by_role("button", name="暗い").click()
    page.wait_for_selector("html[data-theme='dark']")
    page.get_by_role("button", name="佐藤 美咲").click()
    page.get_by_role("button", name="ゆったり").click()
    page.wait_for_selector("html[data-density='roomy']")
    administrator.refresh_from_db()
    assert (administrator.theme, administrator.density) == ("dark", "roomy")


@pytest.mark.django_db
def test_the_policy_is_exactly_the_written_one(client: Client) -> None:
    answer = client.get("/login/")
    said = answer.headers["Content-Security-Policy"]
    assert sorted(said.split("; ")) == sorted(CSP.split("; "))


def test_both_ways_to_be_dark_have_the_same_colours() -> None:
    css = (STATIC / "css/app.css").read_text()
    by_system = re.search(r':root:not\(\[data-theme="light"\]\) \{\n(.*?)\n    \}', css, re.DOTALL)
    by_choice = re.search(r':root\[data-theme="dark"\] \{\n    color-scheme: dark;\n(.*?)\n  \}', css, re.DOTALL)
    assert by_system
    assert by_choice
    assert by_system[1].split() == by_choice[1].split()


def test_the_vendored_files_are_the_published_ones() -> None:
    lines = (STATIC / "vendor/SHA256SUMS").read_text().split("\n")
    sums = {name: digest for digest, name in (line.split() for line in lines if line)}
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (STATIC / "vendor").glob("*.js")}
    assert files == sums


def test_every_icon_in_the_templates_exists() -> None:
    used = {name for path in TEMPLATES.rglob("*.html") for name in re.findall(r'{% icon "([^"]+)"', path.read_text())}
    assert used
    assert used <= icon_names()


def test_templates_have_no_inline_style_or_script() -> None:
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"\sstyle\s*=", text), path
        assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", re.sub(r"(?s){% comment %}.*?{% endcomment %}", "", text)), path
        assert not re.search(r"<style", text), path


def test_files_may_be_kept_for_ever_because_their_address_names_their_content(client: Client) -> None:
    address = static("css/app.css")
    assert content_digest() in address
    answer = client.get(address)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]


def packed_size(paths: Iterable[Path]) -> int:
    return sum(len(gzip.compress(path.read_bytes())) for path in paths)


def test_every_page_stays_within_its_budget() -> None:
    shared = [STATIC / "js/dialog.js", STATIC / "js/fkeys.js", STATIC / "js/live.js", *(STATIC / "vendor").glob("*.js")]
    account = [
        STATIC / f"js/{name}.js" for name in ("tabs", "account_rules", "account_page", "password", "deps", "dirty")
    ]
    assert packed_size([*shared, *account]) <= 32 * 1024
    for name in ("accounts", "home", "bare", "status"):
        assert packed_size([STATIC / "css/app.css", STATIC / f"css/{name}.css"]) <= 12 * 1024, name
    for name in ("contacts", "records", "followups", "codes"):
        sheets = [STATIC / f"css/{each}.css" for each in ("app", "people", name)]
        assert packed_size(sheets) <= 12 * 1024, name


def test_own_modules_stay_small() -> None:
    for path in (STATIC / "js").glob("*.js"):
        assert len(path.read_text().splitlines()) < 150, path
