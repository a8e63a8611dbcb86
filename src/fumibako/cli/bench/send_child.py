"""One run of the sending engine with its full ledger, in a process of its own."""

from __future__ import annotations

import argparse
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What happens beside it."""
    parser.add_argument("--reader", action="store_true")
    parser.add_argument("--profile", default="", metavar="FILE")


@contextmanager
def reading() -> Iterator[dict[str, float]]:
    """Somebody downloads the results over and over, slowly, while mails are sent (D07); what came of it, at the end."""
    from fumibako.cli.bench.measured import data_words

    found: dict[str, float] = {}
    with subprocess.Popen([*data_words(), "bench", "_read"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield found
        said, _ = process.communicate(b"")
        found |= json.loads(said.splitlines()[-1])


def run(args: argparse.Namespace) -> int:
    """Release what was approved, and send until nothing is left; print one line."""
    from fumibako.cli.starting import open_database, start_django

    start_django()
    open_database()
    from django.conf import settings
    from django.utils import timezone

    from fumibako import logs
    from fumibako.apps.sending.models import BulkSend, Delivery
    from fumibako.apps.sending.work import leave_what_is_there, send_account, tidy_up
    from fumibako.apps.sending.workers import enlist, retire
    from fumibako.cli.bench import office
    from fumibako.cli.bench.cluster import ServerStopwatch
    from fumibako.cli.bench.measured import Stopwatch, profiled, show, surroundings

    logs.set_up("bench", settings.DATA.logs)
    job = BulkSend.objects.get()
    tidy_up(timezone.now())
    worker_id, lock = enlist(timezone.now())
    leave_what_is_there()
    beside: AbstractContextManager[dict[str, float]] = reading() if args.reader else nullcontext({})
    with beside as read:
        server, watch = ServerStopwatch(), Stopwatch()
        wait = profiled(args.profile, lambda: send_account(int(job.account_id or 0), worker_id, threading.Event()))
        facts = watch.facts(job.selected_count) | server.facts(job.selected_count)
    retire(worker_id, lock, timezone.now())
    states = {state: Delivery.objects.filter(state=state).count() for state in ("sent", "unknown", "failed", "queued")}
    found = surroundings() | office.database_facts()
    show(
        **facts,
        **read,
        wait=wait.cause,
        states=states,
        octets=Delivery.objects.values_list("size", flat=True).first(),
        settings=found,
    )
    return 0
