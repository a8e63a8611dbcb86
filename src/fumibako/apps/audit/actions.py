"""Appending to the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fumibako.apps.office.models import Operator

from .models import AuditEvent

SYSTEM = "システム"
"""Actor name of what the program did by itself."""


def record(
    operator: Operator | None,
    action: str,
    target: str,
    *,
    changes: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Append one entry; call it inside the transaction that does the thing.

    `action` is a stable word such as "account.saved", `target` what it was done to ("account:3"), `changes` maps field
    names to [before, after] and must not hold secrets, bodies or whole address lists.
    """
    return AuditEvent.objects.create(**_entry(operator, action, target, changes, reason))


def record_all(operator: Operator | None, action: str, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """`record` for many targets at once, in their order: what was changed, by target."""
    entries = [AuditEvent(**_entry(operator, action, target, changed, "")) for target, changed in changes.items()]
    AuditEvent.objects.bulk_create(entries, batch_size=100)


def _entry(
    operator: Operator | None, action: str, target: str, changes: Mapping[str, Any] | None, reason: str
) -> dict[str, Any]:
    return {
        "operator": operator,
        "actor_name": str(operator) if operator else SYSTEM,
        "action": action,
        "target": target,
        "changes": dict(changes or {}),
        "reason": reason[:500],
    }
