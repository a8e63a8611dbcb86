"""What a record's choices must agree with: the masters, each other, and the other records of its mail."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import QuerySet

from fumibako.apps.categories import labels as words
from fumibako.apps.categories import queries as categories
from fumibako.apps.categories.models import Category, ContactCategory
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.office.models import Department, Operator
from fumibako.apps.office.problems import Problem
from fumibako.apps.recipients.models import Recipient

from . import labels
from .models import ContactRecord

NOT_YET = words.NOT_YET


def choice_problems(sheet: Mapping[str, str], before: Mapping[str, str]) -> list[Problem]:
    """What cannot be chosen. What is stored already may stay, hidden or not."""
    found = [*_row_problems(sheet, before), *_category_problems(sheet, before)]
    for key in ("status1", "status2", "next_category"):
        section = words.NEXT if key == "next_category" else words.STATUS
        value = sheet.get(key, "")
        if value and value != before.get(key) and value not in _ids(categories.choices(section)):
            found.append(Problem(key, "V02", labels.BAD_STATUS.format(labels.LABELS[key])))
    return found


def twice_problems(
    sheet: Mapping[str, str], row: ContactRecord | None, mail: ReceivedMail | None, branch_of: ContactRecord | None
) -> list[Problem]:
    """「このメールは、連絡記録 … に登録済みです。」: once per mail and person."""
    if mail is None or branch_of is not None:
        return []
    other = record_for(mail, sheet.get("person", "")).exclude(pk=row.pk if row else 0).first()
    return [Problem("person", "P15", labels.ALREADY_THERE.format(other.full_number))] if other else []


def record_for(mail: ReceivedMail, person: str) -> QuerySet[ContactRecord]:
    """The record of a mail for one person (id as text, "" = nobody), if there is one."""
    records = ContactRecord.objects.filter(mail=mail)
    return records.filter(recipient=int(person)) if person else records.filter(recipient__isnull=True)


def statuses() -> list[Category]:
    """連絡ステータス that may be chosen."""
    return categories.choices(words.STATUS)


def _row_problems(sheet: Mapping[str, str], before: Mapping[str, str]) -> list[Problem]:
    rows = {
        "operator": Operator.objects.filter(is_active=True),
        "department": Department.objects.all(),
        "person": Recipient.objects.all(),
    }
    return [
        Problem(key, "V02", labels.BAD_STATUS.format(labels.LABELS[key]))
        for key, known in rows.items()
        if sheet.get(key) and sheet[key] != before.get(key) and not known.filter(pk=int(sheet[key])).exists()
    ]


def _category_problems(sheet: Mapping[str, str], before: Mapping[str, str]) -> list[Problem]:
    above = ""
    for level in (1, 2, 3):
        key = f"category{level}"
        value = sheet.get(key, "")
        if value and not _fits(value, level, above, is_stored=value == before.get(key)):
            return [Problem(key, "V27", labels.BAD_CHOICE.format(labels.LABELS[key]))]
        above = value
    return []


def _fits(value: str, level: int, above: str, *, is_stored: bool) -> bool:
    row = ContactCategory.objects.filter(pk=int(value), level=level).first()
    if row is None or (row.is_hidden and not is_stored):
        return False
    return str(row.parent_id or "") == above


def _ids(rows: list[Category]) -> set[str]:
    return {str(row.pk) for row in rows}
