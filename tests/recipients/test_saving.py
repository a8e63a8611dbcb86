"""Saving, deleting and adopting people."""

from __future__ import annotations

import uuid

import pytest

from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.office.problems import ChangedMeanwhile, Refused
from fumibako.apps.recipients import actions, queries
from fumibako.apps.recipients.models import AddressEvent, PartyAddress, Recipient
from tests.recipients.people import address_of, make_applicant, make_operator, make_staff

STAFF, APPLICANT = Recipient.Kind.STAFF, Recipient.Kind.APPLICANT
pytestmark = pytest.mark.django_db


def texts(refused: pytest.ExceptionInfo[Refused]) -> dict[str, str]:
    return {problem.field: problem.text for problem in refused.value.problems}


def test_the_next_free_staff_number_has_six_digits() -> None:
    assert make_staff(number="1244").number == "001244"
    assert make_staff("高橋 直子", "naoko@example.jp").number == "001245"
    assert queries.next_number(STAFF) == "001246"


def test_when_every_staff_number_is_used_no_number_is_offered() -> None:
    make_staff(number="999999")
    assert queries.next_number(STAFF) == ""


def test_a_taken_number_is_refused_naming_its_holder() -> None:
    make_staff(number="001245")
    with pytest.raises(Refused) as refused:
        make_staff("高橋 直子", number="１２４５")
    assert texts(refused) == {"number": "スタッフNO 001245 は、山田 太郎で使われています。"}


def test_an_applicants_number_is_free_text_and_continues() -> None:
    assert make_applicant(number="a0412").number == "A0412"
    assert make_applicant("別の 人", "betsu@example.jp").number == "A0413"


def test_everything_wrong_is_told_at_once_and_nothing_is_stored() -> None:
    with pytest.raises(Refused) as refused:
        actions.save_person(
            None,
            STAFF,
            {"name": "", "number": "12ab", "address1": "abc@", "registered_on": "2026/4/1", "left_on": "2026/3/1"},
        )
    assert texts(refused) == {
        "number": "スタッフNOは 6桁までの半角の数字で入力してください。",
        "address1": "メールアドレス1は「名前@会社名.co.jp」の形で入力してください。",
        "left_on": "退職日は、登録日(2026/04/01)より後の日付を入力してください。",
        "family_name": "姓を入力してください。",
        "department": "所属部門を選択してください。",
    }
    assert not Recipient.objects.exists()


def test_unusual_addresses_are_noted_and_never_refused() -> None:
    person = make_staff(address="abc..d@docomo.example.jp")
    assert address_of(person).address == "abc..d@docomo.example.jp"


def test_names_keep_their_own_letters_and_addresses_lose_full_width() -> None:
    person = make_staff("髙橋　﨑子", "ｎａｏｋｏ＠example.jp", kana="ﾀｶﾊｼ さきこ")
    assert (person.family_name, person.given_name, person.kana) == ("髙橋", "﨑子", "タカハシ サキコ")
    assert address_of(person).address == "naoko@example.jp"


def test_the_same_form_sent_twice_makes_one_person() -> None:
    key = uuid.uuid4()
    make_staff()
    values = {"name": "森 花", "department": "100"}
    first = actions.save_person(None, STAFF, values, creation_key=key)
    assert actions.save_person(None, STAFF, values, creation_key=key).pk == first.pk
    assert Recipient.objects.count() == 2


def test_somebody_elses_save_is_never_overwritten() -> None:
    person = make_staff()
    other = make_operator("田中 明")
    actions.save_person(other, STAFF, {"phone": "03-0000-0001"}, recipient_id=person.pk, version=1)
    with pytest.raises(ChangedMeanwhile) as meanwhile:
        actions.save_person(None, STAFF, {"phone": "03-0000-0002"}, recipient_id=person.pk, version=1)
    assert meanwhile.value.who == "田中 明"
    assert meanwhile.value.differences == {"電話": ("03-0000-0002", "03-0000-0001")}


