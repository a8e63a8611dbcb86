"""The pages of people as a server answers them: who may, what is refused, how many queries, nothing lost."""

from __future__ import annotations

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.office.models import Office, Operator
from fumibako.apps.office.queries import office
from fumibako.apps.recipients import actions
from fumibako.apps.recipients.companies import save_client
from fumibako.apps.recipients.importing import running
from fumibako.apps.recipients.models import Client, ImportRun, Recipient
from fumibako.apps.recipients.samples import make_samples
from fumibako.apps.sending.models import BulkSend, Delivery
from tests.recipients.people import address_of, make_applicant, make_operator, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Operator:
    return make_operator()


@pytest.fixture
def browser(operator: Operator) -> Browser:
    """An ordinary operator at a browser."""
    found = Browser()
    found.force_login(operator, backend="allauth.account.auth_backends.AuthenticationBackend")
    return found


def text_of(browser: Browser, address: str, status: int = 200) -> str:
    answer = browser.get(address, follow=True)
    assert answer.status_code == status
    return answer.content.decode()


def mailed(person: Recipient, subject: str = "お仕事のご案内") -> Delivery:
    """A mail that this person got."""
    account = MailAccount.objects.create(account_no=1, name="送信用")
    job = BulkSend.objects.create(number=128, account=account, subject=subject, created_by_name="佐藤 美咲")
    return Delivery.objects.create(
        job=job, account=account, seq=1, recipient=person, party_kind=person.kind, party_number=person.number,
        party_name=person.name, address="a@example.jp", state="sent", changed_at=timezone.now(), sent_at=timezone.now(),
    )  # fmt: skip


@pytest.mark.parametrize("address", ["/staff/", "/clients/", "/applicants/", "/transfer/", "/staff/new/"])
def test_nobody_sees_people_without_logging_in(address: str) -> None:
    answer = Browser().get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/")


@pytest.mark.parametrize("address", ["/staff/?per=200", "/clients/?per=200", "/applicants/?per=200&sort=-kana"])
def test_a_list_needs_as_many_queries_for_two_hundred_as_for_ten(browser: Browser, address: str) -> None:
    make_samples(staff=10, clients=10, contacts=10, applicants=10)
    with CaptureQueriesContext(connection) as few:
        text_of(browser, address)
    make_samples(staff=250, clients=20, contacts=250, applicants=250)
    with CaptureQueriesContext(connection) as many:
        text_of(browser, address)
    assert len(many) <= len(few) <= 18


def test_a_search_without_a_hit_says_what_to_do(browser: Browser) -> None:
    make_staff()
    page = text_of(browser, "/staff/?name_kana=だれか")
    assert "条件に合うスタッフがいません。条件を減らして、もう一度抽出してください。" in page
    assert "条件をクリア" in page


def test_names_are_text_and_never_markup(browser: Browser) -> None:
    person = make_staff("<script>alert(1)</script>", kana="<b>")
    for address in ("/staff/", f"/staff/{person.number}/"):
        assert "<script>alert" not in text_of(browser, address)


def test_nobody_chosen_gets_no_mail_and_is_told_so(browser: Browser) -> None:
    make_staff()
    answer = browser.post("/people/staff/compose/", {"name_kana": "やま"}, follow=True)
    assert answer.redirect_chain == [("/staff/?name_kana=%E3%82%84%E3%81%BE", 302)]
    assert "スタッフが選択されていません。" in answer.content.decode()


def test_chosen_people_are_handed_to_a_new_mail(browser: Browser) -> None:
    chosen, other = make_staff(), make_staff("森 花", "hana@example.jp")
    posted = {"id": [str(chosen.pk)], "kind": "staff", "key": str(uuid.uuid4())}
    answer = browser.post("/people/staff/compose/", posted, follow=True)
    assert answer.status_code == 200
    job = BulkSend.objects.get()
    assert list(job.draft_addresses.values_list("recipient", flat=True)) == [chosen.pk]
    assert other.pk != chosen.pk


