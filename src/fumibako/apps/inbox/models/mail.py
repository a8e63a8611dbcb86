"""受信メール: one row per mail that is durably stored, with its files and the persons it names.

The raw bytes are a file of the data folder and never change; everything under "reading" can be made again from them.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.recipients.models import Recipient
from fumibako.apps.sending.models import BulkSend, Delivery


class ReceivedMail(models.Model):
    """One mail. Equal bytes in one account are one mail; equal Message-IDs in two accounts are two."""

    class Reading(models.TextChoices):
        WAITING = "waiting"
        READ = "read"
        UNREADABLE = "unreadable"

    class Kind(models.TextChoices):
        ORDINARY = "ordinary"
        BOUNCE = "bounce"
        DELAY = "delay"
        AUTO_REPLY = "auto_reply"
        RECEIPT = "receipt"
        FEEDBACK = "feedback"
        UNREADABLE = "unreadable"

    class Work(models.TextChoices):
        OPEN = "open"
        WAITING = "waiting"
        DONE = "done"

    number = models.PositiveIntegerField(unique=True)
    """受信管理NO."""
    account = models.ForeignKey(MailAccount, on_delete=models.PROTECT, related_name="received_mails")
    run = models.ForeignKey("inbox.FetchRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="mails")
    raw_sha256 = models.CharField(max_length=64)
    raw_path = models.CharField(max_length=300)
    """Below the data folder's mail folder."""
    raw_size = models.PositiveBigIntegerField()
    uidl = models.CharField(max_length=255, blank=True, default="")
    fetched_at = models.DateTimeField()
    fetched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    fetched_by_name = models.CharField(max_length=100, blank=True, default="")

    # Reading: made again by 読み直し.
    reading = models.CharField(max_length=10, choices=Reading, default=Reading.WAITING)
    reading_count = models.PositiveSmallIntegerField(default=0)
    """Tries that were begun; a mail that breaks its reader three times is 解析不能 (C15)."""
    parsed_at = models.DateTimeField(null=True, blank=True)
    charset_override = models.CharField(max_length=20, blank=True, default="")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ORDINARY)
    sent_at = models.DateTimeField(null=True, blank=True)
    """What the Date field claims."""
    at = models.DateTimeField()
    """日時: `sent_at`, or `fetched_at` where that is missing or lies in the future."""
    sort_key = models.BigIntegerField(unique=True)
    """(`at`, `number`) as one number: lists sort and page by it, and it is the row's id in the search table."""
    from_name = models.CharField(max_length=200, blank=True, default="")
    from_address = models.CharField(max_length=254, blank=True, default="")
    from_key = models.CharField(max_length=254, blank=True, default="")
    to_text = models.TextField(blank=True, default="")
    cc_text = models.TextField(blank=True, default="")
    reply_to_text = models.TextField(blank=True, default="")
    subject = models.CharField(max_length=500, blank=True, default="")
    snippet = models.CharField(max_length=200, blank=True, default="")
    """The first words of the text, for the list."""
    text = models.TextField(blank=True, default="")
    has_html = models.BooleanField(default=False)
    charset = models.CharField(max_length=20, blank=True, default="")
    """What the text was read as."""
    message_id = models.CharField(max_length=255, blank=True, default="")
    """Without angle brackets, as in the next two."""
    in_reply_to = models.CharField(max_length=255, blank=True, default="")
    references = models.JSONField(default=list)
    thread = models.CharField(max_length=255, blank=True, default="")
    """The Message-ID that the conversation began with, by header links alone; the same subject is never enough."""
    attachment_count = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)
    """Words of `mime.read.Problem`."""
    job = models.ForeignKey(BulkSend, null=True, blank=True, on_delete=models.SET_NULL, related_name="replies")
    """The send job that this mail answers or reports on."""
    delivery = models.ForeignKey(Delivery, null=True, blank=True, on_delete=models.SET_NULL, related_name="replies")
    answer = models.CharField(max_length=20, blank=True, default="")
    """回答: yes, no, or a number that was asked for."""
    answer_is_confirmed = models.BooleanField(default=False)
    """False: 推定."""

    # Work: what people decided.
    is_read = models.BooleanField(default=False)
    work = models.CharField(max_length=8, choices=Work, default=Work.OPEN)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    version = models.PositiveIntegerField(default=1)
    """Raised by reply, note, state and link: who writes an answer is stopped when it changed meanwhile."""
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by_name = models.CharField(max_length=100, blank=True, default="")
    replied_at = models.DateTimeField(null=True, blank=True)
    replied_by_name = models.CharField(max_length=100, blank=True, default="")
    deleted_at = models.DateTimeField(null=True, blank=True)
    """From our lists only; the row stays, so that it is not fetched again."""

    class Meta:
        ordering = ["-sort_key"]
        constraints = [
            models.UniqueConstraint(fields=["account", "raw_sha256"], name="received_mail_bytes_once"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="received_mail_number_from_1"),
            models.CheckConstraint(
                condition=models.Q(reading="waiting", parsed_at=None) | ~models.Q(reading="waiting"),
                name="received_mail_waiting_is_unread",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-sort_key"], name="mail_of_account"),
            models.Index(fields=["work", "-sort_key"], name="mail_by_work"),
            models.Index(fields=["kind", "-sort_key"], name="mail_by_kind"),
            models.Index(fields=["from_key", "-sort_key"], name="mail_by_sender"),
            models.Index(fields=["thread", "sort_key"], name="mail_by_thread"),
            models.Index(fields=["message_id"], name="mail_by_message_id"),
            models.Index(
                fields=["assignee", "-sort_key"], condition=models.Q(assignee__isnull=False), name="mail_assigned"
            ),
            models.Index(fields=["id"], condition=models.Q(reading="waiting"), name="mail_waiting_to_be_read"),
            models.Index(fields=["fetched_at"], name="mail_by_arrival"),
            # Holds every column that the counts of all pages ask for, and hardly any mail: most are done.
            models.Index(
                fields=["work", "kind", "is_read", "assignee", "account", "deleted_at"],
                condition=~models.Q(work="done") & models.Q(deleted_at=None),
                name="mail_to_do",
            ),
            # Few among many: without these the list would look for them in every mail there is.
            models.Index(
                fields=["-sort_key"], condition=models.Q(is_read=False, deleted_at=None), name="mail_not_read"
            ),
            models.Index(fields=["-sort_key"], condition=models.Q(attachment_count__gt=0), name="mail_with_files"),
            models.Index(
                fields=["kind", "fetched_at"], condition=models.Q(kind="bounce"), name="mail_error_by_arrival"
            ),
        ]

    def __str__(self) -> str:
        return f"受信管理NO {self.number}"


class MailAttachment(models.Model):
    """添付: what one part of the mail claims to be. Its bytes are in the raw mail, unless they were not saved."""

    mail = models.ForeignKey(ReceivedMail, on_delete=models.CASCADE, related_name="attachments")
    position = models.PositiveIntegerField()
    """Place among the attachments that reading the raw mail finds, from 0."""
    name = models.CharField(max_length=255)
    """As the sender wrote it: text for people, never a path."""
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    content_id = models.CharField(max_length=255, blank=True, default="")
    is_inline = models.BooleanField(default=False)
    is_saved = models.BooleanField(default=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["mail", "position"], name="mail_attachment_once")]

    def __str__(self) -> str:
        return self.name


class MailPerson(models.Model):
    """紐付け: one person that a mail is from or to, found by address or linked by hand."""

    class Role(models.TextChoices):
        FROM = "from"
        TO = "to"
        CC = "cc"

    mail = models.ForeignKey(ReceivedMail, on_delete=models.CASCADE, related_name="persons")
    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="received_mails")
    role = models.CharField(max_length=4, choices=Role)
    is_by_hand = models.BooleanField(default=False)
    operator_name = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["mail", "recipient"], name="mail_person_once")]
        indexes = [models.Index(fields=["recipient", "-mail"], name="mail_of_person")]

    def __str__(self) -> str:
        return f"{self.mail_id} {self.role} {self.recipient_id}"
