"""Waits of one delivery."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fumibako.delivery import retry


@pytest.mark.parametrize(("count", "minutes"), [(0, 5), (1, 15), (2, 60), (3, 240), (4, 240), (50, 240)])
def test_the_back_off_is_5_15_60_240_minutes_give_or_take_a_fifth(count: int, minutes: int) -> None:
    for seed in range(500):
        wait = retry.deferral(count, seed)
        assert timedelta(minutes=max(5, minutes * 0.8)) <= wait <= timedelta(minutes=minutes * 1.2)


def test_s18_nobody_is_tried_again_within_five_minutes_of_greylisting() -> None:
    assert min(retry.deferral(0, seed) for seed in range(5000)) >= timedelta(minutes=5)


def test_neighbouring_rows_do_not_come_back_together() -> None:
    assert len({retry.deferral(1, seed) for seed in range(100)}) > 90


def test_the_same_row_always_waits_the_same() -> None:
    assert retry.deferral(2, 77) == retry.deferral(2, 77)