def test_everybody_found_means_the_conditions_of_the_list_and_no_more(browser: Browser) -> None:
    failing, fine = make_staff(), make_staff("森 花", "hana@example.jp")
    actions.count_refusal(address_of(failing), cause="refused", code=550, text="")
    posted = {"every": "1", "error_count_min": "1", "kind": "staff", "key": str(uuid.uuid4())}
    browser.post("/people/staff/compose/", posted, follow=True)
    assert list(BulkSend.objects.get().draft_addresses.values_list("recipient", flat=True)) == [failing.pk]
    assert fine.pk


def test_an_export_holds_who_was_chosen_and_is_audited(browser: Browser) -> None:
    one, _ = make_staff(), make_staff("森 花", "hana@example.jp")
    answer = browser.post("/people/staff/export/", {"id": [str(one.pk)]})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert "山田" in lines[1]
    assert AuditEvent.objects.get(action="people.exported").changes == {"count": ["", 1]}


def test_a_letter_that_shift_jis_lacks_leads_back_with_its_name(browser: Browser) -> None:
    make_staff("𠮷田 健")
    answer = browser.post("/people/staff/export/", {"encoding": "cp932"}, follow=True)
    assert "「𠮷」は Shift_JIS では書き出せません。" in answer.content.decode()


def test_typing_a_number_opens_the_record(browser: Browser) -> None:
    make_staff(number="1245")
    save_client(None, {"company_name": "青葉", "client_number": "5"}, [])
    assert browser.get("/people/staff/open/?number=１２４５").headers["Location"] == "/staff/001245/"
    assert browser.get("/clients/open/?number=5").headers["Location"] == "/clients/000005-000/"
    page = text_of(browser, "/people/staff/open/?number=9&from=/staff/001245/")
    assert "スタッフNO 9 はありません。番号を確認してください。" in page
    assert browser.get("/people/staff/open/?number=9&from=//evil.example/").headers["Location"] == "/staff/"
    assert "得意先NO abc はありません。" in text_of(browser, "/clients/open/?number=abc")
    assert browser.get("/staff/999999/").status_code == 404
    assert browser.get("/clients/999999-000/").status_code == 404


def test_a_refused_record_keeps_every_value_and_marks_its_tab(browser: Browser) -> None:
    posted = {"family_name": "髙橋", "note": "夜勤希望", "address1": "abc@", "flag1": "cannot", "flag2": "send"}
    answer = browser.post("/staff/new/", posted)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>エラー: " in page
    for kept in ('value="髙橋"', "夜勤希望", 'value="abc@"'):
        assert kept in page
    assert "メールアドレス1を「送れない」にする理由を入力してください。" in page
    assert not Recipient.objects.exists()


def test_the_same_press_twice_makes_one_person(browser: Browser) -> None:
    make_staff()
    posted = {"family_name": "森", "department": "100", "key": str(uuid.uuid4()), "number": "000009"}
    for _ in range(2):
        assert browser.post("/staff/new/", posted).headers["Location"] == "/staff/000009/"
    assert Recipient.objects.count() == 2


def test_h04_one_address_twice_is_stored_and_the_policy_is_told(browser: Browser) -> None:
    person = make_staff()
    posted = {"address1": "taro@example.jp", "address2": "TARO@example.jp", "version": "1", "department": "100"}
    answer = browser.post(f"/staff/{person.number}/", posted | {"family_name": "山田"}, follow=True)
    told = "メールアドレス2が、メールアドレス1と同じです。1回の送信では、同じアドレスに 1通だけ送ります。"
    assert told in answer.content.decode()
    assert address_of(person, 2).address == "TARO@example.jp"


def test_somebody_with_mails_is_not_removed(browser: Browser) -> None:
    person = make_staff()
    mailed(person)
    assert "やり取りが 1件あるため削除できません。" in text_of(browser, f"/staff/{person.number}/delete/")
    answer = browser.post(f"/staff/{person.number}/delete/")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "やり取りが 1件あるため削除できません。「退職」または「表示しない」にしてください。" in page
    assert Recipient.objects.count() == 1


