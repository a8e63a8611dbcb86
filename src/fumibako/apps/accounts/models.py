"""Rows of mail accounts: the items of メールアカウント設定 (SPEC §1) and who may use them."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from fumibako.apps.categories.models import Category, ContactCategory

PORT = [MinValueValidator(1), MaxValueValidator(65535)]


class MailAccount(models.Model):
    """メールアカウント: one mailbox in (POP) and one way out (SMTP)."""

    class SmtpSecurity(models.TextChoices):
        NONE = "none"
        STARTTLS = "starttls"
        SSL = "ssl"

    class AuthMethod(models.TextChoices):
        LOGIN = "LOGIN"
        PLAIN = "PLAIN"

    class Charset(models.TextChoices):
        UTF_8 = "utf-8"
        ISO_2022_JP = "iso-2022-jp"
        SHIFT_JIS = "shift_jis"

    class ResultNotice(models.TextChoices):
        ALWAYS = "always"
        NEVER = "never"
        FAILURES = "failures"

    # 1.1 共通項目
    account_no = models.PositiveIntegerField(unique=True)
    name = models.CharField(max_length=100)

    # 1.2 POP設定
    receive_enabled = models.BooleanField(default=True)
    pop_host = models.CharField(max_length=255, blank=True, default="")
    pop_port = models.PositiveIntegerField(default=110, validators=PORT)
    pop_tls = models.BooleanField(default=False)
    user_id = models.CharField(max_length=255, blank=True, default="")
    password_sealed = models.BinaryField(null=True, blank=True, editable=False)
    """AES-GCM, bound to this row and field; the key lives outside the database. NULL = 未登録."""
    password_set_at = models.DateTimeField(null=True, blank=True)
    password_set_by = models.CharField(max_length=100, blank=True, default="")
    delete_after_receive = models.BooleanField(default=False)
    bounce_only = models.BooleanField(default=False)
    to_contact_record = models.BooleanField(default=False)
    save_attachments = models.BooleanField(default=True)
    store_path = models.CharField(max_length=200, blank=True, default="")
    fetch_interval_minutes = models.PositiveSmallIntegerField(default=5)
    """受信の間隔; 0 = by hand only."""
    default_operator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    # 1.3 SMTP設定
    smtp_host = models.CharField(max_length=255, blank=True, default="")
    smtp_port = models.PositiveIntegerField(default=587, validators=PORT)
    smtp_security = models.CharField(max_length=10, choices=SmtpSecurity, default=SmtpSecurity.STARTTLS)
    charset = models.CharField(max_length=12, choices=Charset, default=Charset.UTF_8)
    from_name = models.CharField(max_length=100, blank=True, default="")
    from_address = models.CharField(max_length=254, blank=True, default="")
    reply_to = models.CharField(max_length=254, blank=True, default="")
    cc = models.CharField(max_length=1000, blank=True, default="")
    bcc = models.CharField(max_length=1000, blank=True, default="")
    signature = models.TextField(blank=True, default="")
    pop_before_smtp = models.BooleanField(default=False)
    smtp_auth = models.BooleanField(default=True)
    smtp_auth_method = models.CharField(max_length=10, choices=AuthMethod, default=AuthMethod.LOGIN)
    is_marketing = models.BooleanField(default=False)
    preset = models.CharField(max_length=40, blank=True, default="")
    connections = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(20)])
    """同時接続数."""
    smtp_pinned_sha256 = models.CharField(max_length=64, blank=True, default="")
    pop_pinned_sha256 = models.CharField(max_length=64, blank=True, default="")

    # 1.4 その他
    warn_from = models.TimeField(null=True, blank=True)
    warn_to = models.TimeField(null=True, blank=True)
    max_per_job = models.PositiveIntegerField(null=True, blank=True)
    batch_size = models.PositiveIntegerField(null=True, blank=True)
    sleep_seconds = models.PositiveIntegerField(default=0)
    allow_attachments = models.BooleanField(default=False)
    visible = models.BooleanField(default=True)
    include_recipient_name = models.BooleanField(default=True)
    allow_non_rfc = models.BooleanField(default=True)
    allow_do_not_send = models.BooleanField(default=False)
    result_notice = models.CharField(max_length=10, choices=ResultNotice, default=ResultNotice.ALWAYS)
    hold_minutes = models.PositiveSmallIntegerField(default=5)
    """開始までの待ち時間."""
    stop_failure_percent = models.PositiveSmallIntegerField(default=20)
    """失敗がこの割合を超えたら一時停止 (counted after 50 mails); 0 = never."""

    version = models.PositiveIntegerField(default=1)
    """Raised by every save; a form that started from an older one is refused."""
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        ordering = ["account_no"]

    def __str__(self) -> str:
        return f"{self.account_no} {self.name}"


class ContactRule(models.Model):
    """連絡区分1–3 and 連絡ステータス for one place a person can have in a mail."""

    class Role(models.TextChoices):
        FROM = "from"
        TO = "to"
        CC = "cc"

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="contact_rules")
    role = models.CharField(max_length=4, choices=Role)
    category1 = models.ForeignKey(ContactCategory, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    category2 = models.ForeignKey(ContactCategory, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    category3 = models.ForeignKey(ContactCategory, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    status = models.ForeignKey(Category, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "role"], name="contact_rule_once_per_role")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.role}"


class AccountPermission(models.Model):
    """使用権限: what one operator may do with one account. Administrators need no row."""

    account = models.ForeignKey(MailAccount, on_delete=models.CASCADE, related_name="permissions")
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="account_permissions")
    may_send = models.BooleanField(default=False)
    may_view = models.BooleanField(default=False)
    may_configure = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "operator"], name="account_permission_once")]

    def __str__(self) -> str:
        return f"{self.operator_id} {self.account_id}"
