"""Verbs on people: save, delete, adopt. The verbs on their addresses are in `flags` and are offered here too."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from fumibako.apps.audit.actions import SYSTEM, record
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused

from . import labels, queries, rules
from .fields import FIELDS, Field, Form
from .flags import count_refusal, lift_opt_out, opt_out, restore_address, set_flag
from .models import Applicant, Recipient, Staff
from .rules import Sheet
from .sheets import directory, sheet_of
from .writing import Item, Why, write_people

__all__ = [
    "adopt_applicant",
    "count_refusal",
    "delete_person",
    "lift_opt_out",
    "note_export",
    "opt_out",
    "restore_address",
    "save_person",
    "set_flag",
]


@transaction.atomic
def save_person(
    operator: Operator | None,
    kind: str,
    values: Mapping[str, str],
    *,
    recipient_id: int | None = None,
    version: int | None = None,
    creation_key: UUID | None = None,
) -> Recipient:
    """Store one staff member or applicant from the text of a form (keys: `fields.FIELDS[kind]`).

    Without `recipient_id` a person is made, once per `creation_key`; an empty number means the next free one. With it,
    `version` is the one the form started from; items not in `values` stay. Saving what is stored already changes
    nothing. Raises Refused (problems by field) and ChangedMeanwhile.
    """
    stored = _stored(kind, recipient_id, creation_key)
    if stored is not None and recipient_id is None:
        return stored
    before = sheet_of(stored) if stored else {}
    reading = rules.read(FIELDS[kind], rules.split_name(values), directory())
    sheet = before | reading.sheet
    if stored is not None:
        sheet["number"] = stored.number
        if unchanged(sheet, before):
            return stored
        _check_version(FIELDS[kind], stored, version, before, sheet)
    else:
        sheet["number"] = sheet.get("number") or queries.next_number(kind)
    problems = [*reading.problems, *rules.missing(FIELDS[kind], sheet), *rules.flag_problems(sheet, before)]
    if stored is None and not any(problem.field == "number" for problem in problems):
        problems += taken(kind, sheet["number"])
    if problems:
        raise Refused(problems)
    person = write_people(kind, [Item(sheet, stored, before)], Why(_name(operator)))[0]
    if creation_key is not None and stored is None:
        Recipient.objects.filter(pk=person.pk).update(creation_key=creation_key)
    record(operator, "person.saved", target_of(person), changes=changes_of(FIELDS[kind], before, sheet))
    return person


@transaction.atomic
def delete_person(operator: Operator | None, recipient: Recipient) -> None:
    """Remove somebody who has no history. Raises Refused, telling how much there is, when somebody has."""
    count = queries.history_count([recipient.pk])
    if count:
        instead = "「退職」または「表示しない」" if recipient.kind == Recipient.Kind.STAFF else "「表示しない」"
        text = f"やり取りが {count:,}件あるため削除できません。{instead}にしてください。"
        raise Refused([Problem("number", "V12", text)])
    record(operator, "person.deleted", target_of(recipient), changes={"name": [recipient.name, ""]})
    recipient.delete()


@transaction.atomic
def adopt_applicant(operator: Operator | None, applicant: Recipient, department: str, number: str = "") -> Recipient:
    """採用する: make a staff member with the applicant's name, note and addresses (flags and error counts included).

    The applicant stays, points to the new person by `adopted_as` and counts as 採用, so that every mail stays attached
    and shows at both. `department` is a name or code. Raises Refused; adopting twice is refused.
    """
    row = Recipient.objects.select_for_update(of=("self",)).select_related("applicant").get(pk=applicant.pk)
    if row.adopted_as_id is not None:
        text = f"{row.name}は、スタッフNO {row.adopted_as.number if row.adopted_as else ''} として登録済みです。"
        raise Refused([Problem("number", "P11", text)])
    before = sheet_of(row)
    values = {"number": number, "department": department, "registered_on": f"{timezone.localdate():%Y/%m/%d}"}
    reading = rules.read(FIELDS[Recipient.Kind.STAFF], values, directory())
    shared = {item.key: before[item.key] for item in FIELDS[Recipient.Kind.STAFF] if item.key in before}
    sheet: Sheet = {**shared, **reading.sheet, "employment": Staff.Employment.WAITING, "is_hidden": ""}
    sheet["number"] = reading.sheet.get("number") or queries.next_number(Recipient.Kind.STAFF)
    problems = [*reading.problems, *rules.missing(FIELDS[Recipient.Kind.STAFF], sheet)]
    problems += taken(Recipient.Kind.STAFF, sheet["number"])
    if problems:
        raise Refused(problems)
    why = Why(_name(operator), cause="by_hand", reason=f"応募者 {row.number} から採用", is_restoring=True)
    person = write_people(Recipient.Kind.STAFF, [Item(sheet, None, {})], why)[0]
    Recipient.objects.filter(pk=row.pk).update(adopted_as=person, version=row.version + 1, changed_by=_name(operator))
    Applicant.objects.filter(pk=row.pk).update(status=Applicant.Status.HIRED)
    record(operator, "applicant.adopted", target_of(row), changes={"adopted_as": ["", person.number]})
    return person


def note_export(operator: Operator, kind: str, count: int) -> None:
    """Keep in the audit log who wrote how many people to a file."""
    record(operator, "people.exported", f"people:{kind}", changes={"count": ["", count]})


def taken(kind: str, number: str) -> list[Problem]:
    """The problem of a number that somebody has already, naming them."""
    holder = Recipient.objects.filter(kind=kind, number=number).first()
    if holder is None:
        return []
    return [Problem("number", "P01", f"{labels.NUMBER[kind]} {number} は、{holder.name}で使われています。")]


def target_of(person: Recipient) -> str:
    """How the audit log names a person."""
    return f"{person.kind}:{person.number}"


def unchanged(sheet: Mapping[str, str], before: Mapping[str, str]) -> bool:
    """True when storing `sheet` over `before` would change nothing. An empty flag stands for what it is already."""
    return all(value == before.get(key, "") or _says_nothing(key, sheet) for key, value in sheet.items())


def _says_nothing(key: str, sheet: Mapping[str, str]) -> bool:
    if key.startswith(("flag", "error_count")):
        return not sheet.get(key) or not sheet.get(f"address{key[-1]}")
    return False


def changes_of(fields: tuple[Field, ...], before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[str]]:
    """[before, after] of each changed item for the audit log; long texts are only named."""
    found = {}
    for item in fields:
        old, new = before.get(item.key, ""), after.get(item.key, "")
        if old != new and not _says_nothing(item.key, after):
            found[item.key] = ["", "…"] if item.form is Form.LINES else [old, new]
    return found


def shown(item: Field, value: str) -> str:
    """A sheet's value in the words a person reads."""
    if item.form is Form.YES_NO:
        return "はい" if value else "いいえ"
    return item.words.get(value, value)


def _stored(kind: str, recipient_id: int | None, creation_key: UUID | None) -> Recipient | None:
    people = Recipient.objects.select_for_update(of=("self",)).filter(kind=kind)
    if recipient_id is not None:
        return people.get(pk=recipient_id)
    return people.filter(creation_key=creation_key).first() if creation_key else None


def _check_version(
    fields: tuple[Field, ...],
    stored: Recipient,
    version: int | None,
    before: Mapping[str, str],
    sheet: Mapping[str, str],
) -> None:
    if version is None or version == stored.version:
        return
    differences = {
        item.label: (shown(item, sheet[item.key]), shown(item, before[item.key]))
        for item in fields
        if item.key in before and sheet[item.key] != before[item.key] and not _says_nothing(item.key, sheet)
    }
    raise ChangedMeanwhile(stored.changed_by, stored.changed_at, differences)


def _name(operator: Operator | None) -> str:
    return str(operator) if operator else SYSTEM
