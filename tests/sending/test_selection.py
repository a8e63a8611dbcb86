"""Who gets a mail: every row judged for the account and the flags of the moment."""

from __future__ import annotations

import random
from itertools import product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fumibako.apps.recipients.actions import opt_out
from fumibako.apps.recipients.models import PartyAddress
from fumibako.apps.sending import drafts, selection
from fumibako.apps.sending.models import BulkSend
from tests.sending.drafting import fresh, make_draft, make_person
from tests.support.jobs import make_account

pytestmark = pytest.mark.django_db


def reasons(draft: BulkSend) -> list[str]:
    return [judged.reason for judged in selection.judged_rows(fresh(draft))]


def test_example_01_two_ticked_addresses_are_two_mails_to_one_person() -> None:
    a = make_person("山田 太郎", "a1@example.jp", "a2@example.jp")
    b = make_person("石井 健", "b1@example.jp")
    draft = make_draft([a, b], make_account(max_per_job=2))
    counts = selection.counts_of(draft)
    assert (counts.mail_count, counts.person_count, counts.two_mail_person_count) == (3, 2, 1)
    assert counts.is_over_limit
    draft.account = make_account(max_per_job=3)
    assert not selection.counts_of(draft).is_over_limit


def test_example_07_do_not_send_is_grey_without_option_9_and_tickable_with_it() -> None:
    person = make_person("山田 太郎", "a@example.jp", flag="do_not")
    draft = make_draft([person])
    address = PartyAddress.objects.get(recipient=person)
    (judged,) = selection.judged_rows(draft)
    assert (judged.reason, judged.is_tickable, judged.candidate.is_ticked) == ("do_not", False, False)

    drafts.set_sender(None, draft, make_account(allow_do_not_send=True), "business")
    (judged,) = selection.judged_rows(fresh(draft))
    assert (judged.reason, judged.is_tickable) == ("do_not", True)
    assert selection.counts_of(fresh(draft)).mail_count == 0

    drafts.tick(None, draft, address.pk, True)
    counts = selection.counts_of(fresh(draft))
    assert (counts.mail_count, counts.lifted_count) == (1, 1)


@pytest.mark.parametrize(("kind", "flag"), [("staff", "cannot"), ("client", "do_not"), ("applicant", "do_not")])
def test_example_07_option_9_lifts_neither_cannot_nor_other_kinds(kind: str, flag: str) -> None:
    person = make_person("山田 太郎", "a@example.jp", kind=kind, flag=flag)
    draft = make_draft([person], make_account(allow_do_not_send=True))
    drafts.tick(None, draft, PartyAddress.objects.get(recipient=person).pk, True)
    (judged,) = selection.judged_rows(fresh(draft))
    assert judged.reason == flag
    assert not judged.is_tickable


def test_an_opt_out_wins_over_option_9() -> None:
    person = make_person("山田 太郎", "a@example.jp")
    draft = make_draft([person], make_account(allow_do_not_send=True))
    opt_out("A@example.jp", "by_hand")
    assert reasons(draft) == ["opt_out"]


def test_example_08_an_address_outside_the_rfc_follows_option_8() -> None:
    people = [make_person("山田 太郎", "abc..d@docomo.ne.jp"), make_person("石井 健", "a.b@docomo.ne.jp")]
    draft = make_draft(people)
    assert [judged.wire for judged in selection.judged_rows(draft)] == ['"abc..d"@docomo.ne.jp', "a.b@docomo.ne.jp"]
    drafts.set_sender(None, draft, make_account(allow_non_rfc=False), "business")
    assert reasons(draft) == ["bad_address", ""]


def test_h04_of_equal_addresses_the_first_in_the_list_gets_the_mail() -> None:
    people = [
        make_person("山田 太郎", "family@example.jp", "FAMILY@example.jp"),
        make_person("山田 花子", "family@example.jp"),
    ]
    draft = make_draft(people)
    assert reasons(draft) == ["", "duplicate", "duplicate"]
    drafts.tick(None, draft, PartyAddress.objects.get(recipient=people[0], slot=1).pk, False)
    assert reasons(draft) == ["unticked", "", "duplicate"]


