"""メール一括送信 in a real browser: every look, the whole way from a draft to its result, keys, and no scripts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.office.models import Office, Operator
from fumibako.apps.office.queries import office
from fumibako.apps.sending.models import BulkSend, JobEvent
from fumibako.delivery.states import State
from fumibako.practice.server import PracticeServer
from tests.support.browser import LOOKS, OpenPage, assert_accessible, assert_no_sideways_scroll, press, shoot
from tests.web.bulk_send_scene import SUBJECT, approve, confirm_findings, make_draft, make_office, work

pytestmark = pytest.mark.browser
MAILS = 5
"""Mails of the small office: two to the first person, one each to three more."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PracticeServer]:
    with PracticeServer(tmp_path / "mailboxes") as running:
        yield running


@pytest.fixture
def account(site: object) -> MailAccount:
    Office.objects.filter(pk=office().pk).update(is_practice=True, typed_number_from=3, company_name="見本スタッフ")
    return make_office(allow_attachments=True)


def gate(page: Page, number: str = str(MAILS)) -> None:
    """Tick everything and type the number."""
    for box in page.get_by_role("checkbox", name="このままでよい").all():
        box.check()
    for name in ("送信元", "宛先と通数", "件名と本文", "添付なし"):
        page.get_by_role("checkbox", name=name, exact=True).check()
    page.get_by_label("通数を入力").fill(number)


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_every_step_can_be_used_by_everybody(
    open_page: OpenPage,
    administrator: Operator,
    account: MailAccount,
    server: PracticeServer,
    size: tuple[int, int],
    scheme: str,
) -> None:
    draft = make_draft(administrator, account, body="{{氏名}} 様\n{{所属部門}} の添付の表をご覧ください。")
    held = approve(administrator, make_draft(administrator, account))
    ended = approve(administrator, make_draft(administrator, account), start="immediately")
    assert server.addresses is not None
    work(ended, server.addresses.smtp_port)
    lost = ended.deliveries.get(state=State.UNKNOWN).seq
    addresses = {
        "index": "/bulk/",
        "from": f"/bulk/{draft.number}/from",
        "to": f"/bulk/{draft.number}/to",
        "body": f"/bulk/{draft.number}/body",
        "check": f"/bulk/{draft.number}/check",
        "hold": f"/bulk/{held.number}/run",
        "result": f"/bulk/{ended.number}/run",
        "settle": f"/bulk/{ended.number}/run/settle/{lost}",
        "history": "/sent/",
        "history_job": f"/sent/{ended.number}/",
        "history_mail": f"/sent/{ended.number}/1/",
    }
    page = open_page("/bulk/?tab=scheduled", size=size, scheme=scheme)
    for name, address in addresses.items():
        page.goto(page.url.split("/bulk")[0].split("/sent")[0] + address)
        expect(page.locator("h1")).to_have_count(1)
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        shoot(page, f"bulk_{name}_{size[0]}_{scheme}")


def test_a_letter_goes_from_a_new_draft_to_its_result(
    open_page: OpenPage, account: MailAccount, server: PracticeServer
) -> None:
    page = open_page("/bulk/")
    page.get_by_role("button", name="新規作成").first.click()
    page.get_by_role("radio", name="スタッフ連絡用").check()
    page.get_by_role("radio", name="業務連絡").check()
    press(page, "F11")

    expect(page.get_by_role("heading", name="送信する宛先")).to_be_visible()
    page.get_by_role("button", name="スタッフ 5件すべてを追加").click()
    page.get_by_role("navigation", name="探す名簿").get_by_role("link", name="応募者").click()
    page.get_by_label("高橋 直子を選ぶ").check()
    expect(page.get_by_text("このページの応募者 1件すべてが選択されています。")).to_be_visible()
    page.get_by_role("button", name="選んだ1件を追加").click()
    expect(page.locator("#footer-counts")).to_contain_text("送信件数 5件")

    press(page, "F11")
    page.get_by_role("textbox", name="件名").fill(SUBJECT)
    page.get_by_role("textbox", name="本文").click()
    page.get_by_role("button", name="氏名", exact=True).click()
    page.keyboard.insert_text(" 様\n明日の予定です。")
    expect(page.locator(".compose .paint mark").last).to_have_text("{{氏名}}")
    expect(page.locator("#sample .mb")).to_contain_text("山田 太郎 様\n明日の予定です。")
    expect(page.locator("#saved-words")).to_contain_text("下書きを保存しました")

    press(page, "F11")
    expect(page.get_by_role("heading", name="この内容で送信する通数")).to_be_visible()
    gate(page)
    press(page, "F11")
    expect(page.get_by_role("heading", name="で送信を開始します")).to_be_visible()
    job = BulkSend.objects.get(origin="bulk")
    assert job.released_at is None
    page.get_by_role("button", name="今すぐ開始").click()
    page.wait_for_url(f"**/bulk/{job.number}/run")

    assert server.addresses is not None
    work(job, server.addresses.smtp_port, seconds=1)
    expect(page.get_by_role("heading", name="5通のうち 3通を送信しました")).to_be_visible(timeout=10_000)
    assert "送信済み 3 + 失敗 1 + 結果不明 1 + 未送信 0 + 除外 2 = 対象 7件" in page.locator(".sum").inner_text()
    assert server.copies_of("yamada.taro@example.jp") == 1
    expect(page.get_by_text("宛先のメールアドレスが存在しません。").first).to_be_visible()

    page.get_by_role("button", name="失敗した1通を送り直す").click()
    expect(page.locator("#list")).to_contain_text("石井 健")
    expect(page.locator("#list .who2")).to_have_count(1)


