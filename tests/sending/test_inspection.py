"""点検: every mail is really built, and what a careful colleague would notice is said before anything is sent."""

from __future__ import annotations

import time as clock
import tracemalloc
from datetime import datetime, time, timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from fumibako.apps.recipients.models import PartyAddress, Recipient, Staff
from fumibako.apps.sending import actions, drafts
from fumibako.apps.sending.inspection import Finding, Inspection, inspect
from fumibako.apps.sending.models import BulkSend, Delivery, Pace
from fumibako.delivery.states import State
from tests.sending.drafting import BODY, NOW, approve, confirm_all, fresh, make_crowd, make_draft, make_person
from tests.support.jobs import make_account, put_into

pytestmark = pytest.mark.django_db


def look(draft: BulkSend) -> Inspection:
    return inspect(fresh(draft), NOW)


def found(draft: BulkSend, id: str) -> list[Finding]:
    return [finding for finding in look(draft).findings if finding.id == id]


def one(draft: BulkSend, id: str) -> Finding:
    (finding,) = found(draft, id)
    return finding


def test_a_careful_draft_has_nothing_to_say_but_that_it_was_not_tested() -> None:
    draft = make_draft([make_person("山田 太郎", "a@example.jp")])
    assert [finding.id for finding in look(draft).findings] == ["C20"]
    actions.send_test(None, draft, "me@example.jp")
    result = look(draft)
    assert result.findings == ()
    assert result.open_count == 0
    assert "C01" in result.passed


def test_c01_an_empty_draft_stops_for_everything_it_lacks() -> None:
    draft = drafts.start_draft(None)
    stops = {finding.key for finding in look(draft).findings if finding.weight == "stop"}
    assert stops == {"C01:account", "C01:recipients", "C01:subject", "C01:body"}


def test_c01_b02_more_mails_than_the_limit_stop_with_the_numbers() -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(3)]
    finding = one(make_draft(people, make_account(max_per_job=2)), "C01")
    assert finding.title == (
        "送信件数(3件)が、1回の送信上限件数(2件)を超えています。宛先を 1件以上減らすか、2回に分けてください。"
    )


def test_c01_a_stopped_account_stops_the_draft_with_its_reason() -> None:
    account = make_account()
    Pace.objects.create(account=account, stopped_at=NOW, stop_kind="login_refused", stop_text="535")
    finding = one(make_draft([make_person("山田 太郎", "a@example.jp")], account), "C01")
    assert finding.weight == "stop"
    assert "パスワード" in finding.detail


def test_c01_files_without_option_5_stop_the_draft() -> None:
    account = make_account(allow_attachments=True)
    draft = make_draft([make_person("山田 太郎", "a@example.jp")], account, body="添付をご覧ください。")
    drafts.attach(None, draft, "案内.pdf", "application/pdf", b"%PDF")
    assert not found(draft, "C01")
    drafts.set_sender(None, draft, make_account(), "business")
    assert one(draft, "C01").key == "C01:attachments"


def test_c01_a_copy_address_that_cannot_be_one_stops_the_draft() -> None:
    finding = one(make_draft([make_person("山田 太郎", "a@example.jp")], make_account(bcc="log\x07@example.jp")), "C01")
    assert finding.key == "C01:sheet"
    assert "「BCC」" in finding.title


def test_a_letter_that_grows_beyond_all_bounds_stops_the_draft() -> None:
    person = make_person("山田 太郎", "a@example.jp", kana="ア" * 100)
    finding = one(make_draft([person], body="{{カナ}}" * 11_000), "C01")
    assert (finding.weight, finding.people_count) == ("stop", 1)


def test_d13_a_file_that_vanished_stops_the_draft() -> None:
    account = make_account(allow_attachments=True)
    draft = make_draft([make_person("山田 太郎", "a@example.jp")], account, body="添付をご覧ください。")
    file = drafts.attach(None, draft, "案内.pdf", "application/pdf", b"%PDF-vanishing")
    (settings.DATA.files / file.sha256).unlink()
    assert one(draft, "C01").key == "C01:file"


def test_h02_an_unknown_field_stops_with_its_name_and_line() -> None:
    finding = one(make_draft([make_person("山田 太郎", "a@example.jp")], body="一行目\n{{就業崎}}です。"), "C02")
    assert (finding.weight, finding.line) == ("stop", 2)
    assert finding.title == "差込項目「就業崎」はありません。本文 2行目を直してください。"


@pytest.mark.parametrize("body", ["{{氏名 様", "氏名}} 様", "｛｛氏名 様", "{% if 氏名 %}様"])
def test_h02_braces_that_do_not_close_stop(body: str) -> None:
    draft = make_draft([make_person("山田 太郎", "a@example.jp")], body=body)
    assert {finding.weight for finding in found(draft, "C02")} == {"stop"}


