"""Model check of rounds: one connection, three mails, the next one said ahead, outcomes and marks in common commits.

Every order of commits, dots, answers and a kill at any instant is tried. The bound is that a kill leaves one unknown
per connection, and that no second dot is written before the first one's answer. Each weakened variant breaks one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

MAILS = 3


@dataclass(frozen=True)
class World:
    """Per mail what the database says and where its conversation stands; `is_dead` after the kill."""

    stored: tuple[str, ...] = ("sending",) * MAILS
    """sending, handing_over or sent, as committed."""
    line: tuple[str, ...] = ("claimed",) * MAILS
    """claimed, said (MAIL, RCPT, DATA), content, marked (commit returned), dot, answered, recorded."""
    is_dead: bool = False


@dataclass(frozen=True)
class Rules:
    """The protocol of a round; a weakened variant changes one member."""

    records_before_next_mark: bool = True
    """An answer is recorded at the latest in the commit that marks the line's next mail."""
    waits_for_answer: bool = True
    """The next mail's content follows the answer to the dot before it, and so does its dot."""
    marks_one_by_one: bool = True
    """Only the mail that stands before its dot is marked, never one that was said ahead."""


def put(values: tuple[str, ...], at: int, value: str) -> tuple[str, ...]:
    return (*values[:at], value, *values[at + 1 :])


def steps(world: World, rules: Rules) -> Iterator[tuple[str, World]]:
    if world.is_dead:
        return
    yield "killed", replace(world, is_dead=True)
    for number in range(MAILS):
        yield from _steps_of(world, number, rules)


def _steps_of(world: World, number: int, rules: Rules) -> Iterator[tuple[str, World]]:
    place = world.line[number]
    before = world.line[number - 1] if number else "recorded"
    if place == "claimed" and before in ("dot", "answered", "recorded"):
        yield f"{number} is said", replace(world, line=put(world.line, number, "said"))
    elif place == "said" and (before in ("answered", "recorded") or not rules.waits_for_answer):
        yield f"{number} content", replace(world, line=put(world.line, number, "content"))
    elif place == "content" or (place == "said" and not rules.marks_one_by_one):
        yield from _mark(world, number, rules)
    elif place == "marked":
        yield f"{number} dot", replace(world, line=put(world.line, number, "dot"))
    elif place == "dot":
        yield f"{number} answered", replace(world, line=put(world.line, number, "answered"))
    elif place == "answered":
        yield f"{number} recorded", _recorded(world, number)


def _recorded(world: World, number: int) -> World:
    stored, line = put(world.stored, number, "sent"), put(world.line, number, "recorded")
    return replace(world, stored=stored, line=line)


def _mark(world: World, number: int, rules: Rules) -> Iterator[tuple[str, World]]:
    """One commit: the mark, and every answer that has come."""
    if rules.records_before_next_mark:
        for other in range(MAILS):
            if world.line[other] == "answered":
                world = _recorded(world, other)
    stored, line = put(world.stored, number, "handing_over"), put(world.line, number, "marked")
    yield f"{number} marked", replace(world, stored=stored, line=line)


PROMISES: dict[str, Callable[[World], bool]] = {
    "a kill leaves one unknown": lambda world: not world.is_dead or world.stored.count("handing_over") <= 1,
    "no second dot before the answer": lambda world: world.line.count("dot") <= 1,
    "no dot without its mark": lambda world: all(
        stored != "sending" for stored, place in zip(world.stored, world.line, strict=True) if place == "dot"
    ),
}


def broken_by(rules: Rules) -> set[str]:
    """Walk every world that can be reached; return the promises that some world breaks."""
    seen, queue, broken = {World()}, deque([World()]), set[str]()
    while queue:
        world = queue.popleft()
        broken |= {name for name, holds in PROMISES.items() if not holds(world)}
        for _, after in steps(world, rules):
            if after not in seen:
                seen.add(after)
                queue.append(after)
    return broken


def test_c01_a_round_keeps_every_promise_at_any_instant() -> None:
    assert broken_by(Rules()) == set()


@pytest.mark.parametrize(
    ("rules", "promise"),
    [
        (Rules(records_before_next_mark=False), "a kill leaves one unknown"),
        (Rules(waits_for_answer=False), "no second dot before the answer"),
        (Rules(marks_one_by_one=False), "a kill leaves one unknown"),
    ],
    ids=["answers recorded later", "content without waiting", "what was said ahead is marked too"],
)
def test_each_weakened_round_breaks_a_promise(rules: Rules, promise: str) -> None:
    assert promise in broken_by(rules)
