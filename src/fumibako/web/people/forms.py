"""Forms that carry the text of a record to the rules and back. They check nothing: the rules do, for every way in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django import forms

from fumibako.apps.office.models import Department, Operator
from fumibako.apps.office.problems import Problem
from fumibako.apps.recipients.fields import Field, Form

CHOSEN_BY_SEGMENT = ("flag1", "flag2")
WIDTHS = {
    "number": "w8",
    "client_number": "w8",
    "branch": "w4",
    "family_name": "w8",
    "given_name": "w8",
    "sort_order": "w4",
    "phone": "w12",
    "company_phone": "w12",
}
_LABELS = {"family_name": "姓", "given_name": "名", "kana": "カナ", "phone": "電話"}


class SheetForm(forms.Form):
    """A sheet as a form; `fields_of` says which items it shows."""

    fields_of: tuple[Field, ...] = ()

    def values(self) -> dict[str, str]:
        """What was entered, as the rules want it."""
        found: dict[str, str] = {}
        for item in self.fields_of:
            data = self[item.key].data
            if item.form is Form.YES_NO:
                found[item.key] = "1" if data else ""
            else:
                found[item.key] = str(data or "")
        return found

    def tell(self, problems: Iterable[Problem], prefix: str = "") -> None:
        """Put each problem beside its item; what belongs to none of them goes to the top."""
        self.full_clean()
        for problem in problems:
            key = problem.field.removeprefix(prefix)
            self.add_error(key if key in self.fields else None, problem.text)


def form_of(
    fields: Iterable[Field],
    data: Mapping[str, str] | None = None,
    *,
    initial: Mapping[str, str] | None = None,
    prefix: str | None = None,
) -> SheetForm:
    """A form for these items, filled with a sheet, or bound to what was posted."""
    shown = tuple(item for item in fields if item.is_imported)
    form = SheetForm(data, initial=_initial(shown, initial or {}), prefix=prefix, label_suffix="")
    form.fields_of = shown
    for item in shown:
        form.fields[item.key] = _field(item)
    return form


def _initial(fields: Iterable[Field], sheet: Mapping[str, str]) -> dict[str, str | bool]:
    """A sheet in the form that the browser's own controls want."""
    found: dict[str, str | bool] = {}
    for item in fields:
        value = sheet.get(item.key, "")
        if item.form is Form.YES_NO:
            found[item.key] = bool(value)
        elif item.form in (Form.DATE, Form.MOMENT):
            found[item.key] = value.replace("/", "-").replace(" ", "T")
        elif item.key in CHOSEN_BY_SEGMENT:
            found[item.key] = value or "send"
        else:
            found[item.key] = value
    return found


def _field(item: Field) -> forms.Field:
    label = _LABELS.get(item.key, item.label)
    if item.form is Form.YES_NO:
        return forms.BooleanField(required=False, label=label)
    return forms.CharField(required=False, strip=False, label=label, widget=_widget(item))


def _widget(item: Field) -> forms.Widget:
    if item.key in CHOSEN_BY_SEGMENT:
        return forms.RadioSelect(choices=list(item.words.items()))
    if item.form is Form.CHOICE:
        return forms.Select({"class": "sel"}, choices=list(item.words.items()))
    if item.form is Form.DEPARTMENT:
        departments = [(one.code, one.name) for one in Department.objects.all()]
        return forms.Select({"class": "sel"}, choices=[("", "選択してください"), *departments])
    if item.form is Form.OPERATOR:
        operators = [(one.username, one.display_name) for one in Operator.objects.filter(is_active=True)]
        return forms.Select({"class": "sel"}, choices=[("", "(なし)"), *operators])
    if item.form is Form.LINES:
        return forms.Textarea({"class": "ta", "rows": 3})
    if item.form is Form.DATE:
        return forms.TextInput({"class": "in w8", "type": "date"})
    if item.form is Form.MOMENT:
        return forms.TextInput({"class": "in w12", "type": "datetime-local"})
    return forms.TextInput(_attributes(item))


def _attributes(item: Field) -> dict[str, str]:
    attributes = {"class": f"in {WIDTHS.get(item.key, '')}".strip(), "autocomplete": "off"}
    if item.form in (Form.NUMBER, Form.COUNT):
        attributes |= {"class": f"{attributes['class']} num", "inputmode": "numeric" if item.limit != 20 else "text"}
    if item.form is Form.ADDRESS:
        attributes |= {"class": "in w16 mono", "inputmode": "email", "spellcheck": "false"}
    return attributes
