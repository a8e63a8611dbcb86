"""連絡記録: what may be saved, how it is numbered, and that nobody's words are lost."""

from __future__ import annotations

import uuid
from datetime import datetime

import pytest
from django.conf import settings
from django.utils import timezone

from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.contacts import actions, rules
from fumibako.apps.contacts.files import Upload, bytes_of
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.contacts.sheets import sheet_of
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Refused
from fumibako.apps.recipients import queries
from fumibako.apps.recipients.actions import delete_person
from tests.contacts.records import (
    make_account,
    make_category,
    make_mail,
    make_record,
    make_worker,
    next_way,
    status,
    today_plus,
)
from tests.recipients.people import make_staff

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 17, 31)  # noqa: DTZ001 (local wall time)


@pytest.fixture
def operator() -> Operator:
    return make_worker()


def problems_of(who: Operator, record: ContactRecord | None = None, /, **values: str) -> dict[str, str]:
    given = values if record else actions.defaults_for(who) | {"subject": "件名"} | values
    with pytest.raises(Refused) as refused:
        actions.save_record(who, record, given)
    return {problem.field: problem.text for problem in refused.value.problems}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-24T17:31", "2026-11-24 17:31"),
        ("2026/11/24 9:05", "2026-11-24 09:05"),
        ("２０２６年１１月２４日 9時05分", "2026-11-24 09:05"),
        ("2026/11/23", "2026-11-23 17:31"),
        ("1123", "2026-11-23 17:31"),
        ("11/23 9:30", "2026-11-23 09:30"),
        ("1224", "2025-12-24 17:31"),
        ("9:30", "2026-11-24 09:30"),
        ("20時", "2026-11-24 20:00"),
        ("20", "None"),
        ("0230", "None"),
        ("5月", "None"),
        ("あした", "None"),
    ],
)
def test_a_moment_is_read_as_people_type_it(typed: str, meant: str) -> None:
    found = rules.moment_typed(typed, NOW)
    assert (f"{found:%Y-%m-%d %H:%M}" if found else "None") == meant


def test_a_day_to_come_without_its_year_is_the_next_one() -> None:
    days = [rules.day_typed(text, NOW.date()) for text in ("1124", "1123", "12/1", "2026/01/05", "3")]
    assert [str(day) for day in days] == ["2026-11-24", "2027-11-23", "2026-12-01", "2026-01-05", "None"]


def test_a_record_is_saved_with_everything_that_was_entered(operator: Operator) -> None:
    person = make_staff()
    level1 = make_category("電話の件")
    level2 = make_category("勤怠", level1)
    record = make_record(
        operator,
        contacted_at="2026-11-24T10:15",
        minutes="１５分",
        person=str(person.pk),
        category1=str(level1.pk),
        category2=str(level2.pk),
        status2=str(status(2).pk),
        body="一行目\r\n二行目",
        next_on=today_plus(3),
        next_category=str(next_way().pk),
    )
    record.refresh_from_db()
    assert (record.full_number, record.minutes, record.body) == ("000000001-000", 15, "一行目\n二行目")
    assert f"{timezone.localtime(record.contacted_at):%m/%d %H:%M}" == "11/24 10:15"
    assert (record.operator_name, str(record.department), str(record.status1)) == ("佐藤 美咲", "東京本社", "未対応")
    assert (record.recipient, record.category2, record.created_by) == (person, level2, "佐藤 美咲")
    entry = AuditEvent.objects.get(action="contact.saved")
    assert entry.target == "contact:000000001-000"
    assert entry.changes["body"] == ["", "…"]


def test_what_is_missing_is_named_item_by_item(operator: Operator) -> None:
    found = problems_of(
        operator, subject="", department="", operator="", contacted_at="", next_category=str(next_way().pk)
    )
    assert found == {
        "contacted_at": "連絡日を入力してください。",
        "operator": "対応者を選択してください。",
        "department": "連絡部門を選択してください。",
        "subject": "件名を入力してください。",
        "next_on": "次回対応日を入力してください。次回対応区分だけでは一覧に出せません。",
    }


