"""The arithmetic of bursts and pauses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fumibako.delivery.pace import BurstRule, BurstState, Cause, Hold, Slot, held, next_slot

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RULE = BurstRule(100, timedelta(seconds=60))


def run(
    count: int, rule: BurstRule, seconds_per_mail: float = 1.0
) -> tuple[list[datetime], list[timedelta], BurstState]:
    """Send `count` mails one after the other; return when each went, and the pauses."""
    state, now = BurstState(), START
    times: list[datetime] = []
    pauses: list[timedelta] = []
    while len(times) < count:
        found = next_slot(state, rule, now, is_awaiting_answers=False)
        state = found.state
        if isinstance(found, Hold):
            pauses.append(found.until - now)
            now = found.until
            continue
        times.append(now)
        now += timedelta(seconds=seconds_per_mail)
        state = replace(state, last_activity_at=now)
    return times, pauses, state


def test_example_02_250_mails_by_100_with_60_seconds_are_three_bursts_and_two_pauses() -> None:
    _, pauses, state = run(250, RULE)
    assert pauses == [timedelta(seconds=60)] * 2
    assert (state.number, state.count) == (3, 50)


def test_there_is_no_pause_after_the_last_mail_of_a_full_burst() -> None:
    _, pauses, state = run(200, RULE)
    assert len(pauses) == 1
    assert (state.number, state.cause) == (2, Cause.NONE)


def test_the_pause_begins_with_the_last_answer_and_not_with_the_last_mail() -> None:
    state = BurstState(100, 1, START + timedelta(seconds=30))
    found = next_slot(state, RULE, START + timedelta(seconds=31), is_awaiting_answers=False)
    assert isinstance(found, Hold)
    assert found.until == START + timedelta(seconds=90)


def test_while_an_answer_is_awaited_the_pause_has_not_begun() -> None:
    state = BurstState(100, 1, START)
    found = next_slot(state, RULE, START + timedelta(minutes=5), is_awaiting_answers=True)
    assert isinstance(found, Hold)
    assert (found.cause, found.state) == (Cause.ANSWERS, state)


def test_after_a_rest_as_long_as_the_pause_a_burst_starts_anew() -> None:
    state = BurstState(37, 4, START)
    found = next_slot(state, RULE, START + timedelta(seconds=60), is_awaiting_answers=False)
    assert isinstance(found, Slot)
    assert (found.state.count, found.state.number) == (1, 5)


def test_after_a_shorter_rest_the_burst_goes_on() -> None:
    found = next_slot(BurstState(37, 4, START), RULE, START + timedelta(seconds=59), is_awaiting_answers=False)
    assert (found.state.count, found.state.number) == (38, 4)


def test_without_a_burst_size_nothing_ever_pauses() -> None:
    assert run(1000, BurstRule(None, timedelta(seconds=60)))[1] == []


def test_with_a_sleep_of_zero_bursts_are_counted_and_nothing_waits() -> None:
    _, pauses, state = run(250, BurstRule(100, timedelta(0)))
    assert (pauses, state.number, state.count) == ([], 3, 50)


def test_a_smaller_burst_size_set_in_the_middle_is_felt_at_once() -> None:
    found = next_slot(BurstState(70, 1, START), BurstRule(50, RULE.sleep), START, is_awaiting_answers=False)
    assert isinstance(found, Hold)


def test_a_restart_in_the_middle_of_a_pause_changes_nothing() -> None:
    paused = next_slot(BurstState(100, 1, START), RULE, START, is_awaiting_answers=False).state
    found = next_slot(replace(paused), RULE, START + timedelta(seconds=40), is_awaiting_answers=False)
    assert isinstance(found, Hold)
    assert found.until == START + timedelta(seconds=60)


def test_a_push_back_is_waited_for_and_then_the_burst_goes_on() -> None:
    state = held(BurstState(10, 1, START), START, timedelta(minutes=5), Cause.PUSH_BACK)
    assert isinstance(next_slot(state, RULE, START + timedelta(minutes=4), is_awaiting_answers=False), Hold)
    after = next_slot(state, RULE, START + timedelta(minutes=5), is_awaiting_answers=False)
    assert isinstance(after, Slot)


def test_a_shorter_wait_never_shortens_a_longer_one() -> None:
    long = held(BurstState(), START, timedelta(minutes=60), Cause.PUSH_BACK)
    assert held(long, START, timedelta(minutes=1), Cause.TROUBLE).not_before_at == START + timedelta(minutes=60)


@given(step=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)))
def test_t02_a_clock_that_steps_back_waits_no_more_than_one_sleep(step: timedelta) -> None:
    paused = next_slot(BurstState(100, 1, START), RULE, START, is_awaiting_answers=False).state
    now = START - step
    found = next_slot(paused, RULE, now, is_awaiting_answers=False)
    assert isinstance(found, Hold)
    assert found.until - now <= RULE.sleep
    assert isinstance(next_slot(found.state, RULE, found.until, is_awaiting_answers=False), Slot)


@given(
    size=st.integers(1, 7),
    sleep=st.integers(1, 50),
    gaps=st.lists(st.integers(0, 60), max_size=60),
)
def test_no_more_than_one_burst_ever_fits_between_two_pauses(size: int, sleep: int, gaps: list[int]) -> None:
    rule = BurstRule(size, timedelta(seconds=sleep))
    state, now, times = BurstState(), START, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        found = next_slot(state, rule, now, is_awaiting_answers=False)
        state = found.state
        if isinstance(found, Slot):
            times.append(now)
    for first, last in zip(times, times[size:], strict=False):
        assert last - first >= rule.sleep
