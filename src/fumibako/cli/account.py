"""`account put|list|check`: mail accounts by the rules of the screen. Passwords go in and never come out."""

from __future__ import annotations

import argparse
from typing import Any

from fumibako.apps.accounts.actions import check_connection, save_account
from fumibako.apps.accounts.labels import stage_text, trouble_text
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.normalising import normalise
from fumibako.apps.accounts.rules import complete, notices
from fumibako.apps.accounts.secrets import SecretLost
from fumibako.apps.sending.queries import account_stops
from fumibako.cli.account_file import read_account_file
from fumibako.cli.printing import iso, note, tell
from fumibako.cli.refused import Refused
from fumibako.services.check import CheckReport

SHOWN = (
    "account_no", "name", "visible", "from_name", "from_address", "charset", "smtp_host", "smtp_port", "smtp_security",
    "smtp_auth", "batch_size", "sleep_seconds", "connections", "max_per_job", "receive_enabled", "pop_host", "pop_port",
    "user_id", "version",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """put FILE, list, check NO."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="put|list|check")
    put = verbs.add_parser("put", help="TOML ファイルの内容で登録・変更します(「-」は標準入力)")
    put.add_argument("file", metavar="FILE.toml")
    listing = verbs.add_parser("list", help="一覧")
    check = verbs.add_parser("check", help="接続テスト")
    check.add_argument("number", metavar="NO", type=int)
    for verb in (put, listing, check):
        verb.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Do what the verb says; `check` returns 1 when a server cannot be used."""
    match args.verb:
        case "put":
            return _put(args)
        case "list":
            return _list(args)
        case _:
            return _check(args)


def _put(args: argparse.Namespace) -> int:
    found = read_account_file(args.file)
    number = found.stored.account_no if found.stored is not None else None
    account = save_account(None, found.values, account_no=number)
    remarks = notices(complete(normalise(found.values).values, account), stored=account)
    for remark in remarks:
        note(f"注意: {remark.text}")
    verb = "変更" if found.stored is not None else "登録"
    facts = account_facts(account) | {"created": found.stored is None, "notices": [remark.id for remark in remarks]}
    tell(args, facts, f"メールアカウントNO {account.account_no}「{account.name}」を{verb}しました。")
    return 0


def _list(args: argparse.Namespace) -> int:
    accounts = list(MailAccount.objects.order_by("account_no"))
    stops = account_stops([account.pk for account in accounts])
    for account in accounts:
        stop = stops.get(account.pk)
        facts = account_facts(account) | {
            "stopped_at": iso(stop.stopped_at) if stop else None,
            "stop_kind": stop.stop_kind if stop else "",
        }
        state = "停止中" if stop else "使えます"
        way = f"{account.smtp_host}:{account.smtp_port}" if account.smtp_host else "(送信なし)"
        tell(args, facts, f"{account.account_no}\t{account.name}\t{account.from_address}\t{way}\t{state}")
    if not accounts:
        note("メールアカウントはまだありません。「account put FILE.toml」で登録してください。")
    return 0


def account_facts(account: MailAccount) -> dict[str, Any]:
    """Return an account as one JSON object, by the names that `put` reads; the password only as registered or not."""
    facts = {name: getattr(account, name) for name in SHOWN}
    is_tls = account.pop_tls and account.pop_port == 995
    facts["pop_tls"] = ("tls" if is_tls else "stls") if account.pop_tls else "none"
    return facts | {"has_password": account.password_sealed is not None}


def _check(args: argparse.Namespace) -> int:
    account = MailAccount.objects.filter(account_no=args.number).first()
    if account is None:
        raise Refused(f"メールアカウントNO {args.number} はありません。「account list」で番号を確かめてください。")
    try:
        reports = check_connection({}, account)
    except SecretLost:
        raise Refused("登録済みのパスワードを読み取れません。パスワードを登録し直してください。") from None
    for protocol, report in reports.items():
        _tell_report(args, account, protocol, report)
    return 0 if all(report.is_ok for report in reports.values()) else 1


def _tell_report(args: argparse.Namespace, account: MailAccount, protocol: str, report: CheckReport) -> None:
    where = {"host": getattr(account, f"{protocol}_host"), "port": getattr(account, f"{protocol}_port")}
    for stage in report.stages:
        facts = {"account_no": account.account_no, "protocol": protocol, "stage": stage.stage, "ok": stage.is_ok}
        facts |= {"seconds": round(stage.seconds, 3), "detail": stage.detail}
        mark = "●" if stage.is_ok else "■"
        tell(args, facts, f"{mark} {protocol.upper()} {stage_text(stage.stage)} {stage.seconds:.2f}秒 {stage.detail}")
    if report.trouble is not None:
        words = trouble_text(report.trouble.kind, report.trouble.extra | where | {"protocol": protocol})
        note(f"{words.text}{words.next_step}")
