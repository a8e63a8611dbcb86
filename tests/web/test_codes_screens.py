"""区分マスタ and 連絡区分マスタ in a real browser: every look, without a mouse, without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from fumibako.apps.categories.models import Category, ContactCategory
from fumibako.apps.office.models import Operator
from tests.support.browser import (
    LOOKS,
    OpenPage,
    assert_accessible,
    assert_big_enough,
    assert_no_sideways_scroll,
    press,
    shoot,
)
from tests.web.contacts_scene import furnish

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _office(administrator: Operator) -> None:
    furnish(administrator, 6)


def levels_url() -> str:
    phone = ContactCategory.objects.get(name="電話")
    work = ContactCategory.objects.get(name="勤怠")
    return f"/contact-categories/?c1={phone.pk}&c2={work.pk}"


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
@pytest.mark.parametrize("name", ["codes", "levels", "levels_first"])
def test_a_screen_can_be_used_by_everybody(open_page: OpenPage, name: str, size: tuple[int, int], scheme: str) -> None:
    addresses = {"codes": "/codes/", "levels": levels_url(), "levels_first": "/contact-categories/"}
    page = open_page(addresses[name], size=size, scheme=scheme)
    shoot(page, f"{name}_{size[0]}_{scheme}")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    assert_big_enough(page)


def test_a_list_is_edited_moved_and_added_to_with_the_keys(open_page: OpenPage) -> None:
    page = open_page("/codes/")
    page.get_by_label("NO 2 の区分名1").fill("確認中")
    page.get_by_role("button", name="対応済を上へ").click()
    page.get_by_label("新しい行の区分名1").first.fill("保留")
    last = page.get_by_label("新しい行の使用").last
    page.get_by_label("新しい行の備考").last.fill("あとで見直す")
    last.focus()
    press(page, "Enter")
    expect(page.get_by_label("新しい行の区分NO").last).to_be_focused()
    expect(page.get_by_label("新しい行の区分名1")).to_have_count(3)
    press(page, "F2")
    expect(page.locator("#errors")).to_be_focused()
    expect(page.get_by_role("link", name="区分名1を入力してください。")).to_be_visible()
    shoot(page, "codes_refused")
    assert_accessible(page)
    page.get_by_label("新しい行の区分名1").nth(1).fill("対応不要")
    press(page, "F2")
    expect(page.get_by_text("「連絡ステータス」を登録しました。")).to_be_visible()
    rows = Category.objects.filter(section="連絡ステータス").values_list("number", "name1", "note")
    assert list(rows) == [
        (1, "未対応", ""),
        (3, "対応済", ""),
        (2, "確認中", ""),
        (4, "保留", ""),
        (5, "対応不要", "あとで見直す"),
    ]


def test_without_scripts_rows_move_and_unused_ones_are_deleted(open_page: OpenPage) -> None:
    page = open_page("/codes/次回対応区分/", scripts=False)
    page.get_by_role("button", name="面談を上へ").click()
    expect(page.get_by_text("「次回対応区分」を登録しました。")).to_be_visible()
    names = Category.objects.filter(section="次回対応区分").values_list("name1", flat=True)
    assert list(names) == ["電話", "面談", "メール"]
    page.goto(page.url.split("/codes/")[0] + levels_url())
    page.get_by_label("新しい連絡区分3").first.fill("早退")
    page.get_by_role("button", name="登録").last.click()
    expect(page.get_by_text("連絡区分を登録しました。")).to_be_visible()
    page.get_by_role("button", name="早退を削除").click()
    expect(page.get_by_text("「早退」を削除しました。")).to_be_visible()
    assert not ContactCategory.objects.filter(name="早退").exists()