def test_saving_what_is_stored_already_changes_nothing_even_from_an_old_form() -> None:
    person = make_staff()
    actions.save_person(None, STAFF, {"phone": "1"}, recipient_id=person.pk, version=1)
    again = actions.save_person(None, STAFF, {"phone": "1"}, recipient_id=person.pk, version=1)
    assert again.version == 2
    assert AuditEvent.objects.filter(action="person.saved").count() == 2


def test_a_form_opened_before_the_flag_turned_cannot_turn_it_back_unnoticed() -> None:
    person = make_staff()
    for _ in range(3):
        actions.count_refusal(address_of(person), cause="refused", code=550, text="")
    with pytest.raises(Refused) as refused:
        actions.save_person(None, STAFF, {"flag1": "send", "phone": "1"}, recipient_id=person.pk, version=1)
    assert texts(refused) == {"flag_reason1": "メールアドレス1の「送れない」をやめる理由を入力してください。"}
    values = {"flag1": "send", "flag_reason1": "電話で確認"}
    actions.save_person(None, STAFF, values, recipient_id=person.pk, version=1)
    assert (address_of(person).flag, address_of(person).error_count) == ("send", 0)
    assert AddressEvent.objects.order_by("-id")[0].cause == "restored"


def test_a_new_address_starts_with_no_errors() -> None:
    person = make_staff()
    for _ in range(3):
        actions.count_refusal(address_of(person), cause="refused", code=550, text="")
    values = {"address1": "new@example.jp", "flag1": "cannot"}
    actions.save_person(None, STAFF, values, recipient_id=person.pk, version=1)
    assert (address_of(person).flag, address_of(person).error_count) == ("send", 0)


def test_a_new_spelling_of_one_mailbox_keeps_its_errors() -> None:
    person = make_staff()
    actions.count_refusal(address_of(person), cause="refused", code=550, text="")
    actions.save_person(None, STAFF, {"address1": "TARO@example.jp"}, recipient_id=person.pk, version=1)
    assert address_of(person).error_count == 1


def test_addresses_that_change_places_take_their_flags_and_counts_with_them() -> None:
    person = make_staff(address="one@example.jp", address2="two@example.jp")
    for _ in range(3):
        actions.count_refusal(address_of(person, 1), cause="refused", code=550, text="")
    values = {"address1": "two@example.jp", "address2": "one@example.jp"}
    actions.save_person(None, STAFF, values, recipient_id=person.pk, version=1)
    assert (address_of(person, 1).flag, address_of(person, 1).error_count) == ("send", 0)
    assert (address_of(person, 2).flag, address_of(person, 2).error_count) == ("cannot", 3)


def test_a_person_without_history_is_removed_and_the_audit_log_remembers() -> None:
    person = make_staff()
    actions.delete_person(None, person)
    assert not Recipient.objects.exists()
    assert not PartyAddress.objects.exists()
    assert AuditEvent.objects.get(action="person.deleted").target == "staff:000001"


def test_example_21_an_adopted_applicant_shares_their_history_with_the_staff_member() -> None:
    operator = make_operator()
    applicant = make_applicant(flag1="送らない", note="夜勤希望")
    make_staff(number="000007")

    person = actions.adopt_applicant(operator, applicant, "東京本社")

    applicant.refresh_from_db()
    assert applicant.adopted_as == person
    assert applicant.applicant.status == "hired"
    assert (person.number, person.name, person.note) == ("000008", "中村 葵", "夜勤希望")
    assert person.staff.department is not None
    assert person.staff.department.code == "100"
    assert (address_of(person).address, address_of(person).flag) == ("aoi@example.jp", "do_not")
    assert queries.one_person_of(person) == [person.pk, applicant.pk]
    assert queries.one_person_of(applicant) == [applicant.pk, person.pk]
    assert AuditEvent.objects.get(action="applicant.adopted").changes == {"adopted_as": ["", "000008"]}
    with pytest.raises(Refused) as refused:
        actions.adopt_applicant(operator, applicant, "東京本社")
    assert texts(refused) == {"number": "中村 葵は、スタッフNO 000008 として登録済みです。"}
