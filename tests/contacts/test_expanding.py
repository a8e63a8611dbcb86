"""連絡記録への展開 (SPEC §2.7): whose records a mail becomes, with which set, and only once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.categories.models import ContactCategory
from fumibako.apps.contacts import actions
from fumibako.apps.contacts.expanding import expand, expand_all, follow
from fumibako.apps.contacts.models import ContactRecord, Expansion
from fumibako.apps.contacts.queries import records_of_person
from fumibako.apps.inbox.models import MailAttachment, MailPerson, ReceivedMail
from fumibako.apps.inbox.reading import after_reading
from fumibako.apps.office.models import Department, Operator
from fumibako.apps.recipients.actions import adopt_applicant
from tests.contacts.records import OURS, SENT, link_persons, make_account, make_mail, make_worker, set_rule, status
from tests.recipients.people import make_applicant, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Operator:
    return make_worker()


@pytest.fixture
def account(operator: Operator) -> MailAccount:
    """An account with another 連絡区分 and status for each place."""
    account = make_account(default_operator=operator)
    for role, name, number in (("from", "メール受信", 1), ("to", "メール送信", 2), ("cc", "電話", 3)):
        category = ContactCategory.objects.get(level=1, name=name)
        set_rule(account, role, category1=category, status=status(number))
    return account


def shown(record: ContactRecord) -> tuple[str, str, str, str]:
    return (str(record.recipient or ""), record.role, str(record.category1 or ""), str(record.status1 or ""))


def test_the_reading_of_mail_knows_its_follower() -> None:
    assert follow in after_reading


def test_example_13_a_mail_from_one_person_with_a_copy_to_another_becomes_two_records(
    operator: Operator, account: MailAccount
) -> None:
    make_staff("土井 大", "d@example.jp")
    make_staff("江口 恵", "e@example.jp")
    mail = make_mail(account, "D@Example.JP", cc=['"e"@example.jp'])
    made = expand(mail, operator)
    assert [shown(one) for one in made] == [
        ("土井 大", "from", "メール受信", "未対応"),
        ("江口 恵", "cc", "電話", "対応済"),
    ]
    assert {one.mail for one in made} == {mail}
    assert len({one.number for one in made}) == 2


def test_example_14_an_unknown_sender_becomes_one_record_without_person(
    operator: Operator, account: MailAccount
) -> None:
    mail = make_mail(account, "who@example.net", from_name="加藤 学", to=[OURS, "other@example.net"])
    (record,) = expand(mail, operator)
    assert shown(record) == ("", "from", "メール受信", "未対応")
    assert record.party == "加藤 学 who@example.net"


@pytest.mark.parametrize("kind", ["bounce", "delay", "auto_reply", "receipt", "feedback", "unreadable"])
def test_example_14_an_error_mail_and_its_like_become_no_record(account: MailAccount, kind: str) -> None:
    make_staff()
    assert expand(make_mail(account, "taro@example.jp", kind=kind), None) == []
    assert not ContactRecord.objects.exists()


def test_example_21_the_records_of_an_applicant_are_seen_at_the_staff_member(
    operator: Operator, account: MailAccount
) -> None:
    applicant = make_applicant("中村 葵", "aoi@example.jp")
    before = expand(make_mail(account, "aoi@example.jp"), operator)
    department = make_staff("別 人", "x@example.jp").staff.department
    assert department is not None
    staff = adopt_applicant(operator, applicant, department.code)
    after = expand(make_mail(account, "aoi@example.jp"), operator)
    assert [one.recipient for one in [*before, *after]] == [applicant, staff]
    assert {one.pk for one in records_of_person(operator, staff)} == {one.pk for one in [*before, *after]}


def test_somebody_in_several_places_counts_with_the_first(operator: Operator, account: MailAccount) -> None:
    make_staff("山田 太郎", "taro@example.jp", address2="yamada@example.jp")
    mail = make_mail(account, "who@example.net", to=["yamada@example.jp"], cc=["taro@example.jp"])
    assert [shown(one) for one in expand(mail, operator)] == [("山田 太郎", "to", "メール送信", "対応中")]


def test_our_own_addresses_are_never_persons(operator: Operator, account: MailAccount) -> None:
    make_staff("受付 係", OURS)
    make_staff("二つ 目", "second@office.example.jp")
    make_account(account_no=9, from_address="x@office.example.jp", reply_to="SECOND@office.example.jp")
    mail = make_mail(account, OURS, cc=["second@office.example.jp"])
    (record,) = expand(mail, operator)
    assert record.recipient is None


def test_a_mail_is_expanded_once_however_often_it_is_read(operator: Operator, account: MailAccount) -> None:
    make_staff("山田 太郎", "taro@example.jp")
    mail = make_mail(account)
    (record,) = expand(mail, operator)
    assert expand(mail, operator) == []
    actions.delete_record(operator, record, "重複のため")
    assert expand(mail, operator) == []
    assert not ContactRecord.objects.exists()


def test_reading_again_corrects_the_text_that_nobody_has_touched(operator: Operator, account: MailAccount) -> None:
    make_staff()
    mail = make_mail(account, text="譁�蟄怜喧縺�")
    (record,) = expand(mail, operator)
    mail.text = "文字化けなし"
    expand(mail, operator)
    record.refresh_from_db()
    assert record.body == "文字化けなし"
    actions.save_record(operator, record, {"body": "書き足した内容"}, 1)
    mail.text = "別の読み方"
    expand(mail, operator)
    record.refresh_from_db()
    assert record.body == "書き足した内容"


def test_a_record_without_person_gets_the_one_who_is_registered_later(operator: Operator, account: MailAccount) -> None:
    mail = make_mail(account, "new@example.jp", from_name="新人 一")
    (record,) = expand(mail, operator)
    person = make_staff("新人 一", "new@example.jp")
    link_persons(mail)
    assert expand(mail, operator) == []
    record.refresh_from_db()
    assert (record.recipient, record.party) == (person, "")
    assert ContactRecord.objects.count() == 1


def test_somebody_linked_by_hand_gets_a_record(operator: Operator, account: MailAccount) -> None:
    person = make_staff("山田 太郎", "taro@example.jp")
    mail = make_mail(account, "private@example.net")
    MailPerson.objects.create(mail=mail, recipient=person, role="from", is_by_hand=True)
    assert [one.recipient for one in expand(mail, operator)] == [person]


def test_the_record_tells_what_the_mail_told(operator: Operator, account: MailAccount) -> None:
    make_staff()
    mail = make_mail(account)
    for position, (name, is_inline) in enumerate([("提出表.xlsx", False), ("logo.png", True)]):
        MailAttachment.objects.create(
            mail=mail, position=position, name=name, content_type="x/y", size=5, sha256="0" * 64, is_inline=is_inline
        )
    (record,) = expand(mail, operator)
    assert (record.contacted_at, record.subject, record.body) == (SENT, "シフトの件", "お世話になっております。")
    assert [(one.name, one.is_from_mail) for one in record.files.all()] == [("提出表.xlsx", True)]
    assert AuditEvent.objects.get(action="contact.expanded").changes == {"records": ["", [record.full_number]]}


@pytest.mark.parametrize("sent_at", [None, SENT + timedelta(days=400)], ids=["absent", "in the future"])
def test_without_a_sensible_date_the_arrival_counts(operator: Operator, account: MailAccount, sent_at: Any) -> None:
    mail = make_mail(account, sent_at=sent_at)
    (record,) = expand(mail, operator)
    assert record.contacted_at == mail.fetched_at


def test_who_pressed_the_button_answers_for_it_else_the_accounts_own(operator: Operator, account: MailAccount) -> None:
    presser = make_worker("田中 明", "大阪支社")
    (first,) = expand(make_mail(account), presser)
    (second,) = expand(make_mail(account), None)
    (third,) = expand(make_mail(account, fetched_by=presser), None)
    assert [(one.operator, str(one.department)) for one in (first, second, third)] == [
        (presser, "大阪支社"),
        (operator, "東京本社"),
        (presser, "大阪支社"),
    ]


def test_without_anybody_the_department_is_the_persons_then_the_offices_then_a_new_one() -> None:
    account = make_account()
    (bare,) = expand(make_mail(account, "who@example.net"), None)
    assert (bare.operator, bare.operator_name, str(bare.department)) == (None, "システム", "未設定")
    Department.objects.create(code="500", name="名古屋", sort_order=9)
    make_staff()
    (record,) = expand(make_mail(account), None)
    assert str(record.department) == "東京本社"


def test_an_account_without_the_option_makes_no_records(operator: Operator) -> None:
    account = make_account(to_contact_record=False)
    assert expand(make_mail(account), operator) == []


def several(account: MailAccount, presser: Operator) -> list[ReceivedMail]:
    """From two people, from nobody known, from somebody who was nobody before, and one that is no ordinary mail."""
    make_staff("山田 太郎", "taro@example.jp")
    make_staff("江口 恵", "e@example.jp")
    make_applicant("中村 葵", "aoi@example.jp")
    return [
        make_mail(account, cc=["e@example.jp"]),
        make_mail(account, "who@example.net", fetched_by=presser),
        make_mail(account, "aoi@example.jp", fetched_by=presser),
        make_mail(account, "e@example.jp", kind="bounce"),
        make_mail(account, "e@example.jp", to=["taro@example.jp"], sent_at=None),
    ]


def test_a_batch_of_mails_becomes_the_records_that_each_alone_becomes(operator: Operator, account: MailAccount) -> None:
    presser = make_worker("田中 明", "大阪支社")
    mails = several(account, presser)
    follow(mails)
    together = list(ContactRecord.objects.order_by("number"))
    told = [(one.operator, one.target, len(one.changes["records"][1])) for one in audited()]
    ContactRecord.objects.all().delete()
    Expansion.objects.all().delete()
    apart = [made for mail in mails for made in expand(mail, mail.fetched_by)]

    assert [(*shown(one), one.mail, one.operator, one.contacted_at) for one in together] == [
        (*shown(one), one.mail, one.operator, one.contacted_at) for one in apart
    ]
    assert [str(one.department) for one in together] == [
        "東京本社",
        "東京本社",
        "大阪支社",
        "大阪支社",
        *["東京本社"] * 2,
    ]
    assert [one.number for one in together] == list(range(together[0].number, together[0].number + 6))
    assert [actor for actor, _, _ in told] == [None, presser, presser, None]
    assert [(one.operator, one.target, len(one.changes["records"][1])) for one in audited()[4:]] == told


def audited() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="contact.expanded").order_by("id"))


def test_more_mails_ask_the_database_no_more_questions(
    operator: Operator, account: MailAccount, django_assert_num_queries: Any
) -> None:
    make_staff("山田 太郎", "taro@example.jp")
    expand(make_mail(account), operator)
    few, many = ([make_mail(account, sender) for _ in range(count) for sender in SENDERS] for count in (1, 10))
    with CaptureQueriesContext(connection) as asked:
        assert len(expand_all(few, operator)) == 2
    with django_assert_num_queries(len(asked)):
        assert len(expand_all(many, operator)) == 20


SENDERS = ("taro@example.jp", "who@example.net")