def test_nonsense_is_refused_and_nothing_is_stored(operator: Operator) -> None:
    found = problems_of(
        operator,
        contacted_at="きのう",
        minutes="長い",
        operator="x",
        department="99999",
        person="99999",
        status1=str(next_way().pk),
        subject="あ" * 501,
        next_on="5",
    )
    assert list(found) == [
        "contacted_at",
        "minutes",
        "operator",
        "subject",
        "next_on",
        "department",
        "person",
        "status1",
    ]
    assert not ContactRecord.objects.exists()


def test_a_lower_category_must_belong_to_the_one_above(operator: Operator) -> None:
    phone, visit = make_category("架電"), make_category("訪問")
    late = make_category("遅刻", phone)
    hint = "連絡区分2は、上の区分で選べるものから選択してください。"
    assert problems_of(operator, category1=str(visit.pk), category2=str(late.pk)) == {"category2": hint}
    assert problems_of(operator, category1="", category2=str(late.pk)) == {"category2": hint}


def test_a_hidden_choice_stays_where_it_is_and_is_not_offered_elsewhere(operator: Operator) -> None:
    record = make_record(operator, status1=str(status(2).pk))
    hidden = status(2)
    hidden.is_hidden = True
    hidden.save()
    actions.save_record(operator, record, {"minutes": "3"}, 1)
    assert problems_of(operator, status1=str(hidden.pk)) == {"status1": "連絡ステータス1を選択してください。"}


def test_a_double_press_makes_one_record(operator: Operator) -> None:
    key = uuid.uuid4()
    values = actions.defaults_for(operator) | {"subject": "一度だけ"}
    first = actions.save_record(operator, None, values, creation_key=key)
    assert actions.save_record(operator, None, values, creation_key=key) == first
    assert ContactRecord.objects.count() == 1


def test_what_somebody_else_saved_is_not_overwritten(operator: Operator) -> None:
    record = make_record(operator)
    other = make_worker("田中 明")
    actions.save_record(other, record, {"status1": str(status(3).pk)}, 1)
    with pytest.raises(ChangedMeanwhile) as told:
        actions.save_record(operator, record, {"status1": str(status(2).pk)}, 1)
    assert (told.value.who, told.value.differences) == ("田中 明", {"連絡ステータス1": ("対応中", "対応済")})
    record.refresh_from_db()
    assert record.status1 == status(3)


def test_saving_what_is_stored_already_changes_nothing(operator: Operator) -> None:
    record = make_record(operator)
    assert actions.save_record(operator, record, sheet_of(record), 1).version == 1
    assert AuditEvent.objects.filter(action="contact.saved").count() == 1


def test_a_branch_has_the_same_number_and_the_next_branch(operator: Operator) -> None:
    person = make_staff()
    base = make_record(operator, person=str(person.pk))
    make_record(operator)
    values = actions.branch_defaults(operator, base) | {"body": "折り返しの電話"}
    first = actions.add_branch(operator, base, values)
    second = actions.add_branch(operator, first, values)
    assert [one.full_number for one in (first, second)] == ["000000001-001", "000000001-002"]
    assert (first.recipient, first.subject) == (person, "電話での相談")


def test_a_number_is_never_given_twice(operator: Operator) -> None:
    make_record(operator)
    actions.delete_record(operator, make_record(operator), "誤って登録")
    assert make_record(operator).full_number == "000000003-000"


def test_deleting_needs_a_reason_and_leaves_it_in_the_audit_log(operator: Operator) -> None:
    record = make_record(operator)
    with pytest.raises(Refused, match="削除する理由を入力してください。"):
        actions.delete_record(operator, record, " ")
    actions.delete_record(operator, record, "二重に登録したため")
    assert AuditEvent.objects.get(action="contact.deleted").reason == "二重に登録したため"


