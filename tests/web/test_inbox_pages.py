"""メール受信 over HTTP: what a list and a mail show, who may see them, and what a press does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fumibako.apps.accounts.models import AccountPermission
from fumibako.apps.inbox import actions
from fumibako.apps.inbox.models import FetchRequest, FetchRun, MailEvent, Presence, ReceivedMail, Reception
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import Recipient
from tests.sending.drafting import make_person
from tests.web.inbox_scene import PIXEL, answer_to, asked_job, deliver, inbox_account, letter, make_people

FRAME_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


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


def text_of(browser: Browser, address: str, status: int = 200) -> str:
    """The page at an address."""
    answer = browser.get(address)
    assert answer.status_code == status, answer
    return answer.content.decode()


def somebody(name: str = "鈴木 浩") -> Operator:
    """An operator without any right."""
    return Operator.objects.create(username=f"u{Operator.objects.count()}", display_name=name)


def browser_of(operator: Operator) -> Browser:
    """The browser of somebody."""
    found = Browser()
    found.force_login(operator)
    return found


# The list ------------------------------------------------------------------------------------------------------------


def test_a_row_says_who_when_what_and_what_became_of_it(browser: Browser) -> None:
    account = inbox_account()
    make_people()
    job = asked_job(account)
    file = ("a.pdf", "application/pdf", b"%PDF")
    mail = deliver(account, letter("可能です。", headers=answer_to(job), files=(file,)))
    page = text_of(browser, "/inbox/")
    for told in ("山田 太郎", "スタッフ", "シフト提出のお願い", "可能です。", "NO 128 への返信", "添付あり", "未読"):
        assert told in page
    assert f'href="/inbox/{mail.number}/"' in page


def test_an_unknown_sender_is_shown_by_address(browser: Browser) -> None:
    deliver(inbox_account(), letter("はじめまして。", sender="加藤 真 <kato.m@example.net>"))
    page = text_of(browser, "/inbox/")
    assert "(未登録)kato.m@example.net" in page
    assert "未紐付け" in page


def test_the_views_hold_what_they_say(browser: Browser, operator: Operator) -> None:
    account = inbox_account()
    open_, mine, waiting, done = (deliver(account, letter(f"本文{n}", subject=f"件名{n}")) for n in range(4))
    actions.assign(operator, mine, operator)
    actions.set_work(operator, waiting, "waiting")
    actions.set_work(operator, done, "done")
    for view, subjects in (("open", "01"), ("mine", "1"), ("waiting", "2"), ("done", "3"), ("all", "0123")):
        page = text_of(browser, f"/inbox/?v={view}")
        assert [n for n in "0123" if f"件名{n}" in page] == list(subjects), view
    assert open_.number


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("q=東京", "a"),
        ("sender=kato", "b"),
        ("subject=求人", "b"),
        ("body=東京", "a"),
        ("receiver=staff@example.jp", "ab"),
        ("attached=1", "a"),
        ("unread=1", "ab"),
        ("linked=yes", "a"),
        ("linked=no", "b"),
        ("assignee=none", "ab"),
        ("kind=bounce", ""),
        ("job=128", ""),
        ("from=2020-01-01&to=2020-01-02", ""),
        ("a=1", "ab"),
    ],
)
def test_every_condition_finds_what_it_names(browser: Browser, query: str, hits: str) -> None:
    account = inbox_account()
    make_people()
    deliver(account, letter("東京本社のことです。", subject="件a", files=(("a.pdf", "application/pdf", b"1"),)))
    deliver(account, letter("はじめまして。", sender="加藤 真 <kato.m@example.net>", subject="求人の件b"))
    page = text_of(browser, f"/inbox/?{query}")
    assert [letter_ for letter_ in "ab" if f"件{letter_}" in page] == list(hits)


def test_a_list_goes_on_after_fifty_and_needs_no_more_queries_for_it(browser: Browser, operator: Operator) -> None:
    account = inbox_account()
    make_people()
    now = timezone.now()
    deliver(account, letter("0", subject="件名-0"), at=now - timedelta(minutes=60))
    with CaptureQueriesContext(connection) as few:
        text_of(browser, "/inbox/")
    for n in range(1, 60):
        at = now - timedelta(minutes=60 - n)
        deliver(account, letter(str(n), subject=f"件名-{n}", at=at), at=at, assignee=operator)
    with CaptureQueriesContext(connection) as many:
        page = text_of(browser, "/inbox/")
    assert len(many) <= len(few) + 1 <= 24, [query["sql"][:90] for query in many]
    assert "件名-59" in page
    assert "件名-9<" not in page
    older = page.split("data-older")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    rest = text_of(browser, f"/inbox/{older}")
    assert "件名-9<" in rest
    assert "件名-59" not in rest
    assert "新しいメールに戻る" in rest


def test_work_before_the_period_is_told_and_one_press_away(browser: Browser) -> None:
    account = inbox_account()
    old = timezone.now() - timedelta(days=30)
    deliver(account, letter("古い", subject="古い件", at=old), at=old)
    page = text_of(browser, "/inbox/")
    assert "最近7日より前に、未処理のメールが 1件あります。" in page
    assert "古い件" in text_of(browser, "/inbox/?p=all")


def test_an_empty_list_says_when_mail_comes_next(browser: Browser) -> None:
    account = inbox_account()
    assert "未処理のメールはありません。次の受信は" in text_of(browser, "/inbox/")
    Reception.objects.filter(account=account).delete()
    assert "まだ受信していません。" in text_of(browser, "/inbox/")
    assert "条件に合うメールがありません。" in text_of(browser, "/inbox/?q=なし")


def test_an_account_that_is_down_is_told_above_the_list(browser: Browser) -> None:
    account = inbox_account()
    inbox_account(name="営業")
    Reception.objects.filter(account=account).update(failing_since_at=timezone.now(), trouble_kind="timeout")
    page = text_of(browser, "/inbox/")
    assert "スタッフ連絡用は" in page
    assert "から受信できていません。" in page
    assert "理由を見る" in page


def test_pressing_receive_twice_asks_once(browser: Browser) -> None:
    inbox_account()
    for _ in range(2):
        answer = browser.post("/inbox/fetch/", {"next": "/inbox/"}, follow=True)
        assert "受信を受け付けました(スタッフ連絡用)。" in answer.content.decode()
    assert FetchRequest.objects.count() == 1
    assert "受信しています…" in answer.content.decode()
    assert browser.post("/inbox/fetch/", {"next": "//evil.example/"}).headers["Location"] == "/inbox/"


def test_what_receiving_brought_is_told_per_account(browser: Browser, operator: Operator) -> None:
    account, other = inbox_account(), inbox_account(name="営業")
    now = timezone.now()
    for one, values in ((account, {"stored_count": 3}), (other, {"trouble_kind": "connect_timeout"})):
        run = FetchRun.objects.create(account=one, started_at=now, finished_at=now, **values)
        FetchRequest.objects.create(account=one, operator=operator, operator_name="佐藤", asked_at=now, run=run)
    assert "受信しました(スタッフ連絡用 3通 / 営業 受信できません)。" in text_of(browser, "/inbox/list/")
    FetchRun.objects.update(finished_at=now - timedelta(minutes=2))
    assert "受信しました(" not in text_of(browser, "/inbox/list/")


# Permissions ---------------------------------------------------------------------------------------------------------


def test_example_16_without_the_right_there_is_no_mail_anywhere(browser: Browser) -> None:
    mail = deliver(inbox_account(), letter("秘密", subject="秘密の件"))
    stranger = browser_of(somebody())
    for place in ("", "body/", "files/0/", "mail.eml", "reply/", "forward/", "delete/", "link/"):
        assert stranger.get(f"/inbox/{mail.number}/{place}").status_code == 404, place
        assert browser.get(f"/inbox/999/{place}").status_code == 404, place
    for place in ("state", "assign", "unread", "note", "charset", "answer", "link", "unlink", "delete", "reply"):
        assert stranger.post(f"/inbox/{mail.number}/{place}/", {"work": "done"}).status_code == 404, place
    page = text_of(stranger, "/inbox/")
    assert "秘密の件" not in page
    assert 'href="/inbox/"' not in text_of(stranger, "/")
    assert stranger.get("/bounces/").status_code == 404
    assert stranger.post(f"/inbox/{mail.number}/presence/").status_code == 286
    mail.refresh_from_db()
    assert mail.work == "open"


def test_example_16_with_the_right_for_one_account_only_its_mail_is_there(operator: Operator) -> None:
    own, other = inbox_account(), inbox_account(name="営業")
    mine = deliver(own, letter("a", subject="見える件"))
    theirs = deliver(other, letter("b", subject="見えない件"))
    clerk = somebody()
    AccountPermission.objects.create(account=own, operator=clerk, may_view=True)
    page = text_of(browser_of(clerk), "/inbox/")
    assert "見える件" in page
    assert "見えない件" not in page
    assert ">営業<" not in page
    assert browser_of(clerk).get(f"/inbox/{mine.number}/").status_code == 200
    assert browser_of(clerk).get(f"/inbox/{theirs.number}/").status_code == 404
    assert browser_of(clerk).post("/inbox/fetch/", {"account": other.pk}).status_code == 403
    # Reading is not writing.
    assert "返信を送信" not in text_of(browser_of(clerk), f"/inbox/{mine.number}/")
    assert browser_of(clerk).get(f"/inbox/{mine.number}/reply/").status_code == 403


def test_example_15_a_hidden_account_is_not_offered_but_its_mail_stays(browser: Browser) -> None:
    hidden = inbox_account(name="旧アカウント", visible=False)
    deliver(hidden, letter("a", subject="残る件"))
    page = text_of(browser, "/inbox/")
    assert ">旧アカウント<" not in page
    assert "残る件" in page


# One mail ------------------------------------------------------------------------------------------------------------


def test_a_mail_shows_its_person_its_send_and_its_files(browser: Browser) -> None:
    account = inbox_account()
    make_people()
    job = asked_job(account)
    file = ("シフト提出表_山田.xlsx", "application/x-a", b"x" * 18 * 1024)
    mail = deliver(account, letter("可能です。", headers=answer_to(job), files=(file,), cc="boss@example.jp"))
    page = text_of(browser, f"/inbox/{mail.number}/")
    for told in (
        "差出人は登録済みのスタッフです",
        "東京本社",
        "090-0000-0000",
        "この送信への返信",
        "12月度シフト提出のお願い",
        "返信あり 1 ・ 不達 2 ・ まだ 17",
        "シフト提出表_山田.xlsx",
        "Excel 18KB",
        "boss@example.jp",
        f"受信管理NO {mail.number}",
    ):
        assert told in page, told


def test_opening_a_mail_changes_nothing_and_the_first_word_of_the_page_marks_it(browser: Browser) -> None:
    mail = deliver(inbox_account(), letter("a"))
    text_of(browser, f"/inbox/{mail.number}/")
    mail.refresh_from_db()
    assert (mail.is_read, Presence.objects.count()) == (False, 0)
    browser.post(f"/inbox/{mail.number}/presence/", {"seen": "1", "opened": "1"})
    mail.refresh_from_db()
    assert mail.is_read
    assert browser.post(f"/inbox/{mail.number}/unread/").headers["Location"] == "/inbox/"
    mail.refresh_from_db()
    assert not mail.is_read


def test_others_at_the_same_mail_are_told_and_forgotten(browser: Browser) -> None:
    mail = deliver(inbox_account(), letter("a"))
    tanaka = Operator.objects.create(username="t", display_name="田中 明", is_administrator=True)
    other = browser_of(tanaka)
    other.post(f"/inbox/{mail.number}/presence/", {"seen": "1"})
    told = browser.post(f"/inbox/{mail.number}/presence/", {"seen": "1"}).content.decode()
    assert "田中 明さんが、このメールを開いています。" in told
    other.post(f"/inbox/{mail.number}/presence/", {"seen": "1", "writing": "1"})
    told = browser.post(f"/inbox/{mail.number}/presence/", {"seen": "1"}).content.decode()
    assert "田中 明さんが返信を書いています(" in told
    assert "田中 明" in text_of(browser, "/inbox/list/")
    Presence.objects.update(seen_at=timezone.now() - timedelta(seconds=31))
    told = browser.post(f"/inbox/{mail.number}/presence/", {"seen": "1"}).content.decode()
    assert "田中" not in told
    other.post(f"/inbox/{mail.number}/note/", {"text": "電話済み"})
    told = browser.post(f"/inbox/{mail.number}/presence/", {"seen": "1"}).content.decode()
    assert "田中 明さんが" in told
    assert "にメモを追加しました。" in told


def test_state_assignee_and_notes_are_set_with_one_press(browser: Browser, operator: Operator) -> None:
    account = inbox_account()
    older = deliver(account, letter("b"), at=timezone.now() - timedelta(minutes=5))
    mail = deliver(account, letter("a"))
    browser.post(f"/inbox/{mail.number}/assign/", {"assignee": operator.pk})
    browser.post(f"/inbox/{mail.number}/note/", {"text": "折り返し待ち"})
    answer = browser.post(f"/inbox/{mail.number}/state/", {"work": "done", "back": "v=open"})
    assert answer.headers["Location"] == f"/inbox/{older.number}/?v=open"
    mail.refresh_from_db()
    assert (mail.work, mail.assignee) == ("done", operator)
    assert "折り返し待ち" in text_of(browser, f"/inbox/{mail.number}/")
    assert set(MailEvent.objects.values_list("what", flat=True)) == {"assigned", "noted", "work_set"}


def test_a_refused_note_keeps_the_page_and_says_why(browser: Browser) -> None:
    mail = deliver(inbox_account(), letter("a"))
    answer = browser.post(f"/inbox/{mail.number}/note/", {"text": "  "})
    assert answer.status_code == 422
    assert "メモを入力してください。" in answer.content.decode()


def test_somebody_is_linked_by_hand_and_let_go_again(browser: Browser) -> None:
    person = make_person("加藤 真", "other@example.jp")
    mail = deliver(inbox_account(), letter("a", sender="加藤 真 <kato.m@example.net>"))
    page = text_of(browser, f"/inbox/{mail.number}/")
    assert "差出人は名簿に登録されていません" in page
    assert "差出人名と実際のアドレスが違います。" in page
    assert (
        "/staff/new/?family_name=%E5%8A%A0%E8%97%A4&amp;given_name=%E7%9C%9F&amp;address1=kato.m%40example.net" in page
    )
    assert "加藤 真" in text_of(browser, f"/inbox/{mail.number}/link/?who=加藤")
    browser.post(f"/inbox/{mail.number}/link/", {"recipient": person.pk})
    assert "差出人は登録済みのスタッフです" in text_of(browser, f"/inbox/{mail.number}/")
    browser.post(f"/inbox/{mail.number}/unlink/", {"recipient": person.pk})
    assert not mail.persons.exists()


def test_a_new_person_starts_with_the_senders_name_and_address(browser: Browser) -> None:
    page = text_of(browser, "/staff/new/?family_name=加藤&given_name=真&address1=kato.m@example.net")
    for value in ("加藤", "真", "kato.m@example.net"):
        assert f'value="{value}"' in page


def test_deleting_asks_and_takes_the_mail_off_the_lists_only(browser: Browser) -> None:
    mail = deliver(inbox_account(), letter("a", subject="消す件"))
    asked = text_of(browser, f"/inbox/{mail.number}/delete/")
    assert "以下のメールを削除しますか?" in asked
    assert "消す件" in asked
    assert browser.post(f"/inbox/{mail.number}/delete/").headers["Location"] == "/inbox/"
    assert browser.get(f"/inbox/{mail.number}/").status_code == 404
    assert ReceivedMail.objects.count() == 1


def test_a_mail_is_read_again_in_another_charset(browser: Browser) -> None:
    raw = b"From: a@example.jp\r\nSubject: a\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n" + "東京".encode(
        "euc-jp"
    )
    mail = deliver(inbox_account(), raw)
    browser.post(f"/inbox/{mail.number}/charset/", {"charset": "euc-jp"})
    assert "東京" in text_of(browser, f"/inbox/{mail.number}/")
    refused = browser.post(f"/inbox/{mail.number}/charset/", {"charset": "utf-7"}, follow=True)
    assert "この文字コードは選べません。" in refused.content.decode()


def test_an_answer_is_a_guess_until_a_person_says_so(browser: Browser) -> None:
    account = inbox_account()
    make_people()
    mail = deliver(account, letter("可能です。", headers=answer_to(asked_job(account))), answer="yes")
    assert "回答(推定)" in text_of(browser, f"/inbox/{mail.number}/")
    browser.post(f"/inbox/{mail.number}/answer/", {"answer": "yes"})
    assert "回答(推定)" not in text_of(browser, f"/inbox/{mail.number}/")


def test_names_and_subjects_are_text_and_never_markup(browser: Browser) -> None:
    bad = "<script>alert(1)</script>"
    file = (f"{bad}.txt", "text/plain", b"1")
    mail = deliver(inbox_account(), letter(bad, sender=f"{bad} <x@evil.example>", subject=bad, files=(file,)))
    for address in (
        "/inbox/",
        f"/inbox/{mail.number}/",
        f"/inbox/{mail.number}/reply/",
        f"/inbox/{mail.number}/delete/",
    ):
        assert "<script>alert" not in text_of(browser, address)


# What leaves by an address of its own ---------------------------------------------------------------------------------


def test_x04_the_frame_answers_with_the_exact_policy(browser: Browser) -> None:
    html = '<p>本文</p><img src="cid:pic1"><img src="https://x.example/a.gif"><script>alert(1)</script>'
    mail = deliver(inbox_account(), letter(html=html, picture=PIXEL))
    answer = browser.get(f"/inbox/{mail.number}/body/")
    assert answer.headers["Content-Security-Policy"] == FRAME_POLICY
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-DNS-Prefetch-Control"] == "off"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.content.decode()
    assert 'src="data:image/png;base64,' in page
    assert "x.example" not in page
    assert "<script" not in page
    pane = text_of(browser, f"/inbox/{mail.number}/")
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox" referrerpolicy="no-referrer"' in pane
    assert "画像1点を表示していません(開封の追跡を防ぐため)。" in pane


def test_x04_the_pages_themselves_allow_no_strangers(browser: Browser) -> None:
    mail = deliver(inbox_account(), letter("a"))
    for address in ("/inbox/", f"/inbox/{mail.number}/", f"/inbox/{mail.number}/reply/", "/bounces/"):
        answer = browser.get(address)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "no-store" in answer.headers["Cache-Control"]


def test_x18_files_are_saved_and_never_shown(browser: Browser) -> None:
    files = (("../../<b>.html", "text/html", b"<script>alert(1)</script>"), ("a.png", "image/png", PIXEL))
    mail = deliver(inbox_account(), letter("a", files=files))
    for position, kind in ((0, "application/octet-stream"), (1, "image/png")):
        answer = browser.get(f"/inbox/{mail.number}/files/{position}/")
        assert answer.content == files[position][2]
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    assert "開くと危険なことがあります。" in text_of(browser, f"/inbox/{mail.number}/")
    assert browser.get(f"/inbox/{mail.number}/files/9/").status_code == 404


def test_a_file_that_was_not_kept_is_named_and_cannot_be_had(browser: Browser) -> None:
    account = inbox_account(save_attachments=False)
    mail = deliver(account, letter("a", files=(("a.pdf", "application/pdf", b"1"),)))
    assert "保存していません" in text_of(browser, f"/inbox/{mail.number}/")
    assert browser.get(f"/inbox/{mail.number}/files/0/").status_code == 404


def test_the_mail_itself_can_be_saved_and_its_header_seen(browser: Browser) -> None:
    raw = letter("a", subject="東京/本社")
    mail = deliver(inbox_account(), raw)
    answer = browser.get(f"/inbox/{mail.number}/mail.eml")
    assert answer.content == raw
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "Subject: =?utf-8?b?" in text_of(browser, f"/inbox/{mail.number}/?way=raw")


def test_a_mail_whose_file_is_gone_still_shows_its_words(browser: Browser) -> None:
    mail = deliver(inbox_account(), letter("残る文字", html="<p>残る文字</p>"))
    (settings.DATA.mail / mail.raw_path).unlink()
    page = text_of(browser, f"/inbox/{mail.number}/")
    assert "残る文字" in page
    assert "保存したメールのファイルが見つかりません。" in page
    assert browser.get(f"/inbox/{mail.number}/body/").status_code == 404


def test_an_unreadable_mail_says_so_and_is_kept(browser: Browser) -> None:
    mail = deliver(inbox_account(), letter("a"), reading="unreadable", kind="unreadable")
    page = text_of(browser, f"/inbox/{mail.number}/")
    assert "このメールは読み取れない形式です。" in page
    assert browser.get(f"/inbox/{mail.number}/mail.eml").status_code == 200
    assert "解析不能" in text_of(browser, "/inbox/?v=unreadable")


def test_one_mail_needs_few_queries(browser: Browser) -> None:
    account = inbox_account()
    make_people()
    mail = deliver(account, letter("a", headers=answer_to(asked_job(account))))
    with CaptureQueriesContext(connection) as asked:
        text_of(browser, f"/inbox/{mail.number}/")
    assert len(asked) <= 50, [query["sql"][:100] for query in asked]
    assert Recipient.objects.exists()
