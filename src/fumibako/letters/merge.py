"""A letter written once and filled in for each receiver: `parse` judges it, `ParsedLetter.render` fills it in.

Values go in once and as text: braces in a value are never looked at again. An empty value counts as false in a
condition and makes way for a default.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fumibako.letters.fields import ALL_FIELDS
from fumibako.letters.grammar import TAGS, Reading, misplaced_tags, read_output, read_tag
from fumibako.letters.parts import OUTPUT_CHARACTERS, Mark, Part, clean, part_of
from fumibako.letters.problems import LetterProblem, LetterRefused, ProblemKind
from fumibako.letters.tokens import Token, TokenKind, scan

__all__ = [
    "LetterProblem",
    "LetterRefused",
    "Mark",
    "ParsedLetter",
    "ProblemKind",
    "Rendered",
    "as_written",
    "parse",
    "problems_in",
]


class Rendered(NamedTuple):
    """The letter for one receiver. Lines of `text` end in "\\n"; `subject` has none.

    `marks` tells where values went, in subject and text; `empty_fields` names the fields that left a gap: their value
    was empty and nothing stood in for it.
    """

    subject: str
    text: str
    marks: tuple[Mark, ...]
    empty_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParsedLetter:
    """A letter without mistakes. `fields_used` in the order of their first use, in values and conditions alike."""

    fields_used: tuple[str, ...]
    _subject: Part
    _text: Part
    ending: str = ""
    """What every receiver's text ends in: all that stands behind the last field and the last condition."""

    def render(self, values: Mapping[str, str]) -> Rendered:
        """Fill in the values of one receiver; a field without one is empty. Raises LetterRefused above 1,000,000
        characters."""
        subject, subject_marks = self._subject(values)
        text, text_marks = self._text(values)
        marks = subject_marks + text_marks
        gaps = dict.fromkeys(mark.field for mark in marks if mark.is_empty)
        return Rendered(subject, text, marks, tuple(gaps))

    def words(self, values: Mapping[str, str]) -> tuple[str, str]:
        """Subject and text of the same letter, for who does not ask where the values went."""
        return self._subject.text(values), self._text.text(values)


def parse(subject: str, body: str, known: Collection[str] = ALL_FIELDS) -> ParsedLetter:
    """Read a letter. Raises LetterRefused with every mistake found, each with its line.

    `known` are the fields that have a value for at least one kind of receiver (`fields.fields_for`).
    """
    subject_tokens, subject_problems = _read("subject", subject, known)
    text_tokens, text_problems = _read("text", body, known)
    problems = subject_problems + text_problems
    if problems:
        raise LetterRefused(problems)
    used = dict.fromkeys(name for token in subject_tokens + text_tokens for name in _reading(token).fields)
    return ParsedLetter(
        tuple(used), part_of(subject_tokens, "subject"), part_of(text_tokens, "text"), _ending_of(text_tokens)
    )


def as_written(subject: str, body: str) -> ParsedLetter:
    """A letter to one person, in which braces are braces: whatever stands in it, or is quoted in it, is sent."""
    parts = (("subject", subject), ("text", body))
    subject_part, text_part = (
        part_of((Token(TokenKind.LITERAL, clean(text, where), 1),), where) for where, text in parts
    )
    return ParsedLetter((), subject_part, text_part)


def _ending_of(tokens: tuple[Token, ...]) -> str:
    is_common = bool(tokens) and tokens[-1].kind is TokenKind.LITERAL
    return tokens[-1].text if is_common else ""


def problems_in(subject: str, body: str, known: Collection[str] = ALL_FIELDS) -> tuple[LetterProblem, ...]:
    """What `parse` would refuse: nothing when the letter is fine."""
    return _read("subject", subject, known)[1] + _read("text", body, known)[1]


def _read(where: str, text: str, known: Collection[str]) -> tuple[tuple[Token, ...], tuple[LetterProblem, ...]]:
    if len(text) > OUTPUT_CHARACTERS:
        return (), (LetterProblem(ProblemKind.TOO_LONG, str(len(text)), 1, where),)
    tokens, problems = scan(clean(text, where), where)
    found = [*problems, *_problems_of_blocks(tokens, where)]
    for token in tokens:
        found += _problems_of(token, where, known)
    return tokens, tuple(sorted(found, key=lambda problem: problem.line))


def _reading(token: Token) -> Reading:
    if token.kind is TokenKind.LITERAL:
        return Reading()
    return read_output(token.text) if token.kind is TokenKind.OUTPUT else read_tag(token.text)


def _problems_of(token: Token, where: str, known: Collection[str]) -> list[LetterProblem]:
    reading = _reading(token)
    if reading.problem:
        return [LetterProblem(reading.problem, reading.fault, token.line, where)]
    unknown = [name for name in reading.fields if name not in known]
    return [LetterProblem(ProblemKind.UNKNOWN_FIELD, name, token.line, where) for name in unknown]


def _problems_of_blocks(tokens: tuple[Token, ...], where: str) -> list[LetterProblem]:
    tags = [token for token in tokens if token.kind is TokenKind.TAG]
    names = [token.text.partition(" ")[0] for token in tags]
    ours = [(token, name) for token, name in zip(tags, names, strict=True) if name in TAGS]
    misplaced, is_closed = misplaced_tags(name for _, name in ours)
    found = [ours[position][0] for position in misplaced]
    if not is_closed and not found:
        found = [next(token for token, name in reversed(ours) if name in ("if", "unless"))]
    return [LetterProblem(ProblemKind.UNBALANCED, token.text, token.line, where) for token in found]
