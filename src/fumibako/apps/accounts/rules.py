"""What a mail account must be: the rules R1–R12 and the items of SPEC §1, judged without touching anything."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from fumibako.apps.office.models import Office
from fumibako.apps.office.problems import Problem
from fumibako.mime.addresses import judge

from .fields import BOUND_TO_PASSWORD, FIELDS, Field, first_values
from .models import MailAccount
from .normalising import Normalised, normalise

__all__ = ["Normalised", "Notice", "check", "complete", "keeps_password", "normalise", "notices"]

HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*")
DRIVE = re.compile(r"[A-Za-z]:")
RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
BAD_IN_PATH = re.compile(r'[<>:"|?*\x00-\x1f\x7f]')
SECURITY_WORDS = {"starttls": "TLS", "ssl": "SMTP over SSL", "none": "空白"}
USUAL_SMTP_PORTS = (25, 465, 587)
OWN_COMPUTER = re.compile(r"127\.|localhost$|\[?::1")

Rule = Callable[[dict[str, Any]], Iterator[Problem]]

V06 = "ポート番号465では、通信方法「TLS」を使えません。「SMTP over SSL」を選ぶか、ポート番号を587にしてください。"
V07 = "ポート番号465では、通信方法を空白にできません。「SMTP over SSL」を選んでください。"
V08 = "メール受信対象としない場合も、SMTP認証を使うときはユーザIDとパスワードを入力してください。"
V09 = "POPとSMTPのどちらかを入力してください。両方が空のアカウントは登録できません。"
V10 = "メール保存先に、ドライブ名({})は使えません。フォルダー名だけを入力してください(例:tokyo/staff)。"
V16 = "{}は「mail.example.co.jp」の形で入力してください。"
V17 = "{}に、このコンピューターの内部で使うアドレス({})は使えません。提供会社の案内にあるサーバー名を入力してください。"
V18 = (
    "サーバー名・ポート番号・暗号化・ユーザIDのどれかが変わったため、登録済みのパスワードは使えません。"
    "パスワードを入力し直してください。"
)
V19 = "通信方法「{}」では、SMTP認証を必ず使用します。「SMTP認証」にチェックを付けてください。"
V20 = "通信方法「TLS」では、SMTP認証の方式は LOGIN だけを選べます。LOGIN を選んでください。"
V21 = (
    "POP before SMTP認証は、メールを受信するアカウントだけで使えます。"
    "「メール受信対象とする」にチェックを付けてください。"
)
V22 = "警告MSG時間帯は、開始と終了の両方を入力してください。"
V23 = "警告MSG時間帯の開始と終了が同じです。違う時刻を入力してください。"
V24 = "警告MSG時間帯は「20:00」の形で入力してください。"
V25 = "メール保存先に「{}」は使えません。フォルダー名だけを入力してください(例:tokyo/staff)。"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something worth knowing that forbids nothing: the field it is about, a stable word, and its Japanese words."""

    field: str
    id: str
    text: str


def complete(values: Mapping[str, Any], stored: MailAccount | None) -> dict[str, Any]:
    """Return a value for every item: what is given, else what is stored, else the first value."""
    base = first_values()
    if stored is not None:
        base |= {name: getattr(stored, name) for name in FIELDS if name != "password"}
    return base | {name: value for name, value in values.items() if name in FIELDS}


def keeps_password(values: Mapping[str, Any], stored: MailAccount | None) -> bool:
    """Tell whether the stored password may still be used with these values: nothing it is bound to differs (X08)."""
    if stored is None or stored.password_sealed is None:
        return False
    return all(values[name] == getattr(stored, name) for name in BOUND_TO_PASSWORD)


def check(values: Mapping[str, Any], *, stored: MailAccount | None, office: Office) -> tuple[Problem, ...]:
    """Judge normalised values; missing ones count as stored, or as a new account starts. Empty = may be saved."""
    all_values = complete(values, stored)
    found = list(_item_problems(all_values))
    unreadable = {problem.field for problem in found}
    rules: tuple[Rule, ...] = (_servers, _login(stored), _encryption(office), _pop_first, _warning_hours, _store_path)
    for rule in rules:
        found += [problem for problem in rule(all_values) if problem.field not in unreadable]
    order = list(FIELDS)
    return tuple(sorted(found, key=lambda problem: order.index(problem.field)))