def test_a_wrong_number_keeps_the_gate_closed_and_full_width_digits_open_it(
    open_page: OpenPage, administrator: Operator, account: MailAccount
) -> None:
    draft = make_draft(administrator, account)
    page = open_page(f"/bulk/{draft.number}/check")
    gate(page, "4")
    button = page.locator("[data-gate-go]")
    expect(button).to_have_attribute("aria-disabled", "true")
    press(page, "F11")
    expect(page.get_by_label("通数を入力")).to_be_focused()
    page.get_by_label("通数を入力").fill("５")
    expect(button).not_to_have_attribute("aria-disabled", "true")
    expect(page.locator("#why")).to_contain_text("送信できます")


def test_pressing_send_too_early_leads_to_the_first_open_item(
    open_page: OpenPage, administrator: Operator, account: MailAccount
) -> None:
    draft = make_draft(administrator, account)
    confirm_findings(draft)
    page = open_page(f"/bulk/{draft.number}/check")
    page.get_by_role("checkbox", name="送信元", exact=True).check()
    press(page, "F11")
    expect(page.get_by_role("checkbox", name="宛先と通数")).to_be_focused()
    draft.refresh_from_db()
    assert draft.approved_at is None


def test_a_double_press_makes_one_job(open_page: OpenPage, administrator: Operator, account: MailAccount) -> None:
    draft = make_draft(administrator, account)
    page = open_page(f"/bulk/{draft.number}/check")
    gate(page)
    page.evaluate(
        """() => {
            const press = () => document.dispatchEvent(new KeyboardEvent("keydown", {key: "F11", bubbles: true}));
            press(); press();
            document.querySelector("[data-gate-go]").click();
        }"""
    )
    page.wait_for_url("**/run")
    page.go_back()
    page.wait_for_url("**/run")
    assert JobEvent.objects.filter(job=draft, what="approved").count() == 1
    assert draft.deliveries.exclude(state=State.SUPPRESSED).count() == MAILS


def test_inside_the_warning_hours_the_dialog_stands_on_no(
    open_page: OpenPage, administrator: Operator, account: MailAccount
) -> None:
    now = timezone.localtime()
    account.warn_from, account.warn_to = (now - timedelta(hours=1)).time(), (now + timedelta(hours=2)).time()
    account.save()
    draft = make_draft(administrator, account)
    page = open_page(f"/bulk/{draft.number}/check")
    gate(page)
    press(page, "F11")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("この時間に送信しますか?")
    expect(dialog.get_by_role("button", name="いいえ")).to_be_focused()
    assert_accessible(page)
    press(page, "Enter")
    expect(dialog).to_be_hidden()
    draft.refresh_from_db()
    assert draft.approved_at is None
    press(page, "F11")
    dialog.get_by_role("button", name="はい").click()
    page.wait_for_url("**/run")
    draft.refresh_from_db()
    assert draft.approved_at is not None


def test_everything_can_be_sent_with_the_keyboard_alone(
    open_page: OpenPage, administrator: Operator, account: MailAccount
) -> None:
    draft = make_draft(administrator, account)
    confirm_findings(draft)
    page = open_page(f"/bulk/{draft.number}/check")
    for name in ("sender", "recipients", "letter", "attachments"):
        _tab_to(page, f"tick-{name}")
        press(page, "Space")
    _tab_to(page, "cnt")
    page.keyboard.type(str(MAILS))
    press(page, "Control+Enter")
    page.wait_for_url("**/run")
    draft.refresh_from_db()
    assert draft.approved_at is not None


def _tab_to(page: Page, element_id: str) -> None:
    for _ in range(120):
        press(page, "Tab")
        if page.evaluate("document.activeElement.id") == element_id:
            assert page.evaluate(
                """() => { const box = document.activeElement.getBoundingClientRect();
                           const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                           return document.activeElement.closest("label, .g2").contains(top); }"""
            ), f"{element_id} is hidden"
            return
    raise AssertionError(f"{element_id} cannot be reached")


