"""What the mail server had, what each run of receiving did with it, and when the next run may be."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from fumibako.apps.accounts.models import MailAccount
from fumibako.services.collecting.memory import SeenState

from .mail import ReceivedMail

STATES = [(state.value, state.value) for state in SeenState]


class SeenMail(models.Model):
    """One UIDL of one account, kept longer than the mail itself: what was seen is not fetched again.

    `services.collecting.memory` decides what each state means. The server's list = stored + skipped + quarantined +
    waiting, and LEAVING for the moment between DELE and the answer to QUIT.
    """

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="seen_mails")
    uidl = models.CharField(max_length=255)
    raw_sha256 = models.CharField(max_length=64, blank=True, default="")
    mail = models.ForeignKey(ReceivedMail, null=True, blank=True, on_delete=models.SET_NULL, related_name="seen")
    state = models.CharField(max_length=12, choices=STATES)
    why = models.CharField(max_length=40, blank=True, default="")
    """A word of `services.collecting.terms.Why`."""
    size = models.PositiveBigIntegerField(default=0)
    """What the server said when it was stored."""
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)
    absent_count = models.PositiveIntegerField(default=0)
    """Complete lists in a row without it."""
    absent_since_at = models.DateTimeField(null=True, blank=True)
    try_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "uidl"], name="seen_mail_once"),
            models.CheckConstraint(
                condition=~models.Q(state="stored") | ~models.Q(raw_sha256=""), name="seen_mail_stored_has_bytes"
            ),
        ]
        indexes = [models.Index(fields=["account", "state"], name="seen_by_state")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.state}"


class FetchRun(models.Model):
    """受信の記録: one run for one account."""

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="fetch_runs")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    operator_name = models.CharField(max_length=100, blank=True, default="")
    is_scheduled = models.BooleanField(default=True)
    listed_count = models.PositiveIntegerField(null=True, blank=True)
    """Mails in the server's complete list; NULL when it was never heard."""
    stored_count = models.PositiveIntegerField(default=0)
    skipped_count = models.PositiveIntegerField(default=0)
    quarantined_count = models.PositiveIntegerField(default=0)
    deleted_count = models.PositiveIntegerField(default=0)
    bounce_count = models.PositiveIntegerField(default=0)
    has_login = models.BooleanField(default=False)
    """User and password were said: at most three such runs per hour while there is trouble."""
    again_count = models.PositiveIntegerField(default=0)
    """Fetched, and known by their bytes already."""
    known_count = models.PositiveIntegerField(default=0)
    is_renumbered = models.BooleanField(default=False)
    """サーバー側の番号が変わりました: most bytes were known under other numbers (P11)."""
    trouble_kind = models.CharField(max_length=40, blank=True, default="")
    trouble_text = models.CharField(max_length=500, blank=True, default="")
    trouble_stage = models.CharField(max_length=12, blank=True, default="")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["account", "-id"], name="fetch_run_of_account")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.started_at:%Y-%m-%d %H:%M:%S}"


class FetchRequest(models.Model):
    """[受信] was pressed: the worker takes it up within a second. One open request per account."""

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="fetch_requests")
    operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    operator_name = models.CharField(max_length=100)
    asked_at = models.DateTimeField()
    run = models.OneToOneField(FetchRun, null=True, blank=True, on_delete=models.CASCADE, related_name="request")
    """What came of it; NULL while it waits."""

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(run__isnull=True), name="fetch_request_once_while_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.asked_at:%H:%M:%S}"


class Reception(models.Model):
    """受信の調子 of one account: when it is due, how often it failed in a row, whether a person is needed."""

    account = models.OneToOneField(MailAccount, primary_key=True, on_delete=models.CASCADE, related_name="reception")
    next_at = models.DateTimeField(null=True, blank=True)
    """No run by itself before; NULL = at once."""
    trouble_count = models.PositiveIntegerField(default=0)
    """Failed runs in a row."""
    failing_since_at = models.DateTimeField(null=True, blank=True)
    trouble_kind = models.CharField(max_length=40, blank=True, default="")
    trouble_text = models.CharField(max_length=500, blank=True, default="")
    trouble_stage = models.CharField(max_length=12, blank=True, default="")
    stopped_at = models.DateTimeField(null=True, blank=True)
    """The password was refused, or something else that trying again does not heal: until new settings or [受信]."""
    forgiven_at = models.DateTimeField(null=True, blank=True)
    """When a person last said: go on. Log-ins that went wrong before are not counted against it."""
    seen_version = models.PositiveIntegerField(default=0)
    """The account's version at the last run: other settings end a stop."""
    last_success_at = models.DateTimeField(null=True, blank=True)
    empty_list_count = models.PositiveIntegerField(default=0)
    """Empty lists in a row: one alone proves nothing (P14)."""

    def __str__(self) -> str:
        return f"reception of {self.account_id}"


class ShareCopy(models.Model):
    """保存先への写し: the readable copy in the configured folder. Our own store has the mail whatever becomes of it."""

    mail = models.OneToOneField(ReceivedMail, primary_key=True, on_delete=models.CASCADE, related_name="share_copy")
    root = models.CharField(max_length=500)
    path = models.CharField(max_length=400)
    """Below `root`; fixed when the mail was stored, so that each mail remembers where it was written."""
    done_at = models.DateTimeField(null=True, blank=True)
    try_count = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], condition=models.Q(done_at=None), name="share_copy_waiting"),
        ]

    def __str__(self) -> str:
        return self.path
