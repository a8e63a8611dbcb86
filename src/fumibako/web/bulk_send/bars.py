"""The two bars as percentages for SVG attributes: one by kind of person, one by outcome of the mails.

A strict content policy forbids `style=`, so every width is an attribute; small parts keep a visible minimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 0.3
"""Per cent of the bar between two parts."""
SMALLEST = 0.7
"""Per cent that a part keeps however small its count is."""


@dataclass(frozen=True)
class Part:
    """One coloured stretch; `x` and `width` are per cent of the whole bar."""

    css: str
    count: int
    x: float
    width: float

    @property
    def x_percent(self) -> str:
        """`x` as an SVG length."""
        return f"{self.x:.2f}%"

    @property
    def width_percent(self) -> str:
        """`width` as an SVG length."""
        return f"{self.width:.2f}%"


def parts(counts: Sequence[tuple[str, int]]) -> tuple[Part, ...]:
    """Share the bar among the counts that are not zero, in order; the widths and gaps always fill exactly 100."""
    shown = [(css, count) for css, count in counts if count > 0]
    total = sum(count for _, count in shown)
    if not total:
        return ()
    room = 100 - GAP * (len(shown) - 1)
    raised = [max(room * count / total, SMALLEST) for _, count in shown]
    surplus = sum(raised) - room
    widest = max(range(len(raised)), key=lambda index: raised[index])
    raised[widest] -= surplus
    found: list[Part] = []
    x = 0.0
    for (css, count), width in zip(shown, raised, strict=True):
        found.append(Part(css, count, x, width))
        x += width + GAP
    return tuple(found)


def divisions(part: Part | None, burst_count: int) -> tuple[str, ...]:
    """Return where lines divide the waiting part into its remaining bursts; none when they would stand too close."""
    if part is None or not 1 < burst_count <= 60 or part.width / burst_count < 0.6:
        return ()
    return tuple(f"{part.x + part.width * index / burst_count:.2f}%" for index in range(1, burst_count))
