"""The screens of 連絡 in a real browser: every look, without a mouse, without scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from fumibako.apps.accounts.actions import save_account
from fumibako.apps.accounts.models import ContactRule
from fumibako.apps.categories.models import ContactCategory
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import Recipient
from tests.accounts.test_rules import GOOD
from tests.contacts.records import status
from tests.support.browser import (
    LOOKS,
    OpenPage,
    assert_accessible,
    assert_big_enough,
    assert_no_sideways_scroll,
    press,
    shoot,
)
from tests.web.contacts_scene import first_record, furnish, receive

pytestmark = pytest.mark.browser
NAMES = ["list", "conditions", "record", "new", "mail", "from_mail", "delete", "followups", "person"]


@pytest.fixture(autouse=True)
def _office(administrator: Operator) -> None:
    furnish(administrator)


def address_of(name: str, operator: Operator) -> str:
    record = first_record()
    if name in ("mail", "from_mail"):
        mail = receive(operator, is_expanded=name == "mail")
        expanded = ContactRecord.objects.filter(mail=mail).first()
        return f"/contacts/{expanded}/" if expanded else f"/contacts/from-mail/{mail.number}/"
    person = Recipient.objects.filter(contact_records__isnull=False, kind="staff")[0]
    return {
        "list": "/contacts/",
        "conditions": "/contacts/?party_kind=staff&since=",
        "record": f"/contacts/{record}/",
        "new": "/contacts/new",
        "delete": f"/contacts/{record}/delete/",
        "followups": "/followups/",
        "person": f"/staff/{person.number}/?tab=story",
    }[name]


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
@pytest.mark.parametrize("name", NAMES)
def test_a_screen_can_be_used_by_everybody(
    open_page: OpenPage, administrator: Operator, name: str, size: tuple[int, int], scheme: str
) -> None:
    page = open_page(address_of(name, administrator), size=size, scheme=scheme)
    if name == "conditions":
        page.locator("#panel > summary").click()
    if name == "followups":
        page.locator(".tick-open").first.click()
    shoot(page, f"contacts_{name}_{size[0]}_{scheme}")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    assert_big_enough(page)


def test_a_record_is_written_found_and_deleted_with_the_keys_alone(open_page: OpenPage) -> None:
    person = Recipient.objects.filter(kind="staff")[7]
    page = open_page("/contacts/")
    press(page, "F2")
    expect(page).to_have_title(re.compile("^連絡記録の登録"))
    press(page, "F2")
    expect(page.locator("#errors")).to_be_focused()
    expect(page.get_by_role("link", name="件名を入力してください。")).to_be_visible()
    expect(page).to_have_title(re.compile("^エラー: "))
    shoot(page, "contacts_refused")
    assert_accessible(page)
    page.get_by_role("combobox", name="相手").focus()
    page.keyboard.type(person.number)
    expect(page.locator("#party-list [data-pk]").first).to_be_visible()
    shoot(page, "contacts_offers")
    assert_accessible(page)
    press(page, "ArrowDown")
    press(page, "Enter")
    expect(page.get_by_role("combobox", name="相手")).to_have_value(f"スタッフ {person.number} {person.name}")
    page.locator("#id_minutes").focus()
    press(page, "Enter")
    expect(page.locator("#id_operator")).to_be_focused()
    page.locator("#id_subject").fill("鍵の受け渡し")
    expect(page.get_by_text("未登録の変更 2項目")).to_be_visible()
    press(page, "Control+s")
    expect(page.get_by_text("を登録しました。")).to_be_visible()
    record = ContactRecord.objects.order_by("-number")[0]
    assert (record.recipient, record.subject, record.minutes) == (person, "鍵の受け渡し", 0)
    press(page, "F11")
    expect(page.locator("#id_files")).to_be_focused()
    press(page, "Control+ArrowUp")
    expect(page.locator("#goto")).to_have_value(f"{record.number - 1:09d}-000")
    press(page, "Control+ArrowDown")
    expect(page.locator("#goto")).to_have_value(str(record))
    press(page, "F4")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("以下の連絡記録を削除しますか?")
    assert_accessible(page)
    dialog.get_by_label("削除する理由").fill("試しに登録したため")
    dialog.get_by_role("button", name="削除", exact=True).click()
    expect(page.get_by_text(f"連絡記録 {record} を削除しました。")).to_be_visible()


def test_a_lower_category_waits_for_the_one_above_and_is_emptied_with_it(open_page: OpenPage) -> None:
    page = open_page("/contacts/new")
    first, second, third = (page.locator(f"#id_category{level}") for level in (1, 2, 3))
    first.select_option("")
    expect(page.get_by_text("連絡区分1を選ぶと、連絡区分2・3を選べます。")).to_be_visible()
    expect(second).to_be_disabled()
    first.select_option(label="電話")
    second.select_option(label="勤怠")
    assert [one.strip() for one in second.locator("option").all_inner_texts()] == ["(なし)", "勤怠", "契約"]
    third.select_option(label="遅刻・欠勤")
    first.select_option(label="面談")
    expect(page.get_by_text("上の区分を変えたため、連絡区分2・3を空にしました。").first).to_be_visible()
    expect(third).to_be_disabled()


def test_saving_for_the_next_record_keeps_the_person(open_page: OpenPage) -> None:
    record = first_record()
    page = open_page(f"/contacts/new?branch_of={record}")
    page.locator("#id_body").fill("追記の内容")
    press(page, "Control+Shift+Enter")
    assert record.recipient is not None
    expect(page.get_by_role("combobox", name="相手")).to_have_value(re.compile(record.recipient.name))
    branch = ContactRecord.objects.get(number=record.number, branch=1)
    assert (branch.body, branch.recipient) == ("追記の内容", record.recipient)


def test_what_somebody_else_saved_is_shown_before_it_is_overwritten(open_page: OpenPage) -> None:
    record = first_record()
    page = open_page(f"/contacts/{record}/")
    ContactRecord.objects.filter(pk=record.pk).update(version=9, changed_by="田中 明", response="折り返し済み")
    page.locator("#id_response").fill("これから電話")
    press(page, "F2")
    expect(page.get_by_role("alert")).to_contain_text("田中 明さんが")
    expect(page.get_by_role("alert")).to_contain_text(
        "あなたの内容「これから電話」、登録されている内容「折り返し済み」"
    )
    shoot(page, "contacts_meanwhile")
    assert_accessible(page)
    page.get_by_role("button", name="自分の内容で登録").click()
    expect(page.locator("#id_response")).to_have_value("これから電話")


def test_many_records_get_a_status_together_and_go_into_a_file(open_page: OpenPage) -> None:
    page = open_page("/contacts/?party_kind=staff&since=")
    boxes = page.locator("[data-row]")
    boxes.first.check()
    expect(page.get_by_text("1件の連絡記録が選択されています。")).to_be_visible()
    page.get_by_label("変更後の連絡ステータス").select_option(str(status(3).pk))
    page.get_by_role("button", name="ステータスを変更").click()
    expect(page.get_by_text("件の連絡記録を「対応済」にしました。")).to_be_visible()
    expect(page.get_by_role("link", name="相手の種類 スタッフ")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSVで書き出す").click()
    lines = Path(waiting.value.path()).read_text("utf-8-sig").splitlines()
    assert len(lines) == ContactRecord.objects.filter(recipient__kind="staff").count() + 1


def test_a_follow_up_is_ticked_with_the_keyboard_and_taken_back(open_page: OpenPage) -> None:
    page = open_page("/followups/")
    page.locator(".tick-open").first.focus()
    press(page, "Enter")
    line = page.get_by_label("対応内容").first
    expect(line).to_be_focused()
    page.keyboard.type("本人に確認した")
    press(page, "Enter")
    expect(page.get_by_text("を対応済にしました。")).to_be_visible()
    done = ContactRecord.objects.get(next_done_at__isnull=False)
    assert "本人に確認した" in done.response
    page.get_by_role("button", name="対応済を取り消す").click()
    expect(page.get_by_text(f"連絡記録 {done} を、次回対応に戻しました。")).to_be_visible()


def test_without_scripts_a_record_is_written_and_a_person_chosen_from_several(open_page: OpenPage) -> None:
    person = Recipient.objects.filter(kind="staff")[2]
    page = open_page("/contacts/new", scripts=False)
    page.get_by_label("件名", exact=False).first.fill("スクリプトなし")
    page.locator("#id_party").fill("スタッフ 00000")
    page.locator("#id_category1").select_option(label="電話")
    page.locator("#id_category2").select_option(label="契約")
    page.get_by_role("button", name="登録", exact=False).last.click()
    expect(page.get_by_role("link", name=re.compile("当てはまる人が 9人います"))).to_be_visible()
    page.get_by_label(re.compile(person.name)).check()
    page.get_by_role("button", name="登録", exact=False).last.click()
    expect(page.get_by_text("を登録しました。")).to_be_visible()
    record = ContactRecord.objects.order_by("-number")[0]
    assert (record.recipient, str(record.category2)) == (person, "契約")
    page.goto(page.url.split("/contacts/")[0] + "/followups/")
    page.locator(".tick-open").first.click()
    page.get_by_role("button", name="対応済にする").first.click()
    expect(page.get_by_text("を対応済にしました。")).to_be_visible()


def test_the_rules_of_an_account_offer_what_is_below_the_level_above(
    open_page: OpenPage, administrator: Operator
) -> None:
    save_account(administrator, GOOD | {"receive_enabled": True, "pop_host": "pop.example.jp", "user_id": "a"})
    work = ContactCategory.objects.get(name="勤怠")
    page = open_page("/accounts/1/?tab=pop")
    page.get_by_label("連絡記録に展開する").check()
    page.get_by_label("FROM 連絡区分1").select_option(label="電話")
    second = page.get_by_label("FROM 連絡区分2")
    assert second.locator("option:not([hidden])").all_inner_texts() == ["(なし)", "勤怠", "契約"]
    second.select_option(label="勤怠")
    page.get_by_label("FROM 連絡ステータス").select_option(label="対応中")
    press(page, "F2")
    expect(page.get_by_text("を登録しました。")).to_be_visible()
    ContactCategory.objects.filter(pk=work.pk).update(is_hidden=True)
    page.reload()
    expect(page.get_by_label("FROM 連絡区分2")).to_have_value(str(work.pk))
    rule = ContactRule.objects.get(account__account_no=1, role="from")
    assert (rule.category2, str(rule.status)) == (work, "対応中")


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["1440", "390"])
def test_a_mail_is_registered_from_its_own_screen(
    open_page: OpenPage, administrator: Operator, size: tuple[int, int]
) -> None:
    mail = receive(administrator, is_expanded=False)
    page = open_page(f"/inbox/{mail.number}/", size=size)
    press(page, "F2")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("連絡記録に登録")
    expect(dialog.get_by_label("連絡区分2")).to_be_disabled()
    shoot(page, f"inbox_panel_{size[0]}")
    dialog.get_by_label("件名").fill("")
    press(page, "F2")
    expect(dialog.get_by_text("件名を入力してください。").first).to_be_visible()
    assert_accessible(page)
    dialog.get_by_label("件名").fill("シフト提出")
    dialog.get_by_role("button", name="登録", exact=True).click()
    expect(page.get_by_text(re.compile("連絡記録 .* を登録しました。"))).to_be_visible()
    record = ContactRecord.objects.get(mail=mail)
    assert (record.subject, record.body, str(record.category1)) == ("シフト提出", mail.text, "メール受信")


def test_a_list_fits_on_paper_without_its_buttons(open_page: OpenPage) -> None:
    page = open_page("/contacts/?since=", size=(720, 1020))
    page.emulate_media(media="print")
    assert_no_sideways_scroll(page)
    expect(page.get_by_role("button", name="ステータスを変更")).to_be_hidden()
    expect(page.locator("td.next").first).to_be_visible()
    assert page.locator("table.records").evaluate("table => table.scrollWidth <= document.body.clientWidth")
