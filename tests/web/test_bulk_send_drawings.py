"""Bars, the timeline and the cut text: lengths only, no browser."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fumibako.apps.sending.plan import Plan, Speed, plan
from fumibako.apps.sending.warning import WarningHours
from fumibako.letters.merge import Mark
from fumibako.web.bulk_send.bars import GAP, SMALLEST, divisions, parts
from fumibako.web.bulk_send.mail import pieces
from fumibako.web.bulk_send.timeline import EDGE, draw

TOKYO = ZoneInfo("Asia/Tokyo")
NIGHT = WarningHours(time(20), time(8))


def at(clock: str, day: int = 24) -> datetime:
    return datetime.combine(datetime(2026, 11, day, tzinfo=TOKYO).date(), time.fromisoformat(clock), TOKYO)


def mock_plan() -> Plan:
    return plan(1248, at("16:30"), Speed(100, 600), hours=NIGHT)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=6))
def test_a_bar_is_always_full_and_shows_every_part(counts: list[int]) -> None:
    shown = parts([(f"p{index}", count) for index, count in enumerate(counts)])
    assert [part.count for part in shown] == [count for count in counts if count]
    if shown:
        assert shown[0].x == 0
        assert shown[-1].x + shown[-1].width == pytest.approx(100)
        assert all(part.width >= SMALLEST - 1e-9 for part in shown)
        assert all(b.x == pytest.approx(a.x + a.width + GAP) for a, b in pairwise(shown))


def test_the_waiting_part_is_divided_into_its_bursts() -> None:
    waiting = parts([("w", 300)])[0]
    assert divisions(waiting, 3) == ("33.33%", "66.67%")
    assert divisions(waiting, 1) == ()
    assert divisions(waiting, 5000) == ()
    assert divisions(None, 3) == ()


def test_the_timeline_of_the_mock_has_its_hours_its_bursts_and_the_night() -> None:
    drawing = draw(mock_plan(), NIGHT)
    assert [mark.label for mark in drawing.hours] == ["16:00", "17:00", "18:00", "19:00", "20:00", "21:00"]
    assert len(drawing.bursts) == 13
    assert (drawing.start.label, drawing.end.label) == ("開始 16:30", "終了 18:40")
    assert drawing.warnings[0].x == pytest.approx(drawing.hours[4].x)
    assert drawing.warning_label is not None
    assert "13回に分けて送り、18:40に終了する見込み" in drawing.text


def test_now_divides_the_bursts_into_past_and_coming() -> None:
    drawing = draw(mock_plan(), NIGHT, now=at("17:28"))
    assert [burst.is_past for burst in drawing.bursts] == [True] * 6 + [False] * 7
    assert drawing.now is not None
    assert drawing.now.label == "いま 17:28"


def test_a_send_of_one_second_is_still_visible() -> None:
    drawing = draw(plan(2, at("09:01"), Speed(None, 0)))
    assert drawing.bursts[0].width >= 1
    assert abs(drawing.end.label_x - drawing.start.label_x) >= 80


@given(
    st.integers(1, 20_000),
    st.one_of(st.none(), st.integers(1, 500)),
    st.integers(0, 7200),
    st.integers(0, 24 * 60 - 1),
    st.one_of(st.none(), st.integers(-60, 10_000)),
)
def test_nothing_is_drawn_outside_the_picture(
    count: int, batch: int | None, sleep: int, minute: int, now_after: int | None
) -> None:
    start = at("00:00") + timedelta(minutes=minute)
    now = None if now_after is None else start + timedelta(minutes=now_after)
    drawing = draw(plan(count, start, Speed(batch, sleep), hours=NIGHT), NIGHT, now=now)
    places = [mark.x for mark in drawing.hours] + [box.x for box in (*drawing.bursts, *drawing.warnings)]
    assert all(EDGE <= place <= drawing.width - EDGE for place in places)
    assert 2 <= len(drawing.hours) <= 7
    assert all(box.width > 0 for box in drawing.bursts)


@given(st.text(), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_the_pieces_of_a_text_are_the_text(text: str, spans: list[tuple[int, int]]) -> None:
    marks = [Mark(min(pair), max(pair), "氏名", False, "text") for pair in spans if max(pair) <= len(text)]
    assert "".join(piece.text for piece in pieces(text, marks)) == text


def test_a_merged_value_is_a_piece_of_its_own() -> None:
    cut = pieces("山田 太郎 様", [Mark(0, 5, "氏名", False, "text")])
    assert [(piece.text, piece.is_merged) for piece in cut] == [("山田 太郎", True), (" 様", False)]
