"""動作状況 of receiving: one line per account, with the sum that every mail on the server must be part of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox.reception import FetchStatus, Reconciliation, stands_of
from fumibako.apps.sending.labels import clock
from fumibako.web.status.findings import Level, Line


def receive_lines(accounts: Iterable[MailAccount], now: datetime) -> Iterator[Line]:
    """One line for each account that mail is received from."""
    receiving = [account for account in accounts if account.receive_enabled and account.pop_host]
    for stand in stands_of(receiving):
        yield receive_line(stand.status, stand.sums, now)


def receive_line(status: FetchStatus, sums: Reconciliation, now: datetime) -> Line:
    """How receiving from one account goes: what stands still, what is failing, what does not add up, or that all is
    well."""
    account = status.account
    key, name = f"receive:{account.account_no}", f"受信 {account.account_no} {account.name}"
    facts = facts_of(status, sums)
    if status.is_stopped:
        advice = (
            status.trouble_next_step or "メールアカウント設定を直して登録するか、メール受信で「受信」を押してください。"
        )
        return Line(key, name, Level.BAD, f"受信を止めています。{status.trouble_text}", advice, facts)
    if status.failing_since_at is not None:
        words = f"{clock(status.failing_since_at, now)} から受信できていません。{status.trouble_text}"
        return Line(key, name, Level.WARN, words, status.trouble_next_step or "自動でやり直します。", facts)
    if status.last_success_at is None:
        return Line(key, name, Level.OK, f"まだ受信していません。{_next_words(status, now)}", "", facts)
    words = f"{clock(status.last_success_at, now)} に受信しました。{_next_words(status, now)}{_sum_words(sums)}"
    if not sums.is_balanced:
        advice = "次の受信で合わないときは、受信の記録(ログ)を確認してください。"
        return Line(key, name, Level.WARN, f"{words}合計が合いません。", advice, facts)
    if sums.quarantined:
        advice = "取得不能のメールはサーバーに残っています。提供会社のWebメールで確認してください。"
        return Line(key, name, Level.WARN, words, advice, facts)
    if status.copy_backlog_count:
        words += f"保存先への写し {status.copy_backlog_count:,}件が待っています。"
        return Line(key, name, Level.WARN, words, "メール保存先のフォルダーを開けるか確認してください。", facts)
    return Line(key, name, Level.OK, words, "", facts)


def facts_of(status: FetchStatus, sums: Reconciliation) -> dict[str, object]:
    """The figures for monitoring."""
    return {
        "last_success_at": _iso(status.last_success_at),
        "next_at": _iso(status.next_at),
        "failing_since_at": _iso(status.failing_since_at),
        "trouble_kind": status.trouble_kind,
        "listed": sums.listed,
        "stored": sums.stored,
        "skipped": sums.skipped,
        "quarantined": sums.quarantined,
        "waiting": sums.waiting,
        "copy_backlog_count": status.copy_backlog_count,
    }


def _next_words(status: FetchStatus, now: datetime) -> str:
    if status.open_request is not None:
        return "いま受信しています。"
    return f"次は {clock(status.next_at, now)} です。" if status.next_at else "自動では受信しません。"


def _sum_words(sums: Reconciliation) -> str:
    parts = {"保存済み": sums.stored, "対象外": sums.skipped, "取得不能": sums.quarantined, "取得待ち": sums.waiting}
    told = " + ".join(f"{label} {count:,}" for label, count in parts.items() if count or label == "保存済み")
    return f"サーバーの一覧 {sums.listed:,}通 = {told}。"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
