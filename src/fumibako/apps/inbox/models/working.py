"""What people do with a mail: notes, what happened to it, and who has it open."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from fumibako.apps.sending.models import BulkSend

from .mail import ReceivedMail


class MailNote(models.Model):
    """メモ: internal words beside a mail."""

    mail = models.ForeignKey(ReceivedMail, on_delete=models.CASCADE, related_name="notes")
    at = models.DateTimeField()
    operator_name = models.CharField(max_length=100)
    text = models.TextField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.mail_id} {self.operator_name}"


class MailEvent(models.Model):
    """経過: one line of what happened to a mail, in stable words; appended only."""

    mail = models.ForeignKey(ReceivedMail, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    what = models.CharField(max_length=30)
    """read_again, replied, forwarded, reply_taken_back, work_set, assigned, linked, unlinked, noted, deleted …"""
    operator_name = models.CharField(max_length=100, blank=True, default="")
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.what


class MailReply(models.Model):
    """返信・転送: the job of one row that answers a mail."""

    job = models.OneToOneField(BulkSend, primary_key=True, on_delete=models.CASCADE, related_name="mail_reply")
    mail = models.ForeignKey(ReceivedMail, on_delete=models.CASCADE, related_name="answers")
    is_forward = models.BooleanField(default=False)
    at = models.DateTimeField()
    operator_name = models.CharField(max_length=100)
    work_before = models.CharField(max_length=8, blank=True, default="")
    """状態 before the answer; it comes back when the answer is taken back."""
    taken_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.mail_id} {self.job_id}"


class Presence(models.Model):
    """Who has a mail open, and whether they are writing an answer; nobody is there 30 seconds after the last sign."""

    mail = models.ForeignKey(ReceivedMail, on_delete=models.CASCADE, related_name="presences")
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    is_writing = models.BooleanField(default=False)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mail", "operator"], name="presence_once")]

    def __str__(self) -> str:
        return f"{self.mail_id} {self.operator_id}"
