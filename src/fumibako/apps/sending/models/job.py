"""送信管理: one letter to many people, from draft to result.

What a person decided is stored here as times (approved, paused, cancelled …). What follows from the deliveries (完了,
一部失敗 …) is computed, never stored.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.recipients.models import PartyAddress, Recipient


class BulkSend(models.Model):
    """One send job = one 送信管理NO (`number`). A test mail and a reply are jobs of one row."""

    class Origin(models.TextChoices):
        BULK = "bulk"
        TEST = "test"
        REPLY = "reply"

    class Kind(models.TextChoices):
        RECRUIT = "recruit"
        BUSINESS = "business"
        ADVERTISING = "advertising"

    number = models.PositiveIntegerField(unique=True)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.BULK)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.BUSINESS)
    account = models.ForeignKey(MailAccount, null=True, blank=True, on_delete=models.PROTECT, related_name="jobs")
    subject = models.CharField(max_length=500, blank=True, default="")
    body = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by_name = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1)
    """Raised by every change to the draft; approving names the version that was looked at."""
    resend_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="resends")
    confirmed_findings = models.JSONField(default=dict)
    """Finding key → fingerprint of what it said when somebody ticked このままでよい."""
    tested_version = models.PositiveIntegerField(null=True, blank=True)
    """The draft's version when the last test mail was sent (C20)."""
    result_notice = models.CharField(max_length=10, blank=True, default="")
    """This job's own 送信結果通知; empty = the account's."""
    idempotency_key = models.UUIDField(default=uuid.uuid4, unique=True)
    """From the form that created it: a double click makes one job."""

    # Decided by a person; NULL = not (yet).
    approved_at = models.DateTimeField(null=True, blank=True)
    """List and bytes were frozen at this moment; before it this is a draft."""
    approved_by_name = models.CharField(max_length=100, blank=True, default="")
    release_at = models.DateTimeField(null=True, blank=True)
    """Nothing leaves before (hold time or reservation)."""
    deadline_at = models.DateTimeField(null=True, blank=True)
    """Nothing leaves after; deferred rows expire."""
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by_name = models.CharField(max_length=100, blank=True, default="")
    pause_cause = models.CharField(max_length=30, blank=True, default="")
    """"" = a person; else a stable word: failures, attachment_missing, sender_refused, missed_schedule, restored."""
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by_name = models.CharField(max_length=100, blank=True, default="")

    # Facts.
    sheet = models.JSONField(default=dict)
    """What every mail of the job shares, frozen at approval: sender, reply-to, copies, charset, signature, options."""
    selected_count = models.PositiveIntegerField(default=0)
    """Rows frozen, exclusions included: the sum that every total must reach."""
    released_at = models.DateTimeField(null=True, blank=True)
    first_sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    """Set once when nothing is left to do; for the list's sort order only, the state is computed."""
    seen_result_at = models.DateTimeField(null=True, blank=True)
    """When its creator was shown the result (送信結果通知)."""

    class Meta:
        ordering = ["-number"]
        indexes = [
            models.Index(fields=["origin", "-number"]),
            # Few of all jobs: what every page asks for, and whatever may still have rows on their way.
            models.Index(
                fields=["created_by", "-number"],
                condition=models.Q(approved_at__isnull=False, finished_at=None),
                name="job_not_over",
            ),
        ]

    def __str__(self) -> str:
        return f"NO {self.number}"


class DraftAddress(models.Model):
    """One address of one person in a draft's right-hand list, ticked or not."""

    job = models.ForeignKey(BulkSend, on_delete=models.CASCADE, related_name="draft_addresses")
    address = models.ForeignKey(PartyAddress, null=True, on_delete=models.CASCADE, related_name="+")
    """NULL for a person without any address: they stay visible, excluded as 未登録."""
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    is_ticked = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["job", "address"], name="draft_address_once"),
            models.UniqueConstraint(
                fields=["job", "recipient"],
                condition=models.Q(address__isnull=True),
                name="draft_person_without_address_once",
            ),
        ]
        indexes = [models.Index(fields=["job", "position"])]

    def __str__(self) -> str:
        return f"{self.job_id} {self.recipient_id}"


class RemovedRecipient(models.Model):
    """A person taken off a draft's list by hand: a later search does not bring them back (外した人)."""

    job = models.ForeignKey(BulkSend, on_delete=models.CASCADE, related_name="removed_recipients")
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "recipient"], name="removed_recipient_once")]

    def __str__(self) -> str:
        return f"{self.job_id} {self.recipient_id}"


class JobAttachment(models.Model):
    """添付: a file kept in the data folder under its own hash, checked again before each burst (D13, D14)."""

    job = models.ForeignKey(BulkSend, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class JobEvent(models.Model):
    """経過: one line of what happened to a job, in stable words; appended only."""

    job = models.ForeignKey(BulkSend, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    what = models.CharField(max_length=30)
    """approved, released, burst_started, burst_finished, paused, resumed, cancelled, withdrawn, stopped, finished …"""
    actor_name = models.CharField(max_length=100, blank=True, default="")
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["job", "-id"])]

    def __str__(self) -> str:
        return self.what
