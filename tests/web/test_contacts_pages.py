"""The pages of 連絡 as a server answers them: who may, what is refused, how many queries, nothing lost."""

from __future__ import annotations

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from fumibako.apps.contacts import actions
from fumibako.apps.contacts.expanding import expand
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.office.models import Operator
from tests.contacts.records import (
    make_account,
    make_category,
    make_mail,
    make_record,
    make_worker,
    set_rule,
    status,
    today_plus,
)
from tests.recipients.people import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Operator:
    return make_worker()


@pytest.fixture
def browser(operator: Operator) -> Browser:
    """An ordinary operator at a browser."""
    return browser_of(operator)


def browser_of(operator: Operator) -> Browser:
    found = Browser()
    found.force_login(operator, backend="allauth.account.auth_backends.AuthenticationBackend")
    return found


def text_of(browser: Browser, address: str, status: int = 200) -> str:
    answer = browser.get(address, follow=True)
    assert answer.status_code == status
    return answer.content.decode()


def posted(operator: Operator, **values: str) -> dict[str, str]:
    """A form as the browser sends it."""
    sheet = actions.defaults_for(operator) | {"subject": "件名", "party": "", "key": str(uuid.uuid4())}
    return sheet | values


@pytest.mark.parametrize("address", ["/contacts/", "/contacts/new", "/followups/", "/codes/", "/contact-categories/"])
def test_nobody_sees_records_without_logging_in(address: str) -> None:
    answer = Browser().get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/")


@pytest.mark.parametrize("address", ["/codes/", "/contact-categories/"])
def test_only_administrators_see_the_masters(browser: Browser, address: str) -> None:
    assert "アクセス権限がありません。" in text_of(browser, address, 403)
    assert "区分マスタ" in text_of(browser_of(make_worker(is_administrator=True)), address)


@pytest.mark.parametrize("address", ["/contacts/?per=200&since=", "/followups/?who=all"])
def test_a_list_needs_as_many_queries_for_many_as_for_few(browser: Browser, operator: Operator, address: str) -> None:
    person = str(make_staff().pk)
    make_record(operator, person=person, next_on=today_plus(1))
    with CaptureQueriesContext(connection) as few:
        text_of(browser, address)
    for place in range(12):
        make_record(operator, person=person, next_on=today_plus(place))
    with CaptureQueriesContext(connection) as many:
        text_of(browser, address)
    assert len(many) <= len(few) <= 24


def test_the_list_begins_with_the_last_thirty_days_and_says_so(browser: Browser, operator: Operator) -> None:
    make_record(operator, subject="きょうの件")
    make_record(operator, subject="昔の件", contacted_at="2020/01/01 09:00")
    page = text_of(browser, "/contacts/")
    assert "きょうの件" in page
    assert "昔の件" not in page
    assert "連絡日(から)" in page
    assert "昔の件" in text_of(browser, "/contacts/?since=")
    assert "昔の件" in text_of(browser, "/contacts/?subject=昔")


def test_pages_are_turned_by_where_the_last_one_ended(browser: Browser, operator: Operator) -> None:
    for place in range(51):
        make_record(
            operator, subject=f"件{place:02d}", contacted_at=f"2026/11/01 {place // 60 + 9:02d}:{place % 60:02d}"
        )
    first = browser.get("/contacts/?since=")
    assert first.context["newer"] == ""
    second = browser.get("/contacts/" + first.context["older"])
    assert [line.record.subject for line in second.context["lines"]] == ["件00"]
    assert "件50" in browser.get("/contacts/" + second.context["newer"]).content.decode()


