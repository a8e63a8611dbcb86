"""Facts about 区分 and 連絡区分: what may be chosen, in which order, and what uses it. Never writes."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, ManyToOneRel, Model, Q, QuerySet

from . import labels
from .models import Category, ContactCategory


@dataclass(frozen=True, slots=True)
class Section:
    """One list: カテゴリ, 区分, and how many rows it has."""

    group: str
    name: str
    count: int


def sections() -> list[Section]:
    """Every list that a screen reads or that holds rows, the known ones first."""
    counted = Category.objects.values("group", "section").annotate(count=Count("pk")).order_by("group", "section")
    counts = {(row["group"], row["section"]): row["count"] for row in counted}
    known = [(group, name) for group, names in labels.SECTIONS for name in names]
    return [Section(group, name, counts.get((group, name), 0)) for group, name in dict.fromkeys([*known, *counts])]


def rows_of(group: str, section: str) -> list[Category]:
    """The rows of one list in their order, hidden ones too."""
    return list(Category.objects.filter(group=group, section=section))


def choices(section: str, *chosen: int | None) -> list[Category]:
    """What a form offers of one list for 連絡記録: the visible rows, and those that are chosen already."""
    shown = Q(is_hidden=False) | Q(pk__in=[pk for pk in chosen if pk is not None])
    return list(Category.objects.filter(shown, group=labels.CONTACT, section=section))


def status_called(number: int) -> Category | None:
    """The 連絡ステータス with this NO, unless it is hidden."""
    return Category.objects.filter(group=labels.CONTACT, section=labels.STATUS, number=number, is_hidden=False).first()


def category_of_mail() -> ContactCategory | None:
    """連絡区分1 「メール受信」, unless the office hides it or calls it something else."""
    return ContactCategory.objects.filter(level=1, name=labels.MAIL_RECEIVED, is_hidden=False).first()


def contact_choices(*chosen: int | None) -> list[ContactCategory]:
    """All three levels as a form offers them: visible, or chosen already, each level in its order."""
    shown = Q(is_hidden=False) | Q(pk__in=[pk for pk in chosen if pk is not None])
    return list(ContactCategory.objects.filter(shown).select_related("parent"))


def children_of(parent: ContactCategory | None) -> list[ContactCategory]:
    """The rows below one row (None: the first level) in their order, hidden ones too."""
    return list(ContactCategory.objects.filter(parent=parent))


def path_of(category: ContactCategory | None) -> str:
    """「電話 › 勤怠 › 遅刻」; "" for nothing."""
    names: list[str] = []
    while category is not None:
        names.insert(0, category.name)
        category = category.parent
    return " › ".join(names)


def uses_of(rows: Iterable[Model]) -> dict[int, dict[str, int]]:
    """What points to each of these rows: id → words → number of rows, in one query per column that can point there."""
    wanted = list(rows)
    found: dict[int, dict[str, int]] = defaultdict(dict)
    if not wanted:
        return found
    for model, column in _columns_to(type(wanted[0])):
        words = labels.USES.get(model._meta.label_lower, model._meta.label_lower)
        pointing = model._default_manager.filter(**{f"{column}__in": [row.pk for row in wanted]})
        for pk, count in pointing.order_by().values_list(column).annotate(count=Count("pk")):
            found[pk][words] = found[pk].get(words, 0) + count
    return found


def _columns_to(model: type[Model]) -> list[tuple[type[Any], str]]:
    # Rows of the apps above point here by relations that Django knows and this app need not import.
    hidden_too = model._meta.get_fields(include_hidden=True)
    return [(each.related_model, each.field.name) for each in hidden_too if isinstance(each, ManyToOneRel)]


def fingerprint(rows: Sequence[Category] | Sequence[ContactCategory] | QuerySet[Any]) -> str:
    """What a list looks like: a form that started from another one is refused."""
    text = repr([[getattr(row, name) for name in _names_of(row)] for row in rows])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _names_of(row: Model) -> list[str]:
    return [column.attname for column in row._meta.concrete_fields]
