"""A finding of 点検: what was noticed, how much it weighs, whom it is about, whether somebody accepted exactly it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Weight = Literal["stop", "confirm", "info"]

PEOPLE_SHOWN = 50
"""A finding names this many people; `people_count` tells how many there are."""


@dataclass(frozen=True, slots=True)
class PersonRef:
    """A person a finding is about."""

    recipient_id: int
    kind: str
    number: str
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """A one-press way out. `kind` is a stable word (start_at, domain), `value` what to set, `text` the button."""

    kind: str
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing noticed. `key` is unique within an inspection; `link` names where to go: sender, recipients, letter."""

    key: str
    id: str
    weight: Weight
    title: str
    detail: str = ""
    people: tuple[PersonRef, ...] = ()
    people_count: int = 0
    link: str = ""
    line: int = 0
    fix: Fix | None = None
    fingerprint: str = ""
    is_confirmed: bool = False

    @property
    def is_open(self) -> bool:
        """True while it keeps the job from being sent."""
        return self.weight == "stop" or (self.weight == "confirm" and not self.is_confirmed)


def fingerprint(*facts: object) -> str:
    """A short hash of what a finding says: another fact gives another one, and an old このままでよい is void."""
    return hashlib.sha256(json.dumps(facts, default=str, ensure_ascii=False).encode()).hexdigest()[:20]


@dataclass(slots=True)
class People:
    """People gathered for a finding: the first few by name, all of them by count and hash."""

    shown: list[PersonRef] = field(default_factory=list)
    count: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    def add(self, person: PersonRef) -> None:
        """Take in one more."""
        self.count += 1
        self._digest.update(f"{person.recipient_id}:{person.note};".encode())
        if len(self.shown) < PEOPLE_SHOWN:
            self.shown.append(person)

    @property
    def digest(self) -> str:
        """Differs when another person is among them."""
        return str(self._digest.hexdigest())


def with_confirmations(findings: Iterable[Finding], confirmed: Mapping[str, str]) -> tuple[Finding, ...]:
    """The findings, heaviest first, those marked that somebody accepted as they now stand."""
    order = {"stop": 0, "confirm": 1, "info": 2}
    marked = (
        _replaced(one, confirmed.get(one.key) == one.fingerprint) if one.weight == "confirm" else one
        for one in findings
    )
    return tuple(sorted(marked, key=lambda one: (order[one.weight], one.id, one.key)))


def _replaced(finding: Finding, is_confirmed: bool) -> Finding:
    values = {name: getattr(finding, name) for name in finding.__slots__}
    return Finding(**{**values, "is_confirmed": is_confirmed})
