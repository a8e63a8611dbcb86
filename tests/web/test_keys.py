"""Function keys: they press what is visible, and leave the Japanese input method alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from fumibako.apps.accounts.actions import save_account
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.office.models import Operator
from tests.accounts.test_rules import GOOD
from tests.support.browser import OpenPage, press

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _account(administrator: Operator) -> None:
    save_account(administrator, GOOD)


def version() -> int:
    return MailAccount.objects.get().version


@pytest.mark.parametrize("key", ["F2", "Control+s"])
def test_a10_the_key_does_what_the_button_does(open_page: OpenPage, key: str) -> None:
    page = open_page("/accounts/1/")
    press(page, key)
    expect(page.get_by_text("を登録しました。")).to_be_visible()
    assert version() == 2


def test_a10_f5_to_f10_and_f12_are_not_taken(open_page: OpenPage) -> None:
    page = open_page("/accounts/1/")
    taken = page.evaluate(
        """() => ["F5", "F6", "F7", "F8", "F9", "F10", "F12"].filter((key) => {
            const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
            return !document.body.dispatchEvent(event);
        })"""
    )
    assert taken == []


def test_a11_keys_are_silent_while_japanese_is_being_composed(open_page: OpenPage) -> None:
    page = open_page("/accounts/1/")
    page.get_by_label("アカウント名").focus()
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": "にほん", "selectionStart": 3, "selectionEnd": 3})
    taken = page.evaluate(
        """() => [true, false].map((isComposing) => {
            const event = new KeyboardEvent("keydown", { key: "F3", isComposing, bubbles: true, cancelable: true });
            return !document.activeElement.dispatchEvent(event);
        })"""
    )
    assert taken == [False, True]
    assert version() == 1


def test_a11_keys_are_silent_while_a_dialog_is_open_and_on_repeat(open_page: OpenPage) -> None:
    page = open_page("/accounts/1/")
    press(page, "F1")
    expect(page.get_by_role("dialog")).to_be_visible()
    press(page, "F2")
    press(page, "Escape")
    page.keyboard.down("F3")
    page.keyboard.down("F3")
    expect(page.get_by_role("heading", name="メールアカウント検索")).to_be_visible()
    assert version() == 1


def test_enter_goes_on_to_the_next_item_and_saves_nothing(open_page: OpenPage) -> None:
    page = open_page("/accounts/1/?tab=smtp")
    page.locator("#from_name").focus()
    press(page, "Enter")
    expect(page.locator("#from_address")).to_be_focused()
    assert version() == 1


def test_a12_two_presses_save_once(open_page: OpenPage) -> None:
    page = open_page("/accounts/1/")
    page.evaluate("() => { const b = document.querySelector('[data-fkey=F2]'); b.click(); b.click(); }")
    expect(page.get_by_text("を登録しました。")).to_be_visible()
    assert version() == 2


def test_a05_tab_reaches_the_whole_page_in_ninety_stops(open_page: OpenPage) -> None:
    page = open_page("/accounts/1/?tab=smtp")
    seen = []
    for _ in range(90):
        press(page, "Tab")
        here = page.evaluate("() => document.activeElement.dataset.fkey || document.activeElement.id")
        seen.append(here)
        if here == "F4":
            break
    assert "smtp_host" in seen
    assert "signature" in seen
    assert seen[-1] == "F4"


def test_a06_the_focus_is_never_hidden_under_the_bars(open_page: OpenPage) -> None:
    page = open_page("/accounts/1/?tab=smtp")
    for _ in range(60):
        press(page, "Tab")
        hidden = page.evaluate(
            """() => {
                const here = document.activeElement, box = here.getBoundingClientRect();
                if (here.closest(".fbar, .top, .rail, .skip") || !box.height) return "";
                const bar = document.querySelector(".fbar").getBoundingClientRect().top;
                const top = document.querySelector(".top").getBoundingClientRect().bottom;
                const isSeen = box.bottom > top + 4 && box.top < bar - 4;
                return isSeen || box.height > bar - top ? "" : here.id || here.outerHTML.slice(0, 80);
            }"""
        )
        assert hidden == ""
