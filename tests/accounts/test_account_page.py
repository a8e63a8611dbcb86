"""メールアカウント設定 in a browser: looks, keys, rules while typing, and the way without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from fumibako.apps.accounts import actions
from fumibako.apps.accounts.models import AccountPermission, MailAccount
from fumibako.apps.office.models import Office, Operator
from fumibako.apps.sending.models import Pace
from tests.support.browser import (
    LOOKS,
    OpenPage,
    assert_accessible,
    assert_big_enough,
    assert_no_sideways_scroll,
    press,
    shoot,
)

from .test_rules import GOOD

pytestmark = pytest.mark.browser


@pytest.fixture
def account(administrator: Operator) -> MailAccount:
    return actions.save_account(
        administrator,
        GOOD
        | {
            "name": "スタッフ連絡用(東京本社)",
            "pop_tls": True,
            "pop_port": 995,
            "from_name": "株式会社見本スタッフ 東京本社",
            "bcc": "sent-log@example.co.jp",
            "preset": "lolipop",
            "warn_from": "20",
            "warn_to": "8",
            "max_per_job": 2000,
            "batch_size": 100,
            "sleep_seconds": 600,
            "signature": "--------\n株式会社見本スタッフ\nTEL 03-0000-0000",
            "to_contact_record": True,
        },
    )


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
@pytest.mark.parametrize("tab", ["pop", "smtp", "other", "perm"])
def test_every_tab_is_accessible_and_fits(
    open_page: OpenPage, account: MailAccount, size: tuple[int, int], scheme: str, tab: str
) -> None:
    Operator.objects.create(username="tanaka", display_name="田中 一郎")
    page = open_page(f"/accounts/1/?tab={tab}", size=size, scheme=scheme)
    expect(page.get_by_role("tabpanel")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    assert_big_enough(page)
    shoot(page, f"account_{tab}_{size[0]}_{scheme}")


def field(page: Page, name: str) -> Any:
    return page.locator(f"[name='{name}']")


@pytest.mark.parametrize(
    "path", ["/accounts/1/?tab=pop", "/accounts/1/?tab=smtp", "/accounts/1/?tab=other", "/", "/settings/"]
)
def test_a20_nothing_scrolls_sideways_at_320_pixels(open_page: OpenPage, account: MailAccount, path: str) -> None:
    assert_no_sideways_scroll(open_page(path, size=(320, 700)))


def test_example_04_tls_locks_the_login_on_the_page(open_page: OpenPage, account: MailAccount) -> None:
    page = open_page("/accounts/1/?tab=smtp")
    expect(field(page, "smtp_auth")).to_be_disabled()
    expect(field(page, "smtp_auth")).to_be_checked()
    expect(page.get_by_role("radio", name="PLAIN")).to_be_disabled()
    page.get_by_text("SMTP over SSL", exact=True).first.click()
    expect(field(page, "smtp_port")).to_have_value("465")
    page.get_by_text("PLAIN", exact=True).click()
    page.get_by_text("TLS", exact=True).first.click()
    expect(page.get_by_role("radio", name="LOGIN")).to_be_checked()
    expect(page.locator("#auth-note")).to_contain_text("方式を PLAIN から LOGIN に変更しました")
    page.get_by_text("空白(暗号化しない)").click()
    expect(field(page, "smtp_auth")).to_be_enabled()
    expect(field(page, "smtp_auth")).to_be_checked()


def test_the_system_switch_lifts_the_rule_of_login_only(open_page: OpenPage, account: MailAccount) -> None:
    Office.objects.update_or_create(id=1, defaults={"allow_plain_with_tls": True})
    page = open_page("/accounts/1/?tab=smtp")
    page.get_by_text("PLAIN", exact=True).click()
    press(page, "F2")
    expect(page.get_by_text("を登録しました。")).to_be_visible()
    assert MailAccount.objects.get().smtp_auth_method == "PLAIN"


def test_a_copy_starts_with_everything_but_number_and_password(open_page: OpenPage, account: MailAccount) -> None:
    page = open_page("/accounts/1/")
    page.get_by_role("link", name="複写").click()
    expect(field(page, "name")).to_have_value("スタッフ連絡用(東京本社) のコピー")
    expect(field(page, "pop_host")).to_have_value("pop.example.co.jp")
    press(page, "F2")
    expect(page.get_by_text("入力内容に 1件の不備があります")).to_be_visible()
    expect(page.get_by_role("link", name="パスワードを入力してください。")).to_be_visible()
    assert MailAccount.objects.count() == 1


def test_receiving_off_greys_and_keeps_and_moves_the_pair(open_page: OpenPage, account: MailAccount) -> None:
    page = open_page("/accounts/1/?tab=pop")
    page.get_by_role("checkbox", name="メール受信対象とする").uncheck()
    expect(field(page, "pop_host")).to_be_disabled()
    expect(field(page, "pop_host")).to_have_value("pop.example.co.jp")
    page.get_by_role("tab", name="SMTP設定").click()
    expect(page.get_by_label("ユーザID")).to_be_visible()
    press(page, "F2")
    expect(page.get_by_text("を登録しました。")).to_be_visible()
    account.refresh_from_db()
    assert (account.receive_enabled, account.pop_host, account.save_attachments) == (False, "pop.example.co.jp", True)
    assert account.password_sealed is not None


def test_a_pasted_host_with_port_fills_the_port(open_page: OpenPage, account: MailAccount) -> None:
    page = open_page("/accounts/1/?tab=pop")
    field(page, "pop_host").fill("pop.other.example:110")
    field(page, "pop_host").blur()
    expect(field(page, "pop_port")).to_have_value("110")
    expect(field(page, "pop_host")).to_have_value("pop.other.example")


def test_x08_the_page_asks_for_the_password_again(open_page: OpenPage, account: MailAccount) -> None:
    page = open_page("/accounts/1/?tab=pop")
    expect(page.locator("#password-box")).to_be_hidden()
    field(page, "pop_host").fill("evil.example")
    expect(page.get_by_text("登録済みのパスワードは使えません")).to_be_visible()
    expect(field(page, "password")).to_be_visible()
    page.get_by_role("button", name="元に戻す").click()
    expect(page.get_by_text("登録済みのパスワードは使えません")).to_be_hidden()


def test_a_refused_form_opens_the_faulty_tab_and_keeps_everything_but_the_password(
    open_page: OpenPage, account: MailAccount
) -> None:
    page = open_page("/accounts/1/?tab=smtp")
    field(page, "from_name").fill("変えた名前")
    page.get_by_role("tab", name="POP設定").click()
    field(page, "store_path").fill("C:\\mail\\staff")
    page.get_by_role("button", name="変更").click()
    field(page, "password").fill("canary-word")
    page.get_by_role("tab", name="その他").click()
    press(page, "F2")
    expect(page.get_by_text("入力内容に 1件の不備があります")).to_be_visible()
    assert page.title().startswith("エラー: ")
    assert page.locator("#errors").evaluate("e => e === document.activeElement")
    expect(page.get_by_role("tab", name="POP設定 エラー1件")).to_have_attribute("aria-selected", "true")
    assert "canary-word" not in page.content()
    page.get_by_role("link", name="ドライブ名").click()
    expect(field(page, "store_path")).to_be_focused()
    expect(field(page, "store_path")).to_have_attribute("aria-invalid", "true")
    expect(field(page, "from_name")).to_have_value("変えた名前")
    expect(page.locator("[data-dirty-count]")).to_have_text("2")
    assert_accessible(page)
    shoot(page, "account_error_1440_light")


def test_unsaved_changes_are_counted_and_taken_back(open_page: OpenPage, account: MailAccount) -> None:
    page = open_page("/accounts/1/?tab=smtp")
    expect(page.get_by_text("未登録の変更")).to_be_hidden()
    field(page, "from_name").fill("別の名前")
    field(page, "cc").fill("copy@example.jp")
    expect(page.locator("[data-dirty-count]")).to_have_text("2")
    expect(page.locator("#pfn")).to_have_text("別の名前")
    page.get_by_role("button", name="元に戻す").click()
    expect(field(page, "from_name")).to_have_value("株式会社見本スタッフ 東京本社")
    expect(page.get_by_text("未登録の変更")).to_be_hidden()


def test_the_speed_line_follows_the_numbers(open_page: OpenPage, account: MailAccount) -> None:
    page = open_page("/accounts/1/?tab=other")
    expect(page.locator("#speed")).to_contain_text("1,000通で 約1時間38分、1時間あたり 約550通です。")
    expect(page.locator("#speed")).to_contain_text("BCC を含めると 約1,110通分")
    page.get_by_role("button", name="スリープ間隔を 670秒にする").click()
    expect(field(page, "sleep_seconds")).to_have_value("670")
    expect(page.locator("#speed")).not_to_contain_text("超えます")


def test_a_preset_fills_lists_and_asks_before_replacing(open_page: OpenPage, account: MailAccount) -> None:
    page = open_page("/accounts/1/?tab=smtp")
    field(page, "preset").select_option("gmail")
    page.get_by_role("button", name="置き換える").click()
    expect(field(page, "smtp_host")).to_have_value("smtp.gmail.com")
    expect(page.locator("#preset-filled")).to_contain_text("項目を入力しました")
    assert MailAccount.objects.get().smtp_host == "smtp.example.co.jp"


def test_the_search_is_chosen_with_the_keyboard(open_page: OpenPage, account: MailAccount) -> None:
    actions.save_account(None, GOOD | {"name": "営業", "visible": False})
    page = open_page("/accounts/1/")
    press(page, "F3")
    expect(page.get_by_role("heading", name="メールアカウント検索")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_label("アカウント名")).to_be_focused()
    assert_accessible(page)
    shoot(page, "account_search_1440_light")
    press(page, "ArrowDown")
    press(page, "ArrowDown")
    press(page, "Enter")
    page.wait_for_url("**/accounts/2/**")
    assert page.get_by_label("メールアカウントNO").input_value() == "2"


def test_a_number_and_enter_opens_that_account(open_page: OpenPage, account: MailAccount) -> None:
    actions.save_account(None, GOOD | {"name": "営業"})
    page = open_page("/accounts/1/")
    page.get_by_label("メールアカウントNO").fill("2")
    press(page, "Enter")
    page.wait_for_url("**/accounts/2/")
    page.get_by_role("link", name="前のアカウント").click()
    page.wait_for_url("**/accounts/1/")
    assert page.get_by_label("メールアカウントNO").input_value() == "1"


def test_f4_asks_and_deletes(open_page: OpenPage, account: MailAccount) -> None:
    page = open_page("/accounts/1/")
    press(page, "F4")
    expect(page.get_by_role("heading", name="以下のメールアカウントを削除しますか?")).to_be_visible()
    expect(page.get_by_role("button", name="キャンセル")).to_be_focused()
    assert_accessible(page)
    page.get_by_role("button", name="削除", exact=True).click()
    expect(page.get_by_text("を削除しました。")).to_be_visible()
    assert MailAccount.objects.count() == 0


def test_somebody_elses_save_is_shown_and_either_side_can_be_taken(open_page: OpenPage, account: MailAccount) -> None:
    page = open_page("/accounts/1/?tab=other")
    actions.save_account(None, {"sleep_seconds": 900}, account_no=1)
    field(page, "batch_size").fill("50")
    press(page, "Control+s")
    expect(page.get_by_text("に登録しています")).to_be_visible()
    expect(page.get_by_text("スリープ間隔(600 → 900)")).to_be_visible()
    assert MailAccount.objects.get().batch_size == 100
    page.get_by_role("button", name="自分の内容で登録").click()
    expect(page.get_by_text("を登録しました。")).to_be_visible()
    assert MailAccount.objects.get().batch_size == 50


def test_a_stopped_account_says_why_and_goes_on_with_a_new_password(open_page: OpenPage, account: MailAccount) -> None:
    Pace.objects.create(account=account, stopped_at=timezone.now(), stop_kind="login_refused", stop_text="535")
    page = open_page("/accounts/1/?tab=pop")
    expect(page.get_by_text("このアカウントの送信を止めています")).to_be_visible()
    expect(page.get_by_text("ユーザIDかパスワードが違います。")).to_be_visible()
    assert_accessible(page)
    shoot(page, "account_stopped_1440_light")
    page.get_by_role("button", name="変更").click()
    page.locator("#password").fill("the right one")
    press(page, "F2")
    expect(page.get_by_text("止めていた送信を再開しました。")).to_be_visible()
    assert Pace.objects.get().stopped_at is None


def test_the_help_follows_the_focus(open_page: OpenPage, account: MailAccount) -> None:
    page = open_page("/accounts/1/?tab=smtp")
    field(page, "charset").focus()
    expect(page.locator("#hp-t")).to_have_text("エンコード")
    press(page, "F1")
    expect(page.locator("#help-charset")).to_be_focused()


def test_everything_works_without_scripts(open_page: OpenPage, administrator: Operator) -> None:
    page = open_page("/accounts/new/", scripts=False)
    field(page, "name").fill("名前")
    field(page, "pop_host").fill("pop.example.co.jp:995")
    field(page, "user_id").fill("staff@example.co.jp")
    field(page, "password").fill("correct horse")
    field(page, "preset").select_option("generic")
    page.get_by_role("button", name="この会社の値を入力").click()
    expect(field(page, "smtp_port")).to_have_value("465")
    field(page, "password").fill("correct horse")
    field(page, "smtp_host").fill("smtp.example.co.jp")
    field(page, "from_address").fill("staff@example.co.jp")
    page.get_by_role("button", name="登録").click()
    expect(page.get_by_text("メールアカウントNO 1「名前」を登録しました。")).to_be_visible()
    stored = MailAccount.objects.get()
    assert (stored.pop_host, stored.pop_port, stored.smtp_security) == ("pop.example.co.jp", 995, "ssl")
    page.get_by_role("link", name="削除").click()
    page.get_by_role("button", name="削除", exact=True).click()
    expect(page.get_by_text("を削除しました。")).to_be_visible()


def test_example_16_an_operator_without_permission_is_refused(open_page: OpenPage, account: MailAccount) -> None:
    clerk = Operator.objects.create(username="tanaka", display_name="田中 一郎")
    page = open_page("/accounts/1/", operator=clerk)
    expect(page.get_by_role("heading", name="アクセス権限がありません")).to_be_visible()
    expect(page.get_by_text("管理者(佐藤 美咲)に依頼してください。")).to_be_visible()
    AccountPermission.objects.create(account=account, operator=clerk, may_configure=True)
    page.goto(page.url)
    expect(page.get_by_role("heading", name="メールアカウント設定")).to_be_visible()
