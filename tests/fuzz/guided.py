"""A small coverage-guided fuzzer: what reaches a new line after another line is kept and changed further.

The same seed and the same number of executions give the same inputs. For a long run:

    PYTHONPATH=src:. .venv/bin/python -m tests.fuzz.long mail 200000
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

Target = Callable[[bytes], None]
Edge = tuple[str, int, int]

LONGEST = 20_000
_WATCHED = str(Path("fumibako") / "mime")


@dataclass(slots=True)
class Findings:
    """What a run has seen. `failures` are (input, what went wrong)."""

    executions: int = 0
    edges: set[Edge] = field(default_factory=set)
    kept: list[bytes] = field(default_factory=list)
    failures: list[tuple[bytes, str]] = field(default_factory=list)


class Watch:
    """Collects which line follows which in the code under test."""

    def __init__(self) -> None:
        self.edges: set[Edge] = set()

    def __enter__(self) -> Watch:
        sys.settrace(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, event: str, arg: Any) -> Callable[..., Any] | None:
        name = frame.f_code.co_filename
        if _WATCHED not in name:
            return None
        before = 0
        edges = self.edges

        def line(frame: FrameType, event: str, arg: Any) -> Callable[..., Any]:
            nonlocal before
            if event == "line":
                edges.add((name, before, frame.f_lineno))
                before = frame.f_lineno
            return line

        return line


def explore(target: Target, seeds: Sequence[bytes], words: Sequence[bytes], *, executions: int, seed: int) -> Findings:
    """Run the target on the seeds and on what they grow into. A target says that something is wrong by raising."""
    chance = random.Random(seed)
    found = Findings()
    for raw in seeds:
        _run(target, raw, found, always_keep=True)
    while found.executions < executions:
        _run(target, _changed(chance, found.kept, words), found, always_keep=False)
    return found


def _run(target: Target, raw: bytes, found: Findings, *, always_keep: bool) -> None:
    found.executions += 1
    problem = ""
    with Watch() as watch:
        try:
            target(raw)
        except Exception as wrong:  # boundary: whatever a target raises is what we are looking for
            problem = f"{type(wrong).__name__}: {wrong}"
    if problem:
        found.failures.append((raw, problem))
    if always_keep or watch.edges - found.edges:
        found.kept.append(raw)
    found.edges |= watch.edges


def _changed(chance: random.Random, kept: list[bytes], words: Sequence[bytes]) -> bytes:
    # The youngest inputs reached the newest code.
    raw = bytearray(kept[max(chance.randrange(len(kept)), chance.randrange(len(kept)))])
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        at = chance.randrange(len(raw) + 1)
        chance.choice(_CHANGES)(chance, raw, at, kept, words)
    return bytes(raw[:LONGEST])


def _flip(chance: random.Random, raw: bytearray, at: int, *_: object) -> None:
    if at < len(raw):
        raw[at] = chance.randrange(256)


def _insert_word(chance: random.Random, raw: bytearray, at: int, kept: object, words: Sequence[bytes]) -> None:
    raw[at:at] = chance.choice(words) * chance.choice((1, 1, 1, 2, 40))


def _overwrite_word(chance: random.Random, raw: bytearray, at: int, kept: object, words: Sequence[bytes]) -> None:
    word = chance.choice(words)
    raw[at : at + len(word)] = word


def _delete(chance: random.Random, raw: bytearray, at: int, *_: object) -> None:
    del raw[at : at + chance.choice((1, 2, 4, 30))]


def _repeat(chance: random.Random, raw: bytearray, at: int, *_: object) -> None:
    raw[at:at] = raw[at : at + chance.randrange(1, 80)]


def _splice(chance: random.Random, raw: bytearray, at: int, kept: list[bytes], words: object) -> None:
    other = chance.choice(kept)
    start = chance.randrange(len(other) + 1)
    raw[at:] = other[start:]


_CHANGES: tuple[Callable[..., None], ...] = (_flip, _insert_word, _overwrite_word, _delete, _repeat, _splice)
