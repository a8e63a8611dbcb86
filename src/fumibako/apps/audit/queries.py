"""Reading the audit log."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Q, QuerySet

from .models import AuditEvent


def targets_of(action: str) -> list[str]:
    """Return everything that `action` was ever done to."""
    return list(AuditEvent.objects.filter(action=action).values_list("target", flat=True))


def entries(conditions: Mapping[str, str]) -> QuerySet[AuditEvent]:
    """Return entries, newest first. Conditions: `actor`, `target`, `since` and `until` (days as 2026-11-24)."""
    wanted = Q()
    if actor := conditions.get("actor", "").strip():
        wanted &= Q(actor_name__icontains=actor)
    if target := conditions.get("target", "").strip():
        wanted &= Q(target__icontains=target) | Q(action__icontains=target)
    if since := conditions.get("since"):
        wanted &= Q(at__date__gte=since)
    if until := conditions.get("until"):
        wanted &= Q(at__date__lte=until)
    return AuditEvent.objects.filter(wanted)