def test_c02_unfinished_words_ask_for_confirmation() -> None:
    draft = make_draft([make_person("山田 太郎", "a@example.jp")], subject="(要修正)お知らせ", body="○○様\n{{氏名}}様")
    titles = [finding.title for finding in found(draft, "C02")]
    assert titles == ["書きかけの文字「要修正」が残っています。", "書きかけの文字「○○」が残っています。"]


def test_c03_empty_values_are_listed_by_field_with_the_people() -> None:
    people = [make_person("山田 太郎", "a@example.jp"), make_person("石井 健", "b@example.jp")]
    Recipient.objects.filter(pk=people[0].pk).update(kana="ヤマダ タロウ")
    draft = make_draft(people, body="{{氏名}}様({{カナ}})\n所属:{{所属部門}}")
    by_key = {finding.key: finding for finding in found(draft, "C03")}
    assert [person.name for person in by_key["C03:カナ"].people] == ["石井 健"]
    assert by_key["C03:所属部門"].people_count == 2


def test_c03_an_honorific_left_alone_is_named() -> None:
    person = make_person("山田", "a@example.jp")
    finding = one(make_draft([person], body="{{名}} 様\nお知らせ"), "C03")
    assert finding.detail == "「様」だけが残ります。"


def test_c03_a_further_person_voids_the_confirmation() -> None:
    draft = confirm_all(make_draft([make_person("山田 太郎", "a@example.jp")], body="{{カナ}}様"))
    assert one(draft, "C03").is_confirmed
    drafts.add_people(None, draft, "", [make_person("石井 健", "b@example.jp").pk])
    assert not one(draft, "C03").is_confirmed


def test_c04_a_word_without_a_file_and_a_file_without_a_word() -> None:
    account = make_account(allow_attachments=True)
    draft = make_draft([make_person("山田 太郎", "a@example.jp")], account, body="{{氏名}}様\n添付の表に記入ください。")
    finding = one(draft, "C04")
    assert finding.title == "本文に「添付」とありますが、添付ファイルがありません。"
    assert finding.line == 2
    drafts.attach(None, draft, "表.xlsx", "application/octet-stream", b"x")
    assert not found(draft, "C04")
    drafts.set_letter(None, draft, "お知らせ", "本文です。")
    assert "「添付」の言葉がありません" in one(draft, "C04").title


def test_example_20_characters_outside_iso_2022_jp_go_as_utf_8_and_the_row_says_so() -> None:
    people = [make_person("山田 太郎", "a@example.jp"), make_person("髙橋 健", "b@example.jp")]
    draft = make_draft(people, make_account(charset="iso-2022-jp"))
    finding = one(draft, "C05")
    assert finding.weight == "info"
    assert "髙" in finding.detail
    assert [person.name for person in finding.people] == ["髙橋 健"]
    job = approve(draft)
    assert list(job.deliveries.values_list("charset", flat=True)) == ["iso-2022-jp", "utf-8"]

    everybody = make_draft(people, make_account(charset="iso-2022-jp"), body="①㈱髙の件です。")
    assert one(everybody, "C05").people_count == 2
    assert all(char in one(everybody, "C05").detail for char in "①㈱髙")


def test_c06_a_slip_in_a_domain_offers_the_domain_that_was_meant() -> None:
    finding = one(make_draft([make_person("三浦 彩", "aya@gmial.com")]), "C06")
    assert finding.fix is not None
    assert finding.fix.value == "gmail.com"


def test_c07_a_registered_name_in_the_fixed_text_is_shown_with_its_line() -> None:
    make_person("佐々木 次郎", "other@example.jp")
    draft = make_draft([make_person("山田 太郎", "a@example.jp")], body="{{氏名}}様\n佐々木次郎様のシフトの件です。")
    finding = one(draft, "C07")
    assert finding.line == 2
    assert "佐々木 次郎" in finding.title
    assert not found(make_draft([make_person("山田 一郎", "b@example.jp")]), "C07"), "a merged name is no fixed text"


def test_c09_the_same_subject_to_the_same_people_within_a_day_asks() -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(3)]
    job = approve(make_draft(people))
    again = make_draft(people)
    assert not found(again, "C09"), "nothing was sent yet"
    Delivery.objects.filter(job=job).update(state=State.SENT)
    assert "3件" in one(again, "C09").title
    BulkSend.objects.filter(pk=job.pk).update(approved_at=NOW - timedelta(hours=25))
    assert not found(again, "C09")


def test_c10_mixed_kinds_name_the_smaller_ones() -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(3)]
    draft = make_draft([*people, make_person("取引 先子", "client@example.jp", kind="applicant")])
    assert one(draft, "C10").title == "応募者 1通が含まれます。"


def test_c11_do_not_send_by_option_9_is_counted() -> None:
    person = make_person("山田 太郎", "a@example.jp", flag="do_not")
    draft = make_draft([person], make_account(allow_do_not_send=True))
    assert not found(draft, "C11")
    drafts.tick(None, draft, PartyAddress.objects.get(recipient=person).pk, True)
    assert one(draft, "C11").title == "「送らない」に設定したスタッフの宛先 1件に送ります。"


