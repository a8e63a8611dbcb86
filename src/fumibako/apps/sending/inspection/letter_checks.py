"""Checks of the letter itself, before anybody's values: C01, C02, C04, C07, C15."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fumibako.apps.sending.inspection import labels
from fumibako.apps.sending.inspection.finding import Finding, fingerprint
from fumibako.letters.checks import attachment_words, leftovers
from fumibako.letters.merge import LetterProblem, problems_in

SENSITIVE = ("給与", "マイナンバー", "パスワード", "個人番号")
TWELVE_DIGITS = re.compile(r"(?<!\d)\d{4}[ -]?\d{4}[ -]?\d{4}(?!\d)")
_MERGE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|｛｛.*?｝｝")
_SPACES = re.compile(r"[ \u3000\t]+")


@dataclass(frozen=True, slots=True)
class Letter:
    """What the checks look at."""

    subject: str
    body: str
    attachment_count: int

    @property
    def lines(self) -> Iterator[tuple[str, int, str]]:
        """(where, line, fixed text): merge fields taken out, so that only what everybody gets is looked at."""
        yield "subject", 1, _MERGE.sub("", self.subject)
        for number, line in enumerate(self.body.split("\n"), start=1):
            yield "text", number, _MERGE.sub("", line)


def letter_findings(letter: Letter, names: Iterable[str]) -> Iterator[Finding]:
    """Everything to say about the letter. `names` are the full names of registered people (C07)."""
    yield from _missing(letter)
    for problem in problems_in(letter.subject, letter.body):
        yield _mistake(problem)
    fixed_subject = _MERGE.sub("", letter.subject)
    fixed_body = _MERGE.sub("", letter.body)
    for found in leftovers(fixed_subject, fixed_body):
        if found.weight != "stop":
            word = found.data["found"]
            yield _at("C02", found.where, found.line, word, *labels.leftover(word, found.where, found.line))
    for found in attachment_words(letter.subject, letter.body, letter.attachment_count):
        texts = labels.attachment_word(found.data.get("found", ""), found.excerpt, found.line)
        yield _at("C04", found.where, found.line, found.data.get("found", ""), *texts)
    yield from _registered_names(letter, names)
    yield from _sensitive(letter)


def _missing(letter: Letter) -> Iterator[Finding]:
    if not letter.subject.strip():
        yield Finding("C01:subject", "C01", "stop", *labels.NO_SUBJECT, link="letter")
    if not letter.body.strip():
        yield Finding("C01:body", "C01", "stop", *labels.NO_BODY, link="letter")


def _mistake(problem: LetterProblem) -> Finding:
    title = labels.letter_problem(problem.kind, problem.field, problem.line, problem.where)
    key = f"C02:{problem.kind}:{problem.where}:{problem.line}:{problem.field}"
    return Finding(key, "C02", "stop", title, link="letter", line=problem.line)


def _at(id: str, where: str, line: int, word: str, title: str, detail: str) -> Finding:
    return Finding(
        f"{id}:{where}:{line}:{word}",
        id,
        "confirm",
        title,
        detail,
        link="letter",
        line=line if where == "text" else 0,
        fingerprint=fingerprint(id, where, line, word, detail),
    )


def _registered_names(letter: Letter, names: Iterable[str]) -> Iterator[Finding]:
    lines = [(where, number, line, _SPACES.sub("", line)) for where, number, line in letter.lines]
    everything = "\n".join(plain for _, _, _, plain in lines)
    said: set[str] = set()
    for name in names:
        plain_name = _SPACES.sub("", name)
        if len(plain_name) < 3 or plain_name not in everything or name in said:
            continue
        said.add(name)
        where, number, line, _ = next(one for one in lines if plain_name in one[3])
        yield _at("C07", where, number, name, *labels.registered_name(name, line.strip(), number, where))


def _sensitive(letter: Letter) -> Iterator[Finding]:
    for where, number, line in letter.lines:
        words: list[Any] = [word for word in SENSITIVE if word in line]
        words += ["12桁の番号"] if TWELVE_DIGITS.search(line) else []
        for word in words:
            yield _at("C15", where, number, word, *labels.sensitive_word(word, line.strip(), number, where))
