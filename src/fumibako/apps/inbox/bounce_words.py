"""Why a mail came back, in plain Japanese, and whose doing it is."""

from __future__ import annotations

from typing import Literal

Whose = Literal["address", "filter", "ours", "temporary"]
"""address = the address is wrong or closed; filter = their side does not want this mail; ours = something on our side;
temporary = it may work another time."""

WHOSE = {
    "address": "アドレスの問題",
    "filter": "相手側の受信拒否",
    "ours": "こちら側の問題",
    "temporary": "一時的な問題",
}
NOT_SAID = ("理由は書かれていませんでした。", "temporary")

_WORDS: dict[str, tuple[str, Whose]] = {
    "userunknown": ("このメールアドレスは存在しません。", "address"),
    "hostunknown": ("メールアドレスの @ より後ろ(ドメイン)が存在しません。", "address"),
    "hasmoved": ("このメールアドレスは、別のアドレスに変わっています。", "address"),
    "notaccept": ("相手のドメインは、メールを受け取らない設定です。", "address"),
    "suspend": ("このメールアドレスは、停止されているか、長く使われていません。", "address"),
    "syntaxerror": ("メールアドレスか送信の手順の書き方を、相手のサーバーが受け付けませんでした。", "address"),
    "suppressed": ("以前に届かなかったため、相手側の配信停止の一覧に入っています。", "address"),
    "filtered": (
        "相手の受信設定(指定受信など)で断られました。存在しないアドレスのこともあります。",
        "filter",
    ),
    "rejected": ("差出人のアドレスを理由に、相手のサーバーが断りました。", "filter"),
    "spamdetected": ("相手のサーバーが、迷惑メールと判断しました。", "filter"),
    "contenterror": ("本文か添付ファイルの形式を理由に、相手のサーバーが断りました。", "filter"),
    "policyviolation": ("相手のサーバーの方針に合わないため、断られました。", "filter"),
    "norelaying": ("相手のサーバーは、この宛先への中継を受け付けていません。", "filter"),
    "virusdetected": ("ウイルスが含まれていると判断されました。添付ファイルを確認してください。", "ours"),
    "mesgtoobig": ("メールが大きすぎます。添付ファイルを小さくしてください。", "ours"),
    "exceedlimit": ("相手が受け取れる大きさを超えています。添付ファイルを小さくしてください。", "ours"),
    "authfailure": ("送信元の認証(SPF・DKIM・DMARC)に合格しませんでした。ドメインの設定を確認してください。", "ours"),
    "badreputation": ("送信元のサーバーの評判が低いため、断られました。", "ours"),
    "blocked": ("送信元のサーバーが、相手側で拒否されています。", "ours"),
    "requireptr": ("送信元のサーバーの名前(逆引き)の設定が足りません。", "ours"),
    "notcompliantrfc": ("メールの形式が規則に合っていないと判断されました。", "ours"),
    "securityerror": ("安全上の理由で断られました。認証や暗号化の設定を確認してください。", "ours"),
    "failedstarttls": ("暗号化した通信を始められませんでした。", "ours"),
    "speeding": ("短い時間に多く送りすぎたため、断られました。", "ours"),
    "toomanyconn": ("同時に接続する数が多すぎました。", "ours"),
    "mailboxfull": ("相手の受信箱が一杯です。", "temporary"),
    "expired": ("配信の期限までに、相手のサーバーに届けられませんでした。", "temporary"),
    "networkerror": ("相手のサーバーに接続できませんでした。", "temporary"),
    "systemerror": ("相手のサーバーの不具合です。", "temporary"),
    "systemfull": ("相手のサーバーの空きが足りません。", "temporary"),
    "mailererror": ("相手側のメールを処理するプログラムが失敗しました。", "temporary"),
    "onhold": ("理由がはっきりしません。相手のサーバーの言葉を確認してください。", "temporary"),
    "undefined": ("理由がはっきりしません。相手のサーバーの言葉を確認してください。", "temporary"),
}


def explanation(reason: str) -> tuple[str, str]:
    """Return (plain words, whose doing: a key of WHOSE) for a word of `mime.bounce.REASONS`."""
    return _WORDS.get(reason, NOT_SAID)
