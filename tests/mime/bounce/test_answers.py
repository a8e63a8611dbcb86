"""What mail servers really answer, line by line, and the reason each answer stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from fumibako.mime.bounce import REASONS
from fumibako.mime.bounce.judging import judged
from fumibako.mime.bounce.reasons import is_hard
from fumibako.mime.bounce.report import Found

LINES = [
    line
    for line in (Path(__file__).parent / "answers.txt").read_text("utf-8").splitlines()
    if line.strip() and not line.startswith("#")
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:70])
def test_an_answer_has_one_reason(line: str) -> None:
    reason, place, answer = (piece.strip() for piece in line.split(" | ", 2))
    command, _, host = place.partition(", ")
    kind, separator, words = answer.partition("; ")
    found = Found(
        "neko@example.jp",
        words=words if kind == "x-unix" and separator else answer,
        command="" if command == "-" else command,
        host=host,
        kind_of_words=kind if kind == "x-unix" else "",
        is_answer=command != "-",
    )
    assert judged(found).reason == reason


def test_every_reason_but_the_silent_one_is_told_by_some_answer() -> None:
    assert {line.partition(" | ")[0].strip() for line in LINES} == set(REASONS) - {"undefined"}


@pytest.mark.parametrize(
    ("reason", "permanent", "hard"),
    [
        ("userunknown", True, True),
        ("hostunknown", True, True),
        ("hasmoved", True, True),
        ("notaccept", True, True),
        ("notaccept", False, False),
        ("mailboxfull", True, False),
        ("blocked", True, False),
        ("filtered", True, False),
        ("suspend", True, False),
        ("onhold", None, False),
    ],
)
def test_only_an_address_that_is_at_fault_itself_is_hard(reason: str, permanent: bool | None, hard: bool) -> None:
    assert is_hard(reason, permanent) is hard


def test_an_address_or_link_that_sounds_like_a_reason_does_not_count() -> None:
    found = Found(
        "mailboxfull@spam.example",
        words="550 5.1.1 <mailboxfull@spam.example>: User unknown, see https://virus.example/quota-exceeded",
        command="RCPT",
        is_answer=True,
    )
    assert judged(found).reason == "userunknown"


def test_nothing_said_is_undefined() -> None:
    assert judged(Found("neko@example.jp")).reason == "undefined"