def notices(values: Mapping[str, Any], *, stored: MailAccount | None = None) -> tuple[Notice, ...]:
    """Return what to tell about acceptable values; see `check` for what forbids saving."""
    return tuple(_notices(complete(values, stored)))


def _item_problems(values: dict[str, Any]) -> Iterator[Problem]:
    for name, field in FIELDS.items():
        problem = _item_problem(name, field, values[name])
        if problem:
            yield problem


def _item_problem(name: str, field: Field, value: Any) -> Problem | None:
    match field.kind:
        case "port" | "whole":
            return _number_problem(name, field, value)
        case "choice" if field.choices and str(value) not in field.choices:
            return Problem(name, "V02", f"{field.label}を選択してください。")
        case "time" if value is not None and not isinstance(value, time):
            return Problem(name, "V24", V24)
        case "text" | "host" | "address" | "addresses":
            return _text_problem(name, field, str(value))
        case _:
            return None


def _number_problem(name: str, field: Field, value: Any) -> Problem | None:
    if value is None and field.is_optional:
        return None
    if field.kind == "port" and value == "":
        return Problem(name, "V01", f"{field.label}を入力してください。")
    if not isinstance(value, int) or not field.low <= value <= field.high:
        return Problem(name, "V03", f"{field.label}は半角の数字で入力してください({field.low}〜{field.high})。")
    return None


def _text_problem(name: str, field: Field, text: str) -> Problem | None:
    if name == "name" and not text:
        return Problem(name, "V01", "アカウント名を入力してください。")
    if len(text) > field.longest:
        return Problem(
            name, "V05", f"{field.label}は {field.longest}文字以内で入力してください(いまは {len(text)}文字です)。"
        )
    if any(ord(char) < 32 for char in text) and name != "signature":
        return Problem(name, "V26", f"{field.label}に改行などの制御文字は使えません。1行で入力してください。")
    if field.kind == "host" and text:
        return _host_problem(name, field, text)
    if field.kind in ("address", "addresses"):
        return _address_problem(name, field, text)
    return None


def _host_problem(name: str, field: Field, host: str) -> Problem | None:
    inner = _inner_address(host)
    if inner:
        return Problem(name, "V17", V17.format(field.label, host))
    plain = host.strip("[]")
    if HOST.fullmatch(plain) or (":" in plain and inner is not None):
        return None
    return Problem(name, "V16", V16.format(field.label))


