"""The delivery ledger's state machine, as data.

Everything that shows, stores or checks a state reads this table: the database repeats it as constraints, the model
check walks it, and `docs/states.md` is drawn from it. A row leaves a state only by a `Trigger` that `MOVES` lists.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where one delivery stands. The value is what the database stores."""

    PLANNED = "planned"
    """Frozen into a job that is not released yet (hold time, schedule)."""
    QUEUED = "queued"
    """May be claimed once its not-before time has come."""
    SENDING = "sending"
    """One worker holds it and the final dot has surely not been written."""
    HANDING_OVER = "handing_over"
    """The final dot may have been written; from here silence no longer means "not delivered" (RFC 1047)."""
    UNKNOWN = "unknown"
    """Handed over, no answer. Only proof or a named person moves it on."""
    SENT = "sent"
    """A complete 2xx after the dot was read."""
    FAILED = "failed"
    """A complete 5xx about this recipient or this mail was read, or the mail could not be built."""
    BOUNCED = "bounced"
    """Accepted first, then an error mail came back."""
    SUPPRESSED = "suppressed"
    """Left out on purpose: flag, opt-out, duplicate, unusable address."""
    EXPIRED = "expired"
    """The job's deadline passed before the server took it."""
    CANCELLED = "cancelled"
    """A person ended the job before this mail was handed over."""
    CLOSED = "closed"
    """A person gave up on an unknown result."""


class Trigger(StrEnum):
    """What moved a delivery."""

    RELEASE = "release"
    CLAIM = "claim"
    MARK = "mark"
    PUT_BACK = "put_back"
    """Surely not handed over: lost before the dot, worker dead before the mark, account trouble."""
    DEFER = "defer"
    """The server answered a complete 4xx."""
    ACCEPT = "accept"
    REFUSE = "refuse"
    LOSE_ANSWER = "lose_answer"
    """After the mark: silence, garbage, or the worker died."""
    SUPPRESS = "suppress"
    EXPIRE = "expire"
    CANCEL = "cancel"
    PROVE_SENT = "prove_sent"
    BOUNCE = "bounce"
    RESEND = "resend"
    TREAT_AS_SENT = "treat_as_sent"
    GIVE_UP = "give_up"
    RESTORE = "restore"
    """An old copy of the records was put in place: what happened to the row since then is not on record."""


MOVES: dict[tuple[State, Trigger], State] = {
    (State.PLANNED, Trigger.RELEASE): State.QUEUED,
    (State.PLANNED, Trigger.CANCEL): State.CANCELLED,
    (State.PLANNED, Trigger.EXPIRE): State.EXPIRED,
    (State.QUEUED, Trigger.CLAIM): State.SENDING,
    (State.QUEUED, Trigger.SUPPRESS): State.SUPPRESSED,
    (State.QUEUED, Trigger.EXPIRE): State.EXPIRED,
    (State.QUEUED, Trigger.CANCEL): State.CANCELLED,
    (State.SENDING, Trigger.MARK): State.HANDING_OVER,
    (State.SENDING, Trigger.PUT_BACK): State.QUEUED,
    (State.SENDING, Trigger.DEFER): State.QUEUED,
    (State.SENDING, Trigger.REFUSE): State.FAILED,
    (State.SENDING, Trigger.CANCEL): State.CANCELLED,
    (State.HANDING_OVER, Trigger.ACCEPT): State.SENT,
    (State.HANDING_OVER, Trigger.DEFER): State.QUEUED,
    (State.HANDING_OVER, Trigger.REFUSE): State.FAILED,
    # Only the worker that made the mark and knows it never wrote the dot (stopwatch) may do this.
    (State.HANDING_OVER, Trigger.PUT_BACK): State.QUEUED,
    (State.HANDING_OVER, Trigger.LOSE_ANSWER): State.UNKNOWN,
    (State.PLANNED, Trigger.RESTORE): State.UNKNOWN,
    (State.QUEUED, Trigger.RESTORE): State.UNKNOWN,
    (State.SENDING, Trigger.RESTORE): State.UNKNOWN,
    (State.HANDING_OVER, Trigger.RESTORE): State.UNKNOWN,
    (State.UNKNOWN, Trigger.PROVE_SENT): State.SENT,
    (State.UNKNOWN, Trigger.BOUNCE): State.BOUNCED,
    (State.UNKNOWN, Trigger.RESEND): State.QUEUED,
    (State.UNKNOWN, Trigger.TREAT_AS_SENT): State.SENT,
    (State.UNKNOWN, Trigger.GIVE_UP): State.CLOSED,
    (State.SENT, Trigger.BOUNCE): State.BOUNCED,
}

TERMINAL: frozenset[State] = frozenset(State) - {state for state, _ in MOVES} | {State.SENT}
"""States in which a delivery needs nothing more from us; an error mail may still turn SENT into BOUNCED."""

IN_FLIGHT: frozenset[State] = frozenset({State.SENDING, State.HANDING_OVER})
"""States owned by one worker."""

NEEDS_A_PERSON_TO: frozenset[Trigger] = frozenset({Trigger.RESEND, Trigger.TREAT_AS_SENT, Trigger.GIVE_UP})
"""Moves that record who decided, and why."""


class IllegalMove(Exception):
    """`state` has no exit by `trigger`: a mistake in our own code."""


def destination(state: State, trigger: Trigger) -> State:
    """Return where `trigger` leads from `state`. Raises IllegalMove when the table has no such move."""
    try:
        return MOVES[state, trigger]
    except KeyError:
        raise IllegalMove(f"{state} has no move by {trigger}") from None


def sources(trigger: Trigger) -> frozenset[State]:
    """Return every state that `trigger` may leave."""
    return frozenset(state for state, by in MOVES if by is trigger)
