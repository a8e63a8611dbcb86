"""Rows of the office: operators (担当者), departments (部門) and one settings row."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class Department(models.Model):
    """部門: a part of the office that operators and people belong to."""

    code = models.CharField(max_length=10, unique=True)
    name = models.CharField(max_length=100)
    sort_order = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["sort_order", "code"]

    def __str__(self) -> str:
        return self.name


class Operator(AbstractUser):
    """担当者: somebody who works with this program. `username` is the 利用者ID."""

    class Theme(models.TextChoices):
        AUTO = "auto"
        LIGHT = "light"
        DARK = "dark"

    class Density(models.TextChoices):
        STANDARD = "standard"
        ROOMY = "roomy"

    display_name = models.CharField(max_length=100)
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT)
    is_administrator = models.BooleanField(default=False)
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.AUTO)
    density = models.CharField(max_length=8, choices=Density, default=Density.STANDARD)
    hides_first_steps = models.BooleanField(default=False)
    """はじめの一歩 was put away."""
    has_seen_failure = models.BooleanField(default=False)
    """Has looked at why a mail did not arrive, at least once (はじめの一歩)."""

    def __str__(self) -> str:
        return self.display_name or self.username


class Office(models.Model):
    """System-wide settings (システム設定); exactly one row, id 1."""

    company_name = models.CharField(max_length=100, default="")
    base_url = models.URLField(blank=True, default="")
    bounce_threshold = models.PositiveSmallIntegerField(default=3)
    """送れないと判断する回数; 0 = never."""
    typed_number_from = models.PositiveIntegerField(default=100)
    """通数の入力が必要な通数."""
    hold_minutes = models.PositiveSmallIntegerField(default=5)
    """開始までの待ち時間, offered for new accounts."""
    is_practice = models.BooleanField(default=False)
    """練習モード: mail leaves only to loopback."""
    mail_share_root = models.CharField(max_length=500, blank=True, default="")
    """Absolute folder above every account's メール保存先, perhaps a shared one; empty = our own store only."""
    reply_hold_seconds = models.PositiveSmallIntegerField(default=10)
    """How long a reply can be taken back."""
    allow_plain_with_tls = models.BooleanField(default=False)
    """Lifts rule R2."""
    instance_id = models.UUIDField(default=uuid.uuid4, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="office_is_one_row")]

    def __str__(self) -> str:
        return self.company_name


class SetupTicket(models.Model):
    """A one-time link that creates the first administrator. Only the hash of its key is kept."""

    key_sha256 = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"ticket {self.pk}"


class Instance(models.Model):
    """What database and the file beside it must agree on, or this is a copy (`office.instance`); one row, id 1."""

    count = models.PositiveBigIntegerField(default=0)
    """Raised by every sign of life of a worker."""
    copied_at = models.DateTimeField(null=True, blank=True)
    """Set in a copy: its records end here."""

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="instance_is_one_row")]

    def __str__(self) -> str:
        return f"instance {self.count}"
