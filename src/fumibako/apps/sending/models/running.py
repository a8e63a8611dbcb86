"""Who is at work, and at which pace each account may send."""

from __future__ import annotations

from django.db import models

from fumibako.apps.accounts.models import MailAccount


class Worker(models.Model):
    """One worker process. It holds an operating-system lock on its own file; a free lock proves that it is dead."""

    id = models.CharField(primary_key=True, max_length=36)
    pid = models.PositiveIntegerField()
    host = models.CharField(max_length=100)
    version = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    """Heartbeat, for the screens only: the lock decides, never this."""
    stopped_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.id


class Pace(models.Model):
    """流量制御 of one account, shared by bulk mail, replies, tests and every worker; survives restarts.

    A computed next slot, never a sleep that dies with a process.
    """

    account = models.OneToOneField(MailAccount, primary_key=True, on_delete=models.CASCADE, related_name="pace")
    burst_count = models.PositiveIntegerField(default=0)
    """Mails claimed in the current burst."""
    burst_number = models.PositiveIntegerField(default=0)
    last_activity_at = models.DateTimeField(null=True, blank=True)
    next_slot_at = models.DateTimeField(null=True, blank=True)
    """No claim before; set by the pause after a burst or by the server's push-back."""
    wait_cause = models.CharField(max_length=20, blank=True, default="")
    """pause = スリープ間隔, push_back = the provider asked for it, trouble = connection or login."""
    wait_text = models.CharField(max_length=500, blank=True, default="")
    trouble_count = models.PositiveIntegerField(default=0)
    """Account-level failures in a row."""
    stopped_at = models.DateTimeField(null=True, blank=True)
    """Set when the account needs a person (wrong password, sender refused …); cleared by a person or a new setting."""
    stop_kind = models.CharField(max_length=40, blank=True, default="")
    stop_text = models.CharField(max_length=500, blank=True, default="")
    mail_seconds = models.FloatField(default=0.5)
    """Moving mean of seconds per mail, for the plan."""

    def __str__(self) -> str:
        return f"pace of {self.account_id}"
