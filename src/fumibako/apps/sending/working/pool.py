"""What is claimed and built but not yet begun, and the jobs of which nothing more can be built."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict

from .. import ledger
from .around import Around
from .books import Books
from .loads import Composers, JobHalted, Load, Unbuilt

STALE_SECONDS = 60.0
"""What was claimed ahead and has not begun by then goes back: flags and opt-outs are judged anew."""


class Pool:
    """The mails of one account that wait for a line."""

    def __init__(self, books: Books, around: Around) -> None:
        self._books = books
        self._around = around
        self._composers = Composers()
        self._loads: deque[Load] = deque()
        self._halted: dict[int, tuple[ledger.Claim, JobHalted]] = {}
        """Jobs of which no further mail can be built, and the row that showed it."""

    def __len__(self) -> int:
        return len(self._loads)

    @property
    def has_halted_jobs(self) -> bool:
        """True when a job waits to be paused."""
        return bool(self._halted)

    @property
    def delivery_ids(self) -> set[int]:
        """Every delivery in it."""
        return {load.claim.row.pk for load in self._loads} | {claim.row.pk for claim, _ in self._halted.values()}

    def take(self) -> Load:
        """The next one."""
        return self._loads.popleft()

    def give_back(self, loads: Iterable[Load]) -> None:
        """What was taken and not begun is next again, in its order."""
        self._loads.extendleft(reversed(list(loads)))

    def build(self, claims: Iterable[ledger.Claim]) -> None:
        """Build what was claimed."""
        now = self._around.stopwatch()
        for claim in claims:
            self._build(claim, now)

    def keep_only(self, job_ids: frozenset[int]) -> None:
        """Put back what its job does not want sent any more."""
        gone = [load for load in self._loads if load.claim.job.pk not in job_ids]
        if gone:
            self._books.put_back(gone, "job halted")
            self._loads = deque(load for load in self._loads if load.claim.job.pk in job_ids)

    def put_back(self, why: str) -> None:
        """Put back all that is built."""
        self._books.put_back(self._loads, why)
        self._loads.clear()

    def put_back_stale(self) -> None:
        """Put back what has waited for a line too long."""
        while self._loads and self._around.stopwatch() - self._loads[0].claimed_at > STALE_SECONDS:
            self._books.step_back(self._loads.popleft().claim, "waited too long")

    def pause_halted_jobs(self) -> None:
        """Pause the jobs that cannot go on."""
        for claim, halt in self._halted.values():
            data = {"seq": claim.row.seq, **halt.data}
            ledger.pause_job(claim.job.pk, halt.cause, self._around.now(), data)
        self.put_back_halted()

    def put_back_halted(self) -> None:
        """Put back the rows that showed that their jobs cannot go on."""
        for claim, halt in self._halted.values():
            self._books.step_back(claim, halt.cause, Stage.BUILD)
        self._halted.clear()

    def forget_letters(self) -> None:
        """The burst is over: attachments are read and checked again before the next one (D13, D14)."""
        self._composers.forget()

    def _build(self, claim: ledger.Claim, now: float) -> None:
        if claim.job.pk in self._halted:
            self._books.step_back(claim, "job halted", Stage.BUILD)
            return
        try:
            load = self._composers.load(claim)
        except JobHalted as halt:
            self._halted[claim.job.pk] = (claim, halt)
        except Unbuilt as unbuilt:
            outcome = Outcome(Verdict.REFUSED, Scope.MESSAGE, Stage.BUILD, text=str(unbuilt)[:500])
            self._books.conclude(claim, outcome, 0.0)
        else:
            load.claimed_at = now
            self._loads.append(load)
