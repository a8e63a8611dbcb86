"""送信: one transaction that re-checks everything and freezes the list and the very bytes."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fumibako.apps.accounts.models import AccountPermission
from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.sending import actions, drafts, ledger
from fumibako.apps.sending.approval import TICKS
from fumibako.apps.sending.build import composer_of
from fumibako.apps.sending.errors import ChangedMeanwhile, NotADraft, Refused
from fumibako.apps.sending.models import BulkSend, Delivery, DeliveryEvent
from fumibako.apps.sending.preview import preview, preview_of
from fumibako.apps.sending.queries import counts_of_job
from fumibako.delivery.states import State
from fumibako.mime.preview import show
from tests.sending.drafting import (
    NOW,
    approve,
    confirm_all,
    fresh,
    make_crowd,
    make_draft,
    make_person,
    office_with,
)
from tests.support.jobs import make_account

pytestmark = pytest.mark.django_db

IDENTITY = re.compile(rb"^(Message-ID|Date):.*\r\n", re.MULTILINE)


def press(draft: BulkSend, **values: Any) -> BulkSend:
    gate: dict[str, Any] = {"version": draft.version, "ticks": TICKS, "start": "immediately", "now": NOW}
    return actions.approve_bulk_send(values.pop("operator", None), draft.pk, **(gate | values))


def refusals(call: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(Refused) as refusal:
        call()
    return {problem.field: problem.id for problem in refusal.value.problems}


def test_every_row_is_frozen_exclusions_with_their_reason() -> None:
    people = [
        make_person("山田 太郎", "a@example.jp", "b@example.jp"),
        make_person("石井 健", "c@example.jp", flag="cannot"),
        make_person("三浦 彩"),
        make_person("大野 修", "A@example.jp"),
    ]
    job = approve(make_draft(people))
    rows = list(job.deliveries.values_list("seq", "party_name", "state", "exclusion"))
    assert rows == [
        (1, "山田 太郎", "planned", ""),
        (2, "山田 太郎", "planned", ""),
        (3, "石井 健", "suppressed", "cannot"),
        (4, "三浦 彩", "suppressed", "no_address"),
        (5, "大野 修", "suppressed", "duplicate"),
    ]
    counts = counts_of_job(job)
    assert (counts.total, counts.waiting, counts.excluded) == (5, 2, 3)
    assert [event.what for event in job.events.order_by("id")][-2:] == ["frozen", "approved"]
    assert AuditEvent.objects.get(action="bulk_send.approved").changes == {"mails": [0, 2], "excluded": [0, 3]}


def test_example_01_above_the_limit_it_is_refused_and_at_the_limit_sent() -> None:
    people = [make_person("山田 太郎", "a1@example.jp", "a2@example.jp"), make_person("石井 健", "b1@example.jp")]
    draft = confirm_all(make_draft(people, make_account(max_per_job=2)))
    assert refusals(lambda: press(draft)) == {"recipients": "B02"}
    assert not Delivery.objects.exists()
    assert approve(make_draft(people, make_account(max_per_job=3))).selected_count == 3


def test_c09_pressing_twice_gives_the_same_job_and_the_same_rows() -> None:
    draft = confirm_all(make_draft([make_person("山田 太郎", "a@example.jp")]))
    first, second = press(draft), press(draft)
    assert first.pk == second.pk
    assert Delivery.objects.count() == 1
    assert AuditEvent.objects.filter(action="bulk_send.approved").count() == 1


def test_c10_a_draft_changed_since_it_was_looked_at_is_not_sent() -> None:
    draft = confirm_all(make_draft([make_person("山田 太郎", "a@example.jp")]))
    tanaka = Operator.objects.create(username="tanaka", display_name="田中 一郎")
    drafts.set_letter(tanaka, fresh(draft), "別の件名", "別の本文")
    with pytest.raises(ChangedMeanwhile) as refusal:
        press(draft)
    assert refusal.value.who == "田中 一郎"
    assert fresh(draft).approved_at is None


def test_c10_an_approved_job_in_another_version_says_who_approved_it() -> None:
    job = approve(make_draft([make_person("山田 太郎", "a@example.jp")]))
    with pytest.raises(NotADraft):
        press(job, version=job.version - 1)


@pytest.mark.django_db(transaction=True)
def test_c10_two_people_who_press_at_once_make_one_job() -> None:
    draft = confirm_all(make_draft([make_person("山田 太郎", "a@example.jp")]))
    jobs: list[int] = []

    def press_once() -> None:
        try:
            jobs.append(press(draft).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=press_once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert jobs == [draft.pk] * 4
    assert Delivery.objects.count() == 1


def test_h06_from_a_hundred_mails_the_number_is_typed() -> None:
    draft = make_draft()
    drafts.add_people(None, draft, "", make_crowd(100))
    draft = confirm_all(draft)
    assert refusals(lambda: press(draft)) == {"typed_number": "V01"}
    assert refusals(lambda: press(draft, typed_number="1000")) == {"typed_number": "B05"}
    assert refusals(lambda: press(draft, typed_number="百")) == {"typed_number": "B05"}
    assert press(draft, typed_number=" １００通 ").selected_count == 100


def test_the_number_may_have_commas_and_is_not_asked_below_the_threshold() -> None:
    office_with(typed_number_from=1000)
    draft = make_draft()
    drafts.add_people(None, draft, "", make_crowd(1001))
    draft = confirm_all(draft)
    assert press(draft, typed_number="１，００１").selected_count == 1001
    office_with(typed_number_from=3)
    assert approve(make_draft([make_person("山田 太郎", "x@example.jp")])).selected_count == 1


def test_every_tick_is_asked_for() -> None:
    draft = confirm_all(make_draft([make_person("山田 太郎", "a@example.jp")]))
    assert refusals(lambda: press(draft, ticks=())) == {f"tick_{name}": "V02" for name in TICKS}


def test_what_wants_confirmation_is_named_and_an_old_confirmation_does_not_count() -> None:
    draft = make_draft([make_person("山田 太郎", "a@example.jp")])
    assert refusals(lambda: press(draft)) == {"findings": "C20"}
    draft = confirm_all(draft)
    drafts.set_letter(None, draft, "別の件名", "別の本文")
    assert refusals(lambda: press(fresh(draft))) == {"findings": "C20"}


def test_b03_inside_the_warning_hours_the_answer_is_yes_or_nothing_is_sent() -> None:
    account = make_account(warn_from=time(9), warn_to=time(11))
    draft = confirm_all(make_draft([make_person("山田 太郎", "a@example.jp")], account))
    assert refusals(lambda: press(draft)) == {"accept_warning_hours": "B03"}
    assert press(draft, accept_warning_hours=True).approved_at == NOW


def test_an_operator_without_permission_cannot_send() -> None:
    clerk = Operator.objects.create(username="tanaka", display_name="田中 一郎")
    account = make_account()
    draft = confirm_all(make_draft([make_person("山田 太郎", "a@example.jp")], account))
    assert refusals(lambda: press(draft, operator=clerk)) == {"account": "N01"}
    AccountPermission.objects.create(account=account, operator=clerk, may_send=True)
    assert press(draft, operator=clerk).approved_by_name == "田中 一郎"


@pytest.mark.parametrize(
    ("start", "count", "seconds"),
    [("hold", 10, 300), ("hold", 9, 30), ("now", 10, 30), ("immediately", 10, 0)],
)
def test_the_start_waits_as_long_as_was_chosen(start: str, count: int, seconds: int) -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(count)]
    job = approve(make_draft(people, make_account(hold_minutes=5)), start=start)
    assert job.release_at == NOW + timedelta(seconds=seconds)


def test_an_office_without_hold_time_starts_at_once() -> None:
    office_with(hold_minutes=0)
    job = approve(make_draft([make_person("山田 太郎", "a@example.jp")], make_account(hold_minutes=0)), start="now")
    assert job.release_at == NOW


def test_a_reserved_mail_is_dated_to_its_start_and_a_past_reservation_is_refused() -> None:
    tomorrow = NOW + timedelta(days=1)
    draft = make_draft([make_person("山田 太郎", "a@example.jp")], body="{{本日}}のお知らせ")
    job = approve(draft, start=tomorrow)
    row = job.deliveries.get()
    assert row.dated_at == tomorrow
    assert row.values == {"本日": "2026年11月25日"}
    other = confirm_all(make_draft([make_person("石井 健", "b@example.jp")]))
    assert refusals(lambda: press(other, start=NOW - timedelta(hours=1))) == {"start_at": ""}


def test_a_job_tries_for_a_day_after_its_planned_end_unless_somebody_says_otherwise() -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(3)]
    account = make_account(batch_size=1, sleep_seconds=1800)
    job = approve(make_draft(people, account))
    assert job.deadline_at is not None
    assert timedelta(hours=25) < job.deadline_at - NOW < timedelta(hours=25, minutes=1)
    draft = confirm_all(make_draft([make_person("石井 健", "z@example.jp")]))
    assert refusals(lambda: press(draft, deadline_at=NOW)).get("deadline_at") == ""


def test_the_frozen_bytes_are_rebuilt_from_sheet_and_row_whatever_changes_around_them() -> None:
    account = make_account(signature="見本スタッフ\nTEL 03-0000-0000", allow_attachments=True)
    person = make_person("山田 太郎", "a@example.jp")
    draft = make_draft([person], account, body="{{氏名}} 様\n添付をご覧ください。")
    drafts.attach(None, draft, "案内.pdf", "application/pdf", b"%PDF-1")
    job = approve(draft)
    Recipient.objects.filter(pk=person.pk).update(family_name="変更")
    account.signature = "変更"
    account.from_name = "変更"
    account.save()
    row = Delivery.objects.get(job=job)
    raw = composer_of(fresh(job)).compose(row).raw
    assert hashlib.sha256(raw).hexdigest() == row.raw_sha256
    assert len(raw) == row.size
    shown = show(raw)
    assert shown.text == "山田 太郎 様\n添付をご覧ください。\n\n見本スタッフ\nTEL 03-0000-0000\n"
    assert [file.name for file in shown.attachments] == ["案内.pdf"]


def test_the_preview_is_the_sent_mail_but_for_its_date() -> None:
    people = [make_person("山田 太郎", "a@example.jp"), make_person("石井 健", "b@example.jp")]
    draft = make_draft(people)
    address = PartyAddress.objects.get(recipient=people[1])
    shown = preview(draft, address.pk, now=NOW - timedelta(hours=1))
    assert (shown.position, shown.mail_count, shown.name) == (2, 2, "石井 健")
    sent = preview_of(approve(draft).deliveries.get(seq=2))
    assert IDENTITY.sub(b"", shown.raw) == IDENTITY.sub(b"", sent.raw)
    assert shown.shown.message_id == sent.shown.message_id


def test_marks_show_where_the_values_stand() -> None:
    shown = preview(make_draft([make_person("山田 太郎", "a@example.jp")], subject="{{姓}}様へ"), now=NOW)
    by_place = {mark.where: mark for mark in shown.marks}
    subject, text = by_place["subject"], by_place["text"]
    assert shown.shown.subject[subject.start : subject.end] == "山田"
    assert shown.shown.text[text.start : text.end] == "山田 太郎"


def test_example_18_option_7_decides_whether_the_name_goes_into_to() -> None:
    person = make_person("株式会社, 山田", "a@example.jp")
    bare = preview(make_draft([person], make_account(include_recipient_name=False)), now=NOW)
    assert b"\r\nTo: a@example.jp\r\n" in bare.raw
    named = preview(make_draft([person], make_account(include_recipient_name=True)), now=NOW)
    ((name, address),) = [(box.name, box.address) for box in named.shown.to]
    assert (name, address) == ("株式会社, 山田", "a@example.jp")


def test_message_ids_carry_the_job_the_row_and_a_token_nobody_can_guess() -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(3)]
    jobs = [approve(make_draft(people)), approve(make_draft(people))]
    ids = [row.message_id for job in jobs for row in job.deliveries.all()]
    assert len(set(ids)) == 6
    assert all(re.fullmatch(r"fb\.\d+\.\d+\.[0-9a-f]{24}@example\.jp", message_id) for message_id in ids)


def test_a_resend_points_to_what_it_repeats() -> None:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(3)]
    job = approve(make_draft(people))
    Delivery.objects.filter(job=job).update(state=State.SENT)
    Delivery.objects.filter(job=job, seq=2).update(state=State.FAILED)
    again = approve(actions.resend_failed(None, job))
    row = again.deliveries.get()
    assert row.previous == job.deliveries.get(seq=2)
    assert row.message_id != row.previous.message_id


def test_a_refused_approval_changes_nothing() -> None:
    draft = make_draft([make_person("山田 太郎", "a@example.jp")])
    before = fresh(draft)
    events = DeliveryEvent.objects.count(), draft.events.count(), AuditEvent.objects.count()
    refusals(lambda: press(draft, ticks=()))
    after = fresh(draft)
    assert (after.approved_at, after.release_at, after.sheet, after.version) == (None, None, {}, before.version)
    assert (DeliveryEvent.objects.count(), draft.events.count(), AuditEvent.objects.count()) == events
    assert not Delivery.objects.exists()


def test_what_is_frozen_can_be_released_and_rebuilt_from_its_events() -> None:
    job = approve(make_draft([make_person("山田 太郎", "a@example.jp"), make_person("石井 健")]))
    assert ledger.release_due(NOW) == 1
    assert sorted(job.deliveries.values_list("state", flat=True)) == ["queued", "suppressed"]
    for row in job.deliveries.all():
        assert ledger.rebuild(row).state == row.state


PEOPLE = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["send", "do_not", "cannot"]), st.booleans()), min_size=1, max_size=50
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE, order=st.randoms(use_true_random=False))
def test_h01_each_mail_contains_only_its_own_marker(people: list[tuple[bool, str, bool]], order: Any) -> None:
    made = [
        make_person(
            f"M{n:03}x 花子",
            *[f"m{Recipient.objects.count()}@example.jp"] * has_address,
            flag=flag,
            kana=f"カ{n:03}x" if has_kana else "",
        )
        for n, (has_address, flag, has_kana) in enumerate(people)
    ]
    order.shuffle(made)
    draft = make_draft(
        made, subject="{{氏名}}様へ", body="{{カナ|default: 氏名}} {{氏名}} {{メールアドレス}} {{スタッフNO}}"
    )
    if not any(has_address and flag == "send" for has_address, flag, _ in people):
        return
    job = approve(draft)
    composer = composer_of(job)
    names = {person.pk: person.family_name for person in made}
    for row in job.deliveries.filter(state=State.PLANNED):
        shown = show(composer.compose(row).raw)
        everything = f"{shown.subject}\n{shown.text}\n{shown.to}"
        own = names[row.recipient_id or 0]
        assert own in everything
        assert row.party_number in everything
        assert set(re.findall(r"M\d{3}x", everything)) == {own}
        assert len(shown.to) == 1
        assert shown.cc == ()


def test_h01_in_a_job_of_a_thousand_nobody_finds_anybody_else() -> None:
    office_with(typed_number_from=10_000)
    draft = make_draft(body="{{氏名}} {{スタッフNO}} {{メールアドレス}}")
    drafts.add_people(
        None, draft, "", sorted(make_crowd(1000), key=lambda pk: hashlib.sha256(str(pk).encode()).digest())
    )
    job = approve(draft)
    Recipient.objects.update(given_name="後から変えた名前")
    composer = composer_of(job)
    for row in job.deliveries.all():
        text = show(composer.compose(row).raw).text.strip()
        assert text == f"{row.party_name} {row.party_number} p{row.party_number}@example.com"


def test_h05_no_mail_has_more_than_one_person_in_it() -> None:
    account = make_account(cc="boss@example.jp", bcc="log@example.jp")
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(20)]
    job = approve(make_draft(people, account))
    composer = composer_of(job)
    assert composer.copies == ("boss@example.jp", "log@example.jp")
    for row in job.deliveries.all():
        raw = composer.compose(row).raw
        shown = show(raw)
        assert [box.address for box in shown.to] == [row.address]
        assert [box.address for box in shown.cc] == ["boss@example.jp"]
        assert b"log@example.jp" not in raw
