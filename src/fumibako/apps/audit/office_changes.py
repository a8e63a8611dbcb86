"""Changing the office's settings (システム設定), on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from fumibako.apps.office.models import Office, Operator
from fumibako.apps.office.problems import Problem, Refused
from fumibako.apps.office.queries import office

from .actions import record

LABELS = {
    "company_name": "会社名",
    "bounce_threshold": "送れないと判断する回数",
    "typed_number_from": "通数の入力が必要な通数",
    "hold_minutes": "開始までの待ち時間",
    "is_practice": "練習モード",
    "allow_plain_with_tls": "通信方法「TLS」で PLAIN を選べるようにする",
}
NUMBERS = {"bounce_threshold": (0, 100), "typed_number_from": (1, 1_000_000), "hold_minutes": (0, 60)}


def save_settings(operator: Operator, values: Mapping[str, Any]) -> Office:
    """登録 of システム設定, by the names in LABELS. Raises Refused, and PermissionDenied for other operators."""
    if not operator.is_administrator:
        raise PermissionDenied
    problems = settings_problems(values)
    if problems:
        raise Refused(problems)
    with transaction.atomic():
        found = Office.objects.select_for_update().get(pk=office().pk)
        changes = {name: [getattr(found, name), values[name]] for name in LABELS if name in values}
        changes = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
        for name, (_, after) in changes.items():
            setattr(found, name, after)
        found.save()
        record(operator, "settings.saved", "office", changes=changes)
    return found


def settings_problems(values: Mapping[str, Any]) -> list[Problem]:
    """Judge the settings; numbers are expected as whole numbers."""
    problems = []
    name = str(values.get("company_name", "x"))
    if not name.strip():
        problems.append(Problem("company_name", "V01", "会社名を入力してください。"))
    elif len(name) > 100:
        words = f"会社名は 100文字以内で入力してください(いまは {len(name)}文字です)。"
        problems.append(Problem("company_name", "V05", words))
    for field, (low, high) in NUMBERS.items():
        value = values.get(field, low)
        if not isinstance(value, int) or not low <= value <= high:
            words = f"{LABELS[field]}は半角の数字で入力してください({low}〜{high})。"
            problems.append(Problem(field, "V03", words))
    return problems
