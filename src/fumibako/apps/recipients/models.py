"""Rows of the people an office writes to.

A `Recipient` is any one person; `Staff`, `ClientContact` and `Applicant` hold what is particular to each kind.
Addresses, mails and contact records point to the Recipient, so a history never depends on the kind.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from fumibako.apps.office.models import Department


class Recipient(models.Model):
    """宛先: one person."""

    class Kind(models.TextChoices):
        STAFF = "staff"
        CLIENT = "client"
        APPLICANT = "applicant"

    kind = models.CharField(max_length=10, choices=Kind)
    number = models.CharField(max_length=20)
    """スタッフNO (6 digits), 得意先NO-枝番-担当者番号, or 応募者NO."""
    family_name = models.CharField(max_length=50)
    given_name = models.CharField(max_length=50, blank=True, default="")
    kana = models.CharField(max_length=100, blank=True, default="")
    tags = models.CharField(max_length=200, blank=True, default="")
    note = models.TextField(blank=True, default="")
    is_hidden = models.BooleanField(default=False)
    adopted_as = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="adopted_from"
    )
    """The staff member an applicant became."""
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.CharField(max_length=100, blank=True, default="")
    creation_key = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    """From the form that made it: a double click makes one."""

    class Meta:
        ordering = ["kind", "number"]
        constraints = [models.UniqueConstraint(fields=["kind", "number"], name="recipient_number_once_per_kind")]
        indexes = [models.Index(fields=["kind", "kana"])]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """氏名: family and given name with a half-width space."""
        return f"{self.family_name} {self.given_name}".strip()


class Staff(models.Model):
    """スタッフ."""

    class Employment(models.TextChoices):
        WORKING = "working"
        WAITING = "waiting"
        LEFT = "left"

    recipient = models.OneToOneField(Recipient, primary_key=True, on_delete=models.CASCADE, related_name="staff")
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT)
    employment = models.CharField(max_length=10, choices=Employment, default=Employment.WAITING)
    phone = models.CharField(max_length=40, blank=True, default="")
    registered_on = models.DateField(null=True, blank=True)
    left_on = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.recipient)


class Client(models.Model):
    """得意先: a company; its people are `ClientContact` rows."""

    class Dealing(models.TextChoices):
        ACTIVE = "active"
        PROSPECT = "prospect"
        ENDED = "ended"

    number = models.CharField(max_length=6)
    branch = models.CharField(max_length=3, default="000")
    company_name = models.CharField(max_length=100)
    kana = models.CharField(max_length=100, blank=True, default="")
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    """担当者NO: who in our office looks after them."""
    dealing = models.CharField(max_length=10, choices=Dealing, default=Dealing.ACTIVE)
    phone = models.CharField(max_length=40, blank=True, default="")
    note = models.TextField(blank=True, default="")
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.CharField(max_length=100, blank=True, default="")
    creation_key = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    """From the form that made it: a double click makes one."""

    class Meta:
        ordering = ["number", "branch"]
        constraints = [models.UniqueConstraint(fields=["number", "branch"], name="client_number_once")]

    def __str__(self) -> str:
        return self.company_name


class ClientContact(models.Model):
    """得意先担当者."""

    recipient = models.OneToOneField(
        Recipient, primary_key=True, on_delete=models.CASCADE, related_name="client_contact"
    )
    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="contacts")
    section = models.CharField(max_length=60, blank=True, default="")
    title = models.CharField(max_length=60, blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    sort_order = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["sort_order", "recipient"]

    def __str__(self) -> str:
        return str(self.recipient)


class Applicant(models.Model):
    """応募者."""

    class Status(models.TextChoices):
        APPLIED = "applied"
        INTERVIEW = "interview"
        OFFERED = "offered"
        HIRED = "hired"
        REJECTED = "rejected"
        WITHDRAWN = "withdrawn"

    recipient = models.OneToOneField(Recipient, primary_key=True, on_delete=models.CASCADE, related_name="applicant")
    applied_on = models.DateField(null=True, blank=True)
    media = models.CharField(max_length=60, blank=True, default="")
    interview_at = models.DateTimeField(null=True, blank=True)
    interview_place = models.CharField(max_length=100, blank=True, default="")
    interviewer = models.CharField(max_length=60, blank=True, default="")
    status = models.CharField(max_length=10, choices=Status, default=Status.APPLIED)
    impression = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return str(self.recipient)


class PartyAddress(models.Model):
    """メールアドレス1 or 2 of one person, with its flag and error counter (SPEC §0 fact 2)."""

    class Flag(models.TextChoices):
        SEND = "send"
        DO_NOT = "do_not"
        """送らない: a person's choice."""
        CANNOT = "cannot"
        """送れない: errors reached the threshold, or set by hand with a reason."""

    recipient = models.ForeignKey(Recipient, on_delete=models.CASCADE, related_name="addresses")
    slot = models.PositiveSmallIntegerField()
    address = models.CharField(max_length=254)
    address_key = models.CharField(max_length=254, db_index=True)
    """`mime.addresses.address_key(address)`: what two spellings of one address share."""
    flag = models.CharField(max_length=8, choices=Flag, default=Flag.SEND)
    flag_reason = models.CharField(max_length=500, blank=True, default="")
    flag_changed_at = models.DateTimeField(null=True, blank=True)
    error_count = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["recipient", "slot"]
        constraints = [
            models.UniqueConstraint(fields=["recipient", "slot"], name="party_address_once_per_slot"),
            models.CheckConstraint(condition=models.Q(slot__in=[1, 2]), name="party_address_two_slots"),
        ]

    def __str__(self) -> str:
        return self.address