def test_example_21_the_adopted_applicants_mails_show_at_the_staff_member(browser: Browser) -> None:
    make_staff()
    applicant = make_applicant()
    mailed(applicant, "面接のご案内")
    browser.post(f"/applicants/{applicant.number}/adopt/", {"department": "100", "number": "000007"})
    assert "面接のご案内" in text_of(browser, "/staff/000007/")
    assert "面接のご案内" in text_of(browser, f"/applicants/{applicant.number}/")
    again = browser.post(f"/applicants/{applicant.number}/adopt/", {"department": "100", "number": "000008"})
    assert "スタッフNO 000007 として登録済みです。" in again.content.decode()


def test_why_no_mail_goes_there_is_told_in_plain_words_with_the_servers_answer(browser: Browser) -> None:
    person = make_staff()
    for _ in range(3):
        actions.count_refusal(address_of(person), cause="refused", code=550, text="5.1.1 User unknown")
    page = text_of(browser, f"/staff/{person.number}/")
    for told in (
        "なぜ送れないか",
        "相手のサーバーに断られました",
        "3回目",
        "550 5.1.1 User unknown",
        "エラーが 3回になると",
    ):
        assert told in page
    refused = browser.post(f"/people/addresses/{address_of(person).pk}/restore/", {"reason": ""}, follow=True)
    assert "「送る」に戻す理由を入力してください。" in refused.content.decode()
    done = browser.post(f"/people/addresses/{address_of(person).pk}/restore/", {"reason": "電話で確認"}, follow=True)
    assert "「送る」に戻し、エラー回数を 0 にしました。" in done.content.decode()


def test_an_opt_out_is_shown_and_lifted_with_a_reason(browser: Browser) -> None:
    person = make_staff()
    actions.opt_out("taro@example.jp", "link")
    assert "本人が配信停止を申し出ています" in text_of(browser, f"/staff/{person.number}/")
    assert "配信停止" in text_of(browser, "/staff/")
    address = f"/people/addresses/{address_of(person).pk}/lift/"
    assert "理由を入力してください。" in browser.post(address, {"reason": ""}, follow=True).content.decode()
    assert "配信停止を解除しました。" in browser.post(address, {"reason": "本人の希望"}, follow=True).content.decode()


def test_the_same_address_at_somebody_else_is_information(browser: Browser) -> None:
    person = make_staff(address="abc..d@docomo.example.jp")
    make_staff("高橋 直子", "abc..d@docomo.example.jp")
    page = text_of(browser, f"/staff/{person.number}/")
    assert "高橋 直子(000002)にも同じアドレスがあります。" in page
    assert "RFCに準拠していない形式です。" in page


def test_a_company_in_use_is_not_removed_and_another_is(browser: Browser) -> None:
    client = save_client(None, {"company_name": "青葉"}, [{"name": "森 花"}])
    mailed(Recipient.objects.get())
    answer = browser.post("/clients/000001-000/delete/")
    assert "やり取りが 1件あるため削除できません。取引状況を「取引終了」にしてください。" in answer.content.decode()
    other = save_client(None, {"company_name": "北斗"}, [{"name": "林 健"}])
    assert "担当者 1人も一緒に削除します。" in text_of(browser, "/clients/000002-000/delete/")
    assert browser.post("/clients/000002-000/delete/").headers["Location"] == "/clients/"
    assert list(Client.objects.all()) == [client]
    assert other.pk != client.pk


def test_a_company_without_people_is_listed_apart(browser: Browser) -> None:
    save_client(None, {"company_name": "青葉製作所"}, [])
    page = text_of(browser, "/clients/")
    assert "担当者が登録されていない得意先" in page
    assert "青葉製作所" in page
    assert "メールを送る担当者がいません。" in text_of(browser, "/clients/000001-000/")


def test_a_file_that_cannot_be_read_is_refused_on_the_page(browser: Browser) -> None:
    for file, told in (
        (None, "取り込むファイルを選択してください。"),
        (SimpleUploadedFile("a.csv", b"NO,\x80\xfd\xff\n1,\x81"), "文字コードを判定できません。"),
    ):
        answer = browser.post("/transfer/", {"kind": "staff"} | ({"file": file} if file else {}))
        assert answer.status_code == 422
        assert told in answer.content.decode()


