"""返信 and 転送 over HTTP: nothing typed is lost, nothing leaves twice, whoever was slower is stopped."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.utils import timezone

from fumibako.apps.inbox import actions
from fumibako.apps.inbox.models import MailReply, ReceivedMail
from fumibako.apps.office.models import Operator
from fumibako.apps.sending.build import JobComposer
from fumibako.apps.sending.models import BulkSend
from fumibako.mime.read import read
from tests.web.hostile_html import shapes
from tests.web.inbox_scene import deliver, inbox_account, letter

WRITTEN = "承知しました。お大事になさってください。"


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
def mail(db: None) -> ReceivedMail:
    """A mail with somebody in Cc."""
    return deliver(inbox_account(), letter("休みます。", cc="takagi@example.jp", message_id="a@mail.example"))


def form_of(browser: Browser, mail: ReceivedMail, **values: Any) -> dict[str, Any]:
    """The form as the page gives it, with something written."""
    page = browser.get(f"/inbox/{mail.number}/reply/").content.decode()
    found = {name: _value(page, name) for name in ("version", "key", "subject")}
    return found | {"body": WRITTEN} | values


def _value(page: str, name: str) -> str:
    match = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert match, name
    return match.group(1)


def sent_to(browser: Browser, mail: ReceivedMail, **values: Any) -> Any:
    """Press 返信を送信."""
    return browser.post(f"/inbox/{mail.number}/reply/", form_of(browser, mail, **values))


def bytes_of(job: BulkSend) -> bytes:
    """The mail that will leave."""
    row = job.deliveries.get()
    return JobComposer(job.sheet).compose(row).raw


def test_the_form_shows_the_whole_address_and_quotes(browser: Browser, mail: ReceivedMail) -> None:
    page = browser.get(f"/inbox/{mail.number}/reply/").content.decode()
    for told in ("yamada.t@example.jp", "&gt; 休みます。", "Re: ", "TEL 03-0000-0000", "takagi@example.jp"):
        assert told in page, told
    assert 'name="to"' not in page


def test_an_answer_goes_to_the_sender_alone_and_the_mail_waits(browser: Browser, mail: ReceivedMail) -> None:
    sent_to(browser, mail, to="evil@evil.example", cc="evil@evil.example")
    job = BulkSend.objects.get()
    found = read(bytes_of(job))
    assert [one.address for one in found.to] == ["yamada.t@example.jp"]
    assert found.cc == ()
    assert found.in_reply_to == "<a@mail.example>"
    assert WRITTEN in found.text
    mail.refresh_from_db()
    assert (mail.work, mail.replied_by_name) == ("waiting", "佐藤 美咲")


def test_copies_go_only_to_whom_the_mail_names(browser: Browser, mail: ReceivedMail) -> None:
    sent_to(browser, mail, cc="takagi@example.jp")
    assert [one.address for one in read(bytes_of(BulkSend.objects.get())).cc] == ["takagi@example.jp"]


def test_c09_a_double_click_makes_one_answer(browser: Browser, mail: ReceivedMail) -> None:
    form = form_of(browser, mail)
    for _ in range(2):
        assert browser.post(f"/inbox/{mail.number}/reply/", form).status_code == 302
    assert BulkSend.objects.count() == MailReply.objects.count() == 1


def test_a_quick_answer_brings_signature_and_quote(browser: Browser, mail: ReceivedMail) -> None:
    form = {"quick": "1", "version": mail.version, "key": str(uuid.uuid4()), "body": WRITTEN}
    assert browser.post(f"/inbox/{mail.number}/reply/", form).status_code == 302
    text = read(bytes_of(BulkSend.objects.get())).text
    assert text.startswith(WRITTEN)
    assert "> 休みます。" in text
    assert "TEL 03-0000-0000" in text


def test_a_quick_answer_can_be_finished_on_the_large_screen(browser: Browser, mail: ReceivedMail) -> None:
    form = {"quick": "1", "open": "1", "version": mail.version, "key": str(uuid.uuid4()), "body": WRITTEN}
    answer = browser.post(f"/inbox/{mail.number}/reply/", form)
    assert answer.status_code == 200
    assert WRITTEN in answer.content.decode()
    assert not BulkSend.objects.exists()


@pytest.mark.parametrize(
    ("values", "told"),
    [({"body": ""}, "本文を入力してください。"), ({"body": " \n"}, "本文を入力してください。")],
)
def test_what_is_refused_stays_on_the_form(
    browser: Browser, mail: ReceivedMail, values: dict[str, str], told: str
) -> None:
    answer = sent_to(browser, mail, subject="書きかけの件名", **values)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert told in page
    assert "書きかけの件名" in page
    assert "<title>エラー: 返信" in page


def test_the_form_as_it_opened_says_nothing_and_is_not_sent(browser: Browser, mail: ReceivedMail) -> None:
    untouched = actions.quoted(mail).body
    answer = sent_to(browser, mail, body=untouched.replace("\n", "\r\n"))
    assert answer.status_code == 422
    assert not BulkSend.objects.exists()


def test_r02_whoever_is_slower_is_held_and_may_send_all_the_same(
    browser: Browser, operator: Operator, mail: ReceivedMail
) -> None:
    form = form_of(browser, mail)
    tanaka = Operator.objects.create(username="tanaka", display_name="田中 明", is_administrator=True)
    actions.reply(tanaka, mail, actions.Reply("Re: a", "了解です。", "yamada.t@example.jp"), mail.version)
    held = browser.post(f"/inbox/{mail.number}/reply/", form)
    page = held.content.decode()
    assert held.status_code == 409
    assert re.search(
        r"このメールには、田中 明さんが \d\d:\d\d に返信しています。内容を確認してから送信してください。", page
    )
    assert WRITTEN in page
    assert "内容を見る" in page
    assert BulkSend.objects.count() == 1
    again = browser.post(f"/inbox/{mail.number}/reply/", form)
    assert again.status_code == 409
    forced = browser.post(f"/inbox/{mail.number}/reply/", form | {"force": "1"})
    assert forced.status_code == 302
    assert BulkSend.objects.count() == 2


def test_a_note_by_somebody_else_holds_the_answer_too(browser: Browser, mail: ReceivedMail) -> None:
    form = form_of(browser, mail)
    tanaka = Operator.objects.create(username="tanaka", display_name="田中 明", is_administrator=True)
    actions.add_note(tanaka, mail, "電話で返事済み")
    page = browser.post(f"/inbox/{mail.number}/reply/", form).content.decode()
    assert "田中 明さんが" in page
    assert "メモを追加" in page
    assert WRITTEN in page


def test_taking_back_works_from_any_page_and_gives_the_words_back(browser: Browser, mail: ReceivedMail) -> None:
    sent_to(browser, mail)
    job = BulkSend.objects.get()
    for address in ("/", "/staff/", "/inbox/", "/bounces/"):
        page = browser.get(address).content.decode()
        assert f"/inbox/replies/{job.number}/take-back/" in page, address
        assert "取り消せます。" in page
    answer = browser.post(f"/inbox/replies/{job.number}/take-back/", follow=True)
    page = answer.content.decode()
    assert "送信を取り消しました。書いた内容は残っています。" in page
    assert WRITTEN in page
    assert answer.redirect_chain[-1][0] == f"/inbox/{mail.number}/reply/"
    job.refresh_from_db()
    mail.refresh_from_db()
    assert job.cancelled_at is not None
    assert mail.work == "open"
    assert "take-back" not in browser.get("/").content.decode()
    # Sent after all, the words are not offered a second time.
    sent_to(browser, mail)
    assert WRITTEN not in browser.get(f"/inbox/{mail.number}/reply/").content.decode()


def test_too_late_is_told_and_changes_nothing(browser: Browser, mail: ReceivedMail) -> None:
    sent_to(browser, mail)
    job = BulkSend.objects.get()
    BulkSend.objects.filter(pk=job.pk).update(
        released_at=timezone.now(), release_at=timezone.now() - timedelta(hours=1)
    )
    page = browser.post(f"/inbox/replies/{job.number}/take-back/", follow=True).content.decode()
    assert "送信が始まったため、取り消せません。" in page
    assert "take-back" not in page


def test_nobody_takes_back_what_somebody_else_wrote(browser: Browser, mail: ReceivedMail) -> None:
    sent_to(browser, mail)
    job = BulkSend.objects.get()
    tanaka = Operator.objects.create(username="tanaka", display_name="田中 明", is_administrator=True)
    other = Browser()
    other.force_login(tanaka)
    assert other.post(f"/inbox/replies/{job.number}/take-back/").status_code == 404
    assert "take-back" not in other.get("/inbox/").content.decode()


def test_after_an_answer_the_next_mail_of_the_list_opens(browser: Browser, mail: ReceivedMail) -> None:
    older = deliver(mail.account, letter("b"), at=timezone.now() - timedelta(minutes=9))
    form = form_of(browser, mail) | {"back": "v=open"}
    answer = browser.post(f"/inbox/{mail.number}/reply/", form)
    assert answer.headers["Location"] == f"/inbox/{older.number}/?v=open"


def test_forwarding_asks_for_an_address_and_takes_the_files_along(browser: Browser) -> None:
    mail = deliver(inbox_account(), letter("見積です。", files=(("見積.pdf", "application/pdf", b"%PDF-1.4"),)))
    address = f"/inbox/{mail.number}/forward/"
    assert "一緒に送る添付:見積.pdf" in browser.get(address).content.decode()
    form = form_of(browser, mail) | {"to": "", "key": str(uuid.uuid4())}
    refused = browser.post(address, form)
    assert refused.status_code == 422
    assert "宛先を入力してください。" in refused.content.decode()
    browser.post(address, form | {"to": "boss@example.jp"})
    found = read(bytes_of(BulkSend.objects.get()))
    assert [one.address for one in found.to] == ["boss@example.jp"]
    assert [one.name for one in found.attachments] == ["見積.pdf"]
    mail.refresh_from_db()
    assert mail.work == "open"


def test_a_file_goes_along_and_is_named_when_the_page_comes_back(browser: Browser, mail: ReceivedMail) -> None:
    file = SimpleUploadedFile("地図.pdf", b"%PDF", "application/pdf")
    refused = sent_to(browser, mail, body="", files=file)
    assert "もう一度選んでください(地図.pdf)" in refused.content.decode()
    sent_to(browser, mail, files=SimpleUploadedFile("地図.pdf", b"%PDF", "application/pdf"))
    assert [one.name for one in read(bytes_of(BulkSend.objects.get())).attachments] == ["地図.pdf"]


def test_x05_a_quoted_hostile_mail_leaves_as_plain_text(browser: Browser) -> None:
    account = inbox_account()
    every = "".join(html for _, html in shapes("alert(1)", "https://evil.example/r"))
    mail = deliver(account, letter(html=f"<p>こんにちは</p>{every}", subject="<script>alert(1)</script>"))
    page = browser.get(f"/inbox/{mail.number}/reply/").content.decode()
    assert "<script>alert" not in page
    assert not re.search(r"<(?:svg onload|img src=x|iframe srcdoc)", page)
    for verb, more in (("reply", {}), ("forward", {"to": "boss@example.jp"})):
        form = form_of(browser, mail) | {"body": WRITTEN + actions.quoted(mail).body, "key": str(uuid.uuid4())} | more
        browser.post(f"/inbox/{mail.number}/{verb}/", form | {"force": "1"})
    for job in BulkSend.objects.all():
        raw = bytes_of(job)
        assert b"text/html" not in raw
        assert read(raw).html == ""
    assert BulkSend.objects.count() == 2
