"""Many connections, mails said ahead, one commit for all: the promises hold as if each went alone."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from fumibako.apps.recipients.models import OptOut
from fumibako.apps.sending import ledger
from fumibako.apps.sending.models import BulkSend, Delivery, DeliveryEvent, Pace
from fumibako.apps.sending.work import Fleet, send_account, tidy_up
from fumibako.apps.sending.working.tempo import MOST_ROUNDS_AHEAD
from fumibako.delivery.decision import UNTOUCHED, Move, Standing, decide
from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.delivery.states import State, Trigger
from tests.support import worker_process
from tests.support.jobs import NOW, FakeTime, around, make_account, make_job, make_people, put_into, row_of, states_of
from tests.support.post_office import ACCEPT_AND_DROP, DROP, PostOffice

AHEAD = ("PIPELINING", "8BITMIME")
TAKEN = Outcome(Verdict.SENT, Scope.RECIPIENT, Stage.DOT, 250, "2.0.0", "ok")
NOT_SENT = Outcome(Verdict.UNREACHABLE, Scope.MESSAGE, Stage.MARK, text="LostClaim")
CONNECTIONS = 4
SECONDS = 60


def work(office: PostOffice, job: BulkSend, hours: float = 6) -> None:
    """Sweep and send, jumping from one due moment to the next."""
    clock, stop = FakeTime(), threading.Event()
    end = clock.now + timedelta(hours=hours)
    while True:
        tidy_up(clock.now)
        wait = send_account(int(job.account_id or 0), "w1", stop, around(office.port, clock, short_wait=timedelta(0)))
        tidy_up(clock.now)
        if wait.until is None or wait.until > end:
            return
        clock.now = max(clock.now, wait.until)


def misbehaving(step: str, chosen: Callable[[int], bool], reply: str) -> Callable[[str, str, int], str | None]:
    """A rule: at the `step` numbers that are `chosen`, counted over all connections, the server says `reply`."""
    counts: Counter[str] = Counter()
    turn = threading.Lock()

    def rule(now: str, address: str, count: int) -> str | None:
        with turn:
            counts[now] += 1
            return reply if now == step and chosen(counts[now]) else None

    return rule


@pytest.mark.django_db
@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", [DROP, "abc", "421 4.3.2 closing"])
def test_s21_whatever_breaks_among_the_answers_to_a_mail_said_ahead_costs_nobody_anything(
    step: str, reply: str, connections: int
) -> None:
    job = make_job(make_account(connections=connections), make_people(24))
    with PostOffice(misbehaving(step, lambda number: number % 9 == 5, reply), extensions=AHEAD) as office:
        work(office, job)
    assert states_of(job) == {"sent": 24}
    assert set(office.copies().values()) == {1}
    assert set(Delivery.objects.values_list("deferred_count", flat=True)) == {0}


@pytest.mark.django_db
@pytest.mark.parametrize("loss", [ACCEPT_AND_DROP, DROP])
def test_s27_s28_a_line_lost_after_a_dot_makes_that_mail_unknown_and_not_the_one_behind_it(loss: str) -> None:
    job = make_job(make_account(), make_people(12))
    with PostOffice(misbehaving("DOT", lambda number: number in (3, 8), loss), extensions=AHEAD) as office:
        work(office, job)
    assert states_of(job) == {"sent": 10, "unknown": 2}
    assert max(office.copies().values()) == 1
    for row in Delivery.objects.all():
        assert ledger.rebuild(row) == ledger.Rebuilt(State(row.state), row.attempt, row.owner)


@pytest.mark.django_db
def test_s19_a_server_that_ends_every_session_after_five_mails_gets_all_of_them_in_order() -> None:
    job = make_job(make_account(), make_people(23))
    with PostOffice(misbehaving("MAIL", lambda number: number % 6 == 0, "421 enough"), extensions=AHEAD) as office:
        work(office, job)
        assert [mail.address for mail in office.taken] == list(job.deliveries.values_list("wire_address", flat=True))
    assert set(Delivery.objects.values_list("attempt", flat=True)) == {1}, "none of them was claimed twice"


@pytest.mark.django_db
def test_mails_of_a_lone_connection_are_said_ahead_and_arrive_in_the_order_of_the_list() -> None:
    job = make_job(make_account(), make_people(6))
    with PostOffice(extensions=AHEAD) as office:
        work(office, job)
        assert [mail.address for mail in office.taken] == list(job.deliveries.values_list("wire_address", flat=True))
    counts = Counter(DeliveryEvent.objects.values_list("trigger", flat=True))
    assert counts == {"release": 6, "claim": 6, "mark": 6, "accept": 6}


@pytest.mark.django_db
def test_a_server_without_pipelining_hears_one_thing_at_a_time() -> None:
    job = make_job(make_account(), make_people(3))
    with PostOffice() as office:
        work(office, job)
        steps = [step for step, _ in office.steps if step in ("MAIL", "RCPT", "DATA", "DOT")]
    assert steps == ["MAIL", "RCPT", "DATA", "DOT"] * 3


@pytest.mark.django_db
def test_a_server_that_takes_two_sessions_only_is_asked_for_no_third_and_nobody_waits() -> None:
    sessions: list[str] = []

    def rule(step: str, address: str, count: int) -> str | None:
        if step == "greeting":
            sessions.append(step)
            return "421 4.7.0 too many connections" if len(sessions) > 2 else None
        return None

    job = make_job(make_account(connections=5), make_people(60))
    with PostOffice(rule, extensions=AHEAD) as office:
        work(office, job, hours=0)
    assert states_of(job) == {"sent": 60}
    assert (Pace.objects.get().trouble_count, Pace.objects.get().stopped_at) == (0, None)


@pytest.mark.django_db
def test_one_row_that_differs_costs_only_itself_in_a_common_commit() -> None:
    job = make_job(make_account(), make_people(4))
    ledger.release_due(NOW)
    account_id = int(job.account_id or 0)
    claims = ledger.settle_round(account_id, "w1", NOW, want=4).claims
    put_into(row_of(job, 2), State.QUEUED, owner="")
    done = ledger.settle_round(account_id, "w1", NOW, marks=claims)
    assert [claim.row.seq for claim in done.marked] == [1, 3, 4]
    assert [claim.is_marked for claim in claims] == [True, False, True, True]
    put_into(row_of(job, 3), State.UNKNOWN, owner="")
    answers = [ledger.Answer(claim, decide(TAKEN, Standing()), TAKEN) for claim in done.marked]
    states = ledger.settle_round(account_id, "w1", NOW, answers=answers).states
    assert set(states.values()) == {State.SENT}, "a late 2xx that we heard ourselves proves it"
    assert states_of(job) == {"sent": 3, "queued": 1}


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["paused_at", "cancelled_at"])
def test_c12_a_pause_stops_every_mark_of_a_common_commit(column: str) -> None:
    job = make_job(make_account(), make_people(3))
    ledger.release_due(NOW)
    claims = ledger.settle_round(int(job.account_id or 0), "w1", NOW, want=3).claims
    BulkSend.objects.filter(pk=job.pk).update(**{column: NOW})
    assert ledger.settle_round(int(job.account_id or 0), "w1", NOW, marks=claims).marked == []
    assert states_of(job) == {"sending": 3}


@pytest.mark.django_db
def test_c11_an_opt_out_that_came_between_claim_and_mark_is_heard_before_the_dot() -> None:
    job = make_job(make_account(), make_people(3))
    ledger.release_due(NOW)
    account_id = int(job.account_id or 0)
    claims = ledger.settle_round(account_id, "w1", NOW, want=3).claims
    OptOut.objects.create(address_key=row_of(job, 2).address_key, source="link")
    assert [claim.row.seq for claim in ledger.settle_round(account_id, "w1", NOW, marks=claims).marked] == [1, 3]
    with pytest.raises(ledger.LostClaim):
        claims[1].mark(NOW)
    back = ledger.Answer(claims[1], Move(Trigger.PUT_BACK, account=UNTOUCHED), NOT_SENT)
    ledger.settle_round(account_id, "w1", NOW, answers=[back], want=1)
    assert (row_of(job, 2).state, row_of(job, 2).exclusion) == (State.SUPPRESSED, "opt_out")


@pytest.mark.django_db
def test_c11_a_row_claimed_ahead_whose_address_opts_out_meanwhile_gets_no_mail_and_the_others_get_theirs() -> None:
    job = make_job(make_account(), make_people(8))
    key, has_pressed, clock = row_of(job, 3).address_key, threading.Event(), FakeTime()

    def rule(step: str, address: str, count: int) -> str | None:
        if step == "DOT":
            has_pressed.set()
        return None

    def now() -> datetime:
        """The person presses the link while the first mail is on its way: rows 2 and 3 are claimed by then."""
        if has_pressed.is_set():
            OptOut.objects.get_or_create(address_key=key, lifted_at=None, defaults={"source": "link"})
        return clock.now

    with PostOffice(rule, extensions=AHEAD) as office:
        tidy_up(clock.now)
        world = replace(around(office.port, clock, short_wait=timedelta(0)), now=now)
        send_account(int(job.account_id or 0), "w1", threading.Event(), world)
        assert len(office.taken) == 7
    assert states_of(job) == {"sent": 7, "suppressed": 1}


@pytest.mark.django_db
def test_c11_a_test_mail_goes_to_whoever_tests_though_the_address_opted_out() -> None:
    job = make_job(make_account(), make_people(1))
    BulkSend.objects.filter(pk=job.pk).update(origin=BulkSend.Origin.TEST)
    OptOut.objects.create(address_key=row_of(job, 1).address_key, source="link")
    ledger.release_due(NOW)
    account_id = int(job.account_id or 0)
    claims = ledger.settle_round(account_id, "w1", NOW, want=1).claims
    assert ledger.settle_round(account_id, "w1", NOW, marks=claims).marked == claims


@pytest.mark.django_db
@pytest.mark.parametrize(("size", "sleep"), [(None, 0), (5, 0), (5, 60), (3, 60), (100, 60)])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_s39_taking_several_slots_at_once_is_the_same_as_taking_them_one_by_one(
    size: int | None, sleep: int, count: int
) -> None:
    jobs = [make_job(make_account(batch_size=size, sleep_seconds=sleep), make_people(20)) for _ in range(2)]
    together, alone = (int(job.account_id or 0) for job in jobs)
    ledger.release_due(NOW)
    for number in range(6):
        now = NOW + timedelta(seconds=20 * number)
        at_once = ledger.settle_round(together, "w1", now, want=count)
        one_by_one = [ledger.claim(alone, "w1", now) for _ in range(count)]
        claimed = [one for one in one_by_one if isinstance(one, ledger.Claim)]
        assert len(at_once.claims) == len(claimed)
        assert at_once.wait == next((one for one in one_by_one if isinstance(one, ledger.Wait)), None)
        for account_id, claims in ((together, at_once.claims), (alone, claimed)):
            ledger.settle_round(account_id, "w1", now, marks=claims)
            answers = [ledger.Answer(claim, decide(TAKEN, Standing()), TAKEN, 0.25) for claim in claims]
            ledger.settle_round(account_id, "w1", now, answers=answers)
        columns = ("burst_count", "burst_number", "last_activity_at", "next_slot_at", "wait_cause", "mail_seconds")
        assert Pace.objects.filter(pk=together).values(*columns)[0] == Pace.objects.filter(pk=alone).values(*columns)[0]
    events = [list(job.events.order_by("id").values_list("what", "data")) for job in jobs]
    assert events[0] == events[1]


@pytest.mark.django_db
def test_a_worker_asked_to_stop_puts_back_what_it_had_claimed_ahead() -> None:
    job = make_job(make_account(), make_people(9))
    stop = threading.Event()

    def rule(step: str, address: str, count: int) -> str | None:
        if step == "DOT":
            stop.set()
        return None

    with PostOffice(rule, extensions=AHEAD) as office:
        tidy_up(NOW)
        assert Fleet(int(job.account_id or 0), "w1", stop, around(office.port, FakeTime())).run().cause == "stopping"
        assert len(office.taken) == 1
    assert states_of(job) == {"sent": 1, "queued": 8}


class HeldDots:
    """The rule of a server that answers no dot, until as many are held as there are connections."""

    def __init__(self, count: int) -> None:
        self.all_held, self.may_go_on = threading.Event(), threading.Event()
        self._left = count
        self._turn = threading.Lock()

    def __call__(self, step: str, address: str, count: int) -> str | None:
        if step != "DOT" or self.may_go_on.is_set():
            return None
        with self._turn:
            self._left -= 1
            if self._left == 0:
                self.all_held.set()
        self.may_go_on.wait(SECONDS)
        return DROP


@pytest.mark.django_db(transaction=True)
def test_c01_a_kill_leaves_at_most_one_unknown_per_connection_whatever_was_claimed_and_said_ahead() -> None:
    job = make_job(make_account(connections=CONNECTIONS), make_people(200), now=timezone.now())
    held = HeldDots(CONNECTIONS)
    with PostOffice(held, extensions=AHEAD) as office:
        worker = worker_process.start(Path(connection.settings_dict["NAME"]), office.port)
        try:
            assert held.all_held.wait(SECONDS)
            assert Delivery.objects.filter(state=State.HANDING_OVER).count() == CONNECTIONS
            worker.kill()
            assert worker.wait(SECONDS) == -signal.SIGKILL
        finally:
            worker.kill()
        held.may_go_on.set()
        reaped = ledger.reap(timezone.now())
    assert reaped.unknown_count == CONNECTIONS
    assert reaped.queued_count <= (2 + MOST_ROUNDS_AHEAD) * CONNECTIONS
    assert set(states_of(job)) <= {"unknown", "queued", "sent"}
    assert not Delivery.objects.exclude(state=State.UNKNOWN).filter(events__trigger="lose_answer").exists()


@pytest.mark.django_db(transaction=True)
def test_d02_a_disk_that_is_full_in_the_middle_loses_no_outcome_and_writes_no_unmarked_dot() -> None:
    job = make_job(make_account(connections=2), make_people(100), now=timezone.now())
    with connection.cursor() as cursor:
        # Pages that earlier rows left empty would let it go on for a while.
        cursor.execute("VACUUM")
    fullness: list[str] = []

    def now() -> datetime:
        """The disk fills up once some mails were taken, and nothing can be committed from then on."""
        if len(office.taken) >= 4 and not fullness:
            fullness.append("full")
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA page_count")
                cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
        return timezone.now()

    def wait(stop: threading.Event, seconds: float) -> None:
        """Somebody makes room."""
        fullness.append("waited")
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1000000")

    # Rows so large that the next ones need a page of their own at once.
    with PostOffice(lambda step, address, count: "250 " + "x" * 480 if step == "DOT" else None) as office:
        office.extensions = AHEAD
        world = replace(around(office.port, FakeTime(), short_wait=timedelta(0)), now=now, wait=wait)
        for _ in range(5):
            tidy_up(timezone.now())
            send_account(int(job.account_id or 0), "w1", threading.Event(), world)
            Delivery.objects.filter(not_before_at__isnull=False).update(not_before_at=None)
    assert fullness[:2] == ["full", "waited"]
    assert states_of(job) == {"sent": 100}
    assert set(office.copies().values()) == {1}
