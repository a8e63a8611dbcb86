"""Every move of the ledger is fenced, written down, and can be rebuilt."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.actions import opt_out, set_flag
from fumibako.apps.recipients.models import PartyAddress
from fumibako.apps.sending import ledger
from fumibako.apps.sending.ledger import moves
from fumibako.apps.sending.models import BulkSend, Delivery, DeliveryEvent, JobEvent, Pace
from fumibako.delivery.decision import Standing, decide, decide_session
from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.delivery.states import MOVES, State, Trigger
from tests.support.jobs import NOW, make_account, make_job, make_people, row_of

pytestmark = pytest.mark.django_db

TAKEN = Outcome(Verdict.SENT, Scope.RECIPIENT, Stage.DOT, 250, "2.0.0", "ok")


def claimed(job: BulkSend, worker_id: str = "w1") -> ledger.Claim:
    assert job.account_id is not None
    found = ledger.claim(job.account_id, worker_id, NOW)
    assert isinstance(found, ledger.Claim)
    return found


@pytest.fixture
def job() -> BulkSend:
    job = make_job(make_account(), make_people(3))
    assert ledger.release_due(NOW) == 1
    return job


def test_a_mail_walks_from_planned_to_sent_and_the_events_tell_every_step(job: BulkSend) -> None:
    claim = claimed(job)
    claim.mark(NOW)
    assert ledger.record(claim, decide(TAKEN, Standing()), TAKEN, NOW) is State.SENT
    row = row_of(job, 1)
    triggers = list(row.events.order_by("id").values_list("trigger", flat=True))
    assert triggers == ["release", "claim", "mark", "accept"]
    assert (row.code, row.enhanced, row.text, row.sent_at, row.owner) == (250, "2.0.0", "ok", NOW, "")


def test_every_row_equals_what_its_events_say(job: BulkSend) -> None:
    first = claimed(job)
    first.mark(NOW)
    ledger.record(first, decide(TAKEN, Standing()), TAKEN, NOW)
    claimed(job, "w2")
    for row in Delivery.objects.all():
        assert ledger.rebuild(row) == ledger.Rebuilt(State(row.state), row.attempt, row.owner)


def test_a_row_somebody_wrote_past_the_ledger_is_noticed(job: BulkSend) -> None:
    row = row_of(job, 1)
    DeliveryEvent.objects.create(
        delivery=row, at=NOW, trigger="accept", from_state="handing_over", to_state="sent", attempt=1
    )
    with pytest.raises(ledger.BrokenHistory):
        ledger.rebuild(row)


def test_a_worker_that_lost_its_row_cannot_mark_it(job: BulkSend) -> None:
    stale = claimed(job, "gone")
    assert ledger.reap(NOW).queued_count == 1
    again = claimed(job, "w2")
    assert again.row.pk == stale.row.pk
    with pytest.raises(ledger.LostClaim):
        stale.mark(NOW)
    again.mark(NOW)
    assert row_of(job, 1).owner == "w2"


def test_the_same_worker_with_an_older_attempt_cannot_mark(job: BulkSend) -> None:
    stale = claimed(job, "w1")
    ledger.reap(NOW)
    claimed(job, "w1")
    with pytest.raises(ledger.LostClaim):
        stale.mark(NOW)


def test_a_mark_succeeds_only_once(job: BulkSend) -> None:
    claim = claimed(job)
    claim.mark(NOW)
    claim.is_marked = False
    with pytest.raises(ledger.LostClaim):
        claim.mark(NOW)


@pytest.mark.parametrize("column", ["paused_at", "cancelled_at"])
def test_c12_pause_and_cancel_stop_a_mail_before_its_dot(job: BulkSend, column: str) -> None:
    claim = claimed(job)
    BulkSend.objects.filter(pk=job.pk).update(**{column: NOW})
    with pytest.raises(ledger.LostClaim):
        claim.mark(NOW)
    lost = Outcome(Verdict.UNREACHABLE, Scope.MESSAGE, Stage.MARK)
    state = ledger.record(claim, decide(lost, Standing()), lost, NOW)
    assert state is (State.QUEUED if column == "paused_at" else State.CANCELLED)
    assert isinstance(ledger.claim(claim.row.account_id, "w1", NOW), ledger.Wait)


def test_a_late_250_proves_a_mail_sent_that_was_given_up_as_unknown(job: BulkSend) -> None:
    claim = claimed(job, "gone")
    claim.mark(NOW)
    assert ledger.reap(NOW).unknown_count == 1
    assert ledger.record(claim, decide(TAKEN, Standing()), TAKEN, NOW) is State.SENT
    assert list(row_of(job, 1).events.values_list("trigger", flat=True))[-1] == Trigger.PROVE_SENT


def test_any_other_late_news_changes_nothing(job: BulkSend) -> None:
    claim = claimed(job, "gone")
    claim.mark(NOW)
    ledger.reap(NOW)
    refused = Outcome(Verdict.REFUSED, Scope.RECIPIENT, Stage.DOT, 550, "5.1.1", "no")
    with pytest.raises(ledger.LostClaim):
        ledger.record(claim, decide(refused, Standing()), refused, NOW)
    assert row_of(job, 1).state == State.UNKNOWN


def test_c11_an_opt_out_after_approval_is_honoured_at_the_claim(job: BulkSend) -> None:
    opt_out(row_of(job, 1).address, "by_hand")
    assert claimed(job).row.seq == 2
    row = row_of(job, 1)
    assert (row.state, row.exclusion) == (State.SUPPRESSED, "opt_out")
    assert ledger.rebuild(row).state is State.SUPPRESSED


def test_a_flag_set_after_approval_is_honoured_at_the_claim(job: BulkSend) -> None:
    address = row_of(job, 1).party_address
    assert address is not None
    set_flag(None, address, "cannot", "退職した")
    assert claimed(job).row.seq == 2
    assert row_of(job, 1).exclusion == "cannot"


def test_do_not_send_is_lifted_for_staff_by_the_frozen_option_only(job: BulkSend) -> None:
    address = row_of(job, 1).party_address
    assert address is not None
    set_flag(None, address, "do_not")
    BulkSend.objects.filter(pk=job.pk).update(sheet=job.sheet | {"allow_do_not_send": True})
    assert claimed(job).row.seq == 1


def test_a_person_deleted_since_approval_gets_nothing(job: BulkSend) -> None:
    address = row_of(job, 1).party_address
    assert address is not None
    address.delete()
    assert claimed(job).row.seq == 2
    assert row_of(job, 1).exclusion == "no_address"


def test_example_09_the_third_refusal_turns_the_flag_and_the_next_job_leaves_the_person_out(job: BulkSend) -> None:
    address = row_of(job, 1).party_address
    assert address is not None
    PartyAddress.objects.filter(pk=address.pk).update(error_count=2)
    claim = claimed(job)
    refused = Outcome(Verdict.REFUSED, Scope.RECIPIENT, Stage.RCPT, 550, "5.1.1", "unknown user")
    assert ledger.record(claim, decide(refused, Standing()), refused, NOW) is State.FAILED
    address.refresh_from_db()
    assert (address.error_count, address.flag, row_of(job, 1).is_counted) == (3, "cannot", True)
    assert job.account is not None
    again = make_job(job.account, [address], number=2)
    ledger.cancel_job(job.pk, NOW)
    ledger.release_due(NOW)
    assert ledger.claim(job.account.pk, "w1", NOW) == ledger.Wait("nothing")
    assert (row_of(again, 1).state, row_of(again, 1).exclusion) == (State.SUPPRESSED, "cannot")


def test_example_09_a_failed_login_counts_on_nobody(job: BulkSend) -> None:
    move = decide_session(Stage.LOGIN, 535, "login_refused", Standing())
    assert job.account_id is not None
    ledger.note_trouble(job.account_id, move, seen_count=0, now=NOW, text="535 no")
    assert ledger.claim(job.account_id, "w1", NOW) == ledger.Wait("stopped")
    assert not PartyAddress.objects.filter(error_count__gt=0).exists()
    assert set(Delivery.objects.values_list("state", "attempt")) == {("queued", 0)}


def test_trouble_on_several_connections_at_once_is_one_trouble(job: BulkSend) -> None:
    move = decide_session(Stage.CONNECT, 0, "refused", Standing())
    assert job.account_id is not None
    for _ in range(4):
        ledger.note_trouble(job.account_id, move, seen_count=0, now=NOW, text="")
    assert (Pace.objects.get().trouble_count, Pace.objects.get().stopped_at) == (1, None)


def test_a_person_settles_an_unknown_result_with_name_and_reason(job: BulkSend, operator: Operator) -> None:
    claim = claimed(job, "gone")
    claim.mark(NOW)
    ledger.reap(NOW)
    state = ledger.settle(claim.row.pk, Trigger.RESEND, operator, "本人に確認した", NOW)
    row = row_of(job, 1)
    assert (state, row.resend_count) == (State.QUEUED, 1)
    assert list(row.events.values_list("actor_name", "reason"))[-1] == ("佐藤 美咲", "本人に確認した")
    with pytest.raises(ledger.CannotSettle):
        ledger.settle(claim.row.pk, Trigger.GIVE_UP, operator, "もう一度", NOW)


def test_settling_needs_a_reason(job: BulkSend, operator: Operator) -> None:
    with pytest.raises(ValueError, match="reason"):
        ledger.settle(row_of(job, 1).pk, Trigger.RESEND, operator, " ", NOW)


def test_a_resend_after_the_deadline_gets_a_day_and_opens_the_job_again(job: BulkSend, operator: Operator) -> None:
    claim = claimed(job, "gone")
    claim.mark(NOW)
    ledger.reap(NOW)
    BulkSend.objects.filter(pk=job.pk).update(deadline_at=NOW, finished_at=NOW)
    ledger.settle(claim.row.pk, Trigger.RESEND, operator, "届いていない", NOW)
    ledger.expire_due(NOW)
    assert claimed(job).row.pk == claim.row.pk


def test_the_database_refuses_to_rewrite_or_drop_history(job: BulkSend) -> None:
    claimed(job)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        DeliveryEvent.objects.update(reason="tampered")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        DeliveryEvent.objects.all().delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        JobEvent.objects.update(what="nothing")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        JobEvent.objects.all().delete()


def test_a_row_has_an_exclusion_exactly_when_it_is_suppressed_and_keeps_it(job: BulkSend) -> None:
    opt_out(row_of(job, 1).address, "by_hand")
    claimed(job).mark(NOW)
    ledger.reap(NOW + timedelta(days=1))
    ledger.expire_due(NOW + timedelta(days=9))
    rows = dict(Delivery.objects.values_list("state", "exclusion"))
    assert rows == {State.SUPPRESSED: "opt_out", State.UNKNOWN: "", State.EXPIRED: ""}
    assert not any(state is State.SUPPRESSED for state, _ in MOVES), "or its exclusion would have to go"
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.filter(job=job, seq=2).update(state=State.SUPPRESSED)


def test_an_address_stands_once_in_a_job_and_as_often_as_one_likes_among_what_is_left_out(job: BulkSend) -> None:
    again = row_of(job, 1)
    again.pk, again.seq, again.message_id = None, 9, ""
    with pytest.raises(IntegrityError), transaction.atomic():
        again.save()
    again.state, again.exclusion = State.SUPPRESSED, "duplicate"
    again.save()


def test_events_without_a_person_stand_in_no_index_of_persons() -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, DeliveryEvent._meta.db_table)
    of_operator = [name for name, facts in found.items() if facts["index"] and facts["columns"] == ["operator_id"]]
    assert of_operator == ["event_by_operator"]


def test_the_database_refuses_a_row_in_flight_without_an_owner(job: BulkSend) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.filter(job=job, seq=1).update(state=State.SENDING)


def test_one_mail_costs_three_short_transactions(job: BulkSend) -> None:
    claimed(job)
    with CaptureQueriesContext(connection) as claiming:
        claim = claimed(job)
    with CaptureQueriesContext(connection) as marking:
        claim.mark(NOW)
    with CaptureQueriesContext(connection) as recording:
        ledger.record(claim, decide(TAKEN, Standing()), TAKEN, NOW, seconds=0.1)
    contexts = (claiming, marking, recording)
    silent = ("SAVEPOINT", "RELEASE", "CREATE TEMP")
    counts = [sum(1 for one in context if not one["sql"].startswith(silent)) for context in contexts]
    savepoints = [sum(1 for one in context if one["sql"].startswith("SAVEPOINT")) for context in contexts]
    assert counts == [6, 2, 5]
    assert savepoints == [1, 1, 1], "in a test's transaction a transaction shows as a savepoint"
    assert Pace.objects.get().mail_seconds == pytest.approx(0.46)


def test_many_rows_move_in_portions_of_one_transaction_that_holds_nothing_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A savepoint around them would keep the old page of every row in memory.
    monkeypatch.setattr(moves, "ROWS_AT_ONCE", 2)
    job = make_job(make_account(), make_people(5))
    with moves.one_writer(), CaptureQueriesContext(connection) as queries:
        assert moves.move_all(job.deliveries.all(), moves.Step(Trigger.RELEASE, NOW)) == 5
    assert [one["sql"] for one in queries.captured_queries if one["sql"].startswith("SAVEPOINT")] == []
    assert set(job.deliveries.values_list("state", flat=True)) == {State.QUEUED}
    assert DeliveryEvent.objects.filter(delivery__job=job, trigger=Trigger.RELEASE).count() == 5
