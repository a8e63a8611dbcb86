"""What a clock or a person makes of a whole job."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fumibako.apps.sending import ledger
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.delivery.states import State
from tests.support.jobs import NOW, make_account, make_job, make_people, states_of

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def fresh(count: int = 3, /, **values: Any) -> BulkSend:
    return make_job(make_account(), make_people(count), **values)


def whats(job: BulkSend) -> list[str]:
    return list(job.events.order_by("id").values_list("what", flat=True))


def test_nothing_leaves_before_the_hold_time_is_over() -> None:
    job = fresh(release_at=NOW + timedelta(minutes=5))
    assert ledger.release_due(NOW + timedelta(minutes=4, seconds=59)) == 0
    assert states_of(job) == {"planned": 3}
    assert ledger.release_due(NOW + timedelta(minutes=5)) == 1
    assert states_of(job) == {"queued": 3}
    assert ledger.release_due(NOW + timedelta(minutes=6)) == 0, "only once"


def test_every_row_has_its_own_event_of_the_release() -> None:
    job = fresh()
    ledger.release_due(NOW)
    for row in job.deliveries.all():
        assert list(row.events.values_list("trigger", "from_state", "to_state", "attempt", "owner", "at")) == [
            ("release", "planned", "queued", 0, "", NOW)
        ]
        assert ledger.rebuild(row).state is State.QUEUED


def test_a_start_missed_by_less_than_an_hour_is_made_up_for() -> None:
    job = fresh()
    assert ledger.release_due(NOW + HOUR) == 1
    assert states_of(job) == {"queued": 3}


def test_t04_a_start_missed_by_more_asks_instead_of_sending() -> None:
    job = fresh()
    assert ledger.release_due(NOW + HOUR + timedelta(seconds=1)) == 0
    job.refresh_from_db()
    assert (job.pause_cause, states_of(job), whats(job)) == ("missed_schedule", {"planned": 3}, ["paused"])


@pytest.mark.parametrize("column", ["paused_at", "cancelled_at"])
def test_a_paused_or_cancelled_job_is_not_released(column: str) -> None:
    job = fresh(**{column: NOW})
    assert ledger.release_due(NOW) == 0
    assert states_of(job) == {"planned": 3}


def test_a_draft_is_never_released() -> None:
    job = fresh(approved_at=None)
    assert ledger.release_due(NOW) == 0
    assert states_of(job) == {"planned": 3}


def test_cancelling_before_the_release_cancels_every_row_and_ends_the_job() -> None:
    job = fresh(cancelled_at=NOW)
    assert ledger.cancel_job(job.pk, NOW) == 3
    assert ledger.finish_jobs(NOW) == 1
    assert states_of(job) == {"cancelled": 3}
    assert whats(job) == ["finished"]


def test_the_deadline_expires_what_waits_and_ends_the_job() -> None:
    job = fresh(deadline_at=NOW + HOUR)
    ledger.release_due(NOW)
    assert ledger.expire_due(NOW + HOUR - timedelta(seconds=1)) == 0
    assert ledger.expire_due(NOW + HOUR) == 3
    ledger.finish_jobs(NOW + HOUR)
    assert (states_of(job), whats(job)) == ({"expired": 3}, ["released", "finished"])


def test_a_mail_whose_next_try_would_come_after_the_deadline_expires_at_once() -> None:
    job = fresh(deadline_at=NOW + HOUR)
    ledger.release_due(NOW)
    Delivery.objects.filter(job=job, seq=1).update(not_before_at=NOW + HOUR)
    assert ledger.expire_due(NOW) == 1
    assert states_of(job) == {"expired": 1, "queued": 2}


def test_a_job_with_an_unknown_result_ends_but_one_in_flight_does_not() -> None:
    job = fresh(1)
    ledger.release_due(NOW)
    claim = ledger.claim(int(job.account_id or 0), "gone", NOW)
    assert isinstance(claim, ledger.Claim)
    claim.mark(NOW)
    assert ledger.finish_jobs(NOW) == 0
    assert ledger.reap(NOW).unknown_count == 1
    assert ledger.finish_jobs(NOW) == 1


def test_accounts_at_work_are_those_with_something_queued_in_a_going_job() -> None:
    going, paused = fresh(), fresh()
    ledger.release_due(NOW)
    ledger.pause_job(paused.pk, "", NOW)
    assert ledger.accounts_at_work(NOW) == [going.account_id]


def test_a_job_is_paused_only_once() -> None:
    job = fresh()
    assert ledger.pause_job(job.pk, "failures", NOW)
    assert not ledger.pause_job(job.pk, "sender_refused", NOW)
    job.refresh_from_db()
    assert job.pause_cause == "failures"


def test_ten_thousand_rows_are_released_in_a_handful_of_statements(django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    job = fresh(3)
    alike = {"job": job, "account": job.account, "party_kind": "staff", "party_name": "見本", "changed_at": NOW}
    ledger.plan_rows(
        [
            Delivery(seq=seq, party_number=str(seq), address_key=f"p{seq}@example.com", **alike)
            for seq in range(4, 10_001)
        ]
    )
    with django_assert_max_num_queries(15):
        ledger.release_due(NOW)
    assert states_of(job) == {"queued": 10_000}
