"""One group commit for all connections of an account: what was answered, what is claimed next, what may get its dot.

Many moves share one durable transaction; none of them is coarser for it. Every mark and every outcome is still its own
conditional UPDATE with its own event, and one row that differs costs only itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from fumibako.apps.recipients.rules import exclusion_of
from fumibako.delivery.decision import Effect, Move
from fumibako.delivery.outcome import Outcome
from fumibako.delivery.pace import BurstRule, BurstState, Cause, Hold
from fumibako.delivery.states import State, Trigger

from .. import pacing
from ..models import BulkSend, Delivery, Pace
from . import arrays, at_once, statements
from .claiming import Claim, Row, Wait, in_flight, is_disk_low, next_due_at, record, say_burst
from .jobs import going_jobs
from .moves import Fence, LostClaim, Note, Step, markable, move
from .statements import Differs, Moves, Pen, moment_from, moment_of, pen_in_hand


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt, and what is to follow. `seconds` is how long the mail took, when it was sent."""

    claim: Claim
    move: Move
    outcome: Outcome
    seconds: float | None = None


@dataclass(slots=True)
class Round:
    """What is durable now. `wait` is set when less could be claimed than was wanted."""

    states: dict[int, State] = field(default_factory=dict)
    """Delivery → its state, for every answer that was recorded; a row that has gone elsewhere is missing."""
    marked: list[Claim] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    wait: Wait | None = None
    going: frozenset[int] | None = None
    """The account's jobs whose mails may be sent at this moment; None when nobody looked."""


def settle_round(
    account_id: int,
    worker_id: str,
    now: datetime,
    *,
    answers: Sequence[Answer] = (),
    marks: Sequence[Claim] = (),
    want: int = 0,
    jobs: dict[int, BulkSend] | None = None,
) -> Round:
    """Record `answers`, claim up to `want` deliveries and mark `marks`, all in one transaction.

    When it returns, the dots of `marked` may be written; whoever is missing there must drop its line. An answer that
    came too late is handled as in `record`. `jobs` keeps the frozen jobs from one round to the next.
    """
    asked = _Asked(account_id, worker_id, now, answers, marks, want, {} if jobs is None else jobs)
    try:
        done = _settle(asked, is_careful=False)
    except Differs:
        done = _settle(asked, is_careful=True)
    for claim in done.marked:
        claim.is_marked = True
    for claim in (one.claim for one in answers if done.states.get(one.claim.row.pk) is State.SENT):
        claim.job.first_sent_at = claim.job.first_sent_at or now
    return done


@dataclass(frozen=True, slots=True)
class _Asked:
    account_id: int
    worker_id: str
    now: datetime
    answers: Sequence[Answer] = ()
    marks: Sequence[Claim] = ()
    want: int = 0
    jobs: dict[int, BulkSend] = field(default_factory=dict)


def _settle(asked: _Asked, *, is_careful: bool) -> Round:
    done = Round()
    now, marks = asked.now, asked.marks
    is_everyday = not (is_careful or asked.want) and all(map(_is_everyday, asked.answers))
    with pen_in_hand(is_alone=is_everyday) as pen:
        if is_everyday:
            _write(pen, asked, asked.answers, marks, done)
        elif is_careful:
            _record_one_by_one(asked.answers, now, done)
        else:
            plain = [one for one in asked.answers if _is_plain(one)]
            # Any other answer may pause a job: it is recorded before anything is marked.
            _write(pen, asked, plain, marks if len(plain) == len(asked.answers) else (), done)
            _record_one_by_one(asked.answers, now, done)
        if asked.want:
            _Claiming(pen, asked, done).run()
        elif asked.jobs and done.going is None:
            going = pen.fetch(statements.GOING_UNLESS_STOPPED, (asked.account_id, moment_of(now)), lock="")
            done.going = frozenset(row[0] for row in going)
        if is_careful:
            done.marked = [claim for claim in marks if _mark_one(claim, now)]
        elif not done.marked:
            _write(pen, asked, (), marks, done)
    return done


def _record_one_by_one(answers: Sequence[Answer], now: datetime, done: Round) -> None:
    for one in answers:
        if one.claim.row.pk not in done.states:
            try:
                state = record(one.claim, one.move, one.outcome, now, seconds=one.seconds)
            except LostClaim:
                continue
            done.states[one.claim.row.pk] = state


def _is_plain(one: Answer) -> bool:
    return one.move.trigger is Trigger.ACCEPT and one.move.account.effect is Effect.WELL and not one.move.is_counted


def _is_everyday(one: Answer) -> bool:
    return _is_plain(one) and one.claim.job.first_sent_at is not None


