"""The form of 連絡記録. It carries what was typed; the rules judge it, for every way in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from fumibako.apps.categories import queries as categories
from fumibako.apps.categories.labels import NEXT, STATUS
from fumibako.apps.categories.models import ContactCategory
from fumibako.apps.contacts.labels import LABELS
from fumibako.apps.office.models import Department, Operator
from fumibako.apps.office.problems import Problem
from fumibako.web.accounts.forms import ParentedSelect

MOST_SEGMENTS = 5
NOTHING = ("", "(なし)")


class OperatorSelect(forms.Select):
    """Options that know the 部門 of their operator, so that choosing somebody can choose it too."""

    departments: Mapping[str, str] = {}

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Add the id of the 部門."""
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        option["attrs"]["data-department"] = self.departments.get(str(value), "")
        return option


class RecordForm(forms.Form):
    """One record: its items as text, 相手 as it is typed (`party`) and as it is meant (`person`)."""

    def __init__(
        self, data: Any = None, *, initial: Mapping[str, str], party: str = "", auto_id: str = "id_%s"
    ) -> None:
        shown = {**initial, "party": party}
        for key in ("contacted_at", "next_on"):
            shown[key] = initial.get(key, "").replace("/", "-").replace(" ", "T")
        super().__init__(data, initial=shown, label_suffix="", auto_id=auto_id)
        chosen = {key: int(value) for key, value in initial.items() if value.isdigit() and key in _WITH_CHOICES}
        self.fields["contacted_at"] = _field("contacted_at", _input("in w-at", type="datetime-local"))
        self.fields["minutes"] = _field("minutes", _input("in w4 num", inputmode="numeric"))
        self.fields["operator"] = _field("operator", _operators(chosen.get("operator")))
        self.fields["department"] = _field("department", _departments())
        self.fields["party"] = _field("person", _input("in", spellcheck="false"))
        self.fields["person"] = _field("person", forms.HiddenInput())
        self._add_categories(chosen)
        self._add_statuses(chosen)
        self.fields["subject"] = _field("subject", _input("in wide", maxlength="500"))
        self.fields["body"] = _field("body", forms.Textarea({"class": "ta", "rows": 6}))
        self.fields["response"] = _field("response", forms.Textarea({"class": "ta", "rows": 3}))
        self.fields["next_on"] = _field("next_on", _input("in w8", type="date"))
        ways = [(row.pk, row.name1) for row in categories.choices(NEXT, chosen.get("next_category"))]
        self.fields["next_category"] = _field("next_category", forms.Select({"class": "sel"}, [NOTHING, *ways]))

    def values(self) -> dict[str, str]:
        """What was entered, as the rules want it; without 相手, which the view makes out."""
        return {key: str(self[key].data or "") for key in LABELS if key != "person"}

    def tell(self, problems: Iterable[Problem]) -> None:
        """Put each problem beside its item; what belongs to none of them goes to the top."""
        self.full_clean()
        for problem in problems:
            key = "party" if problem.field == "person" else problem.field
            self.add_error(key if key in self.fields else None, problem.text)

    @property
    def dependents(self) -> list[forms.BoundField]:
        """連絡区分1–3."""
        return [self[f"category{level}"] for level in (1, 2, 3)]

    def _add_categories(self, chosen: Mapping[str, int]) -> None:
        rows = categories.contact_choices(*(chosen.get(f"category{level}") for level in (1, 2, 3)))
        for level in (1, 2, 3):
            widget = ParentedSelect({"class": "sel", "data-level": str(level)})
            of_level = [row for row in rows if row.level == level]
            widget.parents = {str(row.pk): str(row.parent_id) for row in of_level if row.parent_id}
            widget.choices = [NOTHING, *_grouped(of_level)]
            self.fields[f"category{level}"] = _field(f"category{level}", widget)

    def _add_statuses(self, chosen: Mapping[str, int]) -> None:
        rows = [(str(row.pk), row.name1) for row in categories.choices(STATUS, chosen.get("status1"))]
        first: forms.Widget = forms.RadioSelect(choices=rows)
        if len(rows) > MOST_SEGMENTS:
            first = forms.Select({"class": "sel"}, [NOTHING, *rows])
        self.fields["status1"] = _field("status1", first)
        others = [(str(row.pk), row.name1) for row in categories.choices(STATUS, chosen.get("status2"))]
        self.fields["status2"] = _field("status2", forms.Select({"class": "sel"}, [NOTHING, *others]))


_WITH_CHOICES = frozenset(
    ("operator", "category1", "category2", "category3", "status1", "status2", "next_category", "department")
)


def _field(key: str, widget: forms.Widget) -> forms.Field:
    return forms.CharField(required=False, strip=False, label=LABELS[key], widget=widget)


def _input(css: str, **attributes: str) -> forms.TextInput:
    return forms.TextInput({"class": css, "autocomplete": "off", **attributes})


def _operators(chosen: int | None) -> OperatorSelect:
    people = Operator.objects.filter(is_active=True) | Operator.objects.filter(pk=chosen or 0)
    rows = list(people.order_by("id"))
    widget = OperatorSelect({"class": "sel"}, [("", "選択してください"), *((row.pk, str(row)) for row in rows)])
    widget.departments = {str(row.pk): str(row.department_id or "") for row in rows}
    return widget


def _departments() -> forms.Select:
    rows = [(row.pk, row.name) for row in Department.objects.all()]
    return forms.Select({"class": "sel"}, [("", "選択してください"), *rows])


def _grouped(rows: list[ContactCategory]) -> list[Any]:
    """Level 1 as it is; the others below the names of what is above them, for use without scripts."""
    groups: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        groups.setdefault(categories.path_of(row.parent), []).append((row.pk, row.name))
    return groups.get("", []) + [(name, options) for name, options in groups.items() if name]
