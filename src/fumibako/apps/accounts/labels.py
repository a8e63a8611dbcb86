"""The Japanese words of mail accounts: choices, and what stands between an account and its server (UX §6.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fumibako.delivery.outcome import Stage
from fumibako.services.trouble import TroubleKind

CHOICES: dict[str, dict[str, str]] = {
    "smtp_security": {"none": "空白(暗号化しない)", "starttls": "TLS", "ssl": "SMTP over SSL"},
    "smtp_auth_method": {"LOGIN": "LOGIN", "PLAIN": "PLAIN"},
    "charset": {"utf-8": "UTF-8", "iso-2022-jp": "ISO-2022-JP", "shift_jis": "Shift_JIS"},
    "result_notice": {"always": "常に出力する", "never": "常に出力しない", "failures": "失敗のみ出力する"},
    "visible": {"True": "表示する", "False": "表示しない"},
    "fetch_interval_minutes": {"0": "手動のみ", "1": "1分", "5": "5分", "10": "10分", "30": "30分"},
    "hold_minutes": {"0": "なし", "1": "1分", "5": "5分", "10": "10分", "30": "30分"},
}
FLAG_WORDS = {True: "する", False: "しない"}
STAGES: dict[Stage, str] = {
    Stage.NAME: "サーバー名の確認",
    Stage.CONNECT: "接続",
    Stage.GREETING: "サーバーの応答",
    Stage.EHLO: "サーバーの機能の確認",
    Stage.TLS: "暗号化",
    Stage.LOGIN: "ログイン",
    Stage.POP_LOGIN: "ログイン(POP)",
    Stage.POP_LIST: "受信箱の一覧",
    Stage.POP_FETCH: "受信",
    Stage.POP_DELETE: "サーバーからの削除",
    Stage.POP_QUIT: "受信の終了",
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A change of the form that may help: the words of its button, and the values it puts in."""

    words: str
    changes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TroubleText:
    """One trouble in plain words: what is the case, what to do, and what one press can change.

    `may_pin` tells that this one certificate may be trusted after looking at its fingerprint.
    """

    text: str
    next_step: str
    offers: tuple[Offer, ...] = ()
    may_pin: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known about the trouble, ready for sentences."""

    host: str
    port: int
    is_pop: bool
    offered: str
    names: str
    expired: str

    def port_offer(self, port: int, security: str, words: str) -> Offer:
        return Offer(words, (("smtp_security", security), ("smtp_port", str(port))))


def stage_text(stage: Stage) -> str:
    """Return the words for a stage of a connection."""
    return STAGES.get(stage, "送信")


def value_text(name: str, value: Any) -> str:
    """Return a stored value as the screen shows it; secrets and long texts are not shown."""
    if name in CHOICES and str(value) in CHOICES[name]:
        return CHOICES[name][str(value)]
    if isinstance(value, bool):
        return FLAG_WORDS[value]
    if value in (None, ""):
        return "(空欄)"
    return f"{value:%H:%M}" if hasattr(value, "hour") else str(value)


def trouble_text(kind: TroubleKind | str, extra: Mapping[str, Any]) -> TroubleText:
    """Put a trouble into plain words. `extra` is what came with it: host, port, protocol, offered, names …"""
    seen = _Seen(
        host=str(extra.get("host", "")),
        port=int(str(extra.get("port", 0) or 0)),
        is_pop=extra.get("protocol") == "pop",
        offered="・".join(str(name) for name in extra.get("offered", ())) or "なし",
        names="・".join(str(name) for name in extra.get("names", ())) or "不明",
        expired=_day(extra.get("not_after_at")),
    )
    return _TEXTS[TroubleKind(kind)](seen)


def pop_only_refused() -> TroubleText:
    """Return the words for a POP login refused although SMTP accepts the same user and password."""
    return TroubleText(
        "受信だけ、ログインを断られました。",
        "同じIDとパスワードで送信には入れているため、入力の間違いではありません。"
        "提供会社の管理画面で、POP の利用が止まっていないかを確認してください。",
    )


def _day(value: Any) -> str:
    return f"{value:%Y/%m/%d}" if isinstance(value, datetime) else "過去の日付"


def _plain(text: str, next_step: str, *, may_pin: bool = False) -> Callable[[_Seen], TroubleText]:
    def words(seen: _Seen) -> TroubleText:
        facts = {name: getattr(seen, name) for name in ("host", "port", "offered", "names", "expired")}
        return TroubleText(text.format(**facts), next_step.format(**facts), may_pin=may_pin)

    return words


def _connect_timeout(seen: _Seen) -> TroubleText:
    offers = () if seen.is_pop else tuple(offer for offer in _usual_ways(seen) if offer.changes[1][1] != str(seen.port))
    return TroubleText(
        f"{seen.port}番から応答がありません。",
        "社内のファイアウォールか、番号の違いが考えられます。提供会社の案内にある番号かを確認してください。",
        offers,
    )


def _refused(seen: _Seen) -> TroubleText:
    text = f"サーバーは動いていますが、{seen.port}番では受け付けていません。"
    if seen.is_pop:
        return TroubleText(text, "POPポート番号を確認してください(通常は 110、TLS を使うときは 995)。")
    offers = tuple(offer for offer in _usual_ways(seen)[:2] if offer.changes[1][1] != str(seen.port))
    return TroubleText(text, "SMTPポート番号を確認してください。", offers)


def _usual_ways(seen: _Seen) -> tuple[Offer, ...]:
    return (
        seen.port_offer(465, "ssl", "465番(SMTP over SSL)にする"),
        seen.port_offer(587, "starttls", "587番(TLS)にする"),
        seen.port_offer(25, "none", "25番(暗号化しない)にする"),
    )


def _port25(seen: _Seen) -> TroubleText:
    return TroubleText(
        "25番から応答がありません。",
        "25番は、回線の会社が社外への送信を止めていることがあります(OP25B)。587番を使ってください。",
        (seen.port_offer(587, "starttls", "587番(TLS)にする"),),
    )


def _plain_on_ssl(seen: _Seen) -> TroubleText:
    if seen.is_pop:
        return TroubleText(
            f"{seen.port}番は、暗号化なしで始まります。",
            "POPポート番号を 110 にしてください。チェックを付けたままなら、途中から暗号化します。",
            (Offer("110番にする", (("pop_port", "110"),)),),
        )
    return TroubleText(
        "この番号は暗号化なしで始まります。",
        "通信方法を「TLS」にしてください。",
        (Offer("「TLS」にする", (("smtp_security", "starttls"),)),),
    )


def _ssl_on_plain(seen: _Seen) -> TroubleText:
    if seen.is_pop:
        changes = (("pop_tls", "1"), ("pop_port", "995"))
        return TroubleText(
            "この番号は最初から暗号化します。",
            "「POPサーバー接続時にTLSを使う」にチェックを付け、ポート番号を 995 にしてください。",
            (Offer("TLSを使う(995番)", changes),),
        )
    return TroubleText(
        "この番号は最初から暗号化します。",
        "通信方法を「SMTP over SSL」にしてください。",
        (Offer("「SMTP over SSL」にする", (("smtp_security", "ssl"),)),),
    )


def _starttls_missing(seen: _Seen) -> TroubleText:
    text = "サーバーが TLS に対応していません。このまま暗号化をやめると、パスワードが暗号化されずに流れます。"
    if seen.is_pop:
        return TroubleText(text, "995番を試してください。", (Offer("995番で試す", (("pop_port", "995"),)),))
    return TroubleText(text, "465番を試してください。", (seen.port_offer(465, "ssl", "SMTP over SSL(465番)で試す"),))


def _name_mismatch(seen: _Seen) -> TroubleText:
    field = "pop_host" if seen.is_pop else "smtp_host"
    first = seen.names.split("・")[0]
    is_usable = first != "不明" and "*" not in first
    offers = (Offer(f"サーバー名を {first} に変える", ((field, first),)),) if is_usable else ()
    return TroubleText(
        f"証明書の名前({seen.names})が、入力したサーバー名と違います。",
        "提供会社の案内にあるサーバー名を入力してください。",
        offers,
        may_pin=True,
    )


def _mechanism_missing(seen: _Seen) -> TroubleText:
    offers: tuple[Offer, ...] = ()
    if "PLAIN" in seen.offered and not seen.is_pop:
        changes = (("smtp_security", "ssl"), ("smtp_port", "465"), ("smtp_auth_method", "PLAIN"))
        offers = (Offer("SMTP over SSL と PLAIN に切り替える", changes),)
    return TroubleText(
        f"サーバーは、選んだ認証方式に対応していません(使えるのは {seen.offered})。",
        "「SMTP over SSL」なら PLAIN を選べます。",
        offers,
    )


_ASK_PROVIDER = "提供会社に連絡してください。"
_TEXTS: dict[TroubleKind, Callable[[_Seen], TroubleText]] = {
    TroubleKind.NAME_NOT_FOUND: _plain("「{host}」というサーバーが見つかりません。", "つづりを確認してください。"),
    TroubleKind.NAME_TIMEOUT: _plain(
        "このコンピューターからインターネットの名前を調べられません。",
        "ほかの画面でインターネットにつながるかを確認し、つながらないときは管理者に連絡してください。",
    ),
    TroubleKind.CONNECT_TIMEOUT: _connect_timeout,
    TroubleKind.PORT25_TIMEOUT: _port25,
    TroubleKind.REFUSED: _refused,
    TroubleKind.NO_ROUTE: _plain("「{host}」までの道がありません。", "ネットワークの接続を確認してください。"),
    TroubleKind.NOT_LOOPBACK: _plain(
        "練習モードでは、このコンピューターの練習用サーバー(127.0.0.1)だけに接続します。",
        "提供会社のサーバーを試すときは、システム設定で練習モードを終わらせてください。",
    ),
    TroubleKind.PLAIN_ON_SSL: _plain_on_ssl,
    TroubleKind.SSL_ON_PLAIN: _ssl_on_plain,
    TroubleKind.STARTTLS_MISSING: _starttls_missing,
    TroubleKind.STARTTLS_REFUSED: _plain(
        "サーバーが、暗号化を始めることを断りました。", "時間をおいて、もう一度テストしてください。"
    ),
    TroubleKind.TLS_FAILED: _plain(
        "暗号化の取り決めができませんでした。",
        "通信方法とポート番号の組み合わせが、提供会社の案内と同じかを確認してください。",
    ),
    TroubleKind.TLS_TOO_OLD: _plain(
        "サーバーが古い暗号化しか使えません。", "提供会社に、TLS 1.2 以上に対応したサーバーを確認してください。"
    ),
    TroubleKind.CERTIFICATE_EXPIRED: _plain(
        "サーバーの証明書が {expired} で切れています。", _ASK_PROVIDER, may_pin=True
    ),
    TroubleKind.CERTIFICATE_NOT_YET_VALID: _plain(
        "サーバーの証明書が、まだ有効になっていません。", "このコンピューターの日付と時刻が正しいかを確認してください。"
    ),
    TroubleKind.CERTIFICATE_NAME_MISMATCH: _name_mismatch,
    TroubleKind.CERTIFICATE_SELF_SIGNED: _plain(
        "社内で作った証明書です。", "管理している人に指紋を確認したうえで、この証明書だけを信頼できます。", may_pin=True
    ),
    TroubleKind.CERTIFICATE_UNKNOWN_ISSUER: _plain(
        "証明書を発行したところが分かりません。",
        "管理している人に指紋を確認したうえで、この証明書だけを信頼できます。",
        may_pin=True,
    ),
    TroubleKind.CERTIFICATE_CHANGED: _plain(
        "サーバーの証明書が、信頼している証明書と違います。",
        "サーバーの証明書が入れ替えられたかを、管理している人に確認してください。確認できたときだけ、新しい証明書を信頼してください。",
        may_pin=True,
    ),
    TroubleKind.INJECTED_PLAINTEXT: _plain(
        "暗号化の前に、余分な通信が割り込みました。",
        "通信の途中で書き換えられたおそれがあります。管理者に連絡してください。",
    ),
    TroubleKind.NO_GREETING: _plain(
        "{port}番につながりましたが、サーバーが応答しません。", "ポート番号と通信方法の組み合わせを確認してください。"
    ),
    TroubleKind.GREETING_REFUSED: _plain(
        "サーバーが接続を断りました。", "下の「サーバーの返答を見る」の内容を提供会社に伝えてください。"
    ),
    TroubleKind.GARBAGE: _plain(
        "{port}番で動いているのは、メールのサーバーではないようです。", "サーバー名とポート番号を確認してください。"
    ),
    TroubleKind.LOGIN_REFUSED: _plain(
        "ユーザIDかパスワードが違います。",
        "ユーザIDは「メールアドレス全体」のことがあります。提供会社の案内を確認してください。",
    ),
    TroubleKind.PASSWORD_LOGIN_DISABLED: _plain(
        "Microsoft 365 / Gmail などは、通常のパスワードでの接続を止めています。",
        "提供会社の管理画面で「アプリ パスワード」を作り、パスワードの欄に入力してください。",
    ),
    TroubleKind.ENCRYPTION_REQUIRED: _plain(
        "サーバーは、暗号化しないログインを受け付けません。", "通信方法を「TLS」か「SMTP over SSL」にしてください。"
    ),
    TroubleKind.LOGIN_REQUIRED: _plain(
        "サーバーは、ログインしないと送信を受け付けません。", "「SMTP認証」にチェックを付けてください。"
    ),
    TroubleKind.MECHANISM_MISSING: _mechanism_missing,
    TroubleKind.SERVER_BUSY: _plain("サーバーが混んでいます。", "5分ほどたってから、もう一度テストしてください。"),
    TroubleKind.SENDER_REFUSED: _plain(
        "このメールアドレスを差出人として使うことを、サーバーが認めていません。",
        "SMTP設定の「メールアドレス」を確認してください。",
    ),
    TroubleKind.POP_IN_USE: _plain("別の端末が受信中です。", "1分後に、もう一度テストしてください。"),
    TroubleKind.POP_LOGIN_REFUSED: _plain(
        "受信のサーバーに、ログインを断られました。",
        "ユーザIDとパスワードを確認してください。ユーザIDは「メールアドレス全体」のことがあります。",
    ),
    TroubleKind.POP_LOGIN_DELAY: _plain(
        "前の受信から間がないため、サーバーがログインを待たせています。",
        "5分ほどたってから、もう一度受信してください。",
    ),
    TroubleKind.POP_MAILBOX_BROKEN: _plain(
        "サーバー側の受信箱に障害があり、開けません。", "メールの契約先に問い合わせてください。"
    ),
    TroubleKind.POP_TOO_MANY_MAILS: _plain(
        "サーバーの受信箱にメールが多すぎます(100万通まで)。", "サーバー側で古いメールを減らしてください。"
    ),
    TroubleKind.POP_LIST_REFUSED: _plain(
        "ログインはできましたが、受信箱の一覧をサーバーが返しません。", "時間をおいて、もう一度受信してください。"
    ),
    TroubleKind.POP_LIST_CHANGED: _plain(
        "受信中に、サーバー側でメールの番号が変わりました。", "何も削除していません。もう一度受信してください。"
    ),
    TroubleKind.POP_QUIT_REFUSED: _plain(
        "メールを削除したと、サーバーが答えませんでした。",
        "次の受信で確かめます。続くときは契約先に問い合わせてください。",
    ),
    TroubleKind.LINE_LOST: _plain("サーバーが途中で接続を切りました。", "時間をおいて、もう一度テストしてください。"),
    TroubleKind.TOO_SLOW: _plain("サーバーの返事が遅すぎます。", "時間をおいて、もう一度テストしてください。"),
}
