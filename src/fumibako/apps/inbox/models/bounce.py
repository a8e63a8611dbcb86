"""エラーメール: what one error mail says about one recipient, whose mail it was, and what came of it."""

from __future__ import annotations

from django.db import models

from fumibako.apps.recipients.models import PartyAddress
from fumibako.apps.sending.models import Delivery

from .mail import ReceivedMail


class BounceReport(models.Model):
    """One failed recipient of one error mail."""

    class Match(models.TextChoices):
        MESSAGE_ID = "message_id"
        TOKEN = "token"
        ADDRESS_TIME = "address_time"
        """A guess: never changes anything by itself (X16)."""
        BY_HAND = "by_hand"
        NONE = "none"

    class Effect(models.TextChoices):
        COUNTED = "counted"
        """不達, and counted against the address."""
        NOT_COUNTED = "not_counted"
        """不達, but the address is not at fault."""
        ALREADY = "already"
        """The delivery was 不達 already, or not in a state that an error mail can change."""
        UNVERIFIED = "unverified"
        """未確認の不達: likely ours, but nothing proves it."""
        COPY = "copy"
        """About an address in the account's CC or BCC: the person has their mail."""
        UNMATCHED = "unmatched"

    mail = models.ForeignKey(ReceivedMail, on_delete=models.CASCADE, related_name="bounces")
    position = models.PositiveIntegerField()
    address = models.CharField(max_length=254, blank=True, default="")
    address_key = models.CharField(max_length=254, blank=True, default="")
    action = models.CharField(max_length=20, blank=True, default="")
    is_permanent = models.BooleanField(null=True, blank=True)
    is_hard = models.BooleanField(default=False)
    reason = models.CharField(max_length=30, blank=True, default="")
    """A word of `mime.bounce`; its Japanese is `bounce_words.explanation`."""
    code = models.PositiveSmallIntegerField(default=0)
    enhanced = models.CharField(max_length=12, blank=True, default="")
    text = models.CharField(max_length=500, blank=True, default="")
    """The server's own words."""
    delivery = models.ForeignKey(
        Delivery, null=True, blank=True, on_delete=models.SET_NULL, related_name="bounce_reports"
    )
    party_address = models.ForeignKey(
        PartyAddress, null=True, blank=True, on_delete=models.SET_NULL, related_name="bounce_reports"
    )
    match = models.CharField(max_length=12, choices=Match, default=Match.NONE)
    effect = models.CharField(max_length=12, choices=Effect, default=Effect.UNMATCHED)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by_name = models.CharField(max_length=100, blank=True, default="")
    settled_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["mail", "position"]
        constraints = [models.UniqueConstraint(fields=["mail", "position"], name="bounce_report_once")]
        indexes = [
            models.Index(fields=["address_key", "-id"], name="bounce_of_address"),
            models.Index(fields=["settled_at", "effect"], name="bounce_to_settle"),
        ]

    def __str__(self) -> str:
        return f"{self.mail_id}-{self.position} {self.reason}"
