"""ホーム, システム設定 and 操作履歴 in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from fumibako.apps.accounts.actions import save_account
from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.office.actions import note_failure_seen
from fumibako.apps.office.models import Office, Operator
from tests.accounts.test_rules import GOOD
from tests.support.browser import (
    LOOKS,
    OpenPage,
    assert_accessible,
    assert_big_enough,
    assert_no_sideways_scroll,
    press,
    shoot,
)

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
@pytest.mark.parametrize("path", ["/", "/settings/", "/audit/"])
def test_the_pages_are_accessible_and_fit(
    open_page: OpenPage, administrator: Operator, path: str, size: tuple[int, int], scheme: str
) -> None:
    Office.objects.update_or_create(id=1, defaults={"is_practice": True, "company_name": "株式会社見本スタッフ"})
    save_account(administrator, GOOD)
    page = open_page(path, size=size, scheme=scheme)
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    assert_big_enough(page)
    shoot(page, f"{path.strip('/') or 'home'}_{size[0]}_{scheme}")


def test_settings_are_judged_saved_and_logged(open_page: OpenPage) -> None:
    page = open_page("/settings/")
    page.get_by_label("会社名").fill("株式会社見本スタッフ")
    page.get_by_label("送れないと判断する回数").fill("abc")
    press(page, "F2")
    expect(page.get_by_text("送れないと判断する回数は半角の数字で入力してください(0〜100)。").first).to_be_visible()
    expect(page.get_by_label("会社名")).to_have_value("株式会社見本スタッフ")
    page.get_by_label("送れないと判断する回数").fill("5")
    press(page, "F2")
    expect(page.get_by_text("システム設定を登録しました。")).to_be_visible()
    assert Office.objects.get().bounce_threshold == 5
    entry = AuditEvent.objects.get(action="settings.saved")
    assert entry.changes["bounce_threshold"] == [3, 5]


def test_first_steps_are_ticked_by_what_happened_and_can_be_hidden(
    open_page: OpenPage, administrator: Operator
) -> None:
    Office.objects.update_or_create(id=1, defaults={"is_practice": True})
    page = open_page("/")
    expect(page.get_by_text("0 / 6")).to_be_visible()
    note_failure_seen(administrator)
    save_account(administrator, GOOD | {"smtp_host": "smtp.example.jp", "smtp_security": "starttls"})
    page.reload()
    expect(page.get_by_text("2 / 6")).to_be_visible()
    page.get_by_role("button", name="表示しない").click()
    expect(page.get_by_role("heading", name="はじめの一歩")).to_have_count(0)
    administrator.refresh_from_db()
    assert administrator.hides_first_steps
    page.get_by_role("button", name="はじめの一歩を表示").click()
    expect(page.get_by_role("heading", name="はじめの一歩")).to_be_visible()
