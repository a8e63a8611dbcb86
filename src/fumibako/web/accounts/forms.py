"""The form of メールアカウント設定. It carries what was typed; the rules judge it (apps.accounts.rules)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any

from django import forms

from fumibako.apps.accounts import queries
from fumibako.apps.accounts.fields import FIELDS, PINS, Field
from fumibako.apps.accounts.labels import CHOICES
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.presets import all_presets
from fumibako.apps.categories import queries as categories
from fumibako.apps.categories.labels import STATUS
from fumibako.apps.office.models import Operator

SEGMENTS = ("smtp_security", "smtp_auth_method", "visible", "result_notice")
PLACES = ("from", "to", "cc")
RIGHTS = {"may_send": "送信", "may_view": "受信の閲覧", "may_configure": "設定の変更"}
EXTRA_ATTRS: dict[str, dict[str, str]] = {
    "user_id": {"autocomplete": "off", "autocapitalize": "none"},
    "from_address": {"inputmode": "email", "autocapitalize": "none"},
    "reply_to": {"placeholder": "返信先を差出人と分けるときだけ入力"},
    "store_path": {"class": "in mono"},
}


class Choices(forms.ChoiceField):
    """A choice that any text may fill: the rules say what is wrong with it, in the words of the catalogue."""

    def valid_value(self, value: Any) -> bool:
        """Accept everything."""
        return True


class ParentedSelect(forms.Select):
    """A select whose options know the choice above them, so that level 2 offers children of level 1."""

    parents: Mapping[str, str] = {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Add the id of the choice above."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if str(value) in self.parents:
            option["attrs"]["data-parent"] = self.parents[str(value)]
        return option


class AccountForm(forms.Form):
    """One account: its items, 連絡区分・ステータス, 使用権限, and which version it started from."""

    def __init__(
        self,
        data: Any = None,
        *,
        stored: MailAccount | None = None,
        like: MailAccount | None = None,
        initial: Mapping[str, Any],
    ) -> None:
        super().__init__(data, initial=_as_text(initial), label_suffix="", auto_id="%s")
        self.stored = stored
        operators = Operator.objects.filter(is_active=True).order_by("id")
        for name, item in FIELDS.items():
            self.fields[name] = _field(name, item, operators)
        for name in PINS:
            self.fields[name] = forms.CharField(required=False, widget=forms.HiddenInput())
        self._add_contact_rules(queries.contact_rules_of(stored or like))
        self._add_permissions(queries.permissions_of(stored))

    def values(self) -> dict[str, Any]:
        """Return what was typed, by the field names that the actions take."""
        typed = {name: self[name].value() for name in (*FIELDS, *PINS)}
        typed |= {name: bool(typed[name]) for name, item in FIELDS.items() if item.kind == "flag" and name != "visible"}
        typed["contact_rules"] = {
            place: {name: _id(self[f"{place}_{name}"].value()) for name in queries.CONTACT_CHOICES} for place in PLACES
        }
        typed["permissions"] = {
            operator.pk: {right: bool(self[f"perm_{operator.pk}_{right}"].value()) for right in RIGHTS}
            for operator in self.grantable
        }
        return typed

    @property
    def contact_rows(self) -> list[tuple[str, list[tuple[str, Any]]]]:
        """The grid of 連絡区分・ステータス: (place, [(label, input), …])."""
        return [
            (place.upper(), [(label, self[f"{place}_{name}"]) for name, label in CONTACT_LABELS.items()])
            for place in PLACES
        ]

    @property
    def permission_rows(self) -> list[tuple[Operator, list[tuple[str, Any]]]]:
        """The table of 使用権限: (operator, [(label, input), …])."""
        return [
            (operator, [(label, self[f"perm_{operator.pk}_{right}"]) for right, label in RIGHTS.items()])
            for operator in self.grantable
        ]

    def _add_contact_rules(self, rules: Mapping[str, Mapping[str, int | None]]) -> None:
        chosen = [rule[name] for rule in rules.values() for name in queries.CONTACT_CHOICES]
        offered = categories.contact_choices(*chosen)
        levels = {level: [row for row in offered if row.level == level] for level in (1, 2, 3)}
        parents = {str(row.pk): str(row.parent_id) for level in (2, 3) for row in levels[level]}
        marked = categories.choices(STATUS, *(one["status"] for one in rules.values()))
        statuses = [(row.pk, row.name1) for row in marked]
        for place in PLACES:
            for level, rows in levels.items():
                name = f"{place}_category{level}"
                self.fields[name] = _select([(row.pk, row.name) for row in rows], parents)
                self.initial[name] = rules[place][f"category{level}"] or ""
            self.fields[f"{place}_status"] = _select(statuses, {})
            self.initial[f"{place}_status"] = rules[place]["status"] or ""

    def _add_permissions(self, permissions: Mapping[int, Mapping[str, bool]]) -> None:
        self.grantable = list(queries.grantable_operators())
        for operator in self.grantable:
            for right in RIGHTS:
                name = f"perm_{operator.pk}_{right}"
                self.fields[name] = forms.BooleanField(required=False)
                self.initial[name] = permissions[operator.pk][right]


CONTACT_LABELS = {
    "category1": "連絡区分1",
    "category2": "連絡区分2",
    "category3": "連絡区分3",
    "status": "連絡ステータス",
}


def _field(name: str, item: Field, operators: Iterable[Operator]) -> forms.Field:
    if name in SEGMENTS:
        choices = list(CHOICES[name].items())
        return Choices(label=item.label, required=False, choices=choices, widget=forms.RadioSelect())
    if item.kind == "flag":
        return forms.BooleanField(label=item.label, required=False)
    if name == "default_operator":
        people = [("", "(なし)"), *((operator.pk, operator.display_name) for operator in operators)]
        return Choices(label=item.label, required=False, choices=people, widget=forms.Select(attrs={"class": "sel"}))
    if name == "preset":
        offers = [("", "選んでください"), *((preset.key, preset.name) for preset in all_presets())]
        return Choices(label=item.label, required=False, choices=offers, widget=forms.Select(attrs={"class": "sel"}))
    if name in CHOICES:
        choices = list(CHOICES[name].items())
        return Choices(label=item.label, required=False, choices=choices, widget=forms.Select(attrs={"class": "sel"}))
    return forms.CharField(label=item.label, required=False, strip=False, widget=_text_widget(name, item))


def _text_widget(name: str, item: Field) -> forms.Widget:
    if name == "signature":
        return forms.Textarea(attrs={"class": "ta mono", "rows": "5", "maxlength": str(item.longest)})
    if name == "password":
        return forms.PasswordInput(attrs={"class": "in", "autocomplete": "new-password"})
    attrs = {"class": "in", "autocomplete": "off"}
    if item.kind in ("port", "whole"):
        attrs = {"class": "in num", "inputmode": "numeric", "autocomplete": "off"}
    elif item.kind == "time":
        attrs = {"class": "in num", "autocomplete": "off"}
    return forms.TextInput(attrs=attrs | EXTRA_ATTRS.get(name, {}))


def _select(choices: list[tuple[int, str]], parents: Mapping[str, str]) -> Choices:
    widget = ParentedSelect(attrs={"class": "sel"})
    widget.parents = parents
    return Choices(required=False, choices=[("", "(なし)"), *choices], widget=widget)


def _as_text(values: Mapping[str, Any]) -> dict[str, Any]:
    texts = dict(values)
    for name, value in values.items():
        if isinstance(value, time):
            texts[name] = f"{value:%H:%M}"
        elif name == "default_operator":
            texts[name] = getattr(value, "pk", value) or ""
        elif name == "visible":
            texts[name] = str(value)
        elif value is None:
            texts[name] = ""
    return texts


def _id(text: Any) -> int | None:
    return int(text) if str(text or "").isdecimal() else None
