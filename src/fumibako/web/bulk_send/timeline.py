"""送信の計画 as a drawing: when each burst starts, when the job ends, and which hours are 警告時間帯.

Computes lengths only; `bulk_send/timeline.html` turns them into SVG, colours come from the style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fumibako.apps.sending.plan import Plan
from fumibako.apps.sending.warning import WarningHours

Span = tuple[datetime, datetime]

WIDTH, HEIGHT, EDGE, TOP, BAR = 400, 112, 8, 34, 34
STEPS = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080))
"""Distances of the hour marks; the smallest that needs at most six of them is taken."""
MOST_BURSTS = 80
"""More than this are drawn as one block."""


@dataclass(frozen=True)
class Box:
    """A stretch of time; `is_past` once its burst has begun."""

    x: float
    width: float
    is_past: bool = False


@dataclass(frozen=True)
class Mark:
    """A place on the axis with its word."""

    x: float
    label: str
    label_x: float


@dataclass(frozen=True)
class Timeline:
    """Everything the drawing needs, in units of its view box."""

    width: int
    height: int
    hours: tuple[Mark, ...]
    bursts: tuple[Box, ...]
    warnings: tuple[Box, ...]
    warning_label: Mark | None
    start: Mark
    end: Mark
    now: Mark | None
    text: str


@dataclass(frozen=True)
class Scale:
    """Maps moments between two ends to x."""

    first: datetime
    last: datetime
    width: int

    def x(self, moment: datetime) -> float:
        """Return the place of `moment`, kept inside the drawing."""
        share = (moment - self.first) / (self.last - self.first)
        return round(EDGE + min(max(share, 0.0), 1.0) * (self.width - 2 * EDGE), 1)


def draw(plan: Plan, hours: WarningHours | None = None, *, now: datetime | None = None, width: int = WIDTH) -> Timeline:
    """Lay out a plan. All times are local and aware; `now` draws a line and colours the past."""
    start, end = plan.start_at, plan.end_at
    earliest = min(start, now) if now else start
    latest = max(end, now) if now else end
    windows = _windows(hours, earliest, latest)
    step = _step(earliest, latest, windows)
    scale = Scale(_floor(earliest, step), _last(earliest, latest, windows, step), width)
    warnings = tuple(
        Box(scale.x(begin), round(scale.x(finish) - scale.x(begin), 1))
        for begin, finish in windows
        if begin < scale.last and finish > scale.first
    )
    begin_x, end_x = scale.x(start), scale.x(end)
    end_label_x = _inside(max(end_x, begin_x + 84), width, 32)
    return Timeline(
        width,
        HEIGHT,
        _hours(scale, step),
        _boxes(plan, scale, now),
        warnings,
        _warning_label(warnings, end_label_x, width),
        Mark(begin_x, f"開始 {_clock(start)}", _inside(min(begin_x, end_label_x - 84), width, 32)),
        Mark(end_x, f"終了 {_clock(end)}", end_label_x),
        Mark(scale.x(now), f"いま {_clock(now)}", _inside(scale.x(now), width, 30)) if now else None,
        _text(plan, hours),
    )


def _windows(hours: WarningHours | None, earliest: datetime, latest: datetime) -> tuple[Span, ...]:
    if hours is None or hours.start == hours.end:
        return ()
    found = []
    begin = hours.next_start(earliest - timedelta(days=1))
    while begin <= latest + timedelta(days=1):
        finish = hours.next_end(begin)
        if finish > earliest:
            found.append((begin, finish))
        begin = hours.next_start(begin + timedelta(minutes=1))
    return tuple(found)


def _step(earliest: datetime, latest: datetime, windows: Sequence[Span]) -> timedelta:
    for step in STEPS:
        if _last(earliest, latest, windows, step) - _floor(earliest, step) <= step * 5:
            return step
    return STEPS[-1] * -(-(latest - earliest) // (STEPS[-1] * 4))


def _last(earliest: datetime, latest: datetime, windows: Sequence[Span], step: timedelta) -> datetime:
    # The next warning window belongs on the picture when it begins soon after the end.
    near = latest + max(step * 2, latest - earliest)
    soon = [begin for begin, _ in windows if latest <= begin <= near]
    return _ceil(soon[0] + step if soon else latest + step / 10, step)


def _floor(moment: datetime, step: timedelta) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // step * step


def _ceil(moment: datetime, step: timedelta) -> datetime:
    floor = _floor(moment, step)
    return floor if floor == moment else floor + step


def _hours(scale: Scale, step: timedelta) -> tuple[Mark, ...]:
    found = []
    moment = scale.first
    while moment <= scale.last:
        x = scale.x(moment)
        words = f"{moment.month}/{moment.day}" if step >= timedelta(days=1) else _clock(moment)
        found.append(Mark(x, words, _inside(x, scale.width, 18)))
        moment += step
    return tuple(found)


def _boxes(plan: Plan, scale: Scale, now: datetime | None) -> tuple[Box, ...]:
    if plan.burst_count > MOST_BURSTS:
        first, last = scale.x(plan.start_at), scale.x(plan.end_at)
        return (Box(first, max(last - first, 6.0), now is None or plan.start_at <= now),)
    narrowest = 6.0
    if plan.burst_count > 1:
        pitch = (scale.x(plan.bursts[-1].start_at) - scale.x(plan.start_at)) / (plan.burst_count - 1)
        narrowest = max(min(6.0, pitch * 0.6), 1.0)
    return tuple(
        Box(
            scale.x(burst.start_at),
            round(max(scale.x(burst.end_at) - scale.x(burst.start_at), narrowest), 1),
            now is None or burst.start_at <= now,
        )
        for burst in plan.bursts
    )


def _warning_label(warnings: Sequence[Box], end_label_x: float, width: int) -> Mark | None:
    for box in warnings:
        middle = _inside(box.x + box.width / 2, width, 30)
        if box.width > 20 and middle - end_label_x > 66:
            return Mark(middle, "警告時間帯", middle)
    return None


def _inside(x: float, width: int, margin: int) -> float:
    return min(max(x, margin), width - margin)


def _clock(moment: datetime) -> str:
    return f"{moment.hour}:{moment.minute:02d}"


def _text(plan: Plan, hours: WarningHours | None) -> str:
    start, end = plan.start_at, plan.end_at
    day = "" if start.date() == end.date() else f"{end.month}月{end.day}日の"
    words = f"送信計画。{_clock(start)}に開始し、{plan.burst_count}回に分けて送り、{day}{_clock(end)}に終了する見込み。"
    if hours is not None:
        words += f"警告時間帯は{hours.start:%H:%M}から{hours.end:%H:%M}まで。"
    return words