class AddressEvent(models.Model):
    """Why an address's flag or counter changed; appended only (「なぜ送れないか」)."""

    address = models.ForeignKey(PartyAddress, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    cause = models.CharField(max_length=20)
    """refused, bounced, threshold, by_hand, restored, imported, edited, undone."""
    error_count = models.PositiveSmallIntegerField()
    flag = models.CharField(max_length=8)
    code = models.PositiveSmallIntegerField(default=0)
    text = models.CharField(max_length=500, blank=True, default="")
    actor_name = models.CharField(max_length=100, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.cause


class OptOut(models.Model):
    """配信停止: this address asked not to be mailed. Always wins over account option ⑨; lifted only with a reason."""

    address_key = models.CharField(max_length=254, db_index=True)
    at = models.DateTimeField(auto_now_add=True)
    source = models.CharField(max_length=20)
    """link, mail, by_hand."""
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=100, blank=True, default="")
    lifted_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["address_key"], condition=models.Q(lifted_at__isnull=True), name="opt_out_once_while_active"
            )
        ]

    def __str__(self) -> str:
        return self.address_key


class ImportRun(models.Model):
    """取り込み: one file taken in, with what it changed so that it can be undone."""

    kind = models.CharField(max_length=10, choices=Recipient.Kind)
    file_name = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True)
    actor_name = models.CharField(max_length=100)
    added_count = models.PositiveIntegerField(default=0)
    changed_count = models.PositiveIntegerField(default=0)
    unchanged_count = models.PositiveIntegerField(default=0)
    refused_count = models.PositiveIntegerField(default=0)
    undone_at = models.DateTimeField(null=True, blank=True)
    before = models.JSONField(default=list)
    """What each touched person looked like before; an added person is only named."""

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.file_name


class ImportDraft(models.Model):
    """取り込みの途中: a file somebody sent in and what they decided so far. Its bytes stay in the data folder."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Recipient.Kind)
    file_name = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True)
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    reading = models.JSONField(default=dict)
    """encoding, delimiter, sheet: what was found or chosen."""
    columns = models.JSONField(null=True, blank=True)
    """One field key per column of the file, "" = not taken in; NULL = not looked at yet."""
    run = models.OneToOneField(ImportRun, null=True, blank=True, on_delete=models.CASCADE, related_name="draft")
    """Set when it was done: doing it twice is doing it once."""

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return self.file_name
