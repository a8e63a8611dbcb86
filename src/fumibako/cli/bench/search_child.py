"""The pages of a desk after many years, asked for as a browser asks, in a process of its own."""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Mapping
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
    "one large send, the page after it": "/sent/{big}/?page=1001&near=1000-1-{late_row}",
    "one large send, failures": "/sent/{big}/?result=failed",
    "one large send, by name": "/sent/{big}/?q=髙橋",
    "sends": "/bulk/",
    "error mails": "/bounces/",
    "error mails to settle": "/bounces/unmatched/",
    "staff": "/staff/",
    "staff, by kana": "/staff/?sort=kana",
    "staff, a late page": "/staff/?page=300",
    "staff, the page after it": "/staff/?page=301&near=300-1-{late_person}",
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
    begun_at = time.monotonic()
    found = _measured(client, pages, args.rounds)
    slowest, dearest = (max(found, key=lambda name: found[name][kind]) for kind in ("p95_ms", "cpu_p95_ms"))
    show(
        pages=found,
        rounds=args.rounds,
        measuring_seconds=round(time.monotonic() - begun_at, 1),
        slowest=slowest,
        p95_ms=found[slowest]["p95_ms"],
        dearest=dearest,
        cpu_p95_ms=found[dearest]["cpu_p95_ms"],
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
    from fumibako.apps.recipients.models import Recipient
    from fumibako.apps.sending.models import BulkSend, Delivery

    middle, early = (ReceivedMail.objects.get(number=number) for number in (max(1, mails // 2), max(1, mails // 10)))
    big = BulkSend.objects.order_by("-selected_count").values_list("number", flat=True)[0]
    newest = BulkSend.objects.order_by("-number").values_list("number", flat=True)[0]
    rows, people = Delivery.objects.filter(job__number=big).order_by("seq"), Recipient.objects.order_by("number")
    found = {
        "middle": middle.number,
        "middle_key": middle.sort_key,
        "early_key": early.sort_key,
        "big": big,
        "newest": newest,
        "late_row": rows.values_list("pk", flat=True)[49_999:].first(),
        "late_person": people.values_list("pk", flat=True)[14_999:].first(),
    }
    return {name: url.format(**found) for name, url in PAGES.items()}


def _measured(client: Any, pages: Mapping[str, str], rounds: int) -> dict[str, dict[str, Any]]:
    """Every page once to count its queries, then all of them in turns: no page finds only what it just left behind."""
    from django.db import connection

    facts = {name: _looked_at(client, url) for name, url in pages.items()}
    # As in `web.wsgi`, and with a connection of its own for every page.
    gc.collect()
    gc.freeze()
    times: dict[str, list[float]] = {name: [] for name in pages}
    cpu: dict[str, list[float]] = {name: [] for name in pages}
    for _ in range(rounds):
        for name, url in pages.items():
            begun_at, spent = time.perf_counter(), time.process_time()
            client.get(url)
            connection.close()
            times[name].append((time.perf_counter() - begun_at) * 1000)
            cpu[name].append((time.process_time() - spent) * 1000)
    for name in pages:
        facts[name] |= {"p50_ms": _at(times[name], 50), "p95_ms": _at(times[name], 95), "max_ms": _at(times[name], 100)}
        facts[name] |= {"cpu_p50_ms": _at(cpu[name], 50), "cpu_p95_ms": _at(cpu[name], 95)}
    return facts


def _looked_at(client: Any, url: str) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
        count = len(queries)
    if answer.status_code != 200:
        raise RuntimeError(f"{url}: {answer.status_code}")
    return {"queries": count, "octets": len(answer.content)}


def _at(values: list[float], percent: int) -> float:
    """The least value that so many of a hundred do not exceed."""
    return round(sorted(values)[-(-len(values) * percent // 100) - 1], 1)
