"""Who writes notices: the names and addresses mail systems sign with, and the subjects they use."""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.bounce.phrases import lazily

_LOCAL_PART: Final = re.compile(
    r"(?:mail(?:er)?[-_. ]?d(?:a?e|ae)mon|mdaemon|daemon|p[o]{1,3}st[-_.]?master|"
    r"mail[-_.]?(?:delivery|admin|system|server)[\w.-]*|"
    r"mailadm(?:in(?:istrator)?)?|mail[.-]delivery[.-](?:system|subsystem)|uucp|mail-?router|mailsystem|smtpd?|mta|"
    r"bounces?|undeliver\w*|ndr|dsn|nondelivery|delivery[-_.]?(?:failure|status|report|notification)s?|"
    r"system[-_.]?admin\w*|sysadmin|microsoftexchange[0-9a-f]+|mmsc?-?\w*|imss|mail-?er+or|error-?mail|ezreturn|"
    r"complaints|bounce[-_+=].*)",
    re.I,
)
_NAME: Final = re.compile(
    r"mail(?:er)?[-_ ]?(?:delivery|daemon|administrator|system|transport)|delivery (?:sub)?system|"
    r"delivery (?:status|failure|service)|postmaster|"
    r"system administrator|microsoft outlook|microsoft exchange|mail administrator|internet mail|"
    r"mail[-_. ]delivery|mailer|"
    r"mmsc|ndr|メール配信|メールサーバ|配信システム|メーラ|inpress|mdaemon|mail server",
    re.I,
)
_NULL_PATH: Final = re.compile(
    r"<\s*>|<(?:null|#@\[\]|mailer-?daemon(?:@[^>]*)?|postmaster(?:@[^>]*)?)>|^\s*<?mailer-daemon>?\s*$", re.I
)

FAILING_SUBJECTS: Final = lazily(
    (
        "{undeliverable|undelivered|undeliver*}",
        "{delivery|deliver} ~2 {failure|failed|failures|error|problem|unsuccessful|impossible|aborted}",
        "{mail|message|email|e-mail} ~2 {failure|failed|error|returned}",
        "{mail|message|email|e-mail} ~2 {rejected|undeliverable}",
        "{mail|message|email|e-mail} ~2 {not delivered|could not be delivered|bounced}", "returned mail",
        "return* to sender", "failure {notice|notification|report|delivery}",
        "delivery {status|report|notification}", "non-delivery", "nondelivery", "non delivery",
        "could not {be delivered|send|deliver}", "couldn't be delivered", "not delivered",
        "failed ~2 {deliver*|mail|message}", "mail system error", "notification ~2 delivery", "postmaster notify",
        "user unknown", "bounce* ~2 {message|mail|notification|report|email}",
        "{e-mail|email|mail|message} bounce*", "rejected {mail|message|email}",
        "message {blocked|rejected|quarantined}", "undeliverable mail", "error sending", "error condition",
        "mail could not", "message you sent blocked", "blocked by our", "unzustellbar*", "nicht zugestellt",
        "zustellung ~3 fehlgeschlagen", "zustellfehler", "fehler ~3 zustell*", "non remis",
        "échec ~4 {remise|distribution|livraison}", "non recapitabile", "mancato recapito", "no se puede entregar",
        "no se pudo entregar", "no entregado", "error ~3 entrega*", "não foi possível", "não entregue",
        "niet bezorgd", "onbestelbaar", "не доставлено", "недоставлен*", "退信", "无法投递", "系统退信",
        "kunde inte levereras", "kan ikke leveres", "niedostarczon*", "doručit*", "送信エラー", "配信エラー",
        "配送エラー",
        "不達", "メールエラー", "エラーメール", "エラー通知", "未配信", "配信不能", "配達不能",
        "返送", "宛先不明", "送信失敗", "配信失敗", "error message",
    )
)  # fmt: skip
DELAY_SUBJECTS: Final = lazily(
    (
        "warning: ~3 {could not send|delayed|not delivered|undelivered}", "warning: message",
        "{message|mail|delivery|email} {delayed|delay|deferred|postponed|is delayed|has been delayed}",
        "{delayed|delay|deferred} ~1 {mail|message|delivery|notification}", "(delay)", "delivery warning",
        "mail delivery warning", "status notification: {warning|delayed}",
        "notification: delivery has been delayed", "verzögert", "retardé*", "ritardat*", "demorad*", "atrasad*",
        "遅延", "遅れて", "延滞", "задерж*",
    )
)  # fmt: skip
ANSWERING_SUBJECTS: Final = re.compile(
    r"^\s*(?:(?:re|fwd?|aw|wg|sv|vs|tr|rv|enc|転送|返信|i|r)\s*(?:\[\d+\])?\s*[:：]\s*)", re.I
)
REPLYING_SUBJECTS: Final = lazily(
    (
        "out of {office|the office}", "out-of-office", "auto {reply|response|answer|responder}",
        "auto-{reply|response|replied|responder}", "autoreply", "autoresponse", "autoresponder",
        "automatic {reply|response|answer}", "automated {reply|response}", "vacation",
        "on {vacation|holiday|leave}", "away from", "i am away", "abwesenheit*", "abwesend",
        "automatische antwort", "réponse automatique", "absence du bureau", "respuesta automática",
        "fuera de la oficina", "risposta automatica", "fuori sede", "resposta automática", "автоответ", "自动回复",
        "自動回覆", "자동 회신", "automatisch antwoord", "autosvar", "automaattinen", "自動応答", "自動返信",
        "自動送信", "不在", "{休暇|お休み}{中|のため|の為|につき}", "{休暇|お休み}…{お知らせ|自動|通知}", "外出中",
        "受付完了", "お問い合わせ…ありがとう", "受け付けました",
    )
)  # fmt: skip
DIGEST_SUBJECTS: Final = lazily(
    (
        "quarantine ~2 {notification|digest|summary|report|notice}",
        "{spam|junk} ~2 {digest|summary|report|notification|quarantine}",
        "held messages", "messages on hold", "quarantined messages",
        "{隔離|検疫}…{通知|レポート|一覧|お知らせ|メール}", "迷惑メール…{通知|レポート|一覧|お知らせ}",
    )
)  # fmt: skip
"""Lists of mails that were kept back from us: signed by a mail system, but about nobody we wrote to."""


def is_system_address(address: str) -> bool:
    """True for mailer-daemon, postmaster and the like, at any domain or none."""
    local = address.partition("@")[0].strip('"\\ ')
    return _LOCAL_PART.fullmatch(local[:80]) is not None


def is_system_name(name: str) -> bool:
    """True for "Mail Delivery Subsystem" and the like."""
    return _NAME.search(name[:200]) is not None


def is_null_path(value: str) -> bool:
    """True for the Return-Path of a notice: `<>` (RFC 5321 §4.5.5), or what systems write instead."""
    return _NULL_PATH.search(value[:400]) is not None