def test_without_scripts_the_gate_works_as_a_plain_form(
    open_page: OpenPage, administrator: Operator, account: MailAccount
) -> None:
    now = timezone.localtime()
    account.warn_from, account.warn_to = (now - timedelta(hours=1)).time(), (now + timedelta(hours=2)).time()
    account.save()
    draft = make_draft(administrator, account)
    page = open_page(f"/bulk/{draft.number}/check", scripts=False)
    page.get_by_role("checkbox", name="送信元", exact=True).check()
    page.locator("[data-gate-go]").click(force=True)
    expect(page.locator(".errsum")).to_contain_text("通数を入力してください。")
    assert page.title().startswith("エラー: ")
    expect(page.get_by_role("checkbox", name="送信元", exact=True)).to_be_checked()
    gate(page)
    page.locator("[data-gate-go]").click(force=True)
    expect(page.locator("#warning-hours-here")).to_contain_text("この時間に送信しますか?")
    page.get_by_role("button", name="はい(送信する)").click()
    page.wait_for_url("**/run")
    draft.refresh_from_db()
    assert draft.approved_at is not None


def test_without_scripts_people_are_added_unticked_and_removed(
    open_page: OpenPage, administrator: Operator, account: MailAccount
) -> None:
    draft = make_draft(administrator, account)
    page = open_page(f"/bulk/{draft.number}/to", scripts=False)
    page.locator("#list").get_by_role("checkbox").first.uncheck()
    page.get_by_role("button", name="チェックを登録").click()
    expect(page.locator("#list .tot")).to_contain_text("4通")
    page.get_by_role("button", name="山田 太郎を外す").click()
    expect(page.locator("#list .tot")).to_contain_text("2通")
    page.get_by_role("button", name="スタッフ 5件すべてを追加").click()
    expect(page.get_by_text("1人は、外した人のため追加していません。")).to_be_visible()
    page.get_by_text("外した人 1人").click()
    page.get_by_role("button", name="戻す (山田 太郎)").click()
    expect(page.locator("#list .tot")).to_contain_text("4通")


def test_a_tick_changes_the_counter_and_the_limit_turns_red(
    open_page: OpenPage, administrator: Operator, account: MailAccount
) -> None:
    account.max_per_job = 4
    account.save()
    draft = make_draft(administrator, account)
    page = open_page(f"/bulk/{draft.number}/to")
    expect(page.locator("#list")).to_contain_text("送信件数(5件)が、1回の送信上限件数(4件)を超えています。")
    page.locator("#list").get_by_role("checkbox").first.uncheck()
    expect(page.locator("#footer-counts")).to_contain_text("送信件数 4件")
    expect(page.locator("#list .overnote")).to_have_count(0)
    expect(page.locator("#list").get_by_role("checkbox").first).to_be_focused()


def test_a_field_that_does_not_exist_is_red_and_stops_at_its_line(
    open_page: OpenPage, administrator: Operator, account: MailAccount
) -> None:
    draft = make_draft(administrator, account)
    page = open_page(f"/bulk/{draft.number}/body")
    body = page.get_by_role("textbox", name="本文")
    body.fill("一行目\n{{しめい}} 様")
    expect(page.locator(".paint mark.no")).to_have_text("{{しめい}}")
    press(page, "F11")
    expect(page.locator(".errsum")).to_contain_text("差込項目「しめい」はありません。本文 2行目を直してください。")
    expect(body).to_have_value("一行目\n{{しめい}} 様")


def test_another_person_is_shown_and_stays_shown_while_writing(
    open_page: OpenPage, administrator: Operator, account: MailAccount
) -> None:
    draft = make_draft(administrator, account)
    page = open_page(f"/bulk/{draft.number}/body")
    expect(page.locator("#sample .mb")).to_contain_text("高橋 直子 様")
    page.get_by_role("link", name="次の人").click()
    expect(page.locator("#sample .mb")).to_contain_text("山田 太郎 様")
    expect(page.locator("#sample .pn")).to_contain_text("2 / 5")
    page.get_by_role("textbox", name="本文").fill("{{氏名}} 様、変えました")
    expect(page.locator("#sample .mb")).to_contain_text("山田 太郎 様、変えました")


def test_the_plan_follows_the_chosen_start(open_page: OpenPage, administrator: Operator, account: MailAccount) -> None:
    draft = make_draft(administrator, account)
    page = open_page(f"/bulk/{draft.number}/check")
    page.get_by_text("日時を指定").click()
    day = timezone.localdate() + timedelta(days=9)
    page.get_by_label("送信予約日時").fill(f"{day.isoformat()}T09:00")
    expect(page.locator("#plan .eta")).to_contain_text(f"{day.month}/{day.day} 09:00")
    page.get_by_role("link", name="次の人").click()
    expect(page.locator("#sample .pn")).to_contain_text("2 / 5")