def test_what_was_typed_stays_when_it_is_refused(browser: Browser, operator: Operator) -> None:
    answer = browser.post("/contacts/new", posted(operator, subject="", body="長い内容", party="だれか", minutes="x"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "「だれか」に当てはまる人がいません。" in page
    for kept in ("長い内容", 'value="だれか"', 'value="x"'):
        assert kept in page
    assert not ContactRecord.objects.exists()


def test_a_double_press_and_a_reload_make_one_record(browser: Browser, operator: Operator) -> None:
    form = posted(operator)
    for _ in range(2):
        answer = browser.post("/contacts/new", form)
        assert answer.headers["Location"] == "/contacts/000000001-000/"
    assert ContactRecord.objects.count() == 1


def test_names_and_texts_are_text_and_never_markup(browser: Browser, operator: Operator) -> None:
    person = make_staff("<script>alert(1)</script>")
    bad = "<script>alert(2)</script>"
    record = make_record(operator, subject=bad, body=bad, person=str(person.pk), next_on=today_plus(0))
    for address in (
        "/contacts/",
        f"/contacts/{record}/",
        "/followups/",
        f"/staff/{person.number}/",
        "/contacts/people/?party=script",
    ):
        assert "<script>alert" not in text_of(browser, address)


def test_a_short_number_leads_to_the_whole_one(browser: Browser, operator: Operator) -> None:
    record = make_record(operator)
    assert browser.get("/contacts/1/").headers["Location"] == f"/contacts/{record}/"
    assert browser.get("/contacts/open/?number=１").headers["Location"] == f"/contacts/{record}/"
    assert "連絡NO 77 はありません。" in text_of(browser, "/contacts/open/?number=77")
    assert browser.get("/contacts/77/").status_code == 404


def test_a_file_is_added_saved_and_handed_out_only_to_those_who_may(browser: Browser, operator: Operator) -> None:
    upload = SimpleUploadedFile("契約 書.html", b"<script>", content_type="text/html")
    browser.post("/contacts/new", posted(operator) | {"files": upload})
    record = ContactRecord.objects.get()
    file = record.files.get()
    answer = browser.get(f"/contacts/files/{file.pk}/")
    assert answer.content == b"<script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E5%A5%91")
    refused = browser.post(f"/contacts/{record}/", {"subject": "", "files": SimpleUploadedFile("a.txt", b"a")})
    assert "関連ファイルは、もう一度選んでください。" in refused.content.decode()
    ContactRecord.objects.update(mail=make_mail(make_account()), operator=None)
    assert browser.get(f"/contacts/files/{file.pk}/").status_code == 404
    assert browser.get(f"/contacts/{record}/").status_code == 404
    assert browser.get(f"/contacts/{record}/delete/").status_code == 404


def test_a_mail_fills_the_form_as_expanding_it_would(operator: Operator) -> None:
    administrator = make_worker("管理 者", is_administrator=True)
    browser = browser_of(administrator)
    person = make_staff("土井 大", "taro@example.jp")
    account = make_account()
    category = make_category("メールの件")
    set_rule(account, "from", category1=category, status=status(2))
    mail = make_mail(account)
    page = text_of(browser, f"/contacts/new?mail={mail.number}")
    for shown in (
        f"スタッフ {person.number} 土井 大",
        "シフトの件",
        "お世話になっております。",
        f'value="{category.pk}" selected',
    ):
        assert shown in page
    panel = browser.get(f"/contacts/from-mail/{mail.number}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in panel
    assert "連絡記録に登録" in panel
    form = {"party": f"スタッフ {person.number} 土井 大", "subject": "件名を直した", "key": str(uuid.uuid4())}
    answer = browser.post(f"/contacts/from-mail/{mail.number}/", form, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, f"/inbox/{mail.number}/")
    record = ContactRecord.objects.get()
    assert (record.recipient, record.mail, record.subject, record.body) == (person, mail, "件名を直した", mail.text)
    assert (record.category1, record.status1) == (category, status(2))
    again = browser.post(f"/contacts/from-mail/{mail.number}/", form | {"key": str(uuid.uuid4())})
    assert again.status_code == 422
    assert f"このメールは、連絡記録 {record} に登録済みです。" in again.content.decode()
    assert browser.get(f"/contacts/new?mail={mail.number}").headers["Location"].endswith("?mail=1") is False
    assert expand(mail, operator) == []


def test_a_mail_of_a_closed_account_is_not_found(browser: Browser) -> None:
    mail = make_mail(make_account())
    for address in (f"/contacts/new?mail={mail.number}", f"/contacts/from-mail/{mail.number}/"):
        assert browser.get(address).status_code == 404


def test_an_address_to_go_back_to_must_be_ours(operator: Operator) -> None:
    browser = browser_of(make_worker("管理 者", is_administrator=True))
    mail = make_mail(make_account())
    form = {"party": "", "subject": "件", "key": str(uuid.uuid4()), "back": "//evil.example/"}
    assert browser.post(f"/contacts/from-mail/{mail.number}/", form).headers["Location"] == f"/inbox/{mail.number}/"


def test_a_deletion_without_a_reason_asks_again(browser: Browser, operator: Operator) -> None:
    record = make_record(operator)
    answer = browser.post(f"/contacts/{record}/delete/", {"reason": " "})
    assert answer.status_code == 422
    assert "削除する理由を入力してください。" in answer.content.decode()
    browser.post(f"/contacts/{record}/delete/", {"reason": "重複"})
    assert not ContactRecord.objects.exists()


def test_a_follow_up_is_ticked_and_taken_back(browser: Browser, operator: Operator) -> None:
    record = make_record(operator, next_on=today_plus(0))
    assert "次回対応" in text_of(browser, "/")
    answer = browser.post(f"/followups/{record}/done/", {"response": "済ませた"}, follow=True)
    page = answer.content.decode()
    assert "を対応済にしました。" in page
    assert f"/followups/{record}/reopen/" in page
    assert "次回対応は済んでいるか" in browser.post(f"/followups/{record}/done/", {}, follow=True).content.decode()
    assert (
        "を、次回対応に戻しました。" in browser.post(f"/followups/{record}/reopen/", {}, follow=True).content.decode()
    )
    assert browser.get("/followups/?undo=../../x").status_code == 200


def test_statuses_are_set_only_for_what_may_be_seen(browser: Browser, operator: Operator) -> None:
    other = make_worker("田中 明")
    mail = make_mail(make_account())
    hidden = actions.register_from_mail(other, mail, actions.defaults_for(other) | {"subject": "見えない"})
    shown = make_record(operator)
    form = {"id": [str(hidden.pk), str(shown.pk)], "status": str(status(3).pk), "since": ""}
    assert (
        "1件の連絡記録を「対応済」にしました。" in browser.post("/contacts/status/", form, follow=True).content.decode()
    )
    hidden.refresh_from_db()
    assert hidden.status1 == status(1)
    empty = browser.post("/contacts/status/", {"status": str(status(3).pk)}, follow=True)
    assert "連絡記録が選択されていません。" in empty.content.decode()


def test_a_person_shows_everything_that_passed(browser: Browser, operator: Operator) -> None:
    administrator = make_worker("管理 者", is_administrator=True)
    person = make_staff()
    account = make_account()
    mail = make_mail(account)
    (record,) = expand(mail, operator)
    make_record(operator, person=str(person.pk), subject="電話の件")
    page = text_of(browser_of(administrator), f"/staff/{person.number}/?tab=story")
    for shown in ("電話の件", "シフトの件", f"/inbox/{mail.number}/", f"/contacts/{record}/"):
        assert shown in page
    assert "シフトの件" not in text_of(browser_of(make_worker("田中 明")), f"/staff/{person.number}/?tab=story")
