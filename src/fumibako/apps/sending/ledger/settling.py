"""What moves a delivery without an attempt: the death of its worker, and a person who decides what nobody can know."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q

from fumibako.apps.office.models import Operator
from fumibako.delivery.states import NEEDS_A_PERSON_TO, State, Trigger

from .. import workers
from ..models import BulkSend, Delivery
from ..workers import SILENCE_LIMIT
from .claiming import in_hands
from .moves import Fence, LostClaim, Note, Step, move, move_all, one_writer
from .statements import lease_moment

SECOND_CHANCE = timedelta(hours=24)
"""How long a mail that a person sends again may be tried, when its job's own deadline is nearer or past."""


@dataclass(frozen=True, slots=True)
class Reaped:
    """What dead workers left behind: rows that wait again, and rows whose fate nobody heard."""

    queued_count: int
    unknown_count: int


def reap(now: datetime) -> Reaped:
    """Take the rows of workers that are proven dead: before the mark they wait again, after it they are UNKNOWN.

    A row held longer than any attempt can take is let go too, as the last resort. No clock can break the promise:
    a worker that lives after all fails at its mark, and its late 2xx still proves the mail SENT.
    """
    held = in_hands()
    owners = set(held.order_by().values_list("owner", flat=True).distinct())
    dead = workers.dead_among(owners)
    orphans = held.filter(Q(owner__in=dead) | Q(claimed_at__lt=lease_moment(now) - SILENCE_LIMIT))
    note = Note(reason="worker ended")
    with one_writer():
        queued = move_all(orphans, Step(Trigger.PUT_BACK, now, note), only=(State.SENDING,))
        unknown = move_all(orphans, Step(Trigger.LOSE_ANSWER, now, note), only=(State.HANDING_OVER,))
    return Reaped(queued, unknown)


def put_back_strays(account_id: int, worker_id: str, known: Collection[int], now: datetime) -> int:
    """Put back what a worker has claimed and does not know of, because its COMMIT seemed to fail; return how many.

    SENDING alone: without its mark no mail had its dot.
    """
    mine = in_hands().filter(account_id=account_id, owner=worker_id, state=State.SENDING)
    step = Step(Trigger.PUT_BACK, now, Note(reason="commit in doubt"))
    return move_all(mine.exclude(pk__in=known), step, only=(State.SENDING,))


class CannotSettle(Exception):
    """The delivery is not (any more) an unknown result, or its job was cancelled so that nothing may leave it."""


def settle(
    delivery_id: int, trigger: Trigger, operator: Operator | None, reason: str, now: datetime, *, actor_name: str = ""
) -> State:
    """Let a named person decide about a 結果不明: RESEND, TREAT_AS_SENT or GIVE_UP. Returns the new state.

    A resend gets a day of its own when the job's deadline is past. Raises CannotSettle; ValueError for any other
    trigger, an empty reason, or nobody's name: without an operator (command line) `actor_name` says who it was.
    """
    who = str(operator) if operator is not None else actor_name
    if trigger not in NEEDS_A_PERSON_TO or not reason.strip() or not who:
        raise ValueError("a person settles an unknown result, with a reason")
    with one_writer():
        row = Delivery.objects.select_related("job").filter(pk=delivery_id, state=State.UNKNOWN).first()
        if row is None or (trigger is Trigger.RESEND and row.job.cancelled_at is not None):
            raise CannotSettle(f"delivery {delivery_id}")
        fence = Fence(row.pk, State.UNKNOWN, row.attempt, "")
        note = Note(operator=operator, actor_name=who[:100], reason=reason.strip()[:500])
        step = Step(trigger, now, note)
        if trigger is Trigger.RESEND:
            step = Step(trigger, now, note, {"resend_count": F("resend_count") + 1, "not_before_at": None})
            _open_again(row.job, now)
        if trigger is Trigger.TREAT_AS_SENT:
            step = Step(trigger, now, note, {"sent_at": now})
        try:
            return move(fence, step)
        except LostClaim:
            raise CannotSettle(f"delivery {delivery_id}") from None


def _open_again(job: BulkSend, now: datetime) -> None:
    deadline_at = job.deadline_at
    if deadline_at is not None:
        deadline_at = max(deadline_at, now + SECOND_CHANCE)
    BulkSend.objects.filter(pk=job.pk).update(finished_at=None, deadline_at=deadline_at)
