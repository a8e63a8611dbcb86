"""`fetch`: one receive run now, in this process, for one account or for all that are received from."""

from __future__ import annotations

import argparse
import threading
import time

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox.actions import FetchResult, result_of_run
from fumibako.apps.inbox.labels import fetch_trouble_text
from fumibako.apps.inbox.models import FetchRun, ReceivedMail
from fumibako.apps.inbox.work import fetch_account, read_waiting
from fumibako.cli.printing import tell
from fumibako.cli.refused import Refused

LONGEST_SECONDS = 60.0
"""How long a worker that has the account, or reads its mails, is waited for."""
LOOK_SECONDS = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `fetch` takes."""
    parser.add_argument("--account", type=int, metavar="NO", help="メールアカウントNO(省略すると受信の対象すべて)")


def run(args: argparse.Namespace) -> int:
    """Receive, read, and print one line per account; 1 when any of them had trouble."""
    results = [_fetch(account) for account in _accounts(args.account)]
    for result in results:
        tell(args, result_facts(result), _words(result))
    return 1 if any(result.trouble_kind for result in results) else 0


def result_facts(result: FetchResult) -> dict[str, object]:
    """One account's run as one JSON object."""
    return {
        "account": result.account.account_no,
        "listed": result.listed_count,
        "stored": result.stored_count,
        "skipped": result.skipped_count,
        "quarantined": result.quarantined_count,
        "deleted": result.deleted_count,
        "bounces": result.bounce_count,
        "trouble": result.trouble_kind,
        "trouble_stage": result.trouble_stage,
        "trouble_text": result.trouble_text,
    }


def _accounts(number: int | None) -> list[MailAccount]:
    receiving = MailAccount.objects.filter(receive_enabled=True).exclude(pop_host="")
    if number is None:
        return list(receiving)
    found = receiving.filter(account_no=number).first()
    if found is None:
        raise Refused(f"メールアカウントNO {number} は、受信の対象ではありません。「account list」で確認してください。")
    return [found]


def _fetch(account: MailAccount) -> FetchResult:
    until = time.monotonic() + LONGEST_SECONDS
    pause = threading.Event()
    while (done := fetch_account(account.pk)) is None:
        if time.monotonic() > until:
            return FetchResult(account, trouble_kind="in_other_hands")
        pause.wait(LOOK_SECONDS)
    _read(done, until)
    return result_of_run(done)


def _read(done: FetchRun, until: float) -> None:
    """Read what came. Where a worker is at it already, wait for it."""
    pause = threading.Event()
    waiting = ReceivedMail.objects.filter(run=done, reading=ReceivedMail.Reading.WAITING)
    read_waiting()
    while waiting.exists() and time.monotonic() < until:
        pause.wait(LOOK_SECONDS)
        read_waiting()


def _words(result: FetchResult) -> str:
    account = f"NO {result.account.account_no} {result.account.name}"
    if result.trouble_kind:
        words = fetch_trouble_text(result.account, result.trouble_kind)
        return f"{account}\t{words.text} {words.next_step}".rstrip()
    return (
        f"{account}\tサーバー {result.listed_count:,}通\t保存 {result.stored_count:,}\t対象外 {result.skipped_count:,}"
        f"\t取得不能 {result.quarantined_count:,}\t削除 {result.deleted_count:,}\tエラーメール {result.bounce_count:,}"
    )
