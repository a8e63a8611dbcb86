"""Gathers the facts of 動作状況 from the data folder, the database and the ledger. Never writes."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import DatabaseError
from django.db.models import QuerySet

import fumibako
from fumibako import data_folder
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.queries import Use, usable_accounts
from fumibako.apps.accounts.routes import password_of
from fumibako.apps.accounts.secrets import SecretLost
from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.office import durability
from fumibako.apps.office.models import Operator
from fumibako.apps.office.queries import office, outbound_hold
from fumibako.apps.office.schema import schema
from fumibako.apps.sending.labels import clock, stop_reason
from fumibako.apps.sending.models import Pace
from fumibako.apps.sending.queries import waiting_count, worker_seen_at
from fumibako.web.status import precautions
from fumibako.web.status.findings import (
    Level,
    Line,
    clock_line,
    database_line,
    disk_line,
    folder_line,
    key_line,
    schema_line,
    worker_line,
)
from fumibako.web.status.receiving import receive_lines

WAIT_WORDS = {
    "pause": "{at} まで休止しています(スリープ間隔)。",
    "push_back": "提供会社の制限のため、{at} まで待っています。",
    "trouble": "メールサーバーにつながらないため、{at} にやり直します。",
}


def survey(operator: Operator | None, now: datetime, *, is_thorough: bool = False) -> list[Line]:
    """Return every line that this operator may see; None is whoever owns the command line.

    `is_thorough` reads the whole database file for damage, which takes a while on a large one.
    """
    lines = [*machine_lines(now, is_thorough=is_thorough)]
    if lines_are_readable(lines):
        lines += [*precaution_lines(now), *work_lines(now), *account_lines(operator, now)]
    return lines


def machine_lines(now: datetime, *, is_thorough: bool) -> Iterator[Line]:
    """Version, database, disk, key, folder: what a computer and an installation bring along."""
    yield version_line()
    yield _database_line(is_thorough=is_thorough)
    try:
        found = schema()
        yield schema_line(len(found.pending), len(found.unknown))
    except DatabaseError as trouble:
        yield Line("schema", "データの版", Level.BAD, f"読めません({trouble})。", "データベースの行を見てください。")
    root = Path(settings.DATA.root)
    usage = shutil.disk_usage(root)
    yield disk_line(usage.free, usage.total)
    yield folder_line(root.stat().st_mode, str(root))
    yield key_line(_key_trouble())
    yield precautions.exposure_line(
        list(settings.ALLOWED_HOSTS), is_debug=settings.DEBUG, is_behind_tls=settings.IS_BEHIND_TLS
    )
    yield from _only_when_wrong()


def _only_when_wrong() -> Iterator[Line]:
    """Lines that are there only when something is not as it should be."""
    root, database = Path(settings.DATA.root), settings.DATA.database
    found = [
        precautions.key_change_line(_key_count()),
        precautions.database_file_line(root.stat().st_mode, _mode_of(database), f"{database}*"),
        precautions.log_line(_size_of(Path(f"{database}-wal"))),
        precautions.runtime_line(sys.version_info[:3], sqlite3.sqlite_version_info),
    ]
    yield from (line for line in found if line is not None)


def lines_are_readable(lines: list[Line]) -> bool:
    """True when the tables are there to be asked."""
    good = {"schema": (Level.OK,), "database": (Level.OK, Level.WARN)}
    return all(line.level in good[line.key] for line in lines if line.key in good)


def version_line() -> Line:
    """What runs here."""
    facts = {"fumibako": fumibako.__version__, "python": platform.python_version(), "django": django.__version__}
    words = f"ふみばこ {facts['fumibako']}(Python {facts['python']}、Django {facts['django']})。"
    return Line("version", "版", Level.OK, words, "", facts)


def _database_line(*, is_thorough: bool) -> Line:
    try:
        found = durability.examine()
        damage = durability.quick_check() if is_thorough else ""
    except DatabaseError as trouble:
        return database_line("データベース", (), str(trouble), {})
    facts: dict[str, Any] = {"engine": found.engine, "version": found.version, "file_system": found.file_system}
    facts |= found.settings
    if found.engine != "sqlite":
        return database_line(f"PostgreSQL {found.version}", found.problems, damage, facts)
    facts["is_bundled"] = settings.SQLITE.is_bundled
    title, mode = precautions.engine_words(settings.SQLITE), durability.judge_mode(found)
    if mode and not (found.problems or damage) and _size_of(settings.DATA.database):
        # Nothing is lost that way either; the next start of `serve` puts it right.
        return Line("database", "データベース", Level.WARN, f"{title}。{mode}", precautions.START_AGAIN, facts)
    return database_line(title, found.problems, damage, facts)


def _key_trouble() -> str:
    try:
        data_folder.read_key(settings.DATA)
    except data_folder.UnsafeFolder as trouble:
        return str(trouble)
    except OSError as trouble:
        return f"鍵ファイルを読めません({trouble.strerror})。"
    return ""


def _key_count() -> int:
    try:
        return len(data_folder.read_keys(settings.DATA))
    except (data_folder.UnsafeFolder, OSError):
        return 1


def _mode_of(path: Path) -> int | None:
    """What anybody may do to the database or to what SQLite keeps beside it."""
    modes = 0
    for ending in ("", *durability.COMPANIONS):
        with suppress(OSError):
            modes |= os.stat(f"{path}{ending}").st_mode
    return modes or None


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def precaution_lines(now: datetime) -> Iterator[Line]:
    """Hold, backups, the shared folder: what the records tell about how safe they are."""
    yield precautions.hold_line(outbound_hold())
    times = AuditEvent.objects.order_by("pk").values_list("at", flat=True)
    if not office().is_practice:
        yield precautions.backup_line(times.filter(action="office.backed_up").last(), times.first(), now)
    root = office().mail_share_root
    share = precautions.share_line(root, _mode_of(Path(root)) if root else None)
    if share is not None:
        yield share


def work_lines(now: datetime) -> Iterator[Line]:
    """Worker, clock, practice mode: how the work goes."""
    yield worker_line(worker_seen_at(), waiting_count(), now)
    latest = AuditEvent.objects.order_by("-pk").values_list("at", flat=True).first()
    yield clock_line(now, latest)
    if office().is_practice:
        yield Line("practice", "練習モード", Level.OK, "練習モードです。メールは社外に送られません。")


def account_lines(operator: Operator | None, now: datetime) -> Iterator[Line]:
    """What each account that this operator may use can do: one line for sending, one for receiving."""
    known = MailAccount.objects.all() if operator is None else _accounts_of(operator)
    accounts = list(known.order_by("account_no"))
    paces = {pace.account_id: pace for pace in Pace.objects.filter(account__in=accounts)}
    receiving = {line.key: line for line in receive_lines(accounts, now)}
    for account in accounts:
        yield account_line(account, paces.get(account.pk), now)
        if line := receiving.get(f"receive:{account.account_no}"):
            yield line


def _accounts_of(operator: Operator) -> QuerySet[MailAccount]:
    if operator.is_administrator:
        return MailAccount.objects.all()
    uses: tuple[Use, ...] = ("send", "view", "configure")
    ids = {pk for use in uses for pk in usable_accounts(operator, use).values_list("pk", flat=True)}
    return MailAccount.objects.filter(pk__in=ids)


def account_line(account: MailAccount, pace: Pace | None, now: datetime) -> Line:
    """Whether one account can send, in words."""
    key, name = f"account:{account.account_no}", f"アカウント {account.account_no} {account.name}"
    trouble = _password_trouble(account)
    if trouble:
        return Line(key, name, Level.BAD, trouble, "メールアカウント設定で、パスワードを登録してください。")
    if not account.smtp_host:
        return Line(key, name, Level.OK, "受信だけのアカウントです。")
    if pace is not None and pace.stopped_at is not None:
        reason = stop_reason(pace.stop_kind, pace.stop_text, account)
        facts = {"stopped_at": pace.stopped_at.isoformat(), "stop_kind": pace.stop_kind}
        advice = "原因を直して登録すると、続きから送ります。"
        return Line(key, name, Level.BAD, f"送信を止めています。{reason}", advice, facts)
    if pace is not None and pace.next_slot_at is not None and pace.next_slot_at - now > timedelta(0):
        facts = {"next_slot_at": pace.next_slot_at.isoformat(), "wait_cause": pace.wait_cause}
        words = WAIT_WORDS.get(pace.wait_cause, "{at} まで待っています。").format(at=clock(pace.next_slot_at, now))
        level = Level.WARN if pace.wait_cause in ("trouble", "push_back") else Level.OK
        return Line(key, name, level, words, "", facts)
    return Line(key, name, Level.OK, "送信できます。")


def _password_trouble(account: MailAccount) -> str:
    needs_password = account.receive_enabled or (bool(account.smtp_host) and account.smtp_auth)
    if needs_password and account.password_sealed is None:
        return "パスワードが登録されていません。"
    try:
        password_of(account)
    except SecretLost:
        return "登録済みのパスワードを読み取れません(鍵ファイルが違います)。"
    return ""
