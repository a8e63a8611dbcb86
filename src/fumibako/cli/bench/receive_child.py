"""One run of receiving, in a process of its own: when it ends, every mail is kept, read and can be found."""

from __future__ import annotations

import argparse
import gc
import os
import resource
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from fumibako.cli.bench.dovecot import PASSWORD, USER

if TYPE_CHECKING:
    from fumibako.apps.accounts.models import MailAccount

LOOK_SECONDS = 0.01


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where from, and how."""
    parser.add_argument("mails", type=int)
    parser.add_argument("port", type=int)
    parser.add_argument("--pin", default="", metavar="SHA256")
    parser.add_argument("--delete", action="store_true")
    parser.add_argument("--profile", default="", metavar="FILE")


def run(args: argparse.Namespace) -> int:
    """Receive everything; print one line."""
    from fumibako.cli.starting import open_database, start_django

    start_django()
    open_database()
    from django.conf import settings

    from fumibako import logs
    from fumibako.apps.inbox import work
    from fumibako.apps.inbox.reader.pool import POOL
    from fumibako.cli.bench import office
    from fumibako.cli.bench.measured import peak_mb, show, surroundings

    logs.set_up("bench", settings.DATA.logs)
    account = _account(args)
    gc.freeze()  # as a worker does
    before, begun_at = _used(), time.monotonic()
    with ExitStack() as stack:
        if args.profile:
            stack.enter_context(_profiled(args.profile))
        fetched_at, cpu_fetching = _receive(account, work)
    seconds = time.monotonic() - begun_at
    POOL.close()
    cpu = [now - then for now, then in zip(_used(), before, strict=True)]
    show(
        seconds=round(seconds, 3),
        rate=round(args.mails / seconds, 1),
        fetch_seconds=round(fetched_at - begun_at, 3),
        cpu_seconds=round(sum(cpu), 3),
        cpu_seconds_fetching=round(cpu_fetching, 3),
        cpu_seconds_writing=round(cpu[0] - cpu_fetching, 3),
        cpu_seconds_reading=round(cpu[1], 3),
        synced="files, folders, rows",
        peak_rss_mb=peak_mb(),
        peak_rss_mb_reading=round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1),
        **_found(args.mails),
        settings=surroundings() | office.database_facts(),
    )
    return 0


def _receive(account: MailAccount, work: Any) -> tuple[float, float]:
    """Fetch in one thread and read in this one, as the worker's sweep does.

    Returns when fetching ended, and the processor seconds of its thread, without those that sync files for it.
    """
    ended: list[tuple[float, float]] = []
    fetching = threading.Thread(target=_as_thread(lambda: work.fetch_account(account.pk), ended))
    fetching.start()
    while fetching.is_alive():
        if not work.read_waiting():
            time.sleep(LOOK_SECONDS)
    fetching.join()
    while work.read_waiting():
        pass
    return ended[0]


def _as_thread(fetch: Callable[[], object], ended: list[tuple[float, float]]) -> Callable[[], None]:
    def whole() -> None:
        from django.db import connection

        try:
            fetch()
        finally:
            ended.append((time.monotonic(), time.thread_time()))
            connection.close()

    return whole


def _found(wanted: int) -> dict[str, Any]:
    """What is there at the end. Raises RuntimeError when anything is missing: such a run measures nothing."""
    from django.conf import settings

    from fumibako.apps.inbox.models import FetchRun, ReceivedMail
    from fumibako.apps.inbox.queries import Conditions, search

    run = FetchRun.objects.latest("id")
    read = ReceivedMail.objects.filter(reading=ReceivedMail.Reading.READ).count()
    files = sum(1 for _, _, names in os.walk(settings.DATA.mail) for name in names if name.endswith(".eml"))
    findable = search(None, Conditions(words="管理番号")).count()
    if not read == files == findable == wanted:
        raise RuntimeError(f"{wanted} wanted, {read} read, {files} files, {findable} found: {run.trouble_text}")
    return {"read": read, "files": files, "findable": findable}


def _account(args: argparse.Namespace) -> MailAccount:
    from fumibako.apps.accounts.models import MailAccount
    from fumibako.apps.accounts.secrets import seal

    account = MailAccount.objects.create(
        account_no=1,
        name="測定",
        receive_enabled=True,
        pop_host="127.0.0.1",
        pop_port=args.port,
        pop_tls=bool(args.pin),
        pop_pinned_sha256=args.pin,
        user_id=USER,
        from_address="desk@example.jp",
        delete_after_receive=args.delete,
    )
    account.password_sealed = seal(account.pk, "password", PASSWORD)
    account.save()
    return account


def _used() -> tuple[float, float]:
    """Processor seconds of this process, and of children that have ended."""
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return found[0].ru_utime + found[0].ru_stime, found[1].ru_utime + found[1].ru_stime


def _profiled(file: str) -> Any:
    """The thread that reads and writes down what was read; the one that fetches is seen as waiting only."""
    import cProfile

    stack = ExitStack()
    profile = cProfile.Profile()
    stack.callback(profile.dump_stats, file)
    stack.enter_context(profile)
    return stack
