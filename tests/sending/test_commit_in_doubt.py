"""A COMMIT whose answer is lost: it came about, and nobody was told (C18). Neither is assumed; the rows tell."""

from __future__ import annotations

import threading

import pytest
from django.db import OperationalError, connections
from django.utils import timezone

from fumibako.apps.sending import ledger, workers
from fumibako.apps.sending.work import send_account
from fumibako.delivery.states import State
from tests.support.jobs import FakeTime, around, make_account, make_job, make_people, states_of
from tests.support.post_office import PostOffice

pytestmark = pytest.mark.django_db(transaction=True)

MAILS = 6


@pytest.mark.parametrize("number", range(1, 13))
@pytest.mark.parametrize("has_come_about", [True, False], ids=["kept", "lost"])
def test_c18_a_commit_without_an_answer_makes_no_second_mail_and_nothing_unknown(
    monkeypatch: pytest.MonkeyPatch, number: int, has_come_about: bool
) -> None:
    job = make_job(make_account(connections=2), make_people(MAILS))
    clock = FakeTime()
    ledger.release_due(clock.now)
    database = connections["default"]
    commit, count = database.commit, 0

    def commit_in_doubt() -> None:
        nonlocal count
        count += 1
        if count != number:
            commit()
            return
        if has_come_about:
            commit()
        else:
            database.rollback()
        raise OperationalError("server closed the connection unexpectedly")

    with PostOffice(extensions=("PIPELINING",)) as office:
        worker_id, lock = workers.enlist(clock.now)
        monkeypatch.setattr(database, "commit", commit_in_doubt)
        for _ in range(3):
            try:
                send_account(int(job.account_id or 0), worker_id, threading.Event(), around(office.port, clock))
            except OperationalError:
                continue
        monkeypatch.undo()
        workers.retire(worker_id, lock, timezone.now())
    assert sorted(office.copies().values()) == [1] * MAILS
    assert states_of(job) == {"sent": MAILS}
    for row in job.deliveries.all():
        assert ledger.rebuild(row) == ledger.Rebuilt(State(row.state), row.attempt, row.owner)
