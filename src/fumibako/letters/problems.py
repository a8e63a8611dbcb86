"""What can be wrong with a letter as it was written, named by field and line, never in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProblemKind(StrEnum):
    """The mistakes a letter can contain."""

    UNKNOWN_FIELD = "unknown_field"
    UNCLOSED = "unclosed"
    """{{ or {% without its other half on the same line."""
    UNOPENED = "unopened"
    """}} with nothing before it."""
    UNKNOWN_TAG = "unknown_tag"
    UNKNOWN_FILTER = "unknown_filter"
    BAD_EXPRESSION = "bad_expression"
    UNBALANCED = "unbalanced"
    """if without endif, else outside if, and the like."""
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class LetterProblem:
    """One mistake. `field` is the name or text at fault; `where` is "subject" or "text"; lines count from 1."""

    kind: ProblemKind
    field: str
    line: int
    where: str


class LetterRefused(ValueError):
    """The letter cannot be used. `problems` has at least one entry, in the order of the text."""

    def __init__(self, problems: tuple[LetterProblem, ...]) -> None:
        super().__init__(", ".join(f"{one.kind} in {one.where} line {one.line}" for one in problems))
        self.problems = problems
