"""抽出条件 of the lists: what may be asked, what is on, and addresses that keep or drop one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from fumibako.apps.office.models import Department
from fumibako.apps.recipients import labels
from fumibako.apps.recipients.models import Recipient

KEYS = (
    "name_kana",
    "number",
    "department",
    "employment",
    "client",
    "dealing",
    "status",
    "mail_state",
    "error_count_min",
    "address",
    "tag",
    "hidden",
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One item of the panel; with `choices` (value, words, is chosen) it is a list, else a line of text."""

    key: str
    label: str
    value: str
    choices: tuple[tuple[str, str, bool], ...] = ()

    @property
    def words(self) -> str:
        """The value as a person reads it."""
        return next((words for value, words, _ in self.choices if value == self.value), self.value)


@dataclass(frozen=True, slots=True)
class Chip:
    """A condition that is on, and the address of the list without it."""

    label: str
    words: str
    url: str


def asked_in(parameters: Mapping[str, str]) -> dict[str, str]:
    """The conditions among a request's parameters; empty ones ask for nothing."""
    return {key: parameters[key].strip() for key in KEYS if parameters.get(key, "").strip()}


def conditions_of(kind: str, asked: Mapping[str, str]) -> list[Condition]:
    """The panel of one kind of person, filled with what was asked."""
    found = [_text("name_kana", "氏名・カナ", asked), _text("number", labels.NUMBER[kind], asked)]
    if kind == Recipient.Kind.STAFF:
        departments = {one.code: one.name for one in Department.objects.all()}
        found.append(_choice("department", "所属部門", departments, asked))
        found.append(_choice("employment", "就業ステータス", labels.EMPLOYMENT, asked))
    elif kind == Recipient.Kind.CLIENT:
        found[0] = _text("name_kana", "会社名・氏名・カナ", asked)
        found.append(_choice("dealing", "取引状況", labels.DEALING, asked))
    else:
        found.append(_choice("status", "採用ステータス", labels.STATUS, asked))
    return [
        *found,
        _choice("mail_state", "メールの状態", labels.MAIL_STATE, asked),
        _text("error_count_min", "エラー回数(以上)", asked),
        _text("address", "メールアドレス", asked),
        _text("tag", "タグ", asked),
        _choice("hidden", "表示", {"1": "表示しない人"}, asked, every="表示する人"),
    ]


def chips_of(panel: list[Condition], parameters: Mapping[str, str]) -> list[Chip]:
    """One chip for each condition that is on."""
    return [Chip(one.label, one.words, without(parameters, one.key)) for one in panel if one.value]


def without(parameters: Mapping[str, str], key: str) -> str:
    """The list's address without one condition and back on its first page."""
    kept = {name: value for name, value in parameters.items() if value and name not in (key, "page")}
    return f"?{urlencode(kept)}"


def with_(parameters: Mapping[str, str], **changed: str) -> str:
    """The list's address with something changed, on its first page."""
    kept = {name: value for name, value in parameters.items() if value and name != "page"}
    return f"?{urlencode(kept | changed)}"


def _text(key: str, label: str, asked: Mapping[str, str]) -> Condition:
    return Condition(key, label, asked.get(key, ""))


def _choice(
    key: str, label: str, words: Mapping[str, str], asked: Mapping[str, str], *, every: str = "すべて"
) -> Condition:
    value = asked.get(key, "")
    choices = (("", every, not value), *((one, text, one == value) for one, text in words.items()))
    return Condition(key, label, value if value in words else "", choices)
