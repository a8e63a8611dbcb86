"""The plan and the warning hours: pure arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fumibako.apps.sending.plan import Speed, plan, speed_of
from fumibako.apps.sending.warning import WarningHours, warning_hours

START = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)
NIGHT = WarningHours(time(22), time(7))


def at(clock: str) -> datetime:
    hour, minute = clock.split(":")
    return START.replace(hour=int(hour), minute=int(minute))


@pytest.mark.parametrize(("clock", "is_inside"), [("21:59", False), ("22:00", True), ("06:59", True), ("07:00", False)])
def test_example_03_the_warning_hours_are_half_open_and_cross_midnight(clock: str, is_inside: bool) -> None:
    assert NIGHT.includes(at(clock)) is is_inside


def test_warning_hours_within_one_day_are_half_open_too() -> None:
    noon = WarningHours(time(12), time(13))
    assert [noon.includes(at(clock)) for clock in ("11:59", "12:00", "12:59", "13:00")] == [False, True, True, False]


def test_warning_hours_that_begin_when_they_end_are_no_time_at_all() -> None:
    empty = WarningHours(time(9), time(9))
    assert not empty.includes(at("09:00"))
    assert not empty.touches(at("08:00"), at("10:00"))


def test_an_empty_field_means_no_warning_hours() -> None:
    assert warning_hours(None, time(7)) is None
    assert warning_hours(time(22), None) is None


def test_example_02_250_mails_in_bursts_of_100_are_three_bursts_and_two_pauses() -> None:
    laid_out = plan(250, START, Speed(batch_size=100, sleep_seconds=60, mail_seconds=0))
    assert [burst.count for burst in laid_out.bursts] == [100, 100, 50]
    assert laid_out.pause_count == 2
    assert laid_out.duration == timedelta(seconds=120), "no pause after the last burst"


def test_the_figures_of_the_design_come_out() -> None:
    speed = Speed(batch_size=100, sleep_seconds=600, mail_seconds=0.5, copy_count=1)
    laid_out = plan(1248, START, speed)
    assert laid_out.duration == timedelta(seconds=7824)
    assert f"{laid_out.end_at:%H:%M}" == "18:40"
    assert laid_out.recipients_per_hour == 1108
    slower = plan(1248, START, Speed(batch_size=100, sleep_seconds=670, mail_seconds=0.5))
    assert f"{slower.end_at:%H:%M}" == "18:54"


def test_a_send_that_runs_into_the_warning_hours_offers_a_start_after_them() -> None:
    laid_out = plan(100, at("21:30"), Speed(10, 600), hours=NIGHT)
    assert laid_out.touches_warning
    assert not laid_out.starts_in_warning
    assert laid_out.warning_from == at("22:00")
    assert laid_out.start_after_warning_at == at("07:00") + timedelta(days=1)


def test_a_send_longer_than_the_free_hours_has_no_clear_start() -> None:
    assert plan(1000, at("21:30"), Speed(10, 3600), hours=NIGHT).start_after_warning_at is None


def test_a_send_that_ends_as_the_warning_hours_begin_touches_them() -> None:
    assert plan(1, at("21:00"), Speed(None, 0, 3599), hours=NIGHT).warning_from is None
    assert plan(1, at("21:00"), Speed(None, 0, 3600), hours=NIGHT).warning_from == at("22:00")


def test_a_deadline_before_the_end_is_missed() -> None:
    assert plan(10, START, Speed(1, 60), deadline_at=START + timedelta(minutes=5)).misses_deadline
    assert not plan(10, START, Speed(1, 60), deadline_at=START + timedelta(hours=5)).misses_deadline


def test_nobody_takes_no_time() -> None:
    laid_out = plan(0, START, Speed(100, 60))
    assert laid_out.end_at == START
    assert laid_out.bursts == ()
    assert laid_out.pause_count == 0


def test_the_live_line_of_the_account_screen_survives_what_people_type() -> None:
    assert speed_of({"batch_size": "100", "sleep_seconds": "600", "bcc": "a@example.jp, b@example.jp"}).copy_count == 2
    assert speed_of({"batch_size": "百", "sleep_seconds": None}) == Speed(None, 0)
    assert speed_of({"batch_size": "0"}).batch_size is None


@given(
    count=st.integers(0, 3000),
    batch=st.one_of(st.none(), st.integers(1, 400)),
    sleep=st.integers(0, 900),
    seconds=st.floats(0, 3),
)
def test_bursts_add_up_and_end_when_the_plan_says(count: int, batch: int | None, sleep: int, seconds: float) -> None:
    laid_out = plan(count, START, Speed(batch, sleep, seconds))
    if laid_out.burst_count > len(laid_out.bursts):
        return
    assert sum(burst.count for burst in laid_out.bursts) == count
    last = laid_out.bursts[-1].end_at if laid_out.bursts else START
    assert abs(last - laid_out.end_at) < timedelta(milliseconds=10)


@given(minute=st.integers(0, 24 * 60 - 1), start=st.times(), end=st.times())
def test_the_next_end_is_never_inside(minute: int, start: time, end: time) -> None:
    hours = WarningHours(start, end)
    moment = START.replace(hour=0, minute=0) + timedelta(minutes=minute)
    assert not hours.includes(hours.next_end(moment))
    assert hours.next_end(moment) > moment
