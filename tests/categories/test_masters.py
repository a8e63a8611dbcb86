"""区分マスタ and 連絡区分マスタ: edited as lists, in their order, and never taken from under what uses them."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.categories import actions, queries
from fumibako.apps.categories.labels import CONTACT, NEXT, STATUS
from fumibako.apps.categories.models import Category, ContactCategory
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Refused
from tests.contacts.records import make_account, make_category, make_record, make_worker, set_rule, status

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator() -> Operator:
    return make_worker(is_administrator=True)


def rows_now(section: str = STATUS) -> list[dict[str, str]]:
    return [
        {"id": str(row.pk), "name1": row.name1, "name2": row.name2, "note": row.note, "is_hidden": ""}
        for row in queries.rows_of(CONTACT, section)
    ]


def names(section: str = STATUS) -> list[str]:
    return [f"{row.number} {row.name1}" for row in queries.rows_of(CONTACT, section)]


def test_a_new_office_has_what_the_specification_ships() -> None:
    assert names() == ["1 未対応", "2 対応中", "3 対応済"]
    assert [row.name for row in queries.children_of(None)] == ["メール受信", "メール送信", "電話", "面談"]
    assert [(one.name, one.count) for one in queries.sections()] == [(STATUS, 3), (NEXT, 3)]


def test_a_list_is_renamed_reordered_and_added_to_in_one_go(administrator: Operator) -> None:
    rows = rows_now()
    rows = [rows[2] | {"name1": "完了"}, rows[0], rows[1], {"name1": "保留", "note": "返事待ち"}, {"name1": ""}]
    actions.save_section(administrator, CONTACT, STATUS, rows)
    assert names() == ["3 完了", "1 未対応", "2 対応中", "4 保留"]
    entry = AuditEvent.objects.get(action="codes.saved")
    assert entry.changes["3"] == ["3. 対応済", "1. 完了"]
    actions.save_section(administrator, CONTACT, STATUS, rows_now())
    assert AuditEvent.objects.filter(action="codes.saved").count() == 1


def test_what_is_wrong_is_told_by_row(administrator: Operator) -> None:
    rows = [
        *rows_now(),
        {"name1": "未対応"},
        {"name1": "", "note": "x"},
        {"name1": "あ" * 61, "number": "2"},
        {"name1": "数", "number": "ABC"},
    ]
    rows[1] = rows[1] | {"name1": " "}
    with pytest.raises(Refused) as refused:
        actions.save_section(administrator, CONTACT, STATUS, rows)
    assert [(one.field, one.text) for one in refused.value.problems] == [
        ("1.name1", "区分名1を入力してください。"),
        ("3.name1", "区分名1「未対応」が 2つあります。どちらかを違う名前にしてください。"),
        ("4.name1", "区分名1を入力してください。"),
        ("5.name1", "区分名1は 60文字以内で入力してください(いまは 61文字です)。"),
        ("5.number", "区分NO 2 は、「対応中」で使われています。"),
        ("6.number", "区分NOは半角の数字で入力してください(1〜9999)。"),
    ]
    assert names() == ["1 未対応", "2 対応中", "3 対応済"]


def test_a_row_that_is_used_is_hidden_and_not_deleted(administrator: Operator) -> None:
    for _ in range(2):
        make_record(administrator)
    set_rule(make_account(), "from", status=status(1))
    with pytest.raises(Refused) as refused:
        actions.remove(administrator, status(1))
    assert "連絡記録 2件" in str(refused.value)
    assert "メールアカウント設定 1件" in str(refused.value)
    assert str(refused.value).endswith("使わないときは「表示しない」にしてください。")
    actions.remove(administrator, status(2))
    rows = rows_now()
    actions.save_section(administrator, CONTACT, STATUS, [rows[0] | {"is_hidden": "1"}, rows[1]])
    assert [row.name1 for row in queries.choices(STATUS)] == ["対応済"]
    assert [row.name1 for row in queries.choices(STATUS, status(1).pk)] == ["未対応", "対応済"]


def test_three_levels_are_edited_each_below_its_parent(administrator: Operator) -> None:
    phone = ContactCategory.objects.get(name="電話")
    actions.save_level(administrator, phone, [{"name": "勤怠"}, {"name": "契約"}])
    work = ContactCategory.objects.get(name="勤怠")
    actions.save_level(administrator, work, [{"name": "遅刻"}])
    late = ContactCategory.objects.get(name="遅刻")
    assert (work.level, late.level, queries.path_of(late)) == (2, 3, "電話 › 勤怠 › 遅刻")
    with pytest.raises(Refused, match="下の連絡区分 1件で使われています。"):
        actions.remove(administrator, work)
    actions.remove(administrator, late)
    actions.remove(administrator, work)
    assert [row.name for row in queries.children_of(phone)] == ["契約"]


def test_a_used_contact_category_is_not_deleted(administrator: Operator) -> None:
    category = make_category("架電")
    make_record(administrator, category1=str(category.pk))
    with pytest.raises(Refused, match="「架電」は、連絡記録 1件で使われています。"):
        actions.remove(administrator, category)


def test_two_people_at_one_list_do_not_overwrite_each_other(administrator: Operator) -> None:
    other = make_worker("田中 明", is_administrator=True)
    seen, rows = queries.fingerprint(queries.rows_of(CONTACT, STATUS)), rows_now()
    actions.save_section(other, CONTACT, STATUS, [*rows, {"name1": "保留"}], seen)
    with pytest.raises(ChangedMeanwhile) as told:
        actions.save_section(administrator, CONTACT, STATUS, rows, seen)
    assert told.value.who == "田中 明"
    assert len(names()) == 4


def test_only_administrators_change_the_masters() -> None:
    worker = make_worker()
    with pytest.raises(PermissionDenied):
        actions.save_section(worker, CONTACT, STATUS, rows_now())
    with pytest.raises(PermissionDenied):
        actions.save_level(worker, None, [])
    with pytest.raises(PermissionDenied):
        actions.remove(worker, status(1))
    assert Category.objects.filter(section=STATUS).count() == 3
