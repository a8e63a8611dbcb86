"""メール受信 in a real browser: every look, by keys alone, two people at one mail, without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from fumibako.apps.inbox import actions
from fumibako.apps.inbox.models import ReceivedMail, Reception
from fumibako.apps.office.models import Office, Operator
from fumibako.apps.office.queries import office
from fumibako.apps.sending.models import BulkSend
from tests.support.browser import (
    LOOKS,
    OpenPage,
    assert_accessible,
    assert_big_enough,
    assert_no_sideways_scroll,
    press,
    shoot,
)
from tests.web.inbox_scene import deliver, error_mail, inbox_account, morning

pytestmark = pytest.mark.browser
WRITTEN = "承知しました。お大事になさってください。"


@pytest.fixture
def desk(administrator: Operator) -> dict[str, int]:
    """The mails of a morning by name: their 受信管理NO."""
    Office.objects.filter(pk=office().pk).update(company_name="株式会社見本スタッフ", reply_hold_seconds=60)
    return {name: mail.number for name, mail in morning(administrator).items()}


def tanaka() -> Operator:
    """The other one at the desk."""
    return Operator.objects.get(username="tanaka")


def bounced() -> None:
    """Two error mails: one about a mail of NO 128, one that fits none for sure."""
    job = BulkSend.objects.get(number=128)
    assert job.account is not None
    for seq, proof in ((6, True), (7, False)):
        row = job.deliveries.get(seq=seq)
        message_id = f"<{row.message_id}>" if proof else "<x@elsewhere.example>"
        deliver(job.account, error_mail(row.address, message_id, "5.1.1", "550 5.1.1 User unknown"))


ADDRESSES = {
    "list": "/inbox/",
    "mail": "/inbox/{yamada}/",
    "text": "/inbox/{yamada}/?way=text",
    "raw": "/inbox/{yamada}/?way=raw",
    "unknown": "/inbox/{kato}/",
    "reply": "/inbox/{yamada}/reply/",
    "asks": "/inbox/?q=シフト&unread=1",
    "none": "/inbox/?q=ありません",
    "delete": "/inbox/{yamada}/delete/",
    "link": "/inbox/{kato}/link/?who=佐々木",
    "more": "/inbox/{yamada}/",
    "noemail": "/bounces/",
    "busy": "/inbox/{yamada}/",
    "bounces": "/bounces/",
    "unmatched": "/bounces/unmatched/",
    "bounce": "/inbox/10/?v=bounces",
}


def prepared(name: str, desk: dict[str, int]) -> None:
    """What happened before the page is opened."""
    if name == "bounces":
        bounced()
    if name == "busy":
        mail = ReceivedMail.objects.select_related("account").get(number=desk["yamada"])
        actions.add_note(tanaka(), mail, "電話で早退の理由を確認しました。11/26 に営業へ連絡すること。")
        actions.touch_presence(tanaka(), mail, is_writing=True)
        Reception.objects.update(failing_since_at=mail.fetched_at, trouble_kind="connect_timeout")
        ReceivedMail.objects.filter(pk=mail.pk).update(problems=["sender_name_is_an_address", "text_damaged"])


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_every_screen_can_be_used_by_everybody(
    open_page: OpenPage, desk: dict[str, int], size: tuple[int, int], scheme: str
) -> None:
    page = open_page("/inbox/", size=size, scheme=scheme)
    site = page.url.removesuffix("/inbox/")
    for name, address in ADDRESSES.items():
        prepared(name, desk)
        page.goto(site + address.format(**desk))
        if name == "asks":
            page.locator("[popovertarget=asks]").locator("visible=true").first.click()
        if name == "more":
            page.get_by_role("button", name="その他の操作").click()
        shoot(page, f"inbox_{name}_{size[0]}_{scheme}")
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        assert_big_enough(page)


def arrive(page: Page, subject: str) -> None:
    """The mail with this subject is open, and its scripts listen."""
    expect(page.get_by_role("heading", level=1)).to_have_text(subject)
    page.wait_for_load_state()


def test_the_whole_way_with_the_keys_alone(open_page: OpenPage, desk: dict[str, int]) -> None:
    page = open_page("/inbox/")
    press(page, "ArrowDown")
    expect(page.locator(f"#m{desk['yamada']}")).to_be_focused()
    press(page, "ArrowDown")
    press(page, "ArrowDown")
    press(page, "ArrowUp")
    press(page, "Enter")
    arrive(page, "12月の増員についてご相談")
    press(page, "Control+ArrowUp")
    arrive(page, "Re: 【12月度】シフト提出のお願い")
    press(page, "Control+ArrowDown")
    arrive(page, "12月の増員についてご相談")
    press(page, "Escape")
    expect(page.locator(f"#m{desk['logi']}")).to_be_focused()
    press(page, "F3")
    expect(page.get_by_label("検索する言葉")).to_be_focused()
    page.keyboard.type("求人")
    press(page, "Enter")
    page.wait_for_url(re.compile(r"\?.*q="))
    page.wait_for_load_state()
    expect(page.locator("#mails .ml a")).to_have_count(1)
    press(page, "ArrowDown")
    press(page, "Enter")
    arrive(page, "求人の件")
    press(page, "F4")
    expect(page.get_by_role("heading", name="以下のメールを削除しますか?")).to_be_visible()
    expect(
        page.get_by_role("button", name="キャンセル").or_(page.get_by_role("link", name="キャンセル"))
    ).to_be_focused()
    press(page, "Escape")
    page.locator("#q").focus()
    page.keyboard.type(WRITTEN)
    press(page, "F11")
    expect(page.get_by_role("button", name="取り消す")).to_be_visible()
    assert BulkSend.objects.get(origin="reply").body.startswith(WRITTEN)


def test_opening_marks_the_mail_as_read_where_it_stands(open_page: OpenPage, desk: dict[str, int]) -> None:
    page = open_page(f"/inbox/{desk['li']}/")
    expect(page.locator(f"#m{desk['li']}")).not_to_have_class(re.compile("new"))
    page.reload()
    expect(page.locator(f"#m{desk['li']} .dot")).to_have_class(re.compile("off"))
    assert ReceivedMail.objects.get(number=desk["li"]).is_read


def test_two_at_one_mail_see_each_other_and_the_slower_is_held(open_page: OpenPage, desk: dict[str, int]) -> None:
    address = f"/inbox/{desk['yamada']}/"
    mine, theirs = open_page(address), open_page(address, operator=tanaka())
    theirs.locator("#q").fill("了解です。")
    expect(mine.locator("#presence")).to_contain_text("田中 明さんが返信を書いています(", timeout=12_000)
    press(theirs, "F11")
    expect(theirs.get_by_role("button", name="取り消す")).to_be_visible()
    expect(mine.locator("#presence")).to_contain_text(re.compile("田中 明さんが .* に返信しました。"), timeout=12_000)
    mine.locator("#q").fill(WRITTEN)
    press(mine, "F11")
    expect(mine.get_by_text(re.compile("このメールには、田中 明さんが .* に返信しています。"))).to_be_visible()
    assert WRITTEN in mine.locator("#body").input_value()
    shoot(mine, "inbox_held_1440_light")
    assert_accessible(mine)
    assert BulkSend.objects.filter(origin="reply").count() == 1
    mine.get_by_role("button", name="それでも送信").click()
    expect(mine.get_by_role("button", name="取り消す")).to_be_visible()
    assert BulkSend.objects.filter(origin="reply").count() == 2


def test_c09_a_double_click_and_the_back_button_make_one_answer(open_page: OpenPage, desk: dict[str, int]) -> None:
    page = open_page(f"/inbox/{desk['yamada']}/reply/")
    page.locator("#body").press("Control+Home")
    page.keyboard.type(WRITTEN)
    page.get_by_role("button", name="返信を送信").dblclick()
    expect(page.get_by_role("button", name="取り消す")).to_be_visible()
    page.go_back()
    page.wait_for_load_state()
    press(page, "Control+Enter")
    page.wait_for_load_state()
    assert BulkSend.objects.filter(origin="reply").count() == 1


def test_what_was_begun_survives_going_elsewhere_and_coming_back(open_page: OpenPage, desk: dict[str, int]) -> None:
    page = open_page(f"/inbox/{desk['yamada']}/")
    page.locator("#q").fill(WRITTEN)
    press(page, "Control+ArrowDown")
    arrive(page, "12月の増員についてご相談")
    press(page, "Control+ArrowUp")
    expect(page.locator("#q")).to_have_value(WRITTEN)


def test_taking_back_brings_the_words_to_the_form(open_page: OpenPage, desk: dict[str, int]) -> None:
    page = open_page(f"/inbox/{desk['yamada']}/")
    page.locator("#q").fill(WRITTEN)
    page.get_by_role("button", name="返信を送信").click()
    expect(page.get_by_text(re.compile(r"あと \d+秒"))).to_be_visible()
    shoot(page, "inbox_undo_1440_light")
    assert_accessible(page)
    page.goto(page.url.split("/inbox/")[0] + "/staff/")
    page.get_by_role("button", name="取り消す").click()
    expect(page.get_by_text("送信を取り消しました。")).to_be_visible()
    assert page.locator("#body").input_value().startswith(WRITTEN)
    assert BulkSend.objects.filter(origin="reply", cancelled_at=None).count() == 0


def test_everything_works_without_scripts(open_page: OpenPage, desk: dict[str, int]) -> None:
    page = open_page("/inbox/", scripts=False)
    page.get_by_role("link", name=re.compile("求人の件")).click()
    arrive(page, "求人の件")
    page.locator("#q").fill(WRITTEN)
    page.get_by_role("button", name="返信を送信").click()
    expect(page.get_by_role("button", name="取り消す")).to_be_visible()
    page.goto(page.url.split("/inbox/")[0] + f"/inbox/{desk['li']}/")
    page.get_by_role("button", name="処理済みにする").click()
    expect(page.get_by_text(f"受信管理NO {desk['li']} を処理済みにしました。")).to_be_visible()
    page.goto(page.url.split("/inbox/")[0] + f"/inbox/{desk['yamada']}/delete/")
    page.get_by_role("button", name="削除").click()
    expect(page.get_by_text(f"受信管理NO {desk['yamada']} を削除しました。")).to_be_visible()
    assert ReceivedMail.objects.get(number=desk["li"]).work == "done"


def test_on_a_phone_list_and_mail_are_pages_of_their_own(open_page: OpenPage, desk: dict[str, int]) -> None:
    page = open_page("/inbox/", size=(390, 844))
    expect(page.locator("#reading")).to_have_count(0)
    page.get_by_role("link", name=re.compile("求人の件")).click()
    arrive(page, "求人の件")
    expect(page.locator("#mails")).to_be_hidden()
    page.get_by_role("button", name="処理済み", exact=True).click()
    expect(page.get_by_text(re.compile("を処理済みにしました。"))).to_be_visible()
    page.go_back()
    arrive(page, "求人の件")


def test_an_account_without_mail_says_when_the_next_comes(open_page: OpenPage) -> None:
    inbox_account()
    page = open_page("/inbox/")
    expect(page.get_by_text("未処理のメールはありません。次の受信は")).to_be_visible()
    shoot(page, "inbox_empty_1440_light")
    assert_frame_is_safe(page)


def assert_frame_is_safe(page: Page) -> None:
    """No frame anywhere allows scripts or our origin (A29)."""
    for sandbox in page.locator("iframe").evaluate_all("frames => frames.map((one) => one.getAttribute('sandbox'))"):
        assert sandbox is not None
        assert "allow-scripts" not in sandbox
        assert "allow-same-origin" not in sandbox


def test_the_frame_has_a_title_a_sandbox_and_can_be_scrolled_by_key(open_page: OpenPage, desk: dict[str, int]) -> None:
    page = open_page(f"/inbox/{desk['yamada']}/")
    frame = page.locator("iframe.mf")
    assert frame.get_attribute("title") == "メールの本文"
    assert_frame_is_safe(page)
    expect(page.frame_locator("iframe.mf").get_by_text("見本スタッフ 佐藤様")).to_be_visible()
    background = page.frame_locator("iframe.mf").locator("html").evaluate("e => getComputedStyle(e).backgroundColor")
    assert background == "rgb(255, 255, 255)"