def test_c13_nearly_all_active_staff_ask() -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(25)]
    assert "25人、100%" in one(make_draft(people), "C13").title
    assert not found(make_draft(people[:12]), "C13")
    Staff.objects.filter(recipient__in=people[20:]).update(employment="left")
    assert found(make_draft(people[:20]), "C13")


def test_c16_copies_multiply_what_the_provider_counts() -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(3)]
    draft = make_draft(people, make_account(bcc="boss@example.jp, log@example.jp"))
    assert one(draft, "C16").title == "1通ごとに BCC 2件 が付き、提供会社の数え方で 9通分になります。"


def test_c17_running_into_the_warning_hours_offers_a_later_start() -> None:
    account = make_account(warn_from=time(10, 30), warn_to=time(12), batch_size=1, sleep_seconds=3600)
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(2)]
    finding = one(make_draft(people, account), "C17")
    assert finding.weight == "confirm"
    assert finding.fix is not None
    assert finding.fix.kind == "start_at"
    assert timezone.localtime(datetime.fromisoformat(finding.fix.value)).hour == 12


def test_c17_stays_confirmed_while_the_minutes_pass() -> None:
    account = make_account(warn_from=time(10, 30), warn_to=time(12), batch_size=1, sleep_seconds=3600)
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(2)]
    draft = confirm_all(make_draft(people, account))
    later = inspect(draft, NOW + timedelta(minutes=7))
    assert all(finding.is_confirmed for finding in later.findings if finding.id == "C17")


def test_c18_advertising_needs_a_sender_line_and_a_way_out() -> None:
    draft = make_draft([make_person("山田 太郎", "a@example.jp")])
    drafts.set_sender(None, draft, make_account(), "advertising")
    assert {finding.key for finding in found(draft, "C18")} == {"C18:signature", "C18:opt_out"}
    drafts.set_sender(None, draft, make_account(signature="見本社 配信停止は返信でお知らせください。"), "advertising")
    assert not found(draft, "C18")


def test_c19_a_mail_many_servers_refuse_asks() -> None:
    account = make_account(allow_attachments=True)
    draft = make_draft([make_person("山田 太郎", "a@example.jp")], account, body="添付をご覧ください。")
    drafts.attach(None, draft, "大.bin", "application/octet-stream", b"x" * (7 << 20))
    assert "1通が 9.6MB" in one(draft, "C19").title


def test_a_name_that_would_break_a_header_stops_and_names_the_person() -> None:
    person = make_person("山田 太郎", "a@example.jp")
    Recipient.objects.filter(pk=person.pk).update(given_name="太郎\r\nBcc: x@example.jp")
    finding = one(make_draft([person]), "C01")
    assert finding.weight == "stop"
    assert finding.people_count == 1


def test_samples_are_chosen_by_suspicion() -> None:
    people = [
        make_person("山田 太郎", "a@example.jp", kana="ヤマダ タロウ"),
        make_person("石井 健", "b@example.jp"),
        make_person("勅使河原 権左衛門", "c@example.jp", kana="テシガワラ"),
        make_person("取引 先子", "d@example.jp", kind="applicant", kana="トリヒキ"),
    ]
    samples = {sample.name: sample.why for sample in look(make_draft(people, body="{{カナ}}様")).samples}
    assert samples == {"石井 健": "empty", "山田 太郎": "kind", "取引 先子": "kind", "勅使河原 権左衛門": "long_name"}


def test_five_thousand_people_are_checked_quickly_and_in_flat_memory() -> None:
    draft = make_draft(body="{{氏名}} 様\n" + BODY)
    drafts.add_people(None, draft, "staff", make_crowd(5000))
    tracemalloc.start()
    began = clock.perf_counter()
    result = look(draft)
    seconds = clock.perf_counter() - began
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.counts.mail_count == 5000
    assert peak < 40 << 20
    assert seconds < 30, "with the memory watch on; without it about one second"


def test_checking_needs_no_more_memory_for_more_people() -> None:
    drafts_of = [make_draft(body="{{氏名}} 様\n" + BODY), make_draft(body="{{氏名}} 様\n" + BODY)]
    peaks = []
    for draft, count in zip(drafts_of, (4_000, 8_000), strict=True):
        drafts.add_people(None, draft, "staff", make_crowd(count))
        look(draft)
        tracemalloc.start()
        look(draft)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 500_000, "remembering every address would take three times that"


def test_a_finding_about_sent_rows_survives_rows_in_other_states() -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(2)]
    job = approve(make_draft(people))
    put_into(job.deliveries.get(seq=1), State.UNKNOWN)
    assert found(make_draft(people), "C09"), "an unknown result may have arrived"
