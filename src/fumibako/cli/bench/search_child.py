"""The pages of a desk after many years, asked for as a browser asks, in a process of its own."""

from __future__ import annotations

import argparse
import time
from typing import Any

PAGES = {
    "home": "/",
    "inbox": "/inbox/",
    "inbox, all days": "/inbox/?p=all",
    "inbox, all mails": "/inbox/?v=all&p=all",
    "inbox, a page in the middle": "/inbox/?v=all&p=all&after={middle_key}",
    "inbox, an early page": "/inbox/?v=all&p=all&after={early_key}",
    "inbox, done": "/inbox/?v=done&p=all",
    "inbox, mine": "/inbox/?v=mine&p=all",
    "inbox, waiting": "/inbox/?v=waiting&p=all",
    "inbox, error mails": "/inbox/?v=bounces&p=all",
    "inbox, unreadable": "/inbox/?v=unreadable&p=all",
    "inbox, one account": "/inbox/?v=all&p=all&a=2",
    "inbox, not linked": "/inbox/?v=all&p=all&linked=no",
    "inbox, with files": "/inbox/?v=all&p=all&attached=1",
    "inbox, unread": "/inbox/?v=all&p=all&unread=1",
    "search 東京": "/inbox/?v=all&p=all&q=東京",
    "search 東京, a page in the middle": "/inbox/?v=all&p=all&q=東京&after={middle_key}",
    "search 東京, open mails": "/inbox/?q=東京",
    "search 東京, my mails": "/inbox/?v=mine&q=東京",
    "search 東京, one account": "/inbox/?v=all&p=all&q=東京&a=2",
    "search 東京, error mails": "/inbox/?v=bounces&q=東京",
    "search 髙橋": "/inbox/?v=all&p=all&q=髙橋",
    "search 髙橋 as sender": "/inbox/?v=all&p=all&sender=髙橋",
    "search an address part": "/inbox/?v=all&p=all&q=p000007@sender",
    "search a common address part": "/inbox/?v=all&p=all&q=sender7",
    "search an address part, open mails": "/inbox/?p=all&q=p000007@sender",
    "search two words": "/inbox/?v=all&p=all&q=東京+交通費",
    "search nothing there": "/inbox/?v=all&p=all&q=見つからない言葉",
    "one mail": "/inbox/{middle}/",
    "history": "/sent/",
    "history, all days": "/sent/?since=",
    "history, by subject": "/sent/?subject=面談",
    "history, by person": "/sent/?recipient=髙橋",
    "history, by address": "/sent/?address=p000007",
    "history, nothing there": "/sent/?address=nobody-at-all",
    "one send": "/sent/{newest}/",
    "one large send": "/sent/{big}/",
    "one large send, a late page": "/sent/{big}/?page=1000",
    "one large send, failures": "/sent/{big}/?result=failed",
    "one large send, by name": "/sent/{big}/?q=髙橋",
    "sends": "/bulk/",
    "error mails": "/bounces/",
    "error mails to settle": "/bounces/unmatched/",
    "staff": "/staff/",
    "staff, by kana": "/staff/?sort=kana",
    "staff, a late page": "/staff/?page=300",
    "staff, by name": "/staff/?name_kana=髙橋",
    "staff, by address": "/staff/?address=p000007",
    "one person": "/staff/000007/",
    "contacts": "/contacts/",
    "follow-ups": "/followups/",
    "status": "/status/",
}
"""Name → address of every page that is measured."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much there is, and how often each page is asked for."""
    parser.add_argument("mails", type=int)
    parser.add_argument("deliveries", type=int)
    parser.add_argument("contacts", type=int)
    parser.add_argument("rounds", type=int)
    parser.add_argument("--only", default="", metavar="TEXT")


def run(args: argparse.Namespace) -> int:
    """Fill the folder unless it is full, ask for every page; print one line with all of them."""
    from fumibako.cli.starting import open_database, start_django

    start_django()
    open_database()
    from django.conf import settings
    from django.test import Client

    from fumibako import logs
    from fumibako.apps.office.models import Operator
    from fumibako.cli.bench import archive, office
    from fumibako.cli.bench.measured import peak_mb, show, surroundings

    logs.set_up("bench", settings.DATA.logs)
    begun_at = time.monotonic()
    operator = Operator.objects.filter(username=archive.NAME).first()
    operator = operator or archive.fill(args.mails, args.deliveries, args.contacts)
    filled = time.monotonic() - begun_at
    client = Client(SERVER_NAME="localhost")
    client.force_login(operator)
    client.get("/")
    pages = {name: url for name, url in _pages(args.mails).items() if args.only in name}
    found = {name: _measured(client, url, args.rounds) for name, url in pages.items()}
    slowest = max(found, key=lambda name: found[name]["p95_ms"])
    show(
        pages=found,
        slowest=slowest,
        p95_ms=found[slowest]["p95_ms"],
        fill_seconds=round(filled, 1),
        database_mb=round(_database_size() / 2**20, 1),
        peak_rss_mb=peak_mb(),
        settings=surroundings() | office.database_facts(),
    )
    return 0


def _database_size() -> int:
    from pathlib import Path

    from django.conf import settings

    file = Path(settings.DATA.database)
    return file.stat().st_size if file.exists() else 0


def _pages(mails: int) -> dict[str, str]:
    from fumibako.apps.inbox.models import ReceivedMail
    from fumibako.apps.sending.models import BulkSend

    middle, early = (ReceivedMail.objects.get(number=number) for number in (max(1, mails // 2), max(1, mails // 10)))
    big = BulkSend.objects.order_by("-selected_count").values_list("number", flat=True)[0]
    newest = BulkSend.objects.order_by("-number").values_list("number", flat=True)[0]
    found = {
        "middle": middle.number,
        "middle_key": middle.sort_key,
        "early_key": early.sort_key,
        "big": big,
        "newest": newest,
    }
    return {name: url.format(**found) for name, url in PAGES.items()}


def _measured(client: Any, url: str, rounds: int) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
        count = len(queries)
    if answer.status_code != 200:
        raise RuntimeError(f"{url}: {answer.status_code}")
    times, cpu = [], []
    for _ in range(rounds):
        begun_at, spent = time.perf_counter(), time.process_time()
        client.get(url)
        times.append((time.perf_counter() - begun_at) * 1000)
        cpu.append((time.process_time() - spent) * 1000)
    facts = {"p50_ms": _at(times, 50), "p95_ms": _at(times, 95), "max_ms": _at(times, 100), "cpu_ms": _at(cpu, 50)}
    return {**facts, "queries": count, "octets": len(answer.content)}


def _at(values: list[float], percent: int) -> float:
    """The value below which so many of a hundred lie."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 1)
