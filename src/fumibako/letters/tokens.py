"""Cutting a letter into plain text, `{{ fields }}` and `{% conditions %}`, in half-width or full-width spelling."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from fumibako.letters.problems import LetterProblem, ProblemKind


class TokenKind(StrEnum):
    """What a piece of a letter is."""

    LITERAL = "literal"
    OUTPUT = "output"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a letter. `text` is the plain text, or what stands between the braces in half-width spelling."""

    kind: TokenKind
    text: str
    line: int


_BRACES = re.compile(
    r"[{｛]{2}(?P<output>(?:(?![}｝]{2}|[{｛]{2}|[{｛][%％]).)*)[}｝]{2}"
    r"|[{｛][%％](?P<tag>(?:(?![%％][}｝]|[{｛]{2}|[{｛][%％]).)*)[%％][}｝]"
    r"|(?P<unclosed>[{｛]{2}|[{｛][%％])"
    r"|(?P<unopened>[}｝]{2})"
)
_QUOTED = re.compile("\"[^\"]*\"|'[^']*'|[“”][^“”]*[“”]|[‘’][^‘’]*[‘’]|＂[^＂]*＂|＇[^＇]*＇|「[^」]*」")
_EXCERPT = 30

SENTINEL = "\ufdd0"
"""A code point that Unicode reserves for a program's own use; removed from everything people write."""


def scan(text: str, where: str) -> tuple[tuple[Token, ...], tuple[LetterProblem, ...]]:
    """The pieces of the text, and the braces that have no other half.

    A line with nothing but conditions on it disappears, line end included, so that conditions leave no empty lines.
    """
    tokens: list[Token] = []
    problems: list[LetterProblem] = []
    plain = text.replace(SENTINEL, "").replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(re.findall(r"[^\n]*\n|[^\n]+", plain), start=1):
        pieces = _scan_line(line, number, where, problems)
        if any(piece.kind is TokenKind.TAG for piece in pieces) and not any(_is_visible(piece) for piece in pieces):
            pieces = [piece for piece in pieces if piece.kind is TokenKind.TAG]
        tokens.extend(pieces)
    return _joined(tokens), tuple(problems)


def _scan_line(line: str, number: int, where: str, problems: list[LetterProblem]) -> list[Token]:
    pieces: list[Token] = []
    end = 0
    for match in _BRACES.finditer(line):
        if match.start() > end:
            pieces.append(Token(TokenKind.LITERAL, line[end : match.start()], number))
        end = match.end()
        kind = match.lastgroup
        if kind == "output" or kind == "tag":
            pieces.append(Token(TokenKind(kind), half_width(match[kind]), number))
        else:
            problem = ProblemKind.UNCLOSED if kind == "unclosed" else ProblemKind.UNOPENED
            excerpt = line[match.start() : match.start() + _EXCERPT].rstrip("\n")
            problems.append(LetterProblem(problem, excerpt, number, where))
    if end < len(line):
        pieces.append(Token(TokenKind.LITERAL, line[end:], number))
    return pieces


def _is_visible(piece: Token) -> bool:
    return piece.kind is TokenKind.OUTPUT or (piece.kind is TokenKind.LITERAL and bool(piece.text.strip()))


def _joined(tokens: list[Token]) -> tuple[Token, ...]:
    """Neighbouring plain text as one piece."""
    joined: list[Token] = []
    for token in tokens:
        if joined and token.kind is TokenKind.LITERAL and joined[-1].kind is TokenKind.LITERAL:
            joined[-1] = Token(TokenKind.LITERAL, joined[-1].text + token.text, joined[-1].line)
        else:
            joined.append(token)
    return tuple(joined)


def half_width(inside: str) -> str:
    """What stands between braces, full-width letters and signs made half-width, except inside quotation marks.

    Japanese and typographic quotation marks become straight ones.
    """
    parts: list[str] = []
    end = 0
    for match in _QUOTED.finditer(inside):
        parts.append(unicodedata.normalize("NFKC", inside[end : match.start()]))
        words = match[0][1:-1]
        parts.append(f"'{words}'" if '"' in words else f'"{words}"')
        end = match.end()
    parts.append(unicodedata.normalize("NFKC", inside[end:]))
    return "".join(parts).strip()
