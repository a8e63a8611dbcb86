"""A mail account written as TOML by the field names of SPEC §1, read into the values that `save_account` takes."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from fumibako.apps.accounts.fields import FIELDS, PINS
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.office.models import Operator
from fumibako.cli.refused import Refused

OURS = ("account_no", "password_env")
POP_PORTS = {"none": 110, "stls": 110, "tls": 995}
SMTP_PORTS = {"none": 25, "starttls": 587, "ssl": 465}


@dataclass(frozen=True, slots=True)
class AccountFile:
    """What a file says: the account it is about (None = a new one), and the values to save."""

    stored: MailAccount | None
    values: dict[str, Any]


def read_account_file(name: str) -> AccountFile:
    """Read one file; "-" is stdin. Raises Refused with the first thing that cannot be meant."""
    found = _parsed(name)
    known = (*FIELDS, *PINS, *OURS)
    strange = [key for key in found if key not in known]
    if strange:
        near = [close for key in strange for close in get_close_matches(key, known, n=1)]
        advice = (
            f"{'・'.join(near)} のことですか。" if near else "項目の名前は docs/operations/accounts.md にあります。"
        )
        raise Refused(f"{name}: 知らない項目です: {'・'.join(strange)}。{advice}")
    number = found.pop("account_no", None)
    if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
        raise Refused(f"{name}: account_no は数字で書いてください。")
    values = found | _password(found, is_stdin_free=name != "-")
    values.pop("password_env", None)
    if "pop_tls" in values:
        values |= _pop_security(values)
    _require_kinds(name, values)
    if "default_operator" in values:
        values["default_operator"] = _operator_id(values["default_operator"])
    stored = _stored(number, values)
    if stored is None and "smtp_port" not in values and values.get("smtp_security") in SMTP_PORTS:
        values["smtp_port"] = SMTP_PORTS[values["smtp_security"]]
    return AccountFile(stored, values)


def _parsed(name: str) -> dict[str, Any]:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as trouble:
        raise Refused(f"ファイル「{name}」を読めません({trouble.strerror})。") from None
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refused(f"{name}: UTF-8 ではありません。UTF-8 で保存してください。") from None
    except tomllib.TOMLDecodeError as trouble:
        # The place only: the parser's words may quote the line, and that line may be the password.
        place = str(trouble).rpartition("(at ")[2].rstrip(")") if "(at " in str(trouble) else "end of document"
        raise Refused(f"{name}: TOML として読めません({place})。書き方を確認してください。") from None


def _password(found: Mapping[str, Any], *, is_stdin_free: bool) -> dict[str, str]:
    if "password" in found and "password_env" in found:
        raise Refused("password と password_env は、どちらか 1つだけを書いてください。")
    if "password_env" in found:
        name = str(found["password_env"])
        if name not in os.environ:
            raise Refused(f"環境変数「{name}」がありません。パスワードを入れてから実行してください。")
        return {"password": os.environ[name]}
    if found.get("password") != "-":
        return {}
    if not is_stdin_free:
        raise Refused("標準入力から設定を読むときは、password を「-」にできません。password_env を使ってください。")
    return {"password": sys.stdin.readline().rstrip("\r\n")}


def _pop_security(values: Mapping[str, Any]) -> dict[str, Any]:
    """The screen has a tick box, and the port decides between STLS and TLS from the first byte."""
    word = values["pop_tls"]
    if isinstance(word, bool):
        return {}
    if word not in POP_PORTS:
        raise Refused("pop_tls は none・stls・tls のどれかです。")
    port = values.get("pop_port", POP_PORTS[word])
    if word == "tls" and port != 995:
        raise Refused('pop_tls が "tls" のとき、pop_port は 995 です。ほかの番号で暗号化するときは "stls" にします。')
    if word == "stls" and port == 995:
        raise Refused('pop_port 995 は最初から暗号化する番号です。pop_tls を "tls" にしてください。')
    return {"pop_tls": word != "none", "pop_port": port}


def _require_kinds(name: str, values: Mapping[str, Any]) -> None:
    """TOML has kinds of values; "false" in quotes must not come to mean a number or a yes."""
    for key, value in values.items():
        kind = FIELDS[key].kind if key in FIELDS else "text"
        is_flag = isinstance(value, bool)
        if kind == "flag" and not is_flag:
            raise Refused(f"{name}: {key} は true か false で書いてください。")
        if kind != "flag" and (is_flag or isinstance(value, list | dict | float)):
            wanted = "数字" if kind in ("whole", "port") else "文字"
            raise Refused(f"{name}: {key} は{wanted}で書いてください。")


def _operator_id(username: object) -> int | None:
    if username == "":
        return None
    found = Operator.objects.filter(username=str(username), is_active=True).first()
    if found is None:
        raise Refused(f"既定対応者の利用者ID「{username}」はありません。")
    return found.pk


def _stored(number: int | None, values: Mapping[str, Any]) -> MailAccount | None:
    if number is not None:
        found = MailAccount.objects.filter(account_no=number).first()
        if found is None:
            raise Refused(
                f"メールアカウントNO {number} はありません。新しく作るときは account_no を書かないでください。"
            )
        return found
    same = list(MailAccount.objects.filter(name=str(values.get("name", "")))[:2])
    if len(same) > 1:
        raise Refused("同じアカウント名が 2つ以上あります。account_no でどれかを指定してください。")
    return same[0] if same else None