def _inner_address(host: str) -> bool | None:
    """True for an address that is never a mail server's; None when `host` is no address but a name."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    return address.is_link_local or address.is_unspecified or address.is_multicast


def _address_problem(name: str, field: Field, text: str) -> Problem | None:
    parts = text.split(", ") if field.kind == "addresses" else [text]
    if all(not part or judge(part, allow_non_rfc=True).is_accepted for part in parts):
        return None
    return Problem(name, "V04", f"{field.label}は「名前@会社名.co.jp」の形で入力してください。")


def _servers(values: dict[str, Any]) -> Iterator[Problem]:
    if not values["receive_enabled"] and not values["smtp_host"]:
        yield Problem("smtp_host", "V09", V09)
    if values["receive_enabled"] and not values["pop_host"]:
        yield Problem("pop_host", "V01", "POPサーバー名を入力してください。")
    if values["smtp_host"] and not values["from_address"]:
        yield Problem("from_address", "V01", "メールアドレスを入力してください。")


def _login(stored: MailAccount | None) -> Rule:
    """R5–R8: who receives or logs in to send needs both user and password."""

    def rule(values: dict[str, Any]) -> Iterator[Problem]:
        has_password = bool(values["password"]) or keeps_password(values, stored)
        if values["receive_enabled"]:
            if not values["user_id"]:
                yield Problem("user_id", "V01", "ユーザIDを入力してください。")
            if not has_password:
                yield _no_password(stored, Problem("password", "V01", "パスワードを入力してください。"))
        elif values["smtp_auth"]:
            if not values["user_id"]:
                yield Problem("user_id", "V08", V08)
            elif not has_password:
                yield _no_password(stored, Problem("password", "V08", V08))

    return rule


def _no_password(stored: MailAccount | None, otherwise: Problem) -> Problem:
    is_cleared = stored is not None and stored.password_sealed is not None
    return Problem("password", "V18", V18) if is_cleared else otherwise


def _encryption(office: Office) -> Rule:
    """R1–R4 and R10."""

    def rule(values: dict[str, Any]) -> Iterator[Problem]:
        security, port = values["smtp_security"], values["smtp_port"]
        if port == 465 and security == "starttls":
            yield Problem("smtp_port", "V06", V06)
        if port == 465 and security == "none":
            yield Problem("smtp_security", "V07", V07)
        if security in ("starttls", "ssl") and not values["smtp_auth"]:
            yield Problem("smtp_auth", "V19", V19.format(SECURITY_WORDS[security]))
        is_plain = values["smtp_auth_method"] != "LOGIN"
        if security == "starttls" and is_plain and not office.allow_plain_with_tls:
            yield Problem("smtp_auth_method", "V20", V20)

    return rule


def _pop_first(values: dict[str, Any]) -> Iterator[Problem]:
    """R9."""
    if values["pop_before_smtp"] and not values["receive_enabled"]:
        yield Problem("pop_before_smtp", "V21", V21)


def _warning_hours(values: dict[str, Any]) -> Iterator[Problem]:
    begin, end = values["warn_from"], values["warn_to"]
    if (begin is None) != (end is None):
        yield Problem("warn_from" if begin is None else "warn_to", "V22", V22)
    elif begin is not None and begin == end:
        yield Problem("warn_to", "V23", V23)


def _store_path(values: dict[str, Any]) -> Iterator[Problem]:
    path = values["store_path"]
    drive = DRIVE.match(path)
    if drive:
        yield Problem("store_path", "V10", V10.format(drive[0]))
        return
    bad = _bad_part(path) if path else ""
    if bad:
        yield Problem("store_path", "V25", V25.format(bad))


def _bad_part(path: str) -> str:
    if path.startswith(("/", "~")):
        return path[0]
    for part in path.split("/"):
        if part in ("", ".", "..") or part.startswith(" ") or part.endswith((".", " ")):
            return part or "//"
        if RESERVED.fullmatch(part) or BAD_IN_PATH.search(part) or len(part.encode()) > 200:
            return part
    return ""


def _notices(values: dict[str, Any]) -> Iterator[Notice]:
    yield from _smtp_notices(values)
    if values["receive_enabled"] and values["pop_port"] == 995 and not values["pop_tls"]:
        words = "995番は、最初から暗号化する番号です。「POPサーバー接続時にTLSを使う」にチェックを付けてください。"
        yield Notice("pop_port", "pop_995_without_tls", words)
    if values["bounce_only"] and values["to_contact_record"]:
        yield Notice("bounce_only", "bounces_no_record", "エラーメールは連絡記録に登録されません。")
    if values["is_marketing"] and not values["signature"]:
        words = "配信用のアカウントですが、署名が空です。送信者の名称と連絡先を署名に入力してください。"
        yield Notice("signature", "marketing_without_signature", words)


def _smtp_notices(values: dict[str, Any]) -> Iterator[Notice]:
    if not values["smtp_host"] or OWN_COMPUTER.match(values["smtp_host"]):
        return
    port, security = values["smtp_port"], values["smtp_security"]
    if port == 25:
        yield Notice("smtp_port", "port_25", "25番は、社外への送信が止められていることが多い番号です。")
    elif port not in USUAL_SMTP_PORTS:
        words = f"{port}番は、あまり使われない番号です。提供会社の案内と同じかを確認してください(通常は 587・465・25)。"
        yield Notice("smtp_port", "unusual_port", words)
    if security == "ssl" and port in (25, 587):
        words = f"{port}番は通常、「SMTP over SSL」では使いません。465番か、通信方法「TLS」かを確認してください。"
        yield Notice("smtp_port", "ssl_on_plain_port", words)
    if security == "none" and values["smtp_auth"]:
        words = "暗号化しないため、ユーザIDとパスワードがそのまま流れます。「TLS」か「SMTP over SSL」を選んでください。"
        yield Notice("smtp_security", "password_in_the_clear", words)
