"""Rows of 連絡記録: one contact with one person, its files, and which mails have become records already."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from fumibako.apps.accounts.models import ContactRule
from fumibako.apps.categories.models import Category, ContactCategory
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.office.models import Department
from fumibako.apps.recipients.models import Recipient
from fumibako.apps.sending.models import Delivery

HIGHEST_NUMBER = 999_999_999
HIGHEST_BRANCH = 999


class ContactRecord(models.Model):
    """連絡記録: a call, a visit, a mail; written by hand, or made of a received mail.

    連絡NO is `number`-`branch`: what is added later to a record has its number and the next branch (枝番で追記).
    """

    number = models.PositiveIntegerField()
    branch = models.PositiveSmallIntegerField(default=0)
    contacted_at = models.DateTimeField()
    """連絡日."""
    minutes = models.PositiveIntegerField(default=0)
    """連絡時間."""
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="contact_records"
    )
    """対応者; NULL only for what the program made by itself where nobody is named for it."""
    operator_name = models.CharField(max_length=100)
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="contact_records")
    recipient = models.ForeignKey(
        Recipient, null=True, blank=True, on_delete=models.SET_NULL, related_name="contact_records"
    )
    """相手; NULL = 相手なし."""
    party = models.CharField(max_length=300, blank=True, default="")
    """How an unknown sender of the mail called himself: name and address. Empty where there is a person."""
    category1 = models.ForeignKey(ContactCategory, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    category2 = models.ForeignKey(ContactCategory, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    category3 = models.ForeignKey(ContactCategory, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    status1 = models.ForeignKey(Category, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    status2 = models.ForeignKey(Category, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=500)
    body = models.TextField(blank=True, default="")
    """連絡内容."""
    response = models.TextField(blank=True, default="")
    """対応内容."""
    next_on = models.DateField(null=True, blank=True)
    next_category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    next_done_at = models.DateTimeField(null=True, blank=True)
    """次回対応 was ticked; another 次回対応日 opens it again."""
    mail = models.ForeignKey(
        ReceivedMail, null=True, blank=True, on_delete=models.SET_NULL, related_name="contact_records"
    )
    """受信管理NO, set by the system."""
    role = models.CharField(max_length=4, choices=ContactRule.Role, blank=True, default="")
    """The person's place in the mail."""
    delivery = models.ForeignKey(
        Delivery, null=True, blank=True, on_delete=models.SET_NULL, related_name="contact_records"
    )
    version = models.PositiveIntegerField(default=1)
    """Raised by every change; a form that started from an older one is refused."""
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=100)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.CharField(max_length=100, blank=True, default="")
    creation_key = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    """From the form that made it: a double click makes one."""

    class Meta:
        ordering = ["-contacted_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["number", "branch"], name="contact_number_once"),
            models.UniqueConstraint(
                fields=["mail", "recipient"],
                condition=models.Q(mail__isnull=False, recipient__isnull=False),
                name="contact_once_per_mail_and_person",
            ),
            models.UniqueConstraint(
                fields=["mail"],
                condition=models.Q(mail__isnull=False, recipient__isnull=True),
                name="contact_once_per_mail_without_person",
            ),
            models.CheckConstraint(
                condition=models.Q(number__gte=1, number__lte=HIGHEST_NUMBER, branch__lte=HIGHEST_BRANCH),
                name="contact_number_9_3",
            ),
        ]
        indexes = [
            models.Index(fields=["-contacted_at", "-id"], name="contact_newest_first"),
            models.Index(fields=["recipient", "-contacted_at"], name="contact_of_person"),
            models.Index(
                fields=["next_on"],
                condition=models.Q(next_on__isnull=False, next_done_at__isnull=True),
                name="contact_to_follow_up",
            ),
            models.Index(
                fields=["operator", "next_on", "next_done_at"],
                condition=models.Q(next_on__isnull=False, next_done_at__isnull=True),
                name="contact_own_to_follow_up",
            ),
        ]

    def __str__(self) -> str:
        return self.full_number

    @property
    def full_number(self) -> str:
        """連絡NO as it is shown: 000000123-000."""
        return f"{self.number:09d}-{self.branch:03d}"


class ContactFile(models.Model):
    """関連ファイル: bytes in the data folder under their own SHA-256, or an attachment of the record's mail."""

    record = models.ForeignKey(ContactRecord, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100, blank=True, default="")
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    is_from_mail = models.BooleanField(default=False)
    """Its bytes are in the raw mail, where they were saved at all."""

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class Expansion(models.Model):
    """This mail has become a record for this person (NULL: for nobody) once, whatever became of the record since."""

    mail = models.ForeignKey(ReceivedMail, on_delete=models.CASCADE, related_name="+")
    recipient = models.ForeignKey(Recipient, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mail", "recipient"],
                condition=models.Q(recipient__isnull=False),
                name="expansion_once_per_person",
            ),
            models.UniqueConstraint(
                fields=["mail"], condition=models.Q(recipient__isnull=True), name="expansion_once_without_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mail_id} {self.recipient_id}"


class LastNumber(models.Model):
    """The highest 連絡NO ever given, one row, id 1: the number of a deleted record is not given again."""

    value = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="last_contact_number_is_one_row")]

    def __str__(self) -> str:
        return str(self.value)
