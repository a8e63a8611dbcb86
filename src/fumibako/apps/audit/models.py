"""Rows of the audit log (操作履歴)."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class AuditEvent(models.Model):
    """One thing somebody did. Appended only: the database refuses UPDATE and DELETE by trigger.

    `action` is a stable word ("account.saved"), `target` what it was done to ("account:3"), `changes` maps field names
    to [before, after] without secrets, `reason` what the person gave as a reason.
    """

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.DO_NOTHING, related_name="+"
    )
    actor_name = models.CharField(max_length=100)
    action = models.CharField(max_length=60, db_index=True)
    target = models.CharField(max_length=80, db_index=True)
    changes = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
