"""One part of a letter, subject or text, made ready to be filled in many times: by Liquid only where it must be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from liquid.exceptions import LiquidError

from fumibako.letters.grammar import ENVIRONMENT, read_output, read_tag, with_nothing_for_empty
from fumibako.letters.problems import LetterProblem, LetterRefused, ProblemKind
from fumibako.letters.tokens import SENTINEL, Token, TokenKind

OUTPUT_CHARACTERS = 1_000_000
"""A filled-in part longer than this is refused: no mail server takes it, and a slip could fill the disk."""


class Mark(NamedTuple):
    """Where a value was put in: `text[start:end]`, counted in characters. `where` is "subject" or "text"."""

    start: int
    end: int
    field: str
    is_empty: bool
    where: str


class Filled(NamedTuple):
    """A part with its values in place."""

    text: str
    marks: tuple[Mark, ...]


class Part(Protocol):
    """A part made ready."""

    def __call__(self, values: Mapping[str, str]) -> Filled:
        """Fill in the values."""

    def text(self, values: Mapping[str, str]) -> str:
        """The text of the same."""


def part_of(tokens: tuple[Token, ...], where: str) -> Part:
    """The quickest form of this part: both give the same result wherever both can be used."""
    if all(token.kind is TokenKind.LITERAL or _is_bare_field(token) for token in tokens):
        return PlainPart(tokens, where)
    return LiquidPart(tokens, where)


def _is_bare_field(token: Token) -> bool:
    return token.kind is TokenKind.OUTPUT and read_output(token.text).fields == (token.text,)


class PlainPart:
    """Text and bare `{{ fields }}` only: joined without a template engine."""

    def __init__(self, tokens: tuple[Token, ...], where: str) -> None:
        self._pieces = tuple((token.text, token.kind is TokenKind.OUTPUT) for token in tokens)
        self._texts = [token.text for token in tokens]
        self._holes = tuple((place, text) for place, (text, is_field) in enumerate(self._pieces) if is_field)
        self._where = where

    def text(self, values: Mapping[str, str]) -> str:
        """The same without the marks, which only somebody who looks needs."""
        parts = self._texts.copy()
        for place, name in self._holes:
            parts[place] = clean(values.get(name, ""), self._where)
        return _bounded("".join(parts), self._where)

    def __call__(self, values: Mapping[str, str]) -> Filled:
        """Fill in the values: text as it is, a missing one as nothing."""
        parts: list[str] = []
        marks: list[Mark] = []
        position = 0
        for text, is_field in self._pieces:
            if is_field:
                value = clean(values.get(text, ""), self._where)
                end = position + len(value)
                marks.append(Mark(position, end, text, not value, self._where))
                parts.append(value)
                position = end
            else:
                parts.append(text)
                position += len(text)
        return Filled(_bounded("".join(parts), self._where), tuple(marks))


class LiquidPart:
    """A part with conditions, defaults or filters, filled in by Liquid."""

    def __init__(self, tokens: tuple[Token, ...], where: str) -> None:
        self._where = where
        self._fields: list[str] = []
        self._names = {name for token in tokens for name in _names_in(token)}
        self._template = ENVIRONMENT.from_string("".join(self._source(token) for token in tokens))

    def _source(self, token: Token) -> str:
        """Liquid source in which every field stands between sentinels, so that its place in the result can be found."""
        if token.kind is TokenKind.LITERAL:
            return token.text
        if token.kind is TokenKind.TAG:
            return f"{{% {with_nothing_for_empty(token.text)} %}}"
        self._fields.append(read_output(token.text).fields[0])
        return f"{SENTINEL}{len(self._fields) - 1}{SENTINEL}{{{{ {token.text} }}}}{SENTINEL}"

    def text(self, values: Mapping[str, str]) -> str:
        """The same without the marks."""
        return self(values).text

    def __call__(self, values: Mapping[str, str]) -> Filled:
        """Fill in the values: text as it is, a missing one as nothing."""
        cleaned = {name: clean(values.get(name, ""), self._where) or None for name in self._names}
        try:
            rendered = self._template.render(cleaned)
        except LiquidError as refusal:
            problem = LetterProblem(ProblemKind.BAD_EXPRESSION, str(refusal.message), 0, self._where)
            raise LetterRefused((problem,)) from None
        return self._without_sentinels(rendered.split(SENTINEL))

    def _without_sentinels(self, pieces: list[str]) -> Filled:
        """Pieces come as text, number, value, text, number, value, …, text."""
        parts = [pieces[0]]
        marks: list[Mark] = []
        position = len(pieces[0])
        for number, value, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            end = position + len(value)
            marks.append(Mark(position, end, self._fields[int(number)], not value, self._where))
            parts += (value, text)
            position = end + len(text)
        return Filled(_bounded("".join(parts), self._where), tuple(marks))


def _names_in(token: Token) -> tuple[str, ...]:
    if token.kind is TokenKind.OUTPUT:
        return read_output(token.text).fields
    return read_tag(token.text).fields if token.kind is TokenKind.TAG else ()


_BREAKS = re.compile("[\n\t\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")


def clean(value: str, where: str) -> str:
    """Text as it may be put in: one kind of line end in the text, and none in the subject, where it is a space."""
    if value.isprintable():
        return value
    plain = value.replace(SENTINEL, "").replace("\r\n", "\n").replace("\r", "\n")
    return _BREAKS.sub(" ", plain) if where == "subject" else plain


def _bounded(text: str, where: str) -> str:
    if len(text) > OUTPUT_CHARACTERS:
        raise LetterRefused((LetterProblem(ProblemKind.TOO_LONG, str(len(text)), 0, where),))
    return text
