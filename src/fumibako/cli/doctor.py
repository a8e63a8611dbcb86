"""`doctor`: the lines of 動作状況 at the terminal, read more thoroughly; anything red means that sending is off."""

from __future__ import annotations

import argparse

from django.utils import timezone

from fumibako.apps.accounts.actions import check_connection
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.secrets import SecretLost
from fumibako.apps.office.problems import Refused
from fumibako.cli.printing import iso, tell
from fumibako.web.status.findings import Level, Line, worst
from fumibako.web.status.survey import survey
from fumibako.web.status.views import facts_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--connect."""
    parser.add_argument("--connect", action="store_true", help="すべてのアカウントの接続テストもします")


def run(args: argparse.Namespace) -> int:
    """Print every line; 1 when something is red."""
    now = timezone.now()
    lines = survey(None, now, is_thorough=True)
    if args.connect:
        lines += [line for account in MailAccount.objects.order_by("account_no") for line in connection_lines(account)]
    for line in lines:
        advice = f" → {line.next_step}" if line.next_step else ""
        tell(args, facts_of(line), f"{line.mark} {line.name}: {line.text}{advice}")
    level = worst(lines)
    if args.json:
        tell(args, {"key": "all", "level": level, "ok": level is not Level.BAD, "at": iso(now)}, "")
    return 1 if level is Level.BAD else 0


def connection_lines(account: MailAccount) -> list[Line]:
    """One line for each server of the account: could a mail go this way?"""
    key, name = f"connection:{account.account_no}", f"接続テスト {account.account_no} {account.name}"
    advice = f"「./fumibako account check {account.account_no}」で、段階ごとの結果を見てください。"
    try:
        reports = check_connection({}, account)
    except Refused as refusal:
        return [Line(key, name, Level.BAD, str(refusal), "メールアカウント設定を直してください。")]
    except SecretLost:
        return [Line(key, name, Level.BAD, "パスワードを読み取れません。", "パスワードを登録し直してください。")]
    return [
        Line(f"{key}:{protocol}", f"{name} {protocol.upper()}", Level.OK, "つながります。")
        if report.trouble is None
        else Line(f"{key}:{protocol}", f"{name} {protocol.upper()}", Level.BAD, "つながりません。", advice)
        for protocol, report in reports.items()
    ]
