"""メール一括送信 and 送信履歴 by plain requests: who may see what, what a forged form gets, how a job ends."""

from __future__ import annotations

import gzip
import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from fumibako.apps.accounts.models import AccountPermission, MailAccount
from fumibako.apps.office.models import Office, Operator
from fumibako.apps.office.queries import office
from fumibako.apps.recipients.models import Recipient
from fumibako.apps.sending import drafts
from fumibako.apps.sending.models import BulkSend, Pace
from fumibako.delivery.states import State
from fumibako.practice.server import PracticeServer
from tests.support.jobs import make_account
from tests.web.bulk_send_scene import BODY, SUBJECT, approve, confirm_findings, make_draft, make_office, work

pytestmark = pytest.mark.django_db
STEPS = ("from", "to", "body", "check")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PracticeServer]:
    with PracticeServer(tmp_path / "mailboxes") as running:
        yield running


@pytest.fixture
def account() -> MailAccount:
    Office.objects.filter(pk=office().pk).update(typed_number_from=3)
    return make_office()


def person(name: str, **values: bool) -> Operator:
    return Operator.objects.create(username=name, display_name=f"担当 {name}", email=f"{name}@example.jp", **values)


def logged_in(operator: Operator) -> Client:
    client = Client()
    client.force_login(operator, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def operator() -> Operator:
    return person("sato", is_administrator=True)


@pytest.fixture
def web(operator: Operator) -> Client:
    return logged_in(operator)


def finished(operator: Operator, account: MailAccount, server: PracticeServer, *names: str) -> BulkSend:
    """A job to the people with these names, worked off."""
    draft = make_draft(operator, account)
    for one in Recipient.objects.exclude(family_name__in=names):
        drafts.remove_person(operator, draft, one.pk)
    job = approve(operator, draft, start="immediately")
    assert server.addresses is not None
    return work(job, server.addresses.smtp_port)


def text_of(answer: Any) -> str:
    """The words of a page, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))


def test_example_16_without_permission_a_job_is_absent_and_its_addresses_are_refused(
    operator: Operator, account: MailAccount
) -> None:
    draft = make_draft(operator, account)
    job = approve(operator, make_draft(operator, account))
    other = logged_in(person("tanaka"))
    assert SUBJECT not in other.get("/bulk/").content.decode()
    assert SUBJECT not in other.get("/sent/").content.decode()
    pages = [f"/bulk/{draft.number}/{step}" for step in STEPS]
    pages += [f"/bulk/{job.number}/run", f"/bulk/{job.number}/run/live"]
    pages += [f"/sent/{job.number}/", f"/sent/{job.number}/1/"]
    assert {other.get(page).status_code for page in pages} == {403}
    assert other.post(f"/bulk/{job.number}/run/steer", {"withdraw": "yes"}).status_code == 403
    assert other.get("/bulk/999/run").status_code == 404


def test_who_may_send_from_the_account_sees_its_jobs(operator: Operator, account: MailAccount) -> None:
    job = approve(operator, make_draft(operator, account))
    colleague = person("tanaka")
    AccountPermission.objects.create(account=account, operator=colleague, may_send=True)
    assert SUBJECT in logged_in(colleague).get("/bulk/").content.decode()
    assert logged_in(colleague).get(f"/bulk/{job.number}/run").status_code == 200


def test_example_15_a_hidden_account_is_not_offered(web: Client, operator: Operator, account: MailAccount) -> None:
    make_account(name="隠した口座", visible=False)
    page = text_of(web.get(f"/bulk/{drafts.start_draft(operator).number}/from"))
    assert "スタッフ連絡用" in page
    assert "隠した口座" not in page


def test_pressing_new_twice_makes_one_draft(web: Client, account: MailAccount) -> None:
    key = str(uuid.uuid4())
    first, second = (web.post("/bulk/start", {"key": key}) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert BulkSend.objects.count() == 1


def test_people_chosen_in_a_list_come_along(web: Client, account: MailAccount) -> None:
    chosen = list(Recipient.objects.filter(kind="staff").values_list("pk", flat=True)[:2])
    web.post("/bulk/start", {"kind": "staff", "id": chosen})
    web.post("/bulk/start", {"kind": "staff", "every": "1", "name_kana": "石井"})
    jobs = BulkSend.objects.order_by("pk")
    listed = [set(job.draft_addresses.values_list("recipient_id", flat=True)) for job in jobs]
    assert listed == [set(chosen), {Recipient.objects.get(family_name="石井").pk}]


def test_a_forged_gate_sends_nothing_and_says_what_is_missing(
    web: Client, operator: Operator, account: MailAccount
) -> None:
    draft = make_draft(operator, account)
    form = {"version": draft.version, "tick": ["sender"], "typed_number": "4", "start": "now"}
    answer = web.post(f"/bulk/{draft.number}/check", form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>エラー: 点検と確認" in page
    assert "入力した通数(4)が、送信する通数と違います。宛先を確認してください。" in page
    assert 'name="typed_number" inputmode="numeric" value="4"' in page
    assert 'id="tick-sender" name="tick" value="sender" data-gate="tick" data-jump="numbers" checked' in page
    assert not BulkSend.objects.get(pk=draft.pk).approved_at


def test_an_older_page_does_not_send_a_newer_draft(web: Client, operator: Operator, account: MailAccount) -> None:
    draft = make_draft(operator, account)
    colleague = person("tanaka", is_administrator=True)
    drafts.set_letter(colleague, draft, SUBJECT, "別の本文")
    answer = web.post(f"/bulk/{draft.number}/check", {"version": draft.version - 1, "start": "hold"})
    assert answer.status_code == 422
    assert "担当 tanakaさんが" in answer.content.decode()


def test_after_a_change_by_somebody_else_nothing_counts_as_looked_at(
    web: Client, operator: Operator, account: MailAccount
) -> None:
    draft = make_draft(operator, account)
    drafts.set_letter(person("tanaka", is_administrator=True), draft, SUBJECT, "別の本文")
    form = {"version": draft.version - 1, "tick": ["sender", "recipients", "letter", "attachments"], "start": "hold"}
    page = web.post(f"/bulk/{draft.number}/check", form).content.decode()
    assert 'id="tick-letter"' in page
    assert not re.search(r'name="tick"[^>]* checked', page)


def test_ones_own_autosave_never_stands_in_ones_way(web: Client, operator: Operator, account: MailAccount) -> None:
    draft = make_draft(operator, account)
    for body in ("一", "一二", "一二三"):
        answer = web.post(
            f"/bulk/{draft.number}/body/preview",
            {"version": draft.version, "subject": SUBJECT, "body": body},
            headers={"HX-Request": "true"},
        )
        assert answer.status_code == 200
    draft.refresh_from_db()
    assert draft.body == "一二三"


def test_a_forged_start_does_not_skip_the_hold_time(web: Client, operator: Operator, account: MailAccount) -> None:
    draft = make_draft(operator, account)
    confirm_findings(draft)
    form = {
        "version": draft.version,
        "tick": ["sender", "recipients", "letter", "attachments"],
        "typed_number": "5",
        "accept_warning_hours": "yes",
        "start": "immediately",
    }
    assert web.post(f"/bulk/{draft.number}/check", form).status_code == 302
    job = BulkSend.objects.get(pk=draft.pk)
    assert job.release_at
    assert job.approved_at
    assert job.release_at - job.approved_at == timedelta(minutes=account.hold_minutes)


def test_an_impossible_reservation_is_refused_in_words(web: Client, operator: Operator, account: MailAccount) -> None:
    draft = make_draft(operator, account)
    form = {"version": draft.version, "start": "at"}
    for typed, words in {
        "": "送信予約日時を入力してください。",
        "9999-12-31T23:59": "予約の日時が 1年より先です。",
        "0001-01-01T00:00": "予約の日時が過ぎています。",
    }.items():
        answer = web.post(f"/bulk/{draft.number}/check", form | {"start_at": typed})
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert web.get(f"/bulk/{draft.number}/check?start=at&start_at={typed}").status_code == 200


@pytest.mark.parametrize("number", ["", "x", "-1", "９", "9" * 30, "999999"])
def test_numbers_of_nobody_change_nothing(web: Client, operator: Operator, account: MailAccount, number: str) -> None:
    draft = make_draft(operator, account)
    before = draft.draft_addresses.filter(is_ticked=True).count()
    for name in ("tick_one", "remove", "bring_back", "turn_to"):
        assert web.post(f"/bulk/{draft.number}/to/change", {name: number}).status_code == 302
    asked = {"list_page": number, "page": number, "address": number, "id": number, "account": number}
    for page in ("to", "body", "check"):
        assert web.get(f"/bulk/{draft.number}/{page}", asked).status_code == 200
    assert web.get("/sent/", asked).status_code == 200
    assert web.post(f"/bulk/{draft.number}/body/files", {"detach": number}).status_code == 302
    assert draft.draft_addresses.filter(is_ticked=True).count() == before


def test_a_page_older_than_the_stored_letter_keeps_what_was_typed(
    web: Client, operator: Operator, account: MailAccount
) -> None:
    draft = make_draft(operator, account)
    drafts.set_letter(person("tanaka", is_administrator=True), draft, SUBJECT, "田中の本文")
    answer = web.post(
        f"/bulk/{draft.number}/body", {"version": draft.version - 1, "subject": SUBJECT, "body": "佐藤の本文"}
    )
    assert answer.status_code == 422
    assert "佐藤の本文" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.body == "田中の本文"


def test_the_steps_of_an_approved_job_lead_to_its_progress(
    web: Client, operator: Operator, account: MailAccount
) -> None:
    job = approve(operator, make_draft(operator, account))
    for step in STEPS:
        answer = web.get(f"/bulk/{job.number}/{step}")
        assert answer.headers["Location"] == f"/bulk/{job.number}/run"
    again = web.post(f"/bulk/{job.number}/check", {"version": job.version})
    assert again.headers["Location"] == f"/bulk/{job.number}/run"


def test_a_stopped_account_is_named_with_its_reason(web: Client, operator: Operator, account: MailAccount) -> None:
    Pace.objects.create(account=account, stopped_at=timezone.now(), stop_kind="login_refused", stop_text="535")
    page = text_of(web.get(f"/bulk/{make_draft(operator, account).number}/from"))
    assert "停止中" in page
    assert "ユーザIDかパスワードが違います。" in page


def test_what_is_left_out_is_exported_with_its_reason(web: Client, operator: Operator, account: MailAccount) -> None:
    draft = make_draft(operator, account)
    answer = web.get(f"/bulk/{draft.number}/check/excluded.csv")
    lines = b"".join(answer).decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert any("見本 花子" in line and "「送らない」に設定" in line for line in lines)


def test_the_refreshing_part_holds_no_field_and_is_small(web: Client, operator: Operator, account: MailAccount) -> None:
    job = approve(operator, make_draft(operator, account))
    page = web.get(f"/bulk/{job.number}/run/live", headers={"HX-Request": "true"}).content
    inputs = re.findall(rb"<(?:input|select|textarea)[^>]*>", page)
    assert all(b'type="hidden"' in one for one in inputs)
    assert len(gzip.compress(page)) < 3 * 1024


def test_pages_stay_inside_their_budget(web: Client, operator: Operator, account: MailAccount) -> None:
    draft = make_draft(operator, account)
    for step in STEPS:
        assert len(gzip.compress(web.get(f"/bulk/{draft.number}/{step}").content)) < 60 * 1024


def test_no_page_uses_inline_style_or_script(web: Client, operator: Operator, account: MailAccount) -> None:
    draft = make_draft(operator, account)
    job = approve(operator, make_draft(operator, account))
    pages = [f"/bulk/{draft.number}/{step}" for step in STEPS]
    for page in [*pages, f"/bulk/{job.number}/run", f"/sent/{job.number}/1/"]:
        source = web.get(page).content.decode()
        assert not re.search(r"<[^>]+ (style|on[a-z]+)=", source), page
        assert not re.search(r"<script(?![^>]* src=)", source), page


@pytest.mark.parametrize(
    ("notice", "names", "opens"),
    [
        ("always", ("山田",), True),
        ("never", ("山田", "石井"), False),
        ("failures", ("山田",), False),
        ("failures", ("山田", "石井"), True),
        ("failures", ("山田", "大野"), True),
        ("failures", ("山田", "見本"), False),
    ],
)
def test_example_17_the_result_opens_as_the_notice_says(
    web: Client,
    operator: Operator,
    account: MailAccount,
    server: PracticeServer,
    notice: str,
    names: tuple[str, ...],
    opens: bool,
) -> None:
    account.result_notice = notice
    account.save()
    job = finished(operator, account, server, *names)
    answer = web.get(f"/bulk/{job.number}/run/live", headers={"HX-Request": "true"})
    assert answer.status_code == 286
    assert ("HX-Redirect" in answer.headers) is opens
    assert f"/sent/{job.number}/" in web.get("/sent/").content.decode()


def test_the_notice_of_one_job_overrides_the_account(web: Client, operator: Operator, account: MailAccount) -> None:
    job = approve(operator, make_draft(operator, account))
    web.post(f"/bulk/{job.number}/run/notice", {"notice": "never"})
    job.refresh_from_db()
    assert job.result_notice == "never"
    assert 'value="never" checked' in web.get(f"/bulk/{job.number}/run").content.decode()


def test_the_preview_is_the_mail_that_arrives_and_history_never_changes(
    web: Client, operator: Operator, account: MailAccount, server: PracticeServer
) -> None:
    draft = make_draft(operator, account)
    before = text_of(web.get(f"/bulk/{draft.number}/body"))
    assert "山田 太郎 様 いつもお世話になっております。" in before or "高橋 直子 様 いつも" in before
    job = approve(operator, draft, start="immediately")
    assert server.addresses is not None
    work(job, server.addresses.smtp_port)
    Recipient.objects.filter(family_name="山田").update(family_name="佐々木")
    row = job.deliveries.get(address="yamada.taro@example.jp")
    page = text_of(web.get(f"/sent/{job.number}/{row.seq}/"))
    assert "山田 太郎 様" in page
    assert "佐々木" not in page
    assert "確定したデータと同じです" in page
    assert "サーバーが受け取りました" in page
    assert f"&lt;{row.message_id}&gt;" in page
    assert BODY.splitlines()[-1] in page


def test_the_history_finds_rows_by_result_and_words(
    web: Client, operator: Operator, account: MailAccount, server: PracticeServer
) -> None:
    job = finished(operator, account, server, "山田", "石井", "見本")
    failed = text_of(web.get(f"/sent/{job.number}/?result=failed"))
    assert "石井 健" in failed
    assert "山田 太郎" not in failed
    excluded = text_of(web.get(f"/sent/{job.number}/?result=excluded&reason=do_not"))
    assert "見本 花子" in excluded
    assert "条件に合う宛先がありません。" in text_of(web.get(f"/sent/{job.number}/?q=だれもいない"))
    lines = b"".join(web.get(f"/sent/{job.number}/result.csv?result=failed")).decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "石井 健" in lines[1]


def test_sums_and_reasons_of_the_result_name_everybody(
    web: Client, operator: Operator, account: MailAccount, server: PracticeServer
) -> None:
    job = finished(operator, account, server, "山田", "石井", "見本", "大野", "住所")
    page = text_of(web.get(f"/bulk/{job.number}/run"))
    assert "送信済み 2 + 失敗 1 + 結果不明 1 + 未送信 0 + 除外 2 = 対象 6件" in page
    assert "宛先のメールアドレスが存在しません。1見る" in page.replace(" ", "")
    assert "除外: 「送らない」に設定" in page
    assert "除外: メールアドレスが未登録" in page


def test_settling_asks_for_a_decision_and_a_reason(
    web: Client, operator: Operator, account: MailAccount, server: PracticeServer
) -> None:
    job = finished(operator, account, server, "大野")
    seq = job.deliveries.get(state=State.UNKNOWN).seq
    address = f"/bulk/{job.number}/run/settle/{seq}"
    assert "どうするかを選択してください。" in web.post(address, {"reason": "電話"}).content.decode()
    refused = web.post(address, {"decision": "sent", "reason": " "})
    assert refused.status_code == 422
    assert "理由を入力してください。" in refused.content.decode()
    assert web.post(address, {"decision": "give_up", "reason": "不在"}).status_code == 302
    assert job.deliveries.get(seq=seq).state == State.CLOSED
    assert web.get(address).status_code == 302


def test_a_test_mail_goes_to_whoever_asked_and_says_when_it_cannot(
    web: Client, operator: Operator, account: MailAccount
) -> None:
    draft = make_draft(operator, account)
    answer = web.post(f"/bulk/{draft.number}/test", {"back": "body"}, follow=True)
    assert "sato@example.jp にテスト送信を受け付けました。" in text_of(answer)
    assert BulkSend.objects.filter(origin="test").count() == 1
    Operator.objects.update(email="")
    answer = web.post(f"/bulk/{draft.number}/test", {"back": "check"}, follow=True)
    assert f"{account.from_address} にテスト送信を受け付けました。" in text_of(answer)
    BulkSend.objects.filter(pk=draft.pk).update(account=None)
    answer = web.post(f"/bulk/{draft.number}/test", {"back": "body"}, follow=True)
    assert "にテスト送信を受け付けました。" not in text_of(answer)


def test_a_deleted_draft_leads_back_to_the_list(web: Client, operator: Operator, account: MailAccount) -> None:
    draft = make_draft(operator, account)
    web.post(f"/bulk/{draft.number}/run/steer", {"discard": "yes"})
    answer = web.get(f"/bulk/{draft.number}/body", follow=True)
    assert "の下書きは、担当 satoが削除しました。" in text_of(answer)
    assert SUBJECT not in web.get("/bulk/").content.decode().split("</nav>")[-1]
