"""Verbs of 区分マスタ and 連絡区分マスタ: store a list as it was edited, take an unused row away."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from fumibako.apps.audit.actions import SYSTEM, record
from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused

from . import labels, queries
from .models import Category, ContactCategory

Row = Mapping[str, str]
"""One row as it was edited: id ("" = new), name1 or name, name2, number, note, is_hidden ("1")."""

LONGEST = {"name1": 60, "name2": 60, "name": 60, "note": 200}
LABELS = {"name1": "区分名1", "name2": "区分名2", "name": "連絡区分名", "note": "備考", "number": "区分NO"}
HIGHEST_NUMBER = 9999


@transaction.atomic
def save_section(operator: Operator | None, group: str, section: str, rows: Sequence[Row], seen: str = "") -> None:
    """登録 of one list of 区分マスタ; the order of `rows` is 並び順. New rows without a name are left out.

    `seen` is the `queries.fingerprint` the form started from. Stored rows that are not in `rows` stay as they are, at
    the end. Raises Refused (fields "<place>.<name>"), ChangedMeanwhile, and PermissionDenied.
    """
    _permit(operator)
    if group not in dict(labels.SECTIONS) and not Category.objects.filter(group=group, section=section).exists():
        raise Refused([Problem("section", "V02", "区分を選択してください。")])
    stored = list(Category.objects.select_for_update().filter(group=group, section=section))
    _check_seen(seen, stored, f"codes:{section}")
    kept = [row for row in rows if row.get("id") or _text(row, "name1")]
    problems = _problems_of(rows, "name1", ("name1", "name2", "note")) + _number_problems(rows, stored)
    if problems:
        raise Refused(problems)
    by_id, changes = {str(row.pk): row for row in stored}, {}
    used = {row.number for row in stored}
    for place, row in enumerate(kept, start=1):
        category = by_id.pop(row.get("id", ""), None) or Category(group=group, section=section, number=0)
        before = _look(category)
        category.number = category.number or _number(row) or max(used, default=0) + 1
        used.add(category.number)
        category.name1, category.name2, category.note = (_text(row, name) for name in ("name1", "name2", "note"))
        category.is_hidden, category.sort_order = row.get("is_hidden") == "1", place
        category.save()
        if before != _look(category):
            changes[str(category.number)] = [before, _look(category)]
    _append(by_id.values(), len(kept))
    if changes:
        record(operator, "codes.saved", f"codes:{section}", changes=changes)


@transaction.atomic
def save_level(operator: Operator | None, parent: ContactCategory | None, rows: Sequence[Row], seen: str = "") -> None:
    """登録 of the 連絡区分 below `parent` (None: level 1); the order of `rows` is their order.

    Raises Refused (fields "<place>.name"), ChangedMeanwhile, and PermissionDenied.
    """
    _permit(operator)
    level = parent.level + 1 if parent else 1
    stored = list(ContactCategory.objects.select_for_update().filter(parent=parent))
    _check_seen(seen, stored, _level_target(parent))
    kept = [row for row in rows if row.get("id") or _text(row, "name")]
    problems = _problems_of(rows, "name", ("name",))
    if problems:
        raise Refused(problems)
    by_id, changes = {str(row.pk): row for row in stored}, {}
    for place, row in enumerate(kept, start=1):
        category = by_id.pop(row.get("id", ""), None) or ContactCategory(level=level, parent=parent)
        before = _look(category)
        category.name, category.is_hidden = _text(row, "name"), row.get("is_hidden") == "1"
        category.sort_order = place
        category.save()
        if before != _look(category):
            changes[str(category.pk)] = [before, _look(category)]
    _append(by_id.values(), len(kept))
    if changes:
        record(operator, "contact_categories.saved", _level_target(parent), changes=changes)


@transaction.atomic
def remove(operator: Operator | None, row: Category | ContactCategory) -> None:
    """削除 of a row that nothing uses. Raises Refused, with the count, when something does; and PermissionDenied."""
    _permit(operator)
    uses = queries.uses_of([row]).get(row.pk, {})
    if uses:
        raise Refused([Problem(str(row.pk), "V12", f"「{row}」は、{labels.in_use(uses)}")])
    if isinstance(row, Category):
        target = f"codes:{row.section}"
        record(operator, "codes.removed", target, changes={str(row.number): [_look(row), ""]})
    else:
        target = _level_target(row.parent)
        record(operator, "contact_categories.removed", target, changes={str(row.pk): [_look(row), ""]})
    row.delete()


def _permit(operator: Operator | None) -> None:
    if operator is not None and not operator.is_administrator:
        raise PermissionDenied


def _check_seen(seen: str, stored: Sequence[Any], target: str) -> None:
    if not seen or seen == queries.fingerprint(stored):
        return
    last = AuditEvent.objects.filter(target=target).first()
    raise ChangedMeanwhile(last.actor_name if last else SYSTEM, last.at if last else timezone.now())


def _level_target(parent: ContactCategory | None) -> str:
    return f"contact_categories:{queries.path_of(parent) or 1}"[:80]


def _text(row: Row, name: str) -> str:
    return " ".join(row.get(name, "").split())


def _number(row: Row) -> int:
    text = unicodedata.normalize("NFKC", row.get("number", "")).strip()
    return int(text) if text.isascii() and text.isdigit() else 0


def _problems_of(rows: Sequence[Row], main: str, names: Sequence[str]) -> list[Problem]:
    found, taken = [], set()
    for place, row in enumerate(rows):
        name = _text(row, main)
        if (row.get("id") and not name) or (not name and any(_text(row, each) for each in names)):
            found.append(Problem(f"{place}.{main}", "V01", f"{LABELS[main]}を入力してください。"))
        elif name in taken:
            words = f"{LABELS[main]}「{name}」が 2つあります。どちらかを違う名前にしてください。"
            found.append(Problem(f"{place}.{main}", "P01", words))
        taken |= {name} if name else set()
        for each in names:
            text, longest = _text(row, each), LONGEST[each]
            if len(text) > longest:
                words = f"{LABELS[each]}は {longest}文字以内で入力してください(いまは {len(text)}文字です)。"
                found.append(Problem(f"{place}.{each}", "V05", words))
    return found


def _number_problems(rows: Sequence[Row], stored: Sequence[Category]) -> list[Problem]:
    found = []
    taken = {row.number: row.name1 for row in stored}
    for place, row in enumerate(rows):
        if row.get("id") or not _text(row, "name1") or not row.get("number", "").strip():
            continue
        number = _number(row)
        if not 1 <= number <= HIGHEST_NUMBER:
            words = f"区分NOは半角の数字で入力してください(1〜{HIGHEST_NUMBER})。"
            found.append(Problem(f"{place}.number", "V03", words))
        elif number in taken:
            words = f"区分NO {number} は、「{taken[number]}」で使われています。"
            found.append(Problem(f"{place}.number", "P01", words))
        else:
            taken[number] = _text(row, "name1")
    return found


def _look(row: Category | ContactCategory) -> str:
    """A row in the words of the audit log."""
    if row._state.adding:
        return ""
    hidden = "(表示しない)" if row.is_hidden else ""
    if isinstance(row, ContactCategory):
        return f"{row.sort_order}. {row.name}{hidden}"
    parts = [f"{row.sort_order}. {row.name1}", row.name2, row.note]
    return " / ".join(part for part in parts if part) + hidden


def _append(rows: Iterable[Any], after: int) -> None:
    # Rows that the form did not know, because somebody added them without `seen` being given.
    for place, row in enumerate(rows, start=after + 1):
        row.sort_order = place
        row.save()