def test_a_file_that_somebody_else_sent_in_does_not_exist(browser: Browser, operator: Operator) -> None:
    other = make_operator("田中 明")
    draft = running.begin_import(other, "staff", "a.csv", "NO,氏名\n1,森 花\n".encode())
    assert browser.get(f"/transfer/import/{draft.pk}/").status_code == 404
    assert browser.post(f"/transfer/import/{draft.pk}/run/").status_code == 404
    own = running.begin_import(operator, "staff", "a.csv", "NO,氏名\n1,森 花\n".encode())
    assert browser.get(f"/transfer/import/{own.pk}/").status_code == 200


def test_another_encoding_may_be_chosen_and_a_wrong_one_changes_nothing(browser: Browser, operator: Operator) -> None:
    draft = running.begin_import(operator, "staff", "a.csv", "NO,氏名\n1,髙橋 直子\n".encode("cp932"))
    address = f"/transfer/import/{draft.pk}/reading/"
    refused = browser.post(address, {"encoding": "utf-8", "delimiter": ","})
    assert refused.status_code == 422
    assert "UTF-8 としては読めません。ほかの文字コードを選んでください。" in refused.content.decode()
    assert "髙橋 直子" in refused.content.decode()
    assert browser.post(address, {"encoding": "cp932", "delimiter": ","}).status_code == 302


def test_running_needs_the_very_outcome_that_was_shown(browser: Browser, operator: Operator) -> None:
    make_staff()
    draft = running.begin_import(operator, "staff", "a.csv", "NO,氏名,部門\n9,森 花,100\n".encode())
    answer = browser.post(f"/transfer/import/{draft.pk}/run/", {"fingerprint": "old"})
    assert "点検した後に名簿が変わりました。" in answer.content.decode()
    assert not ImportRun.objects.exists()
    refused = browser.get(f"/transfer/import/{draft.pk}/refused.csv")
    assert refused.content.decode("utf-8-sig") == "行,理由,NO,氏名,部門\r\n"


def test_undoing_keeps_who_has_been_mailed_since_and_names_them(browser: Browser, operator: Operator) -> None:
    make_staff()
    draft = running.begin_import(operator, "staff", "a.csv", "NO,氏名,部門\n8,林 健,100\n9,森 花,100\n".encode())
    run = running.run_import(operator, draft.pk, fingerprint=running.preview_of(draft).fingerprint)
    mailed(Recipient.objects.get(number="000009"))
    page = browser.post(f"/transfer/jobs/{run.pk}/undo/", follow=True).content.decode()
    assert "1件を取り込み前の内容に戻しました。" in page
    assert "取り込みの後に変更ややり取りがあった 1件は、そのままにしました(森 花(000009))。" in page
    assert not Recipient.objects.filter(number="000008").exists()


def test_a_file_whose_time_is_up_says_so(browser: Browser, operator: Operator) -> None:
    draft = running.begin_import(operator, "staff", "a.csv", "NO,氏名\n1,森 花\n".encode())
    running.path_of(draft).unlink()
    assert "ファイルの保存期間が過ぎました。" in text_of(browser, f"/transfer/import/{draft.pk}/", 410)


def test_samples_come_only_in_practice_mode(browser: Browser) -> None:
    assert browser.post("/transfer/samples/").status_code == 403
    Office.objects.filter(pk=office().pk).update(is_practice=True)
    assert browser.post("/transfer/samples/").headers["Location"] == "/staff/"
    assert Recipient.objects.filter(kind="staff").count() == 300


def test_the_template_of_each_kind_can_be_had(browser: Browser) -> None:
    for kind, first in (("staff", "スタッフNO"), ("client", "得意先NO"), ("applicant", "応募者NO")):
        answer = browser.get(f"/transfer/template/{kind}.csv")
        assert answer.content.decode("utf-8-sig").startswith(first)
