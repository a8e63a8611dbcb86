"""The words of 区分マスタ: which lists there are, and what uses their rows."""

from __future__ import annotations

CONTACT = "連絡記録入力"
STATUS = "連絡ステータス"
NEXT = "次回対応区分"
SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = ((CONTACT, (STATUS, NEXT)),)
"""カテゴリ → 区分 that the screens read; they are offered even while they are empty."""

NOT_YET, DONE = 1, 3
"""NO of 未対応 and 対応済: the office may rename them, what they mean stays."""

MAIL_RECEIVED = "メール受信"
"""連絡区分1 of what is registered from a received mail where the account's settings name none."""

EXPLAINED = {
    STATUS: "連絡記録の連絡ステータス1・2と、メールアカウント設定の展開で選べます。NO 1 は新しい連絡記録の初めの値、"
    "NO 3 は次回対応を済ませたときの値です。",
    NEXT: "連絡記録の「次回対応区分」で選べます。",
}

USES = {
    "contacts.contactrecord": "連絡記録",
    "accounts.contactrule": "メールアカウント設定",
    "categories.contactcategory": "下の連絡区分",
}
"""Model → how it is called where it keeps a row from being deleted."""


def uses_text(uses: dict[str, int]) -> str:
    """「連絡記録 43件、メールアカウント設定 2件」."""
    return "、".join(f"{words} {count:,}件" for words, count in uses.items())


def in_use(uses: dict[str, int]) -> str:
    """Why a used row stays."""
    return f"{uses_text(uses)}で使われています。使わないときは「表示しない」にしてください。"
