"""What is remembered of each uid a server has shown, as a machine in data, and the decisions that rest on it.

A uid counts as known only together with the hash of its bytes and only while it has surely been on the server all the
time: what was deleted, or was missing from a list, is fetched again when its uid comes back (RFC 1939 lets a server use
it for another mail), and compared by hash. `tests/models/test_pop_store_model.py` walks this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fumibako.services.collecting.terms import Listed, Why

TRIES = 3
EMPTY_LISTS = 3
"""So many empty lists in a row are believed; one may be a server's bad day."""
ABSENT_LISTS = 3
ABSENT_FOR = timedelta(days=30)


class SeenState(StrEnum):
    """Where one uid of one account stands. The value is what the database stores."""

    WAITING = "waiting"
    """Shown by the server, not fetched yet: to be fetched."""
    STORED = "stored"
    """File synced, row committed, hash known."""
    SKIPPED = "skipped"
    """Left on the server by rule; becomes eligible when the rule is switched off."""
    QUARANTINED = "quarantined"
    """Could not be fetched (取得不能); left on the server until a person asks for another try."""
    LEAVING = "leaving"
    """DELE may have been said, and no answer to QUIT was heard."""
    GONE = "gone"
    """Deleted, or missing from a full list. A uid that comes back from here is a new mail until its hash says no."""


class SeenTrigger(StrEnum):
    """What moved a uid."""

    KEEP = "keep"
    SKIP = "skip"
    FAIL = "fail"
    SET_ASIDE = "set_aside"
    LEAVE = "leave"
    STAY = "stay"
    CONFIRM = "confirm"
    VANISH = "vanish"
    TRY_AGAIN = "try_again"
    """A person asked for it."""


_S, _T = SeenState, SeenTrigger
FETCHABLE = (_S.WAITING, _S.SKIPPED, _S.LEAVING, _S.GONE)
MOVES: dict[tuple[SeenState, SeenTrigger], SeenState] = {
    **{(state, _T.KEEP): _S.STORED for state in (*FETCHABLE, _S.STORED)},
    **{(state, _T.SKIP): _S.SKIPPED for state in FETCHABLE if state is not _S.SKIPPED},
    **{(state, _T.FAIL): _S.WAITING for state in FETCHABLE},
    **{(state, _T.SET_ASIDE): _S.QUARANTINED for state in FETCHABLE},
    (_S.STORED, _T.LEAVE): _S.LEAVING,
    (_S.LEAVING, _T.STAY): _S.STORED,
    (_S.LEAVING, _T.CONFIRM): _S.GONE,
    **{(state, _T.VANISH): _S.GONE for state in SeenState if state is not _S.GONE},
    (_S.QUARANTINED, _T.TRY_AGAIN): _S.WAITING,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What is remembered of one uid.

    `size` is what the server said when it was stored, `absent_count` in how many full lists in a row it was missing,
    `absent_since` when that began.
    """

    state: SeenState = SeenState.WAITING
    size: int = 0
    try_count: int = 0
    absent_count: int = 0
    absent_since: datetime | None = None


def after(state: SeenState, trigger: SeenTrigger) -> SeenState:
    """Return where `trigger` leads; a move the table does not list changes nothing."""
    return MOVES.get((state, trigger), state)


def is_new(listed: Listed, seen: Seen | None, *, bounce_only: bool) -> bool:
    """Whether to fetch it: never seen, not surely there all the time, or not surely the mail that was stored."""
    if seen is None:
        return True
    match seen.state:
        case SeenState.STORED:
            return listed.is_duplicate or _is_another(listed, seen)
        case SeenState.SKIPPED:
            return not bounce_only
        case SeenState.QUARANTINED:
            return False
        case _:
            return True


def may_delete(listed: Listed, seen: Seen | None) -> bool:
    """Whether its bytes are stored, as far as rows can tell. The session adds what it knows itself."""
    return seen is not None and seen.state is SeenState.STORED and not _is_another(listed, seen)


def _is_another(listed: Listed, seen: Seen) -> bool:
    """A server that lists another size for a uid may mean another mail by it; 0 is a size nobody told."""
    return bool(listed.size and seen.size) and listed.size != seen.size


def after_failure(seen: Seen | None, why: Why) -> SeenTrigger:
    """Return what one more failed try comes to."""
    try_count = (seen.try_count if seen else 0) + 1
    return SeenTrigger.SET_ASIDE if why is Why.TOO_BIG or try_count >= TRIES else SeenTrigger.FAIL


def is_believable(listed_count: int, empty_lists_before: int) -> bool:
    """Whether a list says something about the mails that are not in it; `empty_lists_before` are those in a row."""
    return listed_count > 0 or empty_lists_before + 1 >= EMPTY_LISTS


def may_forget(seen: Seen, now: datetime) -> bool:
    """Whether a uid may be dropped from memory: missing from three full lists, and for thirty days."""
    if seen.state is not SeenState.GONE or seen.absent_since is None:
        return False
    return seen.absent_count >= ABSENT_LISTS and now - seen.absent_since >= ABSENT_FOR
