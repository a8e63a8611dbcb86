"""エラーメール over HTTP: by person with what it means, and the work list of what fits no send."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from fumibako.apps.accounts.models import AccountPermission
from fumibako.apps.inbox.models import BounceReport, ReceivedMail
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.sending.models import BulkSend
from tests.sending.drafting import make_person
from tests.web.inbox_scene import asked_job, deliver, error_mail, inbox_account, make_people


@pytest.fixture
def operator(db: None) -> Operator:
    """The administrator at the screen."""
    return Operator.objects.create(username="sato", display_name="佐藤 美咲", is_administrator=True)


@pytest.fixture
def browser(operator: Operator) -> Browser:
    """The operator's browser."""
    found = Browser()
    found.force_login(operator)
    return found


@pytest.fixture
def job(db: None) -> BulkSend:
    """NO 128, sent."""
    make_people()
    return asked_job(inbox_account())


def returned(job: BulkSend, seq: int = 4, status: str = "5.1.1", text: str = "550 5.1.1 User unknown") -> ReceivedMail:
    """An error mail about one mail of the job."""
    row = job.deliveries.get(seq=seq)
    assert job.account is not None
    return deliver(job.account, error_mail(row.address, f"<{row.message_id}>", status, text))


def text_of(browser: Browser, address: str) -> str:
    """The page at an address."""
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_error_mails_the_page_says_so(browser: Browser) -> None:
    assert "エラーメールはありません。" in text_of(browser, "/bounces/")
    assert "未照合のエラーメールはありません。" in text_of(browser, "/bounces/unmatched/")


def test_a_failing_address_is_told_in_plain_words_with_its_effect(browser: Browser, job: BulkSend) -> None:
    mail = returned(job)
    person = job.deliveries.get(seq=4).recipient
    assert person is not None
    page = text_of(browser, "/bounces/")
    for told in (
        person.name,
        "このメールアドレスは存在しません",
        "不達(エラー回数 +1)",
        "User unknown",
        "エラー回数 1",
        f"/staff/{person.number}/?tab=address",
        f"/inbox/{mail.number}/",
    ):
        assert told in page, told
    shown = text_of(browser, f"/inbox/{mail.number}/?v=bounces&p=all")
    for told in ("このメールアドレスは存在しません", "NO 128 の不達", "メールシステムからの通知です"):
        assert told in shown
    assert "返信を送信" not in shown
    assert "スタッフに追加" not in shown


def test_the_reason_narrows_the_list(browser: Browser, job: BulkSend) -> None:
    returned(job)
    assert "このメールアドレスは存在しません" in text_of(browser, "/bounces/?reason=address")
    page = text_of(browser, "/bounces/?reason=ours")
    assert "この理由のエラーメールはありません。" in page
    assert "すべての理由を見る" in page


def test_an_address_is_brought_back_with_a_reason(browser: Browser, job: BulkSend) -> None:
    returned(job)
    address = job.deliveries.get(seq=4).party_address
    assert address is not None
    url = f"/bounces/addresses/{address.pk}/restore/"
    assert "理由を入力してください。" in browser.post(url, {"reason": ""}, follow=True).content.decode()
    done = browser.post(url, {"reason": "電話で確認"}, follow=True).content.decode()
    assert "「送る」に戻し、エラー回数を 0 にしました。" in done
    address.refresh_from_db()
    assert address.error_count == 0
    stranger = make_person("森 花", "hana@example.jp").addresses.get()
    assert browser.post(f"/bounces/addresses/{stranger.pk}/restore/", {"reason": "x"}).status_code == 404


def unproven(job: BulkSend) -> BounceReport:
    """An error mail about an address of the job, without proof."""
    row = job.deliveries.get(seq=5)
    assert job.account is not None
    deliver(job.account, error_mail(row.address, "<nobody@elsewhere.example>", "5.1.1", "550 User unknown"))
    report = BounceReport.objects.get()
    assert report.effect in ("unmatched", "unverified")
    return report


def test_what_fits_no_send_is_settled_by_a_person(browser: Browser, job: BulkSend) -> None:
    report = unproven(job)
    row = job.deliveries.get(seq=5)
    page = text_of(browser, "/bounces/unmatched/")
    assert "送信管理NO 128 12月度シフト提出のお願い" in page
    assert "この宛先のエラーにする" in page
    url = f"/bounces/reports/{report.pk}/settle/"
    refused = browser.post(url, {"delivery": row.pk, "reason": ""}, follow=True).content.decode()
    assert "理由を入力してください。" in refused
    done = browser.post(url, {"delivery": row.pk, "reason": "宛先と時刻を確認した"}, follow=True).content.decode()
    assert "「送信管理NO 128 の不達」として確定しました。" in done
    row.refresh_from_db()
    assert row.state == "bounced"
    assert "未照合のエラーメールはありません。" in text_of(browser, "/bounces/unmatched/")
    again = browser.post(url, {"delivery": "", "reason": "二重"}, follow=True).content.decode()
    assert "すでに確定しています。" in again


def test_an_error_of_somebody_elses_mail_is_put_aside(browser: Browser, job: BulkSend) -> None:
    report = unproven(job)
    url = f"/bounces/reports/{report.pk}/settle/"
    done = browser.post(url, {"delivery": "", "reason": "送信していない"}, follow=True).content.decode()
    assert "「送信したメールのエラーではない」として確定しました。" in done
    assert job.deliveries.get(seq=5).state == "sent"


def test_a_send_to_another_address_cannot_be_chosen(browser: Browser, job: BulkSend) -> None:
    report = unproven(job)
    other = job.deliveries.get(seq=6)
    url = f"/bounces/reports/{report.pk}/settle/"
    page = browser.post(url, {"delivery": other.pk, "reason": "x"}, follow=True).content.decode()
    assert "画面の内容を確認してください。" in page
    other.refresh_from_db()
    assert other.state == "sent"


def test_example_16_error_mails_of_closed_accounts_do_not_exist(job: BulkSend) -> None:
    report = unproven(job)
    clerk = Operator.objects.create(username="clerk", display_name="鈴木 浩")
    own = inbox_account(name="別のアカウント")
    AccountPermission.objects.create(account=own, operator=clerk, may_view=True)
    browser = Browser()
    browser.force_login(clerk)
    assert report.address not in text_of(browser, "/bounces/")
    assert report.address not in text_of(browser, "/bounces/unmatched/")
    assert browser.post(f"/bounces/reports/{report.pk}/settle/", {"reason": "x"}).status_code == 404


def test_the_menu_counts_what_waits_for_a_person(browser: Browser, job: BulkSend) -> None:
    assert 'class="c num bad"' not in text_of(browser, "/")
    unproven(job)
    assert '<span class="c num bad">1</span>' in text_of(browser, "/")


def test_many_failing_addresses_need_no_more_queries(browser: Browser, job: BulkSend) -> None:
    returned(job, 4)
    with CaptureQueriesContext(connection) as few:
        text_of(browser, "/bounces/")
    for seq in range(5, 15):
        returned(job, seq)
    with CaptureQueriesContext(connection) as many:
        text_of(browser, "/bounces/")
    assert len(many) <= len(few) <= 20
    assert PartyAddress.objects.filter(error_count=1).count() == 11
    assert Recipient.objects.exists()
