"""Answers written down from knowledge of the world's mail systems before the rules were looked at, list by list.

Where a careful reader and a rule disagreed, the more defensible word stands in the list; what nobody could decide is
kept as a comment at its end.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fumibako.mime.bounce import REASONS, Failure
from fumibako.mime.bounce.judging import judged
from fumibako.mime.bounce.report import Found

LISTS = sorted((Path(__file__).parent / "blind").glob("*.txt"))
LINES = [
    line for each in LISTS for line in each.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#")
]
PERMANENT = {"5": True, "4": False, "?": None}


def pieces(line: str) -> tuple[list[str], str, Failure]:
    """The reasons a line allows, its marks, and what its answer is read as."""
    reasons, marks, place, answer = (piece.strip() for piece in line.split(" | ", 3))
    command, _, host = place.partition(", ")
    is_answer = command != "-"
    found = Found("neko@example.jp", words=answer, command=command if is_answer else "", host=host, is_answer=is_answer)
    return reasons.split("/"), marks, judged(found)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:70])
def test_an_answer_nobody_had_in_mind_is_understood(line: str) -> None:
    reasons, marks, failure = pieces(line)
    assert set(reasons) <= set(REASONS)
    assert failure.reason in reasons
    assert (failure.hard, failure.permanent) == (marks[0] == "H", PERMANENT[marks[1]])
