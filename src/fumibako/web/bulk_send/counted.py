"""Counts of a selection as the screens show them: per kind of person, and per reason for getting no mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fumibako.apps.recipients.labels import KIND
from fumibako.apps.sending import labels
from fumibako.apps.sending.selection import SelectionCounts

from .bars import Part, parts


@dataclass(frozen=True, slots=True)
class KindRow:
    """Mails and persons of one kind."""

    css: str
    label: str
    mail_count: int
    person_count: int


def kind_parts(counts: SelectionCounts) -> tuple[Part, ...]:
    """The bar of the same rows."""
    return parts([(f"k-{kind}", count) for kind, count in _ordered(counts.by_kind)])


def _ordered(by_kind: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(kind, by_kind.get(kind, 0)) for kind in KIND]


def kind_rows(counts: SelectionCounts) -> list[KindRow]:
    """The kinds that get mail, in their usual order."""
    return [
        KindRow(f"k-{kind}", KIND[kind], count, counts.persons_by_kind.get(kind, 0))
        for kind, count in _ordered(counts.by_kind)
        if count
    ]


@dataclass(frozen=True, slots=True)
class ExclusionRow:
    """How many addresses get no mail for one reason."""

    reason: str
    label: str
    count: int


def exclusion_rows(counts: SelectionCounts) -> list[ExclusionRow]:
    """The reasons that occur, in the order in which the screens list them."""
    return [
        ExclusionRow(reason, label, counts.excluded_by_reason[reason])
        for reason, label in labels.EXCLUSIONS.items()
        if counts.excluded_by_reason.get(reason)
    ]


def over_words(counts: SelectionCounts) -> str:
    """B02 while the account's limit is exceeded."""
    if counts.limit is None or not counts.is_over_limit:
        return ""
    return labels.over_limit(counts.mail_count, counts.limit)
