"""Finding people and filling letters: the right ones, in few queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fumibako.apps.recipients import actions, queries
from fumibako.apps.recipients.companies import save_client
from fumibako.apps.recipients.models import Recipient
from fumibako.apps.recipients.samples import make_samples
from fumibako.letters.fields import fields_for
from tests.recipients.people import address_of, make_applicant, make_staff

STAFF, CLIENT, APPLICANT = Recipient.Kind.STAFF, Recipient.Kind.CLIENT, Recipient.Kind.APPLICANT
OF_THE_JOB = {"メールアドレス", "本日", "送信者名", "担当者名"}
pytestmark = pytest.mark.django_db


@contextmanager
def at_most(count: int) -> Iterator[None]:
    with CaptureQueriesContext(connection) as asked:
        yield
    assert len(asked) <= count, [query["sql"][:200] for query in asked.captured_queries]


def names(kind: str, **conditions: str) -> list[str]:
    return [person.name for person in queries.find(kind, conditions)]


@pytest.fixture
def _four_staff() -> None:
    make_staff("山田 太郎", "taro@example.jp", kana="ヤマダ タロウ", employment="就業中", tags="夜勤可")
    make_staff("髙橋 直子", "naoko@example.jp", kana="タカハシ ナオコ", flag1="送らない")
    make_staff("森 花", "", kana="モリ ハナ")
    hidden = make_staff("林 健", "ken@example.jp", kana="ハヤシ ケン")
    actions.save_person(None, STAFF, {"is_hidden": "1"}, recipient_id=hidden.pk, version=1)


@pytest.mark.usefixtures("_four_staff")
@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, ["山田 太郎", "髙橋 直子", "森 花"]),
        ({"name_kana": "やまだ"}, ["山田 太郎"]),
        ({"name_kana": "ﾀｶﾊｼ"}, ["髙橋 直子"]),
        ({"name_kana": "山田　太郎"}, ["山田 太郎"]),
        ({"name_kana": "山田 直子"}, []),
        ({"number": "0002"}, ["髙橋 直子"]),
        ({"department": "100", "employment": "working"}, ["山田 太郎"]),
        ({"mail_state": "send"}, ["山田 太郎"]),
        ({"mail_state": "do_not"}, ["髙橋 直子"]),
        ({"mail_state": "none"}, ["森 花"]),
        ({"tag": "夜勤"}, ["山田 太郎"]),
        ({"address": "naoko@"}, ["髙橋 直子"]),
        ({"hidden": "1"}, ["林 健"]),
        ({"sort": "-kana"}, ["山田 太郎", "森 花", "髙橋 直子"]),
        ({"error_count_min": "x", "unknown": "1"}, ["山田 太郎", "髙橋 直子", "森 花"]),
    ],
)
def test_a_search_finds_who_meets_every_condition(conditions: dict[str, str], expected: list[str]) -> None:
    assert names(STAFF, **conditions) == expected


@pytest.mark.usefixtures("_four_staff")
def test_errors_and_opt_outs_are_found_and_opted_out_is_not_mailable() -> None:
    taro = Recipient.objects.get(family_name="山田")
    actions.count_refusal(address_of(taro), cause="refused", code=550, text="")
    assert names(STAFF, error_count_min="1") == ["山田 太郎"]
    actions.opt_out("TARO@example.jp", "link")
    assert names(STAFF, mail_state="opt_out") == ["山田 太郎"]
    assert names(STAFF, mail_state="send") == []


def test_clients_are_found_by_company_and_by_their_number() -> None:
    save_client(None, {"company_name": "青葉製作所", "client_number": "12"}, [{"name": "山田 太郎"}, {"name": "森 花"}])
    save_client(None, {"company_name": "北斗物流", "company_kana": "ほくと"}, [{"name": "林 健"}])
    assert names(CLIENT, name_kana="青葉") == ["山田 太郎", "森 花"]
    assert names(CLIENT, name_kana="ホクト") == ["林 健"]
    assert names(CLIENT, client="12") == ["山田 太郎", "森 花"]
    assert names(CLIENT, client="000012-001") == []


def test_each_kind_has_all_its_merge_fields_and_no_others() -> None:
    staff = make_staff(kana="ヤマダ タロウ", employment="就業中")
    applicant = make_applicant(
        applied_on="2026/3/5", interview_at="2026/4/3 14:00", interview_place="東京", status="面接"
    )
    client = save_client(None, {"company_name": "青葉"}, [{"name": "森 花", "section": "総務部", "title": "課長"}])
    contact = Recipient.objects.get(client_contact__client=client)

    values = queries.merge_values([staff.pk, applicant.pk, contact.pk])

    assert values[staff.pk] == {
        "氏名": "山田 太郎", "姓": "山田", "名": "太郎", "カナ": "ヤマダ タロウ",
        "スタッフNO": "000001", "所属部門": "東京本社", "就業ステータス": "就業中",
    }  # fmt: skip
    assert values[applicant.pk] == {
        "氏名": "中村 葵", "姓": "中村", "名": "葵", "カナ": "", "応募者NO": "A0001", "応募日": "2026年3月5日",
        "面接日時": "2026年4月3日 14:00", "面接会場": "東京", "採用ステータス": "面接",
    }  # fmt: skip
    assert values[contact.pk] == {
        "氏名": "森 花", "姓": "森", "名": "花", "カナ": "",
        "得意先NO": "000001-000", "得意先名": "青葉", "部署": "総務部", "役職": "課長",
    }  # fmt: skip
    for person in (staff, applicant, contact):
        assert set(values[person.pk]) == fields_for([person.kind]) - OF_THE_JOB


def test_letters_and_lists_of_thousands_need_few_queries() -> None:
    make_samples(staff=5_000, clients=10, applicants=10)
    ids = list(Recipient.objects.values_list("pk", flat=True))
    with at_most(2):
        assert len(queries.merge_values(ids)) == len(ids) == 5_025
    for kind in (STAFF, CLIENT, APPLICANT):
        with at_most(2):
            page = list(queries.with_particulars(queries.find(kind, {"mail_state": "send", "name_kana": "ア"}))[:200])
            shown = [(person.name, [row.address for row in person.addresses.all()]) for person in page]
        assert shown
