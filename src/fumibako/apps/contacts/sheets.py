"""Records as sheets and back: the very form in which they are typed, compared, shown to somebody else and stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils import timezone

from fumibako.apps.categories.models import Category, ContactCategory
from fumibako.apps.office.models import Department, Operator
from fumibako.apps.recipients.models import Recipient
from fumibako.apps.recipients.rules import day_of, moment_of

from .labels import LABELS, NOBODY
from .models import ContactRecord
from .rules import CHOSEN, Sheet

COLUMNS = {key: "recipient_id" if key == "person" else f"{key}_id" for key in CHOSEN}
MODELS = {
    "operator": Operator,
    "department": Department,
    "person": Recipient,
    "category1": ContactCategory,
    "category2": ContactCategory,
    "category3": ContactCategory,
    "status1": Category,
    "status2": Category,
    "next_category": Category,
}


def sheet_of(record: ContactRecord) -> Sheet:
    """What is stored, as text."""
    sheet = {key: str(getattr(record, column) or "") for key, column in COLUMNS.items()}
    at = timezone.localtime(record.contacted_at)
    sheet |= {"contacted_at": f"{at:%Y/%m/%d %H:%M}", "minutes": str(record.minutes), "subject": record.subject}
    sheet |= {"body": record.body, "response": record.response}
    sheet["next_on"] = f"{record.next_on:%Y/%m/%d}" if record.next_on else ""
    return {key: sheet[key] for key in LABELS}


def fill(record: ContactRecord, sheet: Mapping[str, str]) -> None:
    """Put a whole sheet that the rules accepted into a row, without storing it."""
    for key, column in COLUMNS.items():
        setattr(record, column, int(sheet[key]) if sheet.get(key) else None)
    before = record.contacted_at
    record.contacted_at = _moment(sheet["contacted_at"])
    if before and timezone.localtime(before).replace(second=0, microsecond=0) == timezone.localtime(
        record.contacted_at
    ):
        record.contacted_at = before  # a mail's seconds are not lost by saving the form
    record.minutes = int(sheet.get("minutes") or 0)
    record.subject, record.body, record.response = (sheet.get(key, "") for key in ("subject", "body", "response"))
    next_on = day_of(sheet["next_on"]) if sheet.get("next_on") else None
    if next_on != record.next_on:
        record.next_done_at = None
    record.next_on = next_on
    operator = Operator.objects.filter(pk=record.operator_id or 0).first()
    record.operator_name = str(operator) if operator else record.operator_name


def differences(mine: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Label → (mine, stored) of what differs, in words."""
    return {
        label: (shown(key, mine[key]), shown(key, stored[key]))
        for key, label in LABELS.items()
        if key in mine and mine[key] != stored[key]
    }


def changes_of(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[str]]:
    """[before, after] of each changed item for the audit log; texts that people write are only named."""
    found = {}
    for key in LABELS:
        if before.get(key, "") != after.get(key, ""):
            is_text = key in ("subject", "body", "response")
            found[key] = ["", "…"] if is_text else [shown(key, before.get(key, "")), shown(key, after.get(key, ""))]
    return found


def shown(key: str, value: str) -> str:
    """A sheet's value in the words a person reads."""
    if key == "person" and not value:
        return NOBODY
    if key in MODELS and value:
        row = MODELS[key]._default_manager.filter(pk=int(value)).first()
        return str(row) if row else ""
    return value if key not in ("body", "response") or len(value) <= 40 else f"{value[:40]}…"


def _moment(text: str) -> datetime:
    at = moment_of(text)
    if at is None:
        raise ValueError(text)
    return timezone.make_aware(at)