def _write(pen: Pen, asked: _Asked, answers: Sequence[Answer], marks: Sequence[Claim], done: Round) -> None:
    """Write what is wholly good, all at once. Raises Differs when any row is not what its worker left it as."""
    if not (answers or marks):
        return
    rest, share = 1.0, 0.0
    for seconds in (one.seconds for one in answers if one.seconds is not None):
        # The same as `pacing.settle_pace` with nothing but good news, once for each.
        rest, share = rest * (1 - pacing.MEAN_WEIGHT), share * (1 - pacing.MEAN_WEIGHT) + pacing.MEAN_WEIGHT * seconds
    accepted = [_row_of_answer(one) for one in answers]
    marked = [_row_of_claim(claim) for claim in marks]
    moves = Moves(asked.account_id, moment_of(asked.now), accepted, rest, share, marked)
    if connection.vendor == "postgresql":
        done.going = arrays.settle(moves)
    else:
        at_once.settle(pen, moves)
    for job in {one.claim.job.pk: one.claim.job for one in answers if one.claim.job.first_sent_at is None}.values():
        BulkSend.objects.filter(pk=job.pk, first_sent_at=None).update(first_sent_at=asked.now)
    done.states |= dict.fromkeys((one.claim.row.pk for one in answers), State.SENT)
    done.marked += marks


def _row_of_answer(one: Answer) -> tuple[Any, ...]:
    row, outcome = one.claim.row, one.outcome
    said = (str(outcome.stage), outcome.code, outcome.enhanced[:12], outcome.text[:500])
    return (row.pk, row.attempt, one.claim.worker_id, *said, " ".join(outcome.refused_copies)[:1000])


def _mark_one(claim: Claim, now: datetime) -> bool:
    try:
        move(claim.fence, Step(Trigger.MARK, now), among=markable())
    except LostClaim:
        return False
    return True


def _row_of_claim(claim: Claim) -> tuple[int, int, str]:
    return (claim.row.pk, claim.row.attempt, claim.worker_id)


# Claiming ------------------------------------------------------------------------------------------------------------


def claim(account_id: int, worker_id: str, now: datetime) -> Claim | Wait:
    """Take the account's next due delivery and the slot it needs, or say what to wait for.

    Whoever may not be mailed any more is moved to SUPPRESSED on the way (flag, opt-out: judged at this moment).
    """
    done = settle_round(account_id, worker_id, now, want=1)
    return done.claims[0] if done.claims else done.wait or Wait("nothing")


def outlook(account_id: int, now: datetime) -> Wait | None:
    """Return what `claim` would wait for, None when it would find something: asked before a session is opened."""
    done = Round()
    with pen_in_hand() as pen:
        _Claiming(pen, _Asked(account_id, "", now, want=1), done, is_only_looking=True).run()
    return None if done.claims else done.wait


def due_count(account_id: int, now: datetime, *, limit: int) -> int:
    """How many deliveries are due, counted no further than `limit`."""
    due = Delivery.objects.filter(account_id=account_id, state=State.QUEUED, job__in=going_jobs(now))
    return due.filter(Q(not_before_at=None) | Q(not_before_at__lte=now))[:limit].count()


