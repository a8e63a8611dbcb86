"""抽出条件 of 連絡記録: what may be asked, what is on, and addresses that keep or drop one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils import timezone

from fumibako.apps.categories import queries as categories
from fumibako.apps.categories.labels import STATUS
from fumibako.apps.contacts import labels, queries
from fumibako.apps.contacts.people import label_of, person_at
from fumibako.apps.office.models import Department, Operator
from fumibako.web.people.conditions import Chip

DEFAULT_DAYS = 30
DAYS = {"since", "until", "next_since", "next_until"}


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a list; `parent` is the id of the choice above it."""

    value: str
    words: str
    is_chosen: bool
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One item of the panel: a list with `options`, a day, or a line of text."""

    key: str
    label: str
    value: str
    options: tuple[Option, ...] = ()
    is_day: bool = False

    @property
    def words(self) -> str:
        """The value as a person reads it."""
        if self.is_day:
            return self.value.replace("-", "/")
        return next((one.words for one in self.options if one.value == self.value), self.value)


def asked_in(parameters: Mapping[str, str]) -> dict[str, str]:
    """The conditions among a request's parameters; with none at all, the last 30 days.

    An address that names `since`, even empty, or anything else to look for, is taken as it stands.
    """
    found = {key: parameters[key].strip() for key in queries.KEYS if parameters.get(key, "").strip()}
    if not found and "since" not in parameters:
        return {"since": f"{timezone.localdate() - timedelta(days=DEFAULT_DAYS):%Y-%m-%d}"}
    return found


def panel_of(asked: Mapping[str, str]) -> list[Condition]:
    """The panel, filled with what was asked."""
    operators = {one.username: str(one) for one in Operator.objects.filter(is_active=True).order_by("id")}
    statuses = {str(one.pk): one.name1 for one in categories.choices(STATUS)}
    return [
        _day("since", "連絡日(から)", asked),
        _day("until", "連絡日(まで)", asked),
        *_categories(asked),
        _choice("status1", "連絡ステータス1", statuses, asked),
        _choice("status2", "連絡ステータス2", statuses, asked),
        _choice("operator", "対応者", operators, asked),
        _choice("department", "連絡部門", {one.code: one.name for one in Department.objects.all()}, asked),
        _choice("party_kind", "相手の種類", labels.PARTY_KINDS, asked),
        Condition("party", "相手の氏名・会社名・NO", asked.get("party", "")),
        Condition("subject", "件名", asked.get("subject", "")),
        Condition("body", "連絡内容・対応内容", asked.get("body", "")),
        _day("next_since", "次回対応日(から)", asked),
        _day("next_until", "次回対応日(まで)", asked),
        _choice("from_mail", "受信メールから", {"yes": "受信メールから", "no": "手で登録"}, asked),
    ]


def chips_of(panel: Sequence[Condition], asked: Mapping[str, str], sort: str) -> list[Chip]:
    """One chip for each condition that is on."""
    chips = [Chip(one.label, one.words, without(asked, one.key, sort)) for one in panel if one.value]
    if named := asked.get("person"):
        person = person_at(*named.partition(":")[::2])
        chips.append(Chip("相手", label_of(person) if person else named, without(asked, "person", sort)))
    if number := asked.get("mail"):
        chips.append(Chip("受信管理NO", number, without(asked, "mail", sort)))
    return chips


def without(asked: Mapping[str, str], key: str, sort: str = "") -> str:
    """The list's address without one condition, on its first page."""
    return with_({name: value for name, value in asked.items() if name != key}, sort=sort)


def with_(asked: Mapping[str, str], **changed: str) -> str:
    """The list's address with something changed. No condition at all stays none, instead of the last 30 days."""
    kept = {name: value for name, value in (dict(asked) | changed).items() if value}
    return f"?{urlencode({'since': ''} | kept if 'since' not in kept else kept)}"


def kept_in(posted: QueryDict) -> dict[str, str]:
    """The conditions that a form of the list carries along."""
    return asked_in({"since": ""} | {key: posted.get(key, "") for key in queries.KEYS})


def _day(key: str, label: str, asked: Mapping[str, str]) -> Condition:
    return Condition(key, label, asked.get(key, "").replace("/", "-"), is_day=True)


def _choice(key: str, label: str, words: Mapping[str, str], asked: Mapping[str, str]) -> Condition:
    value = asked.get(key, "")
    options = [Option("", "すべて", not value), *(Option(one, text, one == value) for one, text in words.items())]
    return Condition(key, label, value if value in words else "", tuple(options))


def _categories(asked: Mapping[str, str]) -> list[Condition]:
    rows: dict[int, list[Any]] = {1: [], 2: [], 3: []}
    for row in categories.contact_choices():
        rows[row.level].append(row)
    found = []
    for level, of_level in rows.items():
        key = f"category{level}"
        value = asked.get(key, "")
        options = [Option("", "すべて", not value)]
        options += [Option(str(one.pk), one.name, str(one.pk) == value, str(one.parent_id or "")) for one in of_level]
        is_known = any(one.value == value for one in options)
        found.append(Condition(key, f"連絡区分{level}", value if is_known else "", tuple(options)))
    return found
