"""Finding words in mails by grams of our own (`reader.grams`), in FTS5 or in a tsvector."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import connection
from django.db.models import QuerySet

from .models import ReceivedMail
from .reader.grams import cut, runs_of, size_of

Mails = QuerySet[ReceivedMail, ReceivedMail]
Field = Literal["sender", "recipients", "subject", "body"]
FIELDS: tuple[Field, ...] = ("sender", "recipients", "subject", "body")
WEIGHTS = dict(zip(FIELDS, "ABCD", strict=True))
"""The same four fields as PostgreSQL's weights."""

TABLE = "inbox_search"
MOST_TERMS = 8
PG_POSITIONS = 16_383
"""Positions that a tsvector can tell apart; beyond them they are counted from one again."""
PG_BYTES = 1_000_000
"""A tsvector takes 1 MiB; the end of a mail with more than that is not indexed."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is indexed of one mail."""

    row_id: int
    grams: tuple[str, ...]
    """Grams of each of FIELDS, in their order, a space between two."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Grams that must follow each other; the last one may be the beginning of a longer one."""

    grams: tuple[str, ...]
    is_prefix: bool


def phrases_of(wanted: str) -> list[Phrase]:
    """What to look for: one phrase per word of the question, all of which must be found."""
    phrases = []
    for word in unicodedata.normalize("NFKC", wanted).split()[:MOST_TERMS]:
        runs = runs_of(word)
        if not runs:
            continue
        *before, last = runs
        grams = [gram for run in before for gram in cut(run)]
        size = size_of(last)
        whole = [last[start : start + size] for start in range(len(last) - size + 1)]
        phrases.append(Phrase((*grams, *(whole or [last])), is_prefix=not whole))
    return phrases


def only_with(
    mails: Mails,
    asked: Sequence[tuple[str, Sequence[Field]]],
    *,
    is_narrow: bool = False,
    span: tuple[int | None, int | None] = (None, None),
) -> Mails:
    """Narrow to mails in which every word of each text stands in one of its fields, newest first.

    The search table leads and is read from its newest row down, so that a page costs the same among a million mails as
    among a thousand, however common the words are. Texts without anything to search for find nothing. `is_narrow`:
    so few of all mails are wanted that these lead instead, or most of what the words find would be read in vain; then
    words are looked for only among the sort keys of `span`, from the first on and before the second.
    """
    wanted = [(phrases_of(text), fields) for text, fields in asked if text.strip()]
    if not wanted:
        return mails
    if not all(phrases for phrases, _ in wanted):
        return mails.none()
    if connection.vendor == "sqlite":
        matches, question = f"{TABLE} MATCH %s", " AND ".join(fts_query(*one) for one in wanted)
    else:
        matches, question = f"{TABLE}.words @@ %s::tsquery", " & ".join(ts_query(*one) for one in wanted)
    if is_narrow:
        bounds = [(f" AND {TABLE}.rowid {sign} %s", key) for sign, key in zip((">=", "<"), span, strict=True) if key]
        matches += "".join(words for words, _ in bounds)
        # The plus keeps the database from looking up every mail that the words find.
        found = f"+inbox_receivedmail.sort_key IN (SELECT {TABLE}.rowid FROM {TABLE} WHERE {matches})"
        return mails.extra(where=[found], params=[question, *(key for _, key in bounds)])
    joined = f"{TABLE}.rowid = inbox_receivedmail.sort_key"
    return mails.extra(tables=[TABLE], where=[joined, matches], params=[question], order_by=[f"-{TABLE}.rowid"])


def beyond(mails: Mails, sort_key: int, *, is_older: bool) -> Mails:
    """The mails of a list that come after (older) or before (newer) the one with `sort_key`, the nearest first."""
    if TABLE not in mails.query.extra_tables:
        bound = {"sort_key__lt" if is_older else "sort_key__gt": sort_key}
        return mails.filter(**bound).order_by("-sort_key" if is_older else "sort_key")
    sign, order = ("<", "-") if is_older else (">", "")
    return mails.extra(where=[f"{TABLE}.rowid {sign} %s"], params=[sort_key], order_by=[f"{order}{TABLE}.rowid"])


def fts_query(phrases: Iterable[Phrase], fields: Sequence[Field]) -> str:
    """The question in FTS5's language. Grams hold letters and digits alone, so nothing has to be escaped."""
    terms = " AND ".join(f'"{" ".join(phrase.grams)}"{" *" if phrase.is_prefix else ""}' for phrase in phrases)
    return f"({terms})" if len(fields) == len(FIELDS) else f"({{{' '.join(fields)}}} : ({terms}))"


def ts_query(phrases: Iterable[Phrase], fields: Sequence[Field]) -> str:
    """The question in PostgreSQL's language."""
    weights = "" if len(fields) == len(FIELDS) else "".join(WEIGHTS[field] for field in fields)
    terms = []
    for phrase in phrases:
        marks = [weights] * (len(phrase.grams) - 1) + [weights + ("*" if phrase.is_prefix else "")]
        grams = [f"'{gram}'{':' + mark if mark else ''}" for gram, mark in zip(phrase.grams, marks, strict=True)]
        terms.append("(" + " <-> ".join(grams) + ")")
    return " & ".join(terms)


def add(rows: Sequence[Words]) -> None:
    """Make mails findable. Call inside the transaction that writes what was read."""
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            statement = (
                "INSERT INTO inbox_search (rowid, sender, recipients, subject, body) VALUES (%s, %s, %s, %s, %s)"
            )
            cursor.executemany(statement, [_fts_row(row) for row in rows])
        else:
            statement = "INSERT INTO inbox_search (rowid, words) VALUES (%s, %s::tsvector)"
            cursor.executemany(statement, [(row.row_id, _ts_vector(row)) for row in rows])


def remove(rows: Sequence[Words]) -> None:
    """Make mails unfindable; `rows` say exactly what was added for them."""
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            statement = (
                "INSERT INTO inbox_search (inbox_search, rowid, sender, recipients, subject, body) "
                "VALUES ('delete', %s, %s, %s, %s, %s)"
            )
            cursor.executemany(statement, [_fts_row(row) for row in rows])
        else:
            cursor.execute("DELETE FROM inbox_search WHERE rowid = ANY(%s)", [[row.row_id for row in rows]])


def _fts_row(row: Words) -> tuple[Any, ...]:
    return (row.row_id, *row.grams)


def _ts_vector(row: Words) -> str:
    lexemes: list[str] = []
    known: set[str] = set()
    position = size = 0
    for weight, grams in zip(WEIGHTS.values(), row.grams, strict=True):
        for gram in grams.split():
            size += 2 if gram in known else 6 + len(gram.encode())
            if size > PG_BYTES:
                return " ".join(lexemes)
            known.add(gram)
            lexemes.append(f"'{gram}':{position % PG_POSITIONS + 1}{weight}")
            position += 1
        # A phrase must not run from one field into the next.
        position += 1
    return " ".join(lexemes)