def test_a_mail_is_registered_once_for_each_person(operator: Operator) -> None:
    person = make_staff()
    mail = make_mail(make_account())
    values = actions.defaults_for(operator) | {"subject": "メールの件", "person": str(person.pk)}
    record = actions.register_from_mail(operator, mail, values)
    with pytest.raises(Refused, match="このメールは、連絡記録 000000001-000 に登録済みです。"):
        actions.register_from_mail(operator, mail, values)
    other = actions.register_from_mail(operator, mail, values | {"person": ""})
    assert problems_of(operator, other, person=str(person.pk)) == {
        "person": f"このメールは、連絡記録 {record.full_number} に登録済みです。"
    }


def test_files_are_kept_under_their_hash_and_taken_away_again(operator: Operator) -> None:
    values = actions.defaults_for(operator) | {"subject": "契約書"}
    upload = Upload("C:\\scan\\契約書.pdf", "application/pdf", b"%PDF-1.7 sample")
    record = actions.save_record(operator, None, values, uploads=[upload])
    (file,) = record.files.all()
    assert (file.name, file.size, bytes_of(file)) == ("契約書.pdf", 15, upload.raw)
    assert (settings.DATA.files / file.sha256).read_bytes() == upload.raw
    actions.save_record(operator, record, {}, record.version, removed_files=[file.pk])
    assert not record.files.exists()


def test_files_that_are_empty_or_too_large_are_refused(operator: Operator) -> None:
    record = make_record(operator)
    large = Upload("a.zip", "", b"x" * (20 * 1024 * 1024 + 1))
    with pytest.raises(Refused) as refused:
        actions.save_record(operator, record, {}, 1, uploads=[large, Upload("b.txt", "", b"")])
    assert [problem.text for problem in refused.value.problems] == [
        "ファイル「b.txt」は空です。中身のあるファイルを選んでください。",
        "関連ファイルは、合わせて 20MB までです(いまは 21MB です)。",
    ]


def test_a_person_with_records_is_not_deleted(operator: Operator) -> None:
    person = make_staff()
    make_record(operator, person=str(person.pk))
    with pytest.raises(Refused, match="やり取りが 1件あるため削除できません。"):
        delete_person(operator, person)


def test_a_person_whose_mails_came_is_not_deleted() -> None:
    person = make_staff()
    sender = person.addresses.get(slot=1).address
    make_mail(make_account(), sender)
    with pytest.raises(Refused, match="やり取りが 1件あるため削除できません。"):
        delete_person(None, person)
    assert queries.with_history([person.pk]) == {person.pk}


def test_a_status_is_set_for_many_at_once(operator: Operator) -> None:
    records = [make_record(operator) for _ in range(3)]
    assert actions.set_status(operator, [one.pk for one in records[:2]], status(3).pk) == 2
    assert [one.status1 and one.status1.name1 for one in ContactRecord.objects.order_by("number")] == [
        "対応済",
        "対応済",
        "未対応",
    ]
    assert actions.set_status(operator, [one.pk for one in records], status(3).pk) == 1
    changes = AuditEvent.objects.filter(action="contact.status_set").last()
    assert changes is not None
    assert changes.changes["numbers"] == ["000000001-000", "000000002-000"]
    for ids, chosen in (([], status(3).pk), ([records[0].pk], next_way().pk), ([records[0].pk], None)):
        with pytest.raises(Refused):
            actions.set_status(operator, ids, chosen)


def test_a_follow_up_is_ticked_once_with_a_line_of_what_was_done(operator: Operator) -> None:
    record = make_record(operator, next_on=today_plus(0), response="午前に連絡")
    done = actions.finish_follow_up(operator, record, " 本人に\n確認した ")
    day = f"{timezone.localdate():%Y/%m/%d}"
    assert done.response == f"午前に連絡\n[{day} 佐藤 美咲] 本人に 確認した"
    assert (done.status1, done.next_done_at is None) == (status(3), False)
    with pytest.raises(Refused, match="次回対応は済んでいるか"):
        actions.finish_follow_up(operator, record)
    actions.reopen_follow_up(operator, record)
    actions.finish_follow_up(operator, record)
    again = actions.save_record(operator, record, {"next_on": today_plus(7)})
    assert again.next_done_at is None
