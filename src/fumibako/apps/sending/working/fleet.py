"""All connections of one account, driven by one thread.

Nothing is claimed without a logged-in session and nothing is sent inside a transaction. A round is: hear what came,
one durable transaction for everybody (`ledger.settle_round`: outcomes, claims, marks), then the dots of what was
marked, each in one write with the next mail's MAIL, RCPT and DATA. So a connection has at most one mail between its
mark and its recorded answer, whatever is said ahead: that one is all a crash can make unknown.
"""

from __future__ import annotations

import threading

import structlog

from fumibako.apps.accounts.models import MailAccount
from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.services.mailer import Carrier, LocalError, is_end_of_session

from .. import ledger
from ..models import BulkSend
from .around import AROUND, Around
from .berth import Berth
from .books import ANSWER_SECONDS, NO_COMMIT, Books
from .loads import Load
from .pool import Pool
from .sessions import Sessions
from .tempo import Tempo

log = structlog.get_logger("fumibako.sending")

LOOK_SECONDS = 0.5
"""How soon a request to stop is noticed while only answers are awaited."""
LONGEST_GATHERING = 0.005
"""How long the first line before its dot waits for the others, at most, so that they share its commit."""


class Fleet:
    """Everything one account has in hand."""

    def __init__(self, account_id: int, worker_id: str, stop: threading.Event, around: Around = AROUND) -> None:
        self._account_id = account_id
        self._worker_id = worker_id
        self._stop = stop
        self._around = around
        self._sessions = Sessions(account_id, around)
        self._jobs: dict[int, BulkSend] = {}
        self._berths: list[Berth] = []
        self._leaving: list[Carrier] = []
        self._books = Books(account_id, worker_id, around, self._jobs)
        self._pool = Pool(self._books, around)
        self._wait: ledger.Wait | None = None
        self._limit = max(1, MailAccount.objects.get(pk=account_id).connections)
        self._may_say_ahead = True
        self._tempo = Tempo()

    @property
    def sent_count(self) -> int:
        """Mails known to be sent."""
        return self._books.sent_count

    def run(self) -> ledger.Wait:
        """Send mail after mail; return what the account waits for when that takes longer."""
        try:
            while not self._stop.is_set():
                wait = self.step()
                if wait is None:
                    continue
                self._say_farewell()
                if not self._sit_out(wait):
                    return wait
            self._wind_down()
            return ledger.Wait("stopping")
        finally:
            self.close()

    def step(self) -> ledger.Wait | None:
        """One round; return what to wait for when nothing is under way and nothing may begin."""
        if not self._berths:
            wait = self._open_first()
            if wait is not None:
                return wait
        self._hear()
        if self._stop.is_set():
            return None
        self._begin()
        self._gather_others()
        self._commit()
        if self._must_halt:
            self._pool.pause_halted_jobs()
        self._begin()
        return self._verdict()

    def close(self) -> None:
        """Leave nothing in our hands, whatever happened: no further dot, and every row where it belongs."""
        for berth in self._berths:
            berth.carrier.break_off("the worker let go")
        self._gather()
        self._pool.put_back("closing")
        self._pool.put_back_halted()
        if self._books.is_sound:
            self._books.record_only()
        for carrier in self._leaving:
            carrier.break_off("the session is over")
        self._leaving.clear()
        self._sessions.close()
        log.info("sent", account=self._account_id, count=self.sent_count)

    # Hearing ----------------------------------------------------------------------------------------------------------

    def _open_first(self) -> ledger.Wait | None:
        """A session, opened only when there is something to send. Returns what to wait for when there is none."""
        # What was put back meanwhile is waiting again: whoever asks must see it.
        self._books.record_only()
        wait = None if self._pool else ledger.outlook(self._account_id, self._around.now())
        if wait is None:
            found = self._sessions.open()
            if isinstance(found, Carrier):
                self._berths.append(Berth(found))
                return None
            wait = found
        self._pool.put_back("no session")
        self._books.record_only()
        return wait

    def _hear(self) -> None:
        """Wait for the next thing to happen on any line, unless there is something to do already."""
        seconds = 0.0 if self._has_work() else ANSWER_SECONDS if self._books.answers else LOOK_SECONDS
        carriers = [berth.carrier for berth in self._berths] + self._leaving
        Carrier.wait(carriers, seconds, also=(self._sessions.bell,))
        came, is_refused = self._sessions.arrivals()
        self._berths += [Berth(carrier) for carrier in came]
        if is_refused:
            self._limit = max(1, len(self._berths))
        for carrier in self._leaving:
            carrier.leave()
        self._leaving = [carrier for carrier in self._leaving if carrier.is_open]
        self._gather()

    def _has_work(self) -> bool:
        if self._must_record or self._must_halt:
            return True
        can_begin = bool(self._pool) or self._may_claim
        return any(berth.is_before_dot or (berth.is_idle and can_begin) for berth in self._berths)

    @property
    def _must_record(self) -> bool:
        """True when answers wait for no mark that would carry them along soon."""
        is_pressing = self._books.is_overdue or self._books.has_bad_news
        return bool(self._books.answers) and (is_pressing or not any(one.is_under_way for one in self._berths))

    def _gather_others(self) -> None:
        """Lines that are about to stand before their dot get a moment to share the commit of those that do."""
        until = self._around.stopwatch() + min(LONGEST_GATHERING, self._tempo.commit_seconds / 2)
        while any(berth.is_before_dot for berth in self._berths):
            late = [berth.carrier for berth in self._berths if berth.loads and not berth.is_before_dot]
            seconds = until - self._around.stopwatch()
            if not late or seconds <= 0:
                return
            Carrier.wait(late, seconds)
            self._gather()
            self._begin()

    @property
    def _may_claim(self) -> bool:
        wait = self._wait
        return wait is None or (wait.until is not None and wait.until <= self._around.now())

    def _gather(self) -> None:
        """Take what is over off the lines."""
        for berth in self._berths:
            while berth.loads and berth.loads[0].passage is not None and berth.loads[0].passage.is_over:
                self._take_off(berth, berth.loads.popleft())
        self._berths = [berth for berth in self._berths if berth.loads or berth.carrier.is_open]

    def _take_off(self, berth: Berth, load: Load) -> None:
        assert load.passage is not None
        outcome = load.passage.result
        if load.place and not load.has_been_moved and is_end_of_session(outcome):
            # Many servers close after n mails. The mail was not begun, so a fresh session may take it at once.
            self._may_say_ahead = self._may_say_ahead and outcome.verdict is not Verdict.UNREACHABLE
            load.passage, load.has_been_moved = None, True
            self._pool.give_back([load])
            return
        now = self._around.stopwatch()
        seconds = now - max(load.began_at, berth.answered_at)
        berth.answered_at = now
        self._books.conclude(load.claim, outcome, seconds, place=load.place)

    # The transaction and the dots -------------------------------------------------------------------------------------

    def _commit(self) -> None:
        """One durable transaction for everybody, then the dots."""
        ready = [berth for berth in self._berths if berth.is_before_dot]
        is_asking = self._may_claim and any(berth.is_idle for berth in self._berths) and not self._pool
        if not (ready or self._must_record or is_asking):
            return
        following = {berth: self._next_for(berth) for berth in ready}
        has_news, has_trouble, begun_at = bool(self._books.answers), self._books.has_trouble, self._around.stopwatch()
        self._tempo.round_begins(begun_at)
        done = self._books.settle([berth.loads[0].claim for berth in ready], self._wanted(following))
        if done is None:
            self._pool.give_back(load for load in following.values() if load is not None)
            for berth in ready:
                self._abandon(berth, "round failed")
            self._books.record_only()
            self._books.let_go_of_strays(self._in_hand())
            return
        marked_at = self._around.stopwatch()
        for berth in ready:
            self._hand_over(berth, marked_at, following[berth])
        self._tempo.committed(marked_at)
        if has_news:
            # Something changed: what was to be waited for may be over.
            self._wait = None
        if has_trouble:
            self._pool.put_back("the account waits")
        self._take_in(done)

    def _in_hand(self) -> set[int]:
        """Every delivery that this fleet knows to be its own."""
        return self._pool.delivery_ids | {load.claim.row.pk for berth in self._berths for load in berth.loads}

    def _wanted(self, following: dict[Berth, Load | None]) -> int:
        """The mail behind each line's dot and one ready for its time, and some rounds more while it is about it."""
        if self._pool.has_halted_jobs or not (self._may_claim or self._books.answers):
            return 0
        room = sum(1 + (self._may_say_ahead and berth.carrier.may_say_ahead) for berth in self._berths)
        said_count = sum(max(0, len(berth.loads) - 1) for berth in self._berths)
        said_count += sum(load is not None for load in following.values())
        missing_count = room - said_count - len(self._pool)
        return missing_count + self._tempo.rounds_ahead * len(self._berths) if missing_count > 0 else 0

    def _next_for(self, berth: Berth) -> Load | None:
        """The mail to be said ahead behind this line's dot, made ready before the mark so that nothing lies between."""
        if self._books.has_bad_news or not (self._pool and self._may_say_ahead and berth.carrier.may_say_ahead):
            return None
        load = self._pool.take()
        return load if self._is_prepared(load, berth.carrier) else None

    def _is_prepared(self, load: Load, carrier: Carrier) -> bool:
        try:
            load.passage = carrier.prepare(load.envelope, load.raw)
        except LocalError as error:
            log.error("attempt_failed", delivery=load.claim.row.pk, attempt=load.claim.row.attempt, error=error)
            self._books.conclude(load.claim, Outcome(Verdict.UNREACHABLE, Scope.SESSION, Stage.BODY), 0.0)
            return False
        return True

    def _hand_over(self, berth: Berth, marked_at: float, following: Load | None) -> None:
        load = berth.loads[0]
        if not load.claim.is_marked:
            self._abandon(berth, "LostClaim")
        else:
            berth.carrier.hand_over(marked_at, following.passage if following is not None else None)
        if following is None:
            return
        assert following.passage is not None
        if following.passage.has_begun:
            berth.came_aboard(following, self._around.stopwatch())
        else:
            following.passage = None
            self._pool.give_back([following])

    def _abandon(self, berth: Berth, why: str) -> None:
        """Close a line before its dot and put its mails back, at nobody's cost."""
        berth.carrier.break_off(why)
        self._books.put_back(berth.loads, why)
        berth.loads.clear()

    # Beginning --------------------------------------------------------------------------------------------------------

    def _take_in(self, done: ledger.Round) -> None:
        """Build what was claimed; let go of what its job does not want sent any more."""
        if done.going is not None:
            self._pool.keep_only(done.going)
        if done.claims or done.wait is not None:
            self._wait = done.wait
        self._pool.build(done.claims)
        if done.claims and done.wait is None:
            self._open_more()

    @property
    def _must_halt(self) -> bool:
        """True when a job is to be paused: it cannot go on, and what was built before has begun and is over."""
        return self._pool.has_halted_jobs and not self._pool and not any(berth.loads for berth in self._berths)

    def _open_more(self) -> None:
        """Further sessions, as far as there are mails for them."""
        missing_count = self._limit - len(self._berths) - self._sessions.opening_count
        if missing_count <= 0:
            return
        try:
            due_count = ledger.due_count(self._account_id, self._around.now(), limit=missing_count)
            for _ in range(due_count):
                self._sessions.open_aside()
        except NO_COMMIT as error:
            # What is on its way must not suffer from it; the next transaction asks for a new connection.
            log.error("no_further_session", account=self._account_id, error=error)

    def _begin(self) -> None:
        """Give mails to free lines, and let go of what waited for one too long."""
        self._pool.put_back_stale()
        for berth in self._berths:
            while self._pool and berth.is_idle and not self._books.has_bad_news:
                load = self._pool.take()
                if self._is_prepared(load, berth.carrier) and load.passage is not None:
                    berth.carrier.begin(load.passage)
                    berth.came_aboard(load, self._around.stopwatch())
        self._gather()

    # Ending -----------------------------------------------------------------------------------------------------------

    def _verdict(self) -> ledger.Wait | None:
        if self._wait is None or self._pool or self._books.answers or self._pool.has_halted_jobs:
            return None
        for berth in [berth for berth in self._berths if berth.is_idle]:
            self._berths.remove(berth)
            berth.carrier.leave()
            self._leaving.append(berth.carrier)
        return None if self._berths or self._may_claim else self._wait

    def _say_farewell(self) -> None:
        """End every session with QUIT."""
        for berth in self._berths:
            berth.carrier.leave()
            self._leaving.append(berth.carrier)
        self._berths.clear()
        while self._leaving:
            Carrier.wait(self._leaving, LOOK_SECONDS)
            for carrier in self._leaving:
                carrier.leave()
            self._leaving = [carrier for carrier in self._leaving if carrier.is_open]
        self._pool.forget_letters()
        self._wait = None

    def _wind_down(self) -> None:
        """Asked to stop: no further dot is written, and what is after its dot is waited for."""
        self._pool.put_back("stopping")
        self._pool.put_back_halted()
        while True:
            for berth in self._berths:
                if not berth.carrier.is_after_dot:
                    self._abandon(berth, "stopping")
            self._gather()
            self._books.record_only()
            if not self._berths:
                return
            Carrier.wait([berth.carrier for berth in self._berths], LOOK_SECONDS)
            self._gather()

    def _sit_out(self, wait: ledger.Wait) -> bool:
        """Wait here for what comes soon. Returns False when it is for the sweep to come back."""
        if wait.until is None:
            return False
        rest = wait.until - self._around.now()
        if rest > self._around.short_wait:
            return False
        self._around.wait(self._stop, max(0.0, rest.total_seconds()))
        return True
