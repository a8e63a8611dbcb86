"""Finding words in mails by grams of our own (`reader.grams`), in FTS5 or in a tsvector."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import connection
from django.db.models import QuerySet

from .models import ReceivedMail
from .reader.facts import texts_by_field
from .reader.grams import cut, plain, runs_of, size_of

Mails = QuerySet[ReceivedMail, ReceivedMail]
Field = Literal["sender", "recipients", "subject", "body"]
FIELDS: tuple[Field, ...] = ("sender", "recipients", "subject", "body")
WEIGHTS = dict(zip(FIELDS, "ABCD", strict=True))
"""The same four fields as PostgreSQL's weights."""

TABLE = "inbox_search"
MOST_TERMS = 8
FEW = 200
"""So many mails are looked at themselves, and not found by going down from the newest."""
MOST_READ = 500_000
"""Characters of their texts that are looked through at most."""
SEARCHED = ("from_name", "from_address", "to_text", "cc_text", "subject", "text")
"""What `texts_by_field` asks for."""
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
    """Runs of letters that follow each other. The first may be the end of a longer one, the last its beginning."""

    runs: tuple[str, ...]
    is_over: bool = False
    """The last run ends here."""

    @property
    def grams(self) -> list[str]:
        """What must follow each other in the search table."""
        *before, last = self.runs
        grams = [gram for run in before for gram in cut(run)]
        if self.is_over:
            return grams + cut(last)
        size = size_of(last)
        return grams + ([last[start : start + size] for start in range(len(last) - size + 1)] or [last])

    @property
    def is_prefix(self) -> bool:
        """Whether the last gram may be the beginning of a longer one."""
        return not self.is_over and len(self.runs[-1]) < size_of(self.runs[-1])

    @property
    def text(self) -> str:
        """What stands in the `plain` text of a field with these runs."""
        return " ".join(self.runs)

    @property
    def longest(self) -> Phrase:
        """The longest of the runs, alone."""
        place = max(range(len(self.runs)), key=lambda number: len(self.runs[number]))
        return Phrase(self.runs[place : place + 1], is_over=place < len(self.runs) - 1)


Wanted = Sequence[tuple[Sequence[Phrase], Sequence[Field]]]
"""Phrases, each of which must stand in one of the fields beside them."""
Span = tuple[int | None, int | None]
"""Sort keys: from the first on and before the second."""


def phrases_of(wanted: str) -> list[Phrase]:
    """What to look for: one phrase per word of the question, all of which must be found."""
    words = unicodedata.normalize("NFKC", wanted).split()[:MOST_TERMS]
    return [Phrase(tuple(runs)) for word in words if (runs := runs_of(word))]


def only_with(
    mails: Mails,
    asked: Sequence[tuple[str, Sequence[Field]]],
    *,
    is_narrow: bool = False,
    span: Span = (None, None),
) -> Mails:
    """Narrow to mails in which every word of each text stands in one of its fields.

    What is found in few mails is these mails. Otherwise the search table leads and is read from its newest row down, so
    that a page costs the same among a million mails as among a thousand, however common the words are. Texts without
    anything to search for find nothing. `is_narrow`: so few of all mails are wanted that these lead instead, or most of
    what the words find would be read in vain. Words are looked for only among the sort keys of `span`.
    """
    wanted = [(phrases_of(text), fields) for text, fields in asked if text.strip()]
    if not wanted:
        return mails
    if not all(phrases for phrases, _ in wanted):
        return mails.none()
    keys = _few_with(wanted, span)
    if keys is not None:
        return mails.filter(sort_key__in=keys)
    if is_narrow:
        found, values = _question(wanted, span)
        # The plus keeps the database from looking up every mail that the words find.
        return mails.extra(where=[f"+inbox_receivedmail.sort_key IN ({found})"], params=values)
    matches, question = _matches(wanted)
    joined = f"{TABLE}.rowid = inbox_receivedmail.sort_key"
    return mails.extra(tables=[TABLE], where=[joined, matches], params=[question], order_by=[f"-{TABLE}.rowid"])


def _few_with(wanted: Wanted, span: Span) -> list[int] | None:
    """The sort keys of the mails wanted, or None when they are many.

    Common grams make a phrase dear: most of an address stands in the mails of half a country. So the longest run is
    looked for alone, and where few mails have it, they are looked at themselves.
    """
    longest, fields = max(((p.longest, f) for phrases, f in wanted for p in phrases), key=lambda one: len(one[0].text))
    keys = _keys([([longest], fields)], span)
    if len(wanted) == 1 and list(wanted[0][0]) == [longest]:
        return keys if len(keys) <= FEW else None
    found = _those_with(wanted, keys) if len(keys) <= FEW else None
    if found is not None:
        return found
    keys = _keys(wanted, span)
    return keys if len(keys) <= FEW else None


def _keys(wanted: Wanted, span: Span) -> list[int]:
    """Sort keys of mails wanted, FEW of them and one more. In no order: newest first costs twice as much."""
    found, values = _question(wanted, span)
    with connection.cursor() as cursor:
        cursor.execute(f"{found} LIMIT {FEW + 1}", values)
        return [key for (key,) in cursor.fetchall()]


def _those_with(wanted: Wanted, keys: Sequence[int]) -> list[int] | None:
    """Those of `keys` whose mails hold what is wanted by their own texts, from which their grams were cut.

    None when that is too much to read.
    """
    rows = ReceivedMail.objects.filter(sort_key__in=keys).order_by().values("sort_key", *SEARCHED)
    found, left = [], MOST_READ
    for row in rows.iterator(chunk_size=20):
        left -= len(row["text"])
        if left < 0:
            return None
        if _holds(row, wanted):
            found.append(int(row["sort_key"]))
    return found


def _holds(row: Mapping[str, Any], wanted: Wanted) -> bool:
    texts = dict(zip(FIELDS, texts_by_field(row), strict=True))
    return all(
        any(phrase.text in plain(texts[field]) for field in fields) for phrases, fields in wanted for phrase in phrases
    )


def _question(wanted: Wanted, span: Span) -> tuple[str, list[Any]]:
    """A statement for the sort keys of the mails wanted, and its values."""
    matches, question = _matches(wanted)
    bounds = [(f" AND {TABLE}.rowid {sign} %s", key) for sign, key in zip((">=", "<"), span, strict=True) if key]
    limits = "".join(words for words, _ in bounds)
    return f"SELECT {TABLE}.rowid FROM {TABLE} WHERE {matches}{limits}", [question, *(key for _, key in bounds)]


def _matches(wanted: Wanted) -> tuple[str, str]:
    """The condition on the search table, and what it is asked."""
    if connection.vendor == "sqlite":
        return f"{TABLE} MATCH %s", " AND ".join(fts_query(*one) for one in wanted)
    return f"{TABLE}.words @@ %s::tsquery", " & ".join(ts_query(*one) for one in wanted)


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
