"""What can be done with an approved job: take back, start, pause, resume, stop, resend, settle, test, allow again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import PartyAddress
from fumibako.apps.sending import actions, drafts, ledger, selection
from fumibako.apps.sending.build import composer_of
from fumibako.apps.sending.errors import NotNow, Refused
from fumibako.apps.sending.models import BulkSend, Delivery, DeliveryEvent, Pace
from fumibako.apps.sending.queries import counts_of_job, lines
from fumibako.delivery.states import State
from fumibako.mime.preview import show
from tests.sending.drafting import NOW, approve, fresh, make_draft, make_person
from tests.support.jobs import make_account, put_into, states_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def sato() -> Operator:
    return Operator.objects.create(username="sato", display_name="佐藤 美咲", is_administrator=True)


def make_approved(count: int = 3, **values: Any) -> BulkSend:
    people = [make_person(f"見本{n} 花子", f"p{n}@example.jp") for n in range(count)]
    return approve(make_draft(people, values.pop("account", None)), **values)


def state_of(job: BulkSend) -> str:
    (line,) = lines([fresh(job)], NOW)
    return line.state


def test_taking_back_keeps_the_frozen_rows_as_cancelled_and_gives_everything_to_a_new_draft(sato: Operator) -> None:
    people = [make_person("山田 太郎", "a@example.jp"), make_person("石井 健", "b@example.jp")]
    draft = make_draft(people, make_account(allow_attachments=True), body="{{氏名}}様\n添付をご覧ください。")
    drafts.attach(None, draft, "案内.pdf", "application/pdf", b"%PDF")
    drafts.remove_person(None, draft, people[1].pk)
    job = approve(draft, start=NOW + timedelta(hours=1))
    again = actions.withdraw(sato, job)
    assert states_of(job) == {"cancelled": 1}
    assert state_of(job) == "withdrawn"
    assert counts_of_job(fresh(job)).total == 1
    assert (again.number, again.subject, again.body) == (job.number + 1, draft.subject, draft.body)
    assert [row.name for row in selection.rows_of(fresh(again)).rows] == ["山田 太郎"]
    assert selection.removed_people(again) == [people[1]]
    assert again.attachments.get().name == "案内.pdf"
    assert approve(again).deliveries.get().message_id != job.deliveries.get().message_id


def test_taking_back_is_over_once_sending_has_begun() -> None:
    job = make_approved()
    ledger.release_due(NOW)
    with pytest.raises(NotNow, match="送信が始まっているため"):
        actions.withdraw(None, job)
    with pytest.raises(NotNow):
        actions.withdraw(None, make_draft())


def test_taking_back_twice_makes_one_draft() -> None:
    job = make_approved(start=NOW + timedelta(hours=1))
    actions.withdraw(None, job)
    with pytest.raises(NotNow):
        actions.withdraw(None, job)
    assert BulkSend.objects.count() == 2


def test_starting_now_ends_the_hold_time_only() -> None:
    job = make_approved(count=10, start="hold")
    assert job.release_at == NOW + timedelta(minutes=5)
    assert actions.start_now(None, job, now=NOW + timedelta(minutes=1)).release_at == NOW + timedelta(minutes=1)
    reserved = make_approved(start=NOW + timedelta(days=1))
    with pytest.raises(NotNow, match="予約した送信"):
        actions.start_now(None, reserved, now=NOW)
    assert fresh(reserved).release_at == NOW + timedelta(days=1)


def test_c12_pause_resume_and_cancel_are_decided_once_and_noted(sato: Operator) -> None:
    job = make_approved()
    ledger.release_due(NOW)
    actions.pause(sato, job, now=NOW)
    actions.pause(None, job, now=NOW)
    assert fresh(job).paused_by_name == "佐藤 美咲"
    assert state_of(job) == "paused"
    actions.resume(sato, job, now=NOW)
    assert state_of(job) == "sending"
    with pytest.raises(NotNow, match="再開できません"):
        actions.resume(sato, job)
    put_into(job.deliveries.get(seq=1), State.SENT)
    put_into(job.deliveries.get(seq=2), State.HANDING_OVER, owner="w1")
    actions.cancel(sato, job, now=NOW)
    actions.cancel(sato, job, now=NOW)
    assert states_of(job) == {"sent": 1, "handing_over": 1, "cancelled": 1}
    done = list(AuditEvent.objects.filter(action__startswith="bulk_send.").order_by("id"))
    assert [event.action.partition(".")[2] for event in done if event.operator == sato] == [
        "paused",
        "resumed",
        "cancelled",
    ]


@pytest.mark.parametrize("verb", [actions.pause, actions.cancel])
def test_a_draft_and_a_finished_job_cannot_be_paused_or_stopped(verb: Callable[..., object]) -> None:
    finished = make_approved()
    BulkSend.objects.filter(pk=finished.pk).update(finished_at=NOW)
    for job in (make_draft(), finished):
        with pytest.raises(NotNow):
            verb(None, job)


def test_t04_a_missed_reservation_starts_when_somebody_says_so() -> None:
    job = make_approved(start=NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=6)
    assert ledger.release_due(later) == 0
    assert fresh(job).pause_cause == "missed_schedule"
    actions.resume(None, job, now=later)
    assert ledger.release_due(later) == 1


def test_a_job_paused_over_the_weekend_goes_on_unless_a_person_set_a_deadline() -> None:
    monday = NOW + timedelta(days=3)
    usual = make_approved(2)
    wished = make_approved(2, deadline_at=NOW + timedelta(hours=5))
    ledger.release_due(NOW)
    for job in (usual, wished):
        actions.pause(None, job, now=NOW)
    assert ledger.expire_due(monday) == 0
    for job in (usual, wished):
        actions.resume(None, job, now=monday)
    assert ledger.expire_due(monday) == 2
    assert (states_of(usual), states_of(wished)) == ({"queued": 2}, {"expired": 2})


def test_only_failed_rows_are_sent_again_and_only_to_the_failed_address() -> None:
    people = [make_person("山田 太郎", "a1@example.jp", "a2@example.jp"), make_person("石井 健", "b@example.jp")]
    job = approve(make_draft(people))
    for seq, state in ((1, State.SENT), (2, State.FAILED), (3, State.UNKNOWN)):
        put_into(job.deliveries.get(seq=seq), state)
    draft = actions.resend_failed(None, job)
    assert draft.resend_of == job
    assert [judged.wire for judged in selection.judged_rows(draft) if judged.will_be_sent] == ["a2@example.jp"]
    assert (draft.subject, draft.body) == (job.subject, job.body)


def test_a_corrected_address_is_used_when_sending_again() -> None:
    job = make_approved(1)
    put_into(job.deliveries.get(), State.FAILED)
    PartyAddress.objects.update(address="right@example.jp", address_key="right@example.jp")
    (judged,) = selection.judged_rows(actions.resend_failed(None, job))
    assert judged.wire == "right@example.jp"


def test_what_was_sent_again_is_not_offered_again() -> None:
    job = make_approved(2)
    Delivery.objects.filter(job=job).update(state=State.FAILED)
    first = job.deliveries.get(seq=1)
    again = approve(actions.resend_failed(None, job, [first.pk]))
    assert [row.seq for row in actions.repeatable_deliveries(job)] == [2]
    put_into(again.deliveries.get(), State.FAILED)
    assert [row.seq for row in actions.repeatable_deliveries(job)] == [1, 2]
    Delivery.objects.filter(job=job).update(state=State.SENT)
    with pytest.raises(NotNow, match="送り直せる"):
        actions.resend_failed(None, job)


def test_a_resend_takes_the_files_along_and_a_double_click_makes_one_draft() -> None:
    draft = make_draft(
        [make_person("山田 太郎", "a@example.jp")], make_account(allow_attachments=True), body="添付です"
    )
    drafts.attach(None, draft, "案内.pdf", "application/pdf", b"%PDF")
    job = approve(draft)
    put_into(job.deliveries.get(), State.FAILED)
    key = draft.idempotency_key.__class__(int=7)
    again = actions.resend_failed(None, job, idempotency_key=key)
    assert actions.resend_failed(None, job, idempotency_key=key).pk == again.pk
    assert again.attachments.get().name == "案内.pdf"


@pytest.mark.parametrize(
    ("decision", "state", "resends"), [("sent", "sent", 0), ("give_up", "closed", 0), ("resend", "queued", 1)]
)
def test_an_unknown_result_is_settled_by_a_named_person_with_a_reason(
    sato: Operator, decision: Any, state: str, resends: int
) -> None:
    job = make_approved(1)
    ledger.release_due(NOW)
    put_into(job.deliveries.get(), State.UNKNOWN)
    row = actions.settle(sato, job.deliveries.get().pk, decision, "電話で確認しました", now=NOW)
    assert (row.state, row.resend_count) == (state, resends)
    event = DeliveryEvent.objects.filter(delivery=row).latest("id")
    assert (event.actor_name, event.reason) == ("佐藤 美咲", "電話で確認しました")
    assert AuditEvent.objects.get(action="delivery.settled").reason == "電話で確認しました"
    assert counts_of_job(fresh(job)).total == 1


def test_settling_needs_a_reason_and_an_unknown_result(sato: Operator) -> None:
    row = make_approved(1).deliveries.get()
    with pytest.raises(Refused, match="理由を入力"):
        actions.settle(sato, row.pk, "sent", "  ")
    with pytest.raises(NotNow, match="結果不明ではない"):
        actions.settle(sato, row.pk, "sent", "理由")
    assert not AuditEvent.objects.filter(action="delivery.settled").exists()


def test_a_test_mail_has_somebodys_data_no_copies_and_counts_nowhere() -> None:
    account = make_account(cc="boss@example.jp", bcc="log@example.jp", charset="iso-2022-jp")
    people = [make_person("山田 太郎", "a@example.jp"), make_person("石井 健", "b@example.jp")]
    draft = make_draft(people, account, subject="{{姓}}様へ")
    chosen = PartyAddress.objects.get(recipient=people[1])
    test = actions.send_test(None, draft, "ｍｅ@example.jp", chosen.pk, now=NOW)
    row = test.deliveries.get()
    composer = composer_of(test)
    shown = show(composer.compose(row).raw)
    assert (shown.subject, shown.to[0].address) == ("【テスト】石井様へ", "me@example.jp")
    assert shown.text.startswith("石井 健 様")
    assert (shown.cc, composer.copies, row.wire_address) == ((), (), "me@example.jp")
    assert (test.origin, test.selected_count, row.recipient) == ("test", 1, None)
    assert ledger.release_due(NOW) == 1
    assert fresh(draft).tested_version == draft.version
    assert selection.counts_of(fresh(draft)).mail_count == 2


def test_a_test_mail_to_no_address_or_of_an_empty_draft_is_refused() -> None:
    draft = make_draft([make_person("山田 太郎", "a@example.jp")])
    with pytest.raises(Refused, match="の形で入力"):
        actions.send_test(None, draft, "自分")
    with pytest.raises(Refused, match="宛先がありません"):
        actions.send_test(None, make_draft(), "me@example.jp")
    assert BulkSend.objects.filter(origin="test").count() == 0


def test_an_account_that_stopped_may_try_again_with_an_audit_entry(sato: Operator) -> None:
    account = make_account()
    Pace.objects.create(account=account, stopped_at=NOW, stop_kind="login_refused", trouble_count=3)
    actions.allow_account_again(sato, account)
    pace = Pace.objects.get()
    assert (pace.stopped_at, pace.stop_kind, pace.trouble_count) == (None, "", 0)
    assert AuditEvent.objects.get(action="account.allowed_again").changes == {"stop": ["login_refused", ""]}
