"""What a careful colleague would notice in a letter before it goes out: leftovers, gaps, and files forgotten.

Each check is a pure function that returns findings; what they are called on the screen is decided elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from fumibako.letters.merge import Rendered

Weight = Literal["stop", "confirm", "info"]

LEFTOVER_WORDS: Final = ("要修正", "テスト", "ダミー")
ATTACHMENT_WORDS: Final = ("添付", "別紙", "同封")
HONORIFICS: Final = ("様", "さま", "さん", "殿", "御中", "先生")

_BRACES = re.compile(r"[{｛]{2}|[}｝]{2}|[{｛][%％]|[%％][}｝]")
# ○○様, ●月●日, ■■株式会社: places somebody meant to fill in. A single ■ or ● before a space is a heading, and 〇
# between kanji numbers is a zero.
_BLANKS = re.compile(
    "[■□○●◯◎△▲]{2,}|(?<![■□○●◯◎△▲])[■○●◯△▲](?=[様殿年月日時分円名人件社])"
    "|(?<![一二三四五六七八九十〇])〇+(?=[様殿年月日時分円名人件社])"
    "|(?<![一二三四五六七八九十〇])〇{2,}(?![一二三四五六七八九十〇])"
)
_KATAKANA = re.compile("[ァ-ヺ]")
_EXCERPT = 40


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing noticed. `id` as in the list of checks (C02 …), `line` from 1 (0: the letter as a whole)."""

    id: str
    weight: Weight
    where: str
    line: int
    excerpt: str
    data: Mapping[str, str] = field(default_factory=dict)


def leftovers(subject: str, text: str, words: Sequence[str] = LEFTOVER_WORDS) -> tuple[Finding, ...]:
    """C02: braces nobody filled in (stop), blanks such as ○○様 and words such as 要修正 (confirm).

    Works on a letter as written or as filled in; as written, its merge fields count as braces.
    """
    found: list[Finding] = []
    for where, number, line in _lines(subject, text):
        for match in _BRACES.finditer(line):
            found.append(_finding("C02", "stop", where, number, line, match.start(), found=match[0]))
        if not _is_decoration(line):
            for match in _BLANKS.finditer(line):
                found.append(_finding("C02", "confirm", where, number, line, match.start(), found=match[0]))
        for word, at in _words_in(line, words):
            found.append(_finding("C02", "confirm", where, number, line, at, found=word))
    return tuple(found)


def attachment_words(
    subject: str, text: str, attachment_count: int, words: Sequence[str] = ATTACHMENT_WORDS
) -> tuple[Finding, ...]:
    """C04: the text speaks of a file and there is none, or there is one and the text says nothing (both confirm)."""
    mentions = [
        _finding("C04", "confirm", where, number, line, at, missing="file", found=word)
        for where, number, line in _lines(subject, text)
        for word, at in _words_in(line, words)
    ]
    if attachment_count and not mentions:
        return (Finding("C04", "confirm", "text", 0, "", {"missing": "word"}),)
    return () if attachment_count else tuple(mentions)


def gaps(letter: Rendered, honorifics: Sequence[str] = HONORIFICS) -> tuple[Finding, ...]:
    """C03: fields that were empty for this receiver (confirm), and the honorific that now stands there alone."""
    found: list[Finding] = []
    for mark in letter.marks:
        if not mark.is_empty:
            continue
        text = letter.subject if mark.where == "subject" else letter.text
        start = text.rfind("\n", 0, mark.start) + 1
        end = text.find("\n", mark.start)
        line = text[start:] if end < 0 else text[start:end]
        after = line[mark.start - start :].lstrip(" \u3000")
        honorific = next((word for word in honorifics if after.startswith(word)), "")
        number = text.count("\n", 0, mark.start) + 1
        one = _finding(
            "C03", "confirm", mark.where, number, line, mark.start - start, field=mark.field, honorific=honorific
        )
        if one not in found:
            found.append(one)
    return tuple(found)


def _lines(subject: str, text: str) -> Iterator[tuple[str, int, str]]:
    yield "subject", 1, subject
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        yield "text", number, line


def _words_in(line: str, words: Sequence[str]) -> list[tuple[str, int]]:
    """(word, where it stands), each word once per line; half-width kana and full-width letters count as the same."""
    plain = unicodedata.normalize("NFKC", line).casefold()
    hits = ((word, _place_of(unicodedata.normalize("NFKC", word).casefold(), plain)) for word in words if word)
    return [(word, at) for word, at in hits if at >= 0]


def _place_of(word: str, line: str) -> int:
    """Where the word stands, or -1; テスト is not found in コンテスト."""
    inner = r"(?<![ァ-ヺー])" if _KATAKANA.match(word) else ""
    match = re.search(inner + re.escape(word), line)
    return match.start() if match else -1


def _is_decoration(line: str) -> bool:
    """A ruled line such as ■□■□■□, or a heading between two such rules."""
    stripped = line.strip()
    if len(stripped) >= 5 and not any(char.isalnum() for char in stripped):
        return True
    return bool(re.fullmatch(r"([■□○●◯◎△▲]{2,})[^■□○●◯◎△▲]+[■□○●◯◎△▲]{2,}", stripped))


def _finding(check: str, weight: Weight, where: str, number: int, line: str, at: int, **data: str) -> Finding:
    start = max(0, at - _EXCERPT // 2)
    return Finding(check, weight, where, number, line[start : start + _EXCERPT].strip(), data)
