"""What an error mail, or any other mail that names one of ours, says about a delivery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fumibako.apps.recipients.actions import count_refusal
from fumibako.delivery.states import State, Trigger

from ..models import Delivery
from .moves import Fence, LostClaim, Note, Step, move, one_writer

BOUNCEABLE = (State.SENT, State.UNKNOWN)
STAGE = "bounce"


@dataclass(frozen=True, slots=True)
class Bounce:
    """What the error mail says. `is_at_fault`: the address itself does not exist or is closed (SPEC §2.6).

    `reason` is a word of the bounce vocabulary, `code`, `enhanced` and `text` are the refusing server's own.
    """

    reason: str = ""
    code: int = 0
    enhanced: str = ""
    text: str = ""
    is_at_fault: bool = False


@dataclass(frozen=True, slots=True)
class Bounced:
    """What came of it: whether the delivery became 不達 by this, and whether this counted against its address."""

    is_moved: bool
    is_counted: bool


def record_bounce(delivery_id: int, bounce: Bounce, now: datetime, *, actor_name: str = "") -> Bounced:
    """SENT or UNKNOWN → BOUNCED; the address is counted once per delivery, and only when it is itself at fault.

    The same error mail twice, or two about one mail, change nothing more; but one that blames the address after one
    that did not still counts. Without an address any more (the person was deleted) nobody is counted.
    """
    with one_writer():
        row = Delivery.objects.select_related("party_address").get(pk=delivery_id)
        is_moved = row.state in BOUNCEABLE and _move(row, bounce, now, actor_name)
        if not bounce.is_at_fault or not (is_moved or row.state == State.BOUNCED):
            return Bounced(is_moved, is_counted=False)
        return Bounced(is_moved, _count(row, bounce))


def prove_sent(delivery_id: int, now: datetime, reason: str) -> bool:
    """UNKNOWN → SENT: a mail that only somebody who got ours could have written. Returns whether the row moved.

    Presence proves delivery; absence would prove nothing.
    """
    with one_writer():
        row = Delivery.objects.filter(pk=delivery_id, state=State.UNKNOWN).first()
        if row is None:
            return False
        step = Step(Trigger.PROVE_SENT, now, Note(reason=reason), {"sent_at": now})
        try:
            move(Fence(row.pk, State.UNKNOWN, row.attempt, ""), step)
        except LostClaim:
            return False
    return True


def _move(row: Delivery, bounce: Bounce, now: datetime, actor_name: str) -> bool:
    note = Note(
        STAGE, bounce.code, bounce.enhanced[:12], bounce.text[:500], actor_name=actor_name[:100], reason=bounce.reason
    )
    columns = {"stage": STAGE, "code": note.code, "enhanced": note.enhanced, "text": note.text}
    try:
        move(Fence(row.pk, State(row.state), row.attempt, ""), Step(Trigger.BOUNCE, now, note, columns))
    except LostClaim:
        return False
    return True


def _count(row: Delivery, bounce: Bounce) -> bool:
    if row.party_address is None:
        return False
    if Delivery.objects.filter(pk=row.pk, is_counted=False).update(is_counted=True) != 1:
        return False
    count_refusal(row.party_address, cause="bounced", code=bounce.code, text=bounce.text[:500])
    return True
