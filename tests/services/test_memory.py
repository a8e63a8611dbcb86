"""What is remembered of a uid, and what follows from it: decisions as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fumibako.services.collecting.memory import (
    MOVES,
    Seen,
    SeenState,
    SeenTrigger,
    after,
    after_failure,
    is_believable,
    is_new,
    may_delete,
    may_forget,
)
from fumibako.services.collector import Listed, Why

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ONE, TWIN = Listed(1, "uid", 100), Listed(1, "uid", 100, is_duplicate=True)


@pytest.mark.parametrize(
    ("listed", "seen", "is_fetched", "is_deletable"),
    [
        (ONE, None, True, False),
        (ONE, Seen(SeenState.WAITING), True, False),
        (ONE, Seen(SeenState.STORED, 100), False, True),
        (ONE, Seen(SeenState.STORED, 101), True, False),
        (ONE, Seen(SeenState.STORED, 0), False, True),
        (Listed(1, "uid", 0), Seen(SeenState.STORED, 100), False, True),
        (TWIN, Seen(SeenState.STORED, 100), True, True),
        (ONE, Seen(SeenState.SKIPPED, 100), True, False),
        (ONE, Seen(SeenState.QUARANTINED, 100), False, False),
        (TWIN, Seen(SeenState.QUARANTINED, 100), False, False),
        (ONE, Seen(SeenState.LEAVING, 100), True, False),
        (ONE, Seen(SeenState.GONE, 100), True, False),
    ],
)
def test_what_is_fetched_and_what_may_be_deleted(
    listed: Listed, seen: Seen | None, is_fetched: bool, is_deletable: bool
) -> None:
    assert is_new(listed, seen, bounce_only=False) is is_fetched
    assert may_delete(listed, seen) is is_deletable


def test_what_the_rule_left_is_new_again_when_the_rule_is_off() -> None:
    skipped = Seen(SeenState.SKIPPED, 100)
    assert (is_new(ONE, skipped, bounce_only=True), is_new(ONE, skipped, bounce_only=False)) == (False, True)


@pytest.mark.parametrize(
    ("why", "try_count", "trigger"),
    [
        (Why.CUT, 0, SeenTrigger.FAIL),
        (Why.CUT, 1, SeenTrigger.FAIL),
        (Why.CUT, 2, SeenTrigger.SET_ASIDE),
        (Why.REFUSED, 2, SeenTrigger.SET_ASIDE),
        (Why.TOO_BIG, 0, SeenTrigger.SET_ASIDE),
    ],
)
def test_the_third_failure_sets_a_mail_aside_and_too_big_at_once(
    why: Why, try_count: int, trigger: SeenTrigger
) -> None:
    assert after_failure(Seen(try_count=try_count), why) is trigger


def test_an_empty_list_is_believed_at_the_third_time() -> None:
    assert [is_believable(0, before) for before in range(4)] == [False, False, True, True]
    assert is_believable(1, 0)


@pytest.mark.parametrize(
    ("state", "absent_count", "days", "is_forgotten"),
    [
        (SeenState.GONE, 3, 30, True),
        (SeenState.GONE, 2, 300, False),
        (SeenState.GONE, 300, 29, False),
        (SeenState.STORED, 300, 300, False),
        (SeenState.LEAVING, 300, 300, False),
    ],
)
def test_a_uid_is_forgotten_after_three_full_lists_and_thirty_days(
    state: SeenState, absent_count: int, days: int, is_forgotten: bool
) -> None:
    seen = Seen(state, absent_count=absent_count, absent_since=NOW - timedelta(days=days))
    assert may_forget(seen, NOW) is is_forgotten


def test_a_uid_that_was_never_missing_is_never_forgotten() -> None:
    assert not may_forget(Seen(SeenState.GONE, absent_count=5), NOW)


def test_nothing_is_deleted_without_having_been_stored_first() -> None:
    before_leaving = {state for (state, trigger) in MOVES if trigger is SeenTrigger.LEAVE}
    assert before_leaving == {SeenState.STORED}
    assert {state for (state, trigger), to in MOVES.items() if to is SeenState.STORED} >= {SeenState.LEAVING}
    assert after(SeenState.WAITING, SeenTrigger.LEAVE) is SeenState.WAITING
