"""Rounds as PostgreSQL writes them: one prepared statement each. Run by `test_postgresql.py` on its server."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, connections
from django.utils import timezone

from fumibako.apps.sending import ledger, workers
from fumibako.apps.sending.ledger import arrays, line
from fumibako.apps.sending.ledger.statements import Differs, Moves
from fumibako.apps.sending.models import BulkSend, DeliveryEvent, Pace
from fumibako.apps.sending.work import send_account
from fumibako.cli.bench.cluster import ServerStopwatch
from fumibako.delivery.decision import Standing, decide
from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.delivery.states import State
from tests.support.jobs import NOW, FakeTime, around, make_account, make_job, make_people, row_of, states_of
from tests.support.post_office import PostOffice
from tests.support.postgresql import PostgreSQL

pytestmark = pytest.mark.django_db(transaction=True)

MAILS, MANY = 6, 50
"""So many that most rounds claim nothing: what they write is a transaction of its own."""
WORDS = 'queued as {1,2} "AB\\C" \\N 受付 NULL'


@pytest.fixture
def job() -> BulkSend:
    job = make_job(make_account(), make_people(MAILS))
    ledger.release_due(NOW)
    return job


def account_of(job: BulkSend) -> int:
    return int(job.account_id or 0)


def marked(job: BulkSend) -> list[ledger.Claim]:
    claims = ledger.settle_round(account_of(job), "w1", NOW, want=3).claims
    return ledger.settle_round(account_of(job), "w1", NOW, marks=claims).marked


def accepted(claims: list[ledger.Claim], text: str = "ok") -> list[ledger.Answer]:
    outcome = Outcome(Verdict.SENT, Scope.RECIPIENT, Stage.DOT, 250, "2.0.0", text)
    return [ledger.Answer(claim, decide(outcome, Standing()), outcome, 0.1) for claim in claims]


def moves(job: BulkSend, accepted: list[Any], marked: list[Any]) -> Moves:
    return Moves(account_of(job), NOW, accepted, 0.9, 0.01, marked)


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("has_come_about", [True, False], ids=["kept", "lost"])
def test_c18_a_round_without_an_answer_makes_no_second_mail_and_nothing_unknown(
    monkeypatch: pytest.MonkeyPatch, number: int, has_come_about: bool
) -> None:
    job = make_job(make_account(connections=2), make_people(MANY))
    clock = FakeTime()
    ledger.release_due(clock.now)
    ask, count = line.ask, 0

    def ask_in_doubt(database: Any, statement: line.Statement, values: Any) -> list[Any]:
        nonlocal count
        count += not database.in_atomic_block
        if database.in_atomic_block or count != number:
            return ask(database, statement, values)
        if has_come_about:
            ask(database, statement, values)
        raise database.Database.OperationalError("server closed the connection unexpectedly")

    with PostOffice(extensions=("PIPELINING",)) as office:
        worker_id, lock = workers.enlist(clock.now)
        monkeypatch.setattr(line, "ask", ask_in_doubt)
        for _ in range(3):
            try:
                send_account(account_of(job), worker_id, threading.Event(), around(office.port, clock))
            except OperationalError:
                continue
        monkeypatch.undo()
        workers.retire(worker_id, lock, timezone.now())
    assert count >= number
    assert sorted(office.copies().values()) == [1] * MANY
    assert states_of(job) == {"sent": MANY}
    for row in job.deliveries.all():
        assert ledger.rebuild(row) == ledger.Rebuilt(State(row.state), row.attempt, row.owner)


@pytest.mark.parametrize("place", range(4))
def test_one_row_that_differs_undoes_the_statement(job: BulkSend, place: int) -> None:
    claims = ledger.settle_round(account_of(job), "w1", NOW, want=4).claims
    ledger.settle_round(account_of(job), "w1", NOW, marks=claims[:2])
    held: list[list[Any]] = [[claim.row.pk, claim.row.attempt, "w1"] for claim in claims]
    held[place][1] += 1
    answers = [[*row, "dot", 250, "2.0.0", "ok", ""] for row in held[:2]]
    before = (list(job.deliveries.values()), DeliveryEvent.objects.count(), list(Pace.objects.values()))
    with pytest.raises(Differs):
        arrays.settle(moves(job, answers, held[2:]))
    assert (list(job.deliveries.values()), DeliveryEvent.objects.count(), list(Pace.objects.values())) == before
    held[place][1] -= 1
    answers = [[*row, "dot", 250, "2.0.0", "ok", ""] for row in held[:2]]
    assert arrays.settle(moves(job, answers, held[2:])) == {job.pk}
    assert states_of(job) == {"sent": 2, "handing_over": 2, "queued": MAILS - 4}


def test_a_claim_of_a_row_that_differs_claims_nothing(job: BulkSend) -> None:
    rows = [(row.pk, 1, "w1") for row in job.deliveries.all()]
    rows[3] = (rows[3][0], 2, "w1")
    with pytest.raises(Differs):
        arrays.claim(NOW, rows)
    assert states_of(job) == {"queued": MAILS}


def test_what_a_server_says_is_kept_letter_by_letter(job: BulkSend) -> None:
    ledger.settle_round(account_of(job), "w1", NOW, answers=accepted(marked(job), WORDS))
    row = row_of(job, 2)
    assert (row.state, row.text, row.enhanced, row.code) == ("sent", WORDS, "2.0.0", 250)
    assert row.events.get(trigger="accept").text == WORDS


def test_what_no_text_of_postgresql_can_hold_is_refused_and_not_cut_off(job: BulkSend) -> None:
    claims = marked(job)
    with pytest.raises(DataError, match="NUL"):
        ledger.settle_round(account_of(job), "w1", NOW, answers=accepted(claims, "ok\0 not shown"))
    assert states_of(job) == {"handing_over": 3, "queued": MAILS - 3}


def test_whoever_watches_sees_the_same_done(job: BulkSend) -> None:
    with connection.execute_wrapper(lambda execute, *rest: execute(*rest)):
        done = ledger.settle_round(account_of(job), "w1", NOW, answers=accepted(marked(job), WORDS), want=1)
    assert states_of(job) == {"sent": 3, "sending": 1, "queued": MAILS - 4}
    assert (len(done.claims), row_of(job, 1).text) == (1, WORDS)


def test_a_session_that_was_cut_is_prepared_anew(job: BulkSend) -> None:
    claims = marked(job)
    PostgreSQL.at(os.environ["FUMIBAKO_TEST_POSTGRESQL"]).cut_connections()
    with pytest.raises(OperationalError):
        ledger.settle_round(account_of(job), "w1", NOW, answers=accepted(claims))
    ledger.settle_round(account_of(job), "w1", NOW, answers=accepted(claims))
    assert states_of(job) == {"sent": 3, "queued": MAILS - 3}


def test_what_is_due_is_found_by_its_own_index_without_sorting(job: BulkSend) -> None:
    text = line.statement_of(f"{arrays.DUE} FOR UPDATE OF d").named
    values: dict[str, Any] = {"account": account_of(job), "job": job.pk, "at": NOW, "limit": 10}
    with connection.cursor() as cursor:
        # So few rows would be read as they are.
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(f"EXPLAIN {text}", values)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    connection.close()
    assert "Index Scan using delivery_due" in plan
    assert "Sort" not in plan


def test_the_processor_time_of_the_server_is_measured() -> None:
    watch = ServerStopwatch()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT sum(number) FROM generate_series(1, 3000000) AS number")
    assert watch.facts(10)["server_cpu_seconds"] > 0