def test_typing_two_braces_offers_the_fields(
    open_page: OpenPage, administrator: Operator, account: MailAccount
) -> None:
    draft = make_draft(administrator, account)
    page = open_page(f"/bulk/{draft.number}/body")
    body = page.get_by_role("textbox", name="本文")
    body.fill("")
    page.keyboard.type("{{所属")
    expect(page.get_by_role("option", name="所属部門")).to_be_visible()
    assert_accessible(page)
    press(page, "Enter")
    expect(body).to_have_value("{{所属部門}}")


def test_leaving_at_once_loses_no_keystroke(open_page: OpenPage, administrator: Operator, account: MailAccount) -> None:
    draft = make_draft(administrator, account)
    page = open_page(f"/bulk/{draft.number}/body")
    page.get_by_role("textbox", name="本文").fill("最後の一文字まで")
    page.get_by_role("link", name="宛先に戻る").click()
    expect(page.get_by_role("heading", name="送信する宛先")).to_be_visible()
    page.get_by_role("link", name="次へ(本文)").click()
    expect(page.get_by_role("textbox", name="本文")).to_have_value("最後の一文字まで")


def test_a_running_job_is_paused_resumed_and_stopped(
    open_page: OpenPage, administrator: Operator, account: MailAccount, server: PracticeServer
) -> None:
    account.batch_size, account.sleep_seconds = 2, 600
    account.save()
    job = approve(administrator, make_draft(administrator, account), start="immediately")
    assert server.addresses is not None
    work(job, server.addresses.smtp_port)
    page = open_page(f"/bulk/{job.number}/run")
    expect(page.get_by_role("heading", name="休止しています。")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuetext", "5通のうち2通を処理しました")
    page.get_by_role("button", name="一時停止").click()
    expect(page.get_by_role("heading", name="一時停止中です")).to_be_visible()
    page.get_by_role("button", name="再開").click()
    page.get_by_role("button", name="送信を中止").click()
    dialog = page.get_by_role("dialog", name="送信を中止")
    expect(dialog.get_by_role("button", name="続ける")).to_be_focused()
    dialog.get_by_role("button", name="中止").click()
    expect(page.get_by_role("heading", name="送信を中止しました。")).to_be_visible()
    job.refresh_from_db()
    assert job.cancelled_at is not None


def test_an_unknown_result_is_settled_in_a_dialog_with_a_reason(
    open_page: OpenPage, administrator: Operator, account: MailAccount, server: PracticeServer
) -> None:
    job = approve(administrator, make_draft(administrator, account), start="immediately")
    assert server.addresses is not None
    work(job, server.addresses.smtp_port)
    page = open_page(f"/bulk/{job.number}/run")
    page.get_by_role("link", name="届いたか確かめる").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="届いていた 送信済みとして扱います。").check()
    assert_accessible(page)
    dialog.get_by_label("理由").fill("本人に電話で確認")
    dialog.get_by_role("button", name="確定").click()
    expect(page.get_by_text("届いていたものとして、送信済みにしました。")).to_be_visible()
    assert not job.deliveries.filter(state=State.UNKNOWN).exists()
    assert "送信済み 4 + 失敗 1 + 結果不明 0" in page.locator(".sum").inner_text()


def test_an_opened_answer_stays_open_while_the_page_refreshes(
    open_page: OpenPage, administrator: Operator, account: MailAccount, server: PracticeServer
) -> None:
    account.batch_size, account.sleep_seconds = 4, 600
    account.save()
    job = approve(administrator, make_draft(administrator, account), start="immediately")
    assert server.addresses is not None
    work(job, server.addresses.smtp_port)
    page = open_page(f"/bulk/{job.number}/run")
    page.get_by_text("サーバーの返答").first.click()
    with page.expect_response("**/run/live"):
        page.evaluate("htmx.trigger(document.getElementById('progress'), 'live')")
    page.wait_for_function("document.querySelector('#as-of')")
    expect(page.locator("details[open] code")).to_contain_text("550")


def test_the_banner_takes_a_waiting_send_back_from_any_screen(
    open_page: OpenPage, administrator: Operator, account: MailAccount
) -> None:
    job = approve(administrator, make_draft(administrator, account))
    page = open_page("/")
    expect(page.get_by_text("5通の送信を開始します。")).to_be_visible()
    page.get_by_role("button", name="取り消して下書きに戻す").click()
    expect(page.get_by_text(f"送信管理NO {job.number} を取り消しました。")).to_be_visible()
    job.refresh_from_db()
    assert job.cancelled_at is not None
    assert BulkSend.objects.filter(approved_at=None, subject=SUBJECT, cancelled_at=None).count() == 1
