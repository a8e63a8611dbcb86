"""連絡記録検索, 次回対応, the timeline: who sees what, in which order, on which page."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fumibako.apps.accounts.models import AccountPermission
from fumibako.apps.contacts import actions, queries
from fumibako.apps.contacts.exporting import export_csv
from fumibako.apps.contacts.paging import page_of
from fumibako.apps.contacts.people import find_parties, parties_meant
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import Refused
from fumibako.apps.recipients.companies import save_client
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
from tests.recipients.people import make_applicant, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Operator:
    return make_worker()


def found(who: Operator, /, **conditions: str) -> list[int]:
    return sorted(queries.search(who, conditions).values_list("number", flat=True))


def test_every_condition_narrows_the_list(operator: Operator) -> None:
    staff, applicant = make_staff(), make_applicant()
    category = make_category("架電")
    make_record(operator, person=str(staff.pk), contacted_at="2026/10/01 09:00", category1=str(category.pk))
    make_record(
        operator, person=str(applicant.pk), contacted_at="2026/10/31 23:59", status1=str(status(2).pk), category1=""
    )
    other = make_worker("田中 明", "大阪支社")
    make_record(
        other, subject="増員の相談", response="見積を送付", next_on="2026/12/01", next_category=str(next_way().pk)
    )
    for conditions, numbers in (
        ({}, [1, 2, 3]),
        ({"since": "2026-10-31", "until": "2026-10-31"}, [2]),
        ({"until": "2026/10/30"}, [1]),
        ({"category1": str(category.pk)}, [1]),
        ({"status1": str(status(2).pk)}, [2]),
        ({"operator": other.username}, [3]),
        ({"department": other.department.code if other.department else ""}, [3]),
        ({"party_kind": "staff"}, [1]),
        ({"party_kind": "none"}, [3]),
        ({"party": "やまだ"}, []),
        ({"party": "山田"}, [1]),
        ({"party": "中村 葵"}, [2]),
        ({"person": f"staff:{staff.number}"}, [1]),
        ({"person": "staff:999999"}, []),
        ({"subject": "増員 相談"}, [3]),
        ({"body": "見積"}, [3]),
        ({"next_since": "2026-12-01", "next_until": "2026-12-01"}, [3]),
        ({"from_mail": "yes"}, []),
        ({"category1": "x", "mail": "y", "unknown": "z"}, [1, 2, 3]),
    ):
        assert found(operator, **conditions) == numbers, conditions


def test_records_of_mails_of_a_closed_account_are_seen_by_nobody_else(operator: Operator) -> None:
    mail = make_mail(make_account())
    values = actions.defaults_for(operator) | {"subject": "閉じたアカウント"}
    record = actions.register_from_mail(operator, mail, values)
    other = make_worker("田中 明")
    assert found(operator) == [1]
    assert found(other) == []
    assert queries.record_called(other, record.full_number) is None
    AccountPermission.objects.create(account=mail.account, operator=other, may_view=True)
    assert found(other) == [1]
    assert found(make_worker("管理 者", is_administrator=True)) == [1]


@pytest.mark.parametrize("sort", ["-at", "at", "-number", "number"])
def test_pages_hold_every_record_once_forwards_and_backwards(operator: Operator, sort: str) -> None:
    for place in range(11):
        make_record(operator, contacted_at=f"2026/11/{1 + place // 3:02d} 09:00")
    rows = queries.search(operator, {})
    page = page_of(rows, sort, size=4)
    pages = [page]
    while page.after:
        page = page_of(rows, sort, after=page.after, size=4)
        pages.append(page)
    numbers = [[one.number for one in page.rows] for page in pages]
    flat = [number for each in numbers for number in each]
    assert flat == sorted(range(1, 12), reverse=sort.startswith("-"))
    assert [len(each) for each in numbers] == [4, 4, 3]
    back = page_of(rows, sort, before=pages[2].before, size=4)
    assert [one.number for one in back.rows] == numbers[1]
    assert (pages[0].before, pages[2].after, bool(back.before and back.after)) == ("", "", True)


@pytest.mark.parametrize("cursor", ["x", "_", "2026-11-24_1", "x_1", "2026-11-24T00:00:00+09:00_" + "9" * 30])
def test_a_cursor_that_makes_no_sense_leads_to_the_first_page(operator: Operator, cursor: str) -> None:
    make_record(operator)
    assert len(page_of(queries.search(operator, {}), "-at", after=cursor).rows) == 1


@pytest.mark.parametrize(
    ("text", "meant"),
    [("123", (123, 0)), ("000000123-001", (123, 1)), ("１２３－１", (123, 1)), ("0", None), ("abc", None)],
)
def test_a_number_is_read_as_people_type_it(text: str, meant: tuple[int, int] | None) -> None:
    assert queries.number_in(text) == meant


def test_follow_ups_stand_in_four_groups_and_the_week_ends_on_sunday(operator: Operator) -> None:
    tuesday = date(2026, 11, 24)
    for day in ("2026/11/23", "2026/11/24", "2026/11/29", "2026/11/30"):
        make_record(operator, next_on=day)
    actions.finish_follow_up(operator, make_record(operator, next_on="2026/11/20"))
    make_record(make_worker("田中 明"), next_on="2026/11/24")
    mine = queries.follow_ups(operator, tuesday)
    assert {name: [one.number for one in rows] for name, rows in mine.groups.items()} == {
        "overdue": [1],
        "today": [2],
        "week": [3],
        "later": [4],
    }
    assert queries.follow_ups(operator, tuesday, is_everybody=True).count == 5
    assert queries.follow_up_counts(operator, tuesday) == {"today": 1, "overdue": 1}


def test_people_of_all_kinds_are_found_by_name_number_company_and_address(operator: Operator) -> None:
    staff = make_staff("山田 太郎", "taro@example.jp", kana="ヤマダ タロウ")
    make_applicant("山田 次郎", "jiro@example.jp")
    save_client(None, {"company_name": "山田工業"}, [{"family_name": "佐藤", "given_name": "花"}])
    assert [party.kind for party in find_parties("山田")] == ["applicant", "client", "staff"]
    assert [party.kind for party in find_parties("やまだ")] == ["staff"]
    assert [party.kind for party in find_parties("jiro@example.jp")] == ["applicant"]
    (party,) = parties_meant(f"スタッフ {staff.number} 山田 太郎")
    assert (party.pk, party.place) == (staff.pk, "東京本社")
    assert len(parties_meant("山田")) == 3
    assert [one.pk for one in parties_meant("山田　太郎")] == [staff.pk]
    assert parties_meant("だれでもない") == []


def test_a_csv_tells_everything_and_no_cell_is_a_formula(operator: Operator) -> None:
    make_record(operator, subject="=1+1", person=str(make_staff("髙橋 直子").pk))
    rows = queries.search(operator, {})
    text = b"".join(export_csv(rows)).decode("utf-8-sig")
    assert text.splitlines()[0].startswith("連絡NO,連絡日,連絡時間,対応者")
    assert ",'=1+1," in text
    assert "スタッフ 000001 髙橋 直子,東京本社" in text
    make_record(operator, subject="𠮷野家")
    with pytest.raises(Refused, match="「𠮷」は Shift_JIS では書き出せません。"):
        list(export_csv(rows, encoding="cp932"))


def test_a_search_needs_as_many_queries_for_many_as_for_few(operator: Operator) -> None:
    person = str(make_staff().pk)
    make_record(operator, person=person, next_on=today_plus(1))
    with CaptureQueriesContext(connection) as few:
        list(queries.search(operator, {}))
    for _ in range(5):
        make_record(operator, person=person)
    with CaptureQueriesContext(connection) as many:
        list(queries.search(operator, {}))
    assert len(few) == len(many) == 1
