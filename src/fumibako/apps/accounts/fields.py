"""The items of メールアカウント設定: their visible labels, tabs, kinds and first values, in the order of the screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "flag", "whole", "time", "choice", "address", "addresses", "host", "port"]


@dataclass(frozen=True, slots=True)
class Field:
    """One item. `low` and `high` bound a number; `is_optional` numbers and times may be empty (None)."""

    label: str
    tab: str
    kind: Kind = "text"
    first: Any = ""
    low: int = 0
    high: int = 2**31 - 1
    is_optional: bool = False
    choices: tuple[str, ...] = ()
    longest: int = 255


def _port(label: str, tab: str, first: int) -> Field:
    return Field(label, tab, "port", first, 1, 65535)


FIELDS: dict[str, Field] = {
    "name": Field("アカウント名", "", longest=100),
    "receive_enabled": Field("メール受信対象とする", "pop", "flag", True),
    "pop_host": Field("POPサーバー名", "pop", "host"),
    "pop_tls": Field("POPサーバー接続時にTLSを使う", "pop", "flag", False),
    "pop_port": _port("POPポート番号", "pop", 110),
    "user_id": Field("ユーザID", "pop"),
    "password": Field("パスワード", "pop"),
    "delete_after_receive": Field("受信したメールは削除する", "pop", "flag", False),
    "bounce_only": Field("エラーメールのみ受信する", "pop", "flag", False),
    "save_attachments": Field("添付ファイルを保存する", "pop", "flag", True),
    "store_path": Field("メール保存先", "pop", longest=200),
    "fetch_interval_minutes": Field("受信の間隔", "pop", "choice", 5, choices=("0", "1", "5", "10", "30")),
    "to_contact_record": Field("連絡記録に展開する", "pop", "flag", False),
    "default_operator": Field("既定対応者", "pop", "choice", None),
    "preset": Field("提供会社から選ぶ", "smtp", longest=40),
    "smtp_host": Field("SMTPサーバー名", "smtp", "host"),
    "smtp_security": Field("通信方法", "smtp", "choice", "starttls", choices=("none", "starttls", "ssl")),
    "smtp_port": _port("SMTPポート番号", "smtp", 587),
    "smtp_auth": Field("SMTP認証", "smtp", "flag", True),
    "smtp_auth_method": Field("SMTP認証の方式", "smtp", "choice", "LOGIN", choices=("LOGIN", "PLAIN")),
    "pop_before_smtp": Field("POP before SMTP認証", "smtp", "flag", False),
    "from_name": Field("送信者名", "smtp", longest=100),
    "from_address": Field("メールアドレス", "smtp", "address", longest=254),
    "reply_to": Field("Reply-To", "smtp", "address", longest=254),
    "cc": Field("CC", "smtp", "addresses", longest=1000),
    "bcc": Field("BCC", "smtp", "addresses", longest=1000),
    "charset": Field("エンコード", "smtp", "choice", "utf-8", choices=("utf-8", "iso-2022-jp", "shift_jis")),
    "signature": Field("署名", "smtp", longest=10_000),
    "is_marketing": Field("配信用メール送信アカウント", "smtp", "flag", False),
    "warn_from": Field("警告MSG時間帯", "other", "time", None, is_optional=True),
    "warn_to": Field("警告MSG時間帯", "other", "time", None, is_optional=True),
    "max_per_job": Field("1回の送信上限件数", "other", "whole", None, 1, 1_000_000, True),
    "batch_size": Field("1回の送信処理件数", "other", "whole", None, 1, 1_000_000, True),
    "sleep_seconds": Field("スリープ間隔", "other", "whole", 0, 0, 86_400),
    "connections": Field("同時接続数", "other", "whole", 1, 1, 20),
    "allow_attachments": Field("添付ファイルを使用する", "other", "flag", False),
    "visible": Field("表示区分", "other", "flag", True),
    "include_recipient_name": Field("送信の宛先に宛先名称を含める", "other", "flag", True),
    "allow_non_rfc": Field("RFCに準拠していないメールアドレスを送信可能とする", "other", "flag", True),
    "allow_do_not_send": Field("「送らない」スタッフへメールを送信可能とする", "other", "flag", False),
    "result_notice": Field("送信結果通知", "other", "choice", "always", choices=("always", "never", "failures")),
    "hold_minutes": Field("開始までの待ち時間", "other", "choice", 5, choices=("0", "1", "5", "10", "30")),
    "stop_failure_percent": Field("失敗が多いときの一時停止", "other", "whole", 20, 0, 100),
}
"""By the field names of the model, and of SPEC §1; `password` is what was typed, never what is stored."""

BOUND_TO_PASSWORD = ("user_id", "pop_host", "pop_port", "pop_tls", "smtp_host", "smtp_port", "smtp_security")
"""A stored password is meant for exactly these; changing any of them clears it (X08)."""

STORED = tuple(name for name in FIELDS if name != "password")
TABS = {"pop": "POP設定", "smtp": "SMTP設定", "other": "その他", "perm": "使用権限"}
PINS = ("smtp_pinned_sha256", "pop_pinned_sha256")


def first_values() -> dict[str, Any]:
    """Return what a new account starts with."""
    return {name: field.first for name, field in FIELDS.items()}