SPELLINGS = (
    *("a@example.jp", "A@example.jp", "b@example.jp", "c@example.jp", "d@example.jp"),
    *('"e."@docomo.ne.jp', "e.@docomo.ne.jp"),
)
"""With option ⑧ off the second spelling of the last address gets no mail, and the first one does."""


@pytest.mark.parametrize("seed", range(5))
def test_h04_the_first_gets_the_mail_however_few_addresses_are_remembered(seed: int) -> None:
    chance = random.Random(seed)
    flags = ("send", "send", "send", "do_not", "cannot")
    people = [
        make_person(f"見本{n} 花子", *chance.choices(SPELLINGS, k=chance.randrange(3)), flag=chance.choice(flags))
        for n in range(40)
    ]
    draft = make_draft(people, make_account(allow_non_rfc=False))
    for address in PartyAddress.objects.all():
        drafts.tick(None, draft, address.pk, chance.random() < 0.8)
    opt_out("D@example.jp", "by_hand")
    at_once = selection.judged_rows(fresh(draft))
    mailed = [judged.candidate.address_key for judged in at_once if judged.will_be_sent]
    assert len(mailed) == len(set(mailed)) > 0
    assert any(judged.reason == "duplicate" for judged in at_once)
    for rows, in_hand in product((1, 2, 3, 7), (0, 1, 3)):
        assert list(selection.JudgedRows(fresh(draft), rows, in_hand)) == at_once


def test_counting_may_end_when_enough_mails_were_seen() -> None:
    draft = make_draft([make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(5)])
    assert selection.counts_of(draft, up_to=3).mail_count == 3
    assert selection.counts_of(draft, up_to=9) == selection.counts_of(draft)


def test_a_person_without_an_address_stays_visible_as_excluded() -> None:
    draft = make_draft([make_person("山田 太郎")])
    counts = selection.counts_of(draft)
    assert (counts.mail_count, counts.excluded_by_reason) == (0, {"no_address": 1})
    assert selection.rows_of(draft).rows[0].name == "山田 太郎"


def test_another_account_judges_every_row_anew() -> None:
    people = [make_person("山田 太郎", "a@example.jp", flag="do_not"), make_person("石井 健", ".b@example.jp")]
    draft = make_draft(people, make_account(allow_do_not_send=True))
    drafts.tick(None, draft, PartyAddress.objects.get(recipient=people[0]).pk, True)
    assert reasons(draft) == ["", ""]
    drafts.set_sender(None, draft, make_account(allow_non_rfc=False), "business")
    assert reasons(draft) == ["do_not", "bad_address"]


def test_pages_hold_whole_people_and_a_reason_finds_them() -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp", f"q{n}@example.jp") for n in range(60)]
    draft = make_draft(people)
    drafts.tick(None, draft, PartyAddress.objects.get(recipient=people[59], slot=2).pk, False)
    first = selection.rows_of(draft, 1)
    assert (len(first.rows), first.page_count, first.person_count) == (50, 2, 60)
    assert all(len(row.addresses) == 2 for row in first.rows)
    assert [row.name for row in selection.rows_of(draft, 1, reason="unticked").rows] == ["見本59 花子"]
    assert selection.rows_of(draft, 99).page == 2


def test_the_number_of_queries_does_not_grow_with_the_list() -> None:
    few, many = (
        make_draft([make_person(f"見本{base + n} 花子", f"p{base + n}@example.jp") for n in range(count)])
        for base, count in ((0, 3), (1000, 120))
    )
    spent = []
    for draft in (few, many):
        with CaptureQueriesContext(connection) as queries:
            selection.counts_of(draft)
        spent.append(len(queries))
    assert spent[0] == spent[1] <= 3
