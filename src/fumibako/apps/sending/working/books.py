"""What has come of the account's mails and is not recorded yet, and the one transaction that records it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError

from fumibako.delivery.decision import UNTOUCHED, Effect, Move, Standing, decide
from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.delivery.states import State, Trigger

from .. import ledger
from ..models import BulkSend
from .around import Around
from .loads import Load

log = structlog.get_logger("fumibako.sending")

Result = TypeVar("Result")

ANSWER_SECONDS = 0.1
"""How long an answer may wait to be recorded together with the next mark of its line."""
RECORD_AGAIN_SECONDS = 1.0
HALTS = (Effect.SLOW, Effect.STOP, Effect.PAUSE_JOB)
HARMLESS = (Trigger.ACCEPT, Trigger.PUT_BACK)
NO_COMMIT = (OperationalError, InterfaceError)
"""The transaction did not come about, or nobody can say whether it did: its connection was lost in COMMIT."""


def is_failed_sync(error: BaseException) -> bool:
    """True when the disk failed: a failed sync may have lost pages that a second one reports as safe (D03)."""
    return isinstance(error, OperationalError) and "I/O error" in str(error)


class Books:
    """Collects answers and brings them into the ledger, together with marks and claims."""

    def __init__(self, account_id: int, worker_id: str, around: Around, jobs: dict[int, BulkSend]) -> None:
        self._account_id = account_id
        self._worker_id = worker_id
        self._around = around
        self._jobs = jobs
        self._first_at = 0.0
        self._unsure: dict[int, ledger.Claim] = {}
        """Marks of a commit that may have come about. None of them got its dot."""
        self.answers: list[ledger.Answer] = []
        self.sent_count = 0
        self.is_sound = True
        """False once the disk failed: nothing may be written any more."""

    @property
    def is_overdue(self) -> bool:
        """True when the oldest answer has waited long enough."""
        return bool(self.answers) and self._around.stopwatch() - self._first_at >= ANSWER_SECONDS

    @property
    def has_trouble(self) -> bool:
        """True when the account or a job will not go on once the answers are recorded."""
        return any(one.move.account.effect in HALTS for one in self.answers)

    @property
    def has_bad_news(self) -> bool:
        """True when an answer may stop anything, or is about a person: nothing more begins before it is recorded."""
        return self.has_trouble or any(one.move.trigger not in HARMLESS for one in self.answers)

    def conclude(self, claim: ledger.Claim, outcome: Outcome, seconds: float, *, place: int = 0) -> None:
        """An attempt is over: decide what follows. `place` is how many mails its session had begun before."""
        standing = Standing(
            attempt=claim.row.attempt,
            deferred_count=claim.row.deferred_count,
            trouble_count=claim.trouble_count,
            session_mail_count=place,
            seed=claim.row.pk * 31 + claim.row.attempt,
        )
        move = decide(outcome, standing, self._around.policy)
        self._add(ledger.Answer(claim, move, outcome, seconds if outcome.verdict is Verdict.SENT else None))

    def put_back(self, loads: Iterable[Load], why: str, stage: Stage = Stage.MARK) -> None:
        """`step_back` for several."""
        for load in loads:
            self.step_back(load.claim, why, stage)

    def step_back(self, claim: ledger.Claim, why: str, stage: Stage = Stage.MARK) -> None:
        """The mail surely did not go, and nobody is to blame."""
        outcome = Outcome(Verdict.UNREACHABLE, Scope.MESSAGE, stage, text=why)
        self._add(ledger.Answer(claim, Move(Trigger.PUT_BACK, account=UNTOUCHED), outcome))

    def settle(self, marks: list[ledger.Claim], want: int) -> ledger.Round | None:
        """One durable transaction for everybody. None when there was none: then no dot may be written.

        What was to be recorded stays; with a full disk it is for `record_only` to insist.
        """
        answers, self.answers = self.answers, []
        try:
            done = self._settle(answers, marks, want)
        except NO_COMMIT as error:
            self.answers = answers
            self._unsure |= {claim.row.pk: claim for claim in marks}
            self._require_sound(error)
            log.error("round_failed", account=self._account_id, error=error)
            return None
        self._note(answers, done)
        return done

    def record_only(self) -> None:
        """Record, however long the disk is full: what happened after a dot must not be forgotten while we live."""
        while self.answers:
            answers, self.answers = self.answers, []
            done = self._insist(partial(self._settle, answers, [], 0))
            self._note(answers, done)

    def let_go_of_strays(self, known: set[int]) -> None:
        """After a commit of which nobody knows: what it claimed and is not in our hands (`known`) waits again."""
        self._insist(lambda: ledger.put_back_strays(self._account_id, self._worker_id, known, self._around.now()))

    def _insist(self, work: Callable[[], Result]) -> Result:
        while True:
            try:
                return work()
            except NO_COMMIT as error:
                self._require_sound(error)
                log.error("record_failed", account=self._account_id, error=error)
                self._around.wait(threading.Event(), RECORD_AGAIN_SECONDS)

    def _settle(self, answers: list[ledger.Answer], marks: list[ledger.Claim], want: int) -> ledger.Round:
        return ledger.settle_round(
            self._account_id,
            self._worker_id,
            self._around.now(),
            answers=answers,
            marks=marks,
            want=want,
            jobs=self._jobs,
        )

    def _add(self, answer: ledger.Answer) -> None:
        if not self.answers:
            self._first_at = self._around.stopwatch()
        self.answers.append(answer)

    def _note(self, answers: list[ledger.Answer], done: ledger.Round) -> None:
        for one in answers:
            row, state = one.claim.row, done.states.get(one.claim.row.pk)
            unsure = self._unsure.pop(row.pk, None)
            if state is None and unsure is one.claim and not unsure.is_marked:
                # The commit that failed had come about after all: the mark is there, and the dot never followed.
                unsure.is_marked = True
                self._add(one)
                continue
            if state is State.SENT:
                self.sent_count += 1
            elif state is None:
                log.warning("claim_lost", delivery=row.pk, attempt=row.attempt, verdict=one.outcome.verdict)
            else:
                log.info("mail", delivery=row.pk, attempt=row.attempt, state=state, code=one.outcome.code)

    def _require_sound(self, error: OperationalError | InterfaceError) -> None:
        """Once a sync failed nothing is tried again."""
        if is_failed_sync(error):
            self.is_sound = False
            raise error
