"""SPEC §0 facts 2 and 3: flags, error counts, opt-outs."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.office.models import Office
from fumibako.apps.office.problems import Refused
from fumibako.apps.office.queries import office
from fumibako.apps.recipients import actions, queries
from fumibako.apps.recipients.models import AddressEvent, OptOut, PartyAddress, Recipient
from fumibako.apps.recipients.rules import exclusion_of
from tests.recipients.people import address_of, make_operator, make_staff

SEND, DO_NOT, CANNOT = PartyAddress.Flag.SEND, PartyAddress.Flag.DO_NOT, PartyAddress.Flag.CANNOT
STAFF, CLIENT, APPLICANT = Recipient.Kind.STAFF, Recipient.Kind.CLIENT, Recipient.Kind.APPLICANT


@pytest.mark.parametrize(
    ("flag", "kind", "allow", "opted_out", "expected"),
    [
        (SEND, STAFF, False, False, ""),
        (SEND, STAFF, True, True, "opt_out"),
        (DO_NOT, STAFF, False, False, "do_not"),
        (DO_NOT, STAFF, True, False, ""),
        (DO_NOT, STAFF, True, True, "opt_out"),
        (DO_NOT, CLIENT, True, False, "do_not"),
        (DO_NOT, APPLICANT, True, False, "do_not"),
        (CANNOT, STAFF, True, False, "cannot"),
        (CANNOT, CLIENT, True, True, "cannot"),
    ],
)
def test_example_07_only_staff_who_want_no_mail_may_be_mailed_by_option_9(
    flag: str, kind: str, allow: bool, opted_out: bool, expected: str
) -> None:
    assert exclusion_of(flag, kind, allow_do_not_send=allow, is_opted_out=opted_out) == expected


@pytest.mark.django_db
def test_example_09_the_third_refusal_turns_the_flag_and_the_cause_is_kept() -> None:
    address = address_of(make_staff())
    for _ in range(2):
        actions.count_refusal(address, cause="refused", code=550, text="5.1.1 User unknown")
    assert (address.error_count, address.flag) == (2, SEND)

    actions.count_refusal(address, cause="refused", code=550, text="5.1.1 User unknown")

    stored = PartyAddress.objects.get(pk=address.pk)
    assert (stored.error_count, stored.flag, address.flag) == (3, CANNOT, CANNOT)
    assert stored.flag_reason == "メールを 3回送れなかったため"
    assert exclusion_of(stored.flag, STAFF, allow_do_not_send=True, is_opted_out=False) == "cannot"
    told = list(AddressEvent.objects.order_by("id").values_list("cause", "error_count", "flag", "code"))
    assert told == [("refused", 1, SEND, 550), ("refused", 2, SEND, 550), ("refused", 3, SEND, 550),
                    ("threshold", 3, CANNOT, 550)]  # fmt: skip
    assert AuditEvent.objects.filter(action="address.threshold_reached").count() == 1


@pytest.mark.django_db
def test_a_threshold_of_0_never_turns_the_flag() -> None:
    Office.objects.filter(pk=office().pk).update(bounce_threshold=0)
    address = address_of(make_staff())
    for _ in range(5):
        actions.count_refusal(address, cause="bounced", code=0, text="")
    assert (address.error_count, address.flag) == (5, SEND)


@pytest.mark.django_db
def test_two_counts_from_stale_copies_both_count() -> None:
    person = make_staff()
    one, other = address_of(person), address_of(person)
    actions.count_refusal(one, cause="refused", code=550, text="")
    actions.count_refusal(other, cause="refused", code=550, text="")
    assert address_of(person).error_count == 2


@pytest.mark.django_db
def test_restoring_asks_a_reason_and_sets_the_count_to_0() -> None:
    operator = make_operator()
    address = address_of(make_staff())
    for _ in range(3):
        actions.count_refusal(address, cause="refused", code=550, text="")
    with pytest.raises(Refused):
        actions.restore_address(operator, address, " ")

    actions.restore_address(operator, address, "本人に電話で確認")

    stored = PartyAddress.objects.get(pk=address.pk)
    assert (stored.flag, stored.error_count, stored.flag_reason) == (SEND, 0, "本人に電話で確認")
    entry = AuditEvent.objects.get(action="address.restored")
    assert entry.reason == "本人に電話で確認"
    assert entry.operator == operator


@pytest.mark.django_db
def test_restoring_brings_back_a_persons_own_wish_for_no_mail() -> None:
    address = address_of(make_staff(flag1="送らない"))
    for _ in range(3):
        actions.count_refusal(address, cause="refused", code=550, text="")
    assert address.flag == CANNOT
    assert actions.restore_address(None, address, "アドレスは生きている").flag == DO_NOT


@pytest.mark.django_db
def test_cannot_by_hand_needs_a_reason_and_do_not_needs_none() -> None:
    address = address_of(make_staff())
    with pytest.raises(Refused) as refused:
        actions.set_flag(None, address, CANNOT)
    assert refused.value.problems[0].text == "「送れない」にする理由を入力してください。"
    assert actions.set_flag(None, address, DO_NOT).flag == DO_NOT
    assert actions.set_flag(None, address, CANNOT, "退職者の社内アドレス").flag == CANNOT
    assert list(AddressEvent.objects.order_by("id").values_list("cause", "flag")) == [
        ("by_hand", DO_NOT),
        ("by_hand", CANNOT),
    ]


@pytest.mark.django_db
def test_opting_out_twice_is_once_and_is_lifted_only_with_a_reason() -> None:
    actions.opt_out("Taro@Example.jp", "link")
    actions.opt_out("taro@example.jp", "mail")
    assert OptOut.objects.count() == 1
    assert queries.opted_out_keys(["taro@example.jp", "hanako@example.jp"]) == {"taro@example.jp"}
    with pytest.raises(Refused):
        actions.lift_opt_out(None, "taro@example.jp", "")
    actions.lift_opt_out(None, "taro@example.jp", "本人の希望")
    assert queries.opted_out_keys(["taro@example.jp"]) == set()
    with pytest.raises(Refused):
        actions.lift_opt_out(None, "taro@example.jp", "もう一度")


@pytest.mark.django_db
def test_ten_thousand_keys_are_asked_for_in_two_queries() -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        queries.opted_out_keys(f"a{number}@example.jp" for number in range(10_000))
    assert len(asked) == 2
