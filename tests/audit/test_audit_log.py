"""The audit log grows and never changes."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from fumibako.apps.audit import actions
from fumibako.apps.audit.models import AuditEvent

pytestmark = pytest.mark.django_db


def test_an_entry_can_neither_be_changed_nor_removed() -> None:
    entry = actions.record(None, "account.saved", "account:1", changes={"name": ["a", "b"]})
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEvent.objects.filter(pk=entry.pk).update(actor_name="誰か")
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEvent.objects.filter(pk=entry.pk).delete()
    entry.refresh_from_db()
    assert entry.actor_name == "システム"