class _Claiming:
    """Takes the account's next due deliveries with the slots they need; k at once are the same as k one by one."""

    def __init__(self, pen: Pen, asked: _Asked, done: Round, *, is_only_looking: bool = False) -> None:
        self._pen, self._asked, self._done = pen, asked, done
        self._pace = open_pace(pen, asked.account_id)
        self._is_only_looking = is_only_looking
        self._at = moment_of(asked.now)

    def run(self) -> None:
        """Fill in `claims`, and `wait` when they are fewer than wanted."""
        self._look()
        write_pace(self._pen, self._pace)

    def _look(self) -> None:
        asked, done = self._asked, self._done
        if is_disk_low():
            done.wait = Wait("disk_full")
            return
        if self._pace.is_stopped:
            done.wait, done.going = Wait("stopped"), frozenset()
            return
        going = [row[0] for row in self._pen.fetch(statements.GOING, (asked.account_id, self._at), lock="")]
        done.going = frozenset(going)
        for job_id in going:
            while self._left and self._take_from(job_id):
                continue
        if self._left:
            done.wait = Wait("nothing", next_due_at(asked.account_id, asked.now))

    @property
    def _left(self) -> int:
        """How many more are wanted; none once there is something to wait for."""
        return 0 if self._done.wait is not None else self._asked.want - len(self._done.claims)

    def _take_from(self, job_id: int) -> bool:
        """Take the first due rows of one job. Returns False when it has none."""
        asked = self._asked
        due = arrays.DUE if connection.vendor == "postgresql" else statements.DUE
        rows = self._pen.fetch(due, (asked.account_id, job_id, self._at, self._left), lock="d")
        if not rows:
            return False
        job = self._job(job_id)
        taken: list[Claim] = []
        for values in rows:
            row = _row_of(values, asked.account_id, job_id)
            if exclusion := _exclusion_of(values, job):
                fence = Fence(row.pk, State.QUEUED, row.attempt, "")
                move(fence, Step(Trigger.SUPPRESS, asked.now, Note(reason=exclusion), {"exclusion": exclusion}))
            elif not self._keep_slot(job, bool(taken)):
                break
            else:
                row.attempt += 1
                taken.append(Claim(row, job, asked.worker_id, self._pace.trouble_count))
        self._write(taken)
        return True

    def _keep_slot(self, job: BulkSend, has_taken: bool) -> bool:
        """Take the slot of one more mail, or note the wait."""
        pace, asked = self._pace, self._asked
        before = pace.state.cause
        has_taken = has_taken or bool(self._done.claims)
        is_awaiting = pace.is_burst_full and (has_taken or in_flight(asked.account_id).exists())
        found = pace.ask(asked.now, is_awaiting_answers=is_awaiting)
        if isinstance(found, Hold):
            if found.cause is Cause.PAUSE and before != Cause.PAUSE:
                say_burst(job, "burst_finished", found, asked.now)
            self._done.wait = Wait(found.cause, found.until)
            return False
        if not self._is_only_looking:
            pace.keep(found)
            if pace.rule.size and found.starts_burst:
                say_burst(job, "burst_started", found, asked.now)
        return True

    def _write(self, taken: list[Claim]) -> None:
        self._done.claims += taken
        if self._is_only_looking:
            return
        rows = [_row_of_claim(claim) for claim in taken]
        if connection.vendor == "postgresql":
            arrays.claim(self._at, rows)
        else:
            at_once.claim(self._pen, self._at, rows)

    def _job(self, job_id: int) -> BulkSend:
        jobs = self._asked.jobs
        if job_id not in jobs:
            jobs[job_id] = BulkSend.objects.get(pk=job_id)
        return jobs[job_id]


def _row_of(values: Sequence[Any], account_id: int, job_id: int) -> Row:
    merge = values[6]
    return Row(
        pk=values[0],
        account_id=account_id,
        job_id=job_id,
        seq=values[1],
        attempt=values[2],
        deferred_count=values[3],
        wire_address=values[4],
        party_name=values[5],
        values=json.loads(merge) if isinstance(merge, str) else merge,
        message_id=values[7],
        dated_at=moment_from(values[8]),
        boundary=values[9],
        raw_sha256=values[10],
        party_address_id=values[12],
    )


def _exclusion_of(values: Sequence[Any], job: BulkSend) -> str:
    if job.origin == BulkSend.Origin.TEST:
        return ""
    party_kind, party_address_id, flag, opt_out_id = values[11:15]
    if party_address_id is None:
        # The person or the address was deleted since approval.
        return "no_address" if job.origin == BulkSend.Origin.BULK else ""
    may_lift = bool(job.sheet.get("allow_do_not_send"))
    return exclusion_of(flag, party_kind, allow_do_not_send=may_lift, is_opted_out=opt_out_id is not None)


# The pace of the account ---------------------------------------------------------------------------------------------


def open_pace(pen: Pen, account_id: int) -> pacing.OpenPace:
    """Read the account's Pace row for this transaction; made on first use."""
    found = pen.fetch(statements.PACE, (account_id,), lock="p")
    if not found:
        Pace.objects.get_or_create(account_id=account_id)
        found = pen.fetch(statements.PACE, (account_id,), lock="p")
    count, number, last_at, next_at, cause, trouble_count, stopped_at, size, sleep = found[0]
    state = BurstState(count, number, moment_from(last_at), moment_from(next_at), Cause(cause))
    rule = BurstRule(size or None, timedelta(seconds=sleep))
    return pacing.OpenPace(account_id, rule, state, trouble_count, stopped_at is not None)


def write_pace(pen: Pen, pace: pacing.OpenPace) -> None:
    """Write what changed."""
    if not pace.is_changed:
        return
    state = pace.state
    last_at, next_at = (
        moment_of(at) if at is not None else None for at in (state.last_activity_at, state.not_before_at)
    )
    row = (state.count, state.number, last_at, next_at, state.cause.value, pace.account_id)
    pen.run(statements.KEEP_PACE, row)
    pace.is_changed = False
