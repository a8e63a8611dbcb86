"""抽出条件 of step 2: which items each kind of person is looked for by, and what the query string asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import QueryDict

from fumibako.apps.office.models import Department
from fumibako.apps.recipients import labels
from fumibako.apps.recipients.models import Recipient

KEYS = (
    *("name_kana", "number", "department", "employment", "client", "dealing", "status", "mail_state", "tag"),
    # Asked only by the lists of people, which hand "everybody found" over to a new mail.
    *("error_count_min", "address", "hidden"),
)


@dataclass(frozen=True, slots=True)
class Field:
    """One item; with `choices` (value, label, is chosen) it is a list, else a line of text."""

    key: str
    label: str
    value: str
    choices: tuple[tuple[str, str, bool], ...] = ()


def flat(query: QueryDict) -> dict[str, str]:
    """The last value of every parameter."""
    return {key: str(query.get(key, "")) for key in query}


def of(asked: Mapping[str, str]) -> dict[str, str]:
    """The conditions among the parameters of a request; empty ones ask for nothing."""
    return {key: asked[key].strip() for key in KEYS if asked.get(key, "").strip()}


def fields(kind: str, asked: Mapping[str, str]) -> list[Field]:
    """The items of one kind with what was asked."""
    found = [_text("name_kana", "氏名・カナ", asked), _text("number", labels.NUMBER[kind], asked)]
    if kind == Recipient.Kind.STAFF:
        departments = {one.code: one.name for one in Department.objects.all()}
        found += [
            _choice("department", "所属部門", departments, asked),
            _choice("employment", "就業ステータス", labels.EMPLOYMENT, asked),
        ]
    elif kind == Recipient.Kind.CLIENT:
        found += [_text("client", "得意先NO-枝番", asked), _choice("dealing", "取引状況", labels.DEALING, asked)]
    else:
        found.append(_choice("status", "採用ステータス", labels.STATUS, asked))
    return [*found, _choice("mail_state", "メールの状態", labels.MAIL_STATE, asked), _text("tag", "タグ", asked)]


def _text(key: str, label: str, asked: Mapping[str, str]) -> Field:
    return Field(key, label, asked.get(key, ""))


def _choice(key: str, label: str, words: Mapping[str, str], asked: Mapping[str, str]) -> Field:
    value = asked.get(key, "")
    every = ("", "すべて", not value)
    return Field(key, label, value, (every, *((one, text, one == value) for one, text in words.items())))
