"""What a worker does: sends what is due, account by account, and sweeps once a second."""

from __future__ import annotations

import gc
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import connection

from fumibako.apps.office import durability
from fumibako.apps.office.queries import outbound_hold
from fumibako.background.embedded import Embedded
from fumibako.background.port import Beside

from . import ledger, pacing, workers
from .working.around import AROUND, Around
from .working.books import is_failed_sync
from .working.fleet import Fleet

__all__ = ["AROUND", "Around", "Desk", "Fleet", "run_worker", "send_account", "tidy_up"]

log = structlog.get_logger("fumibako.sending")

SWEEP_SECONDS = 1.0
BEAT = timedelta(seconds=10)


def send_account(account_id: int, worker_id: str, stop: threading.Event, around: Around = AROUND) -> ledger.Wait:
    """Send what is due for one account, over as many connections as it allows, until there is something to wait for."""
    with workers.account_in_hand(account_id) as is_mine:
        if not is_mine:
            return ledger.Wait("in_other_hands")
        wait = ledger.outlook(account_id, around.now())
        if wait is not None:
            return wait
        return Fleet(account_id, worker_id, stop, around).run()


class Desk:
    """One worker: its identity, its sweep, and the accounts it is sending for."""

    def __init__(self, worker_id: str, stop: threading.Event, background: Embedded, around: Around = AROUND) -> None:
        self._worker_id = worker_id
        self._stop = stop
        self._background = background
        self._around = around
        self._beaten_at: datetime | None = None
        self._database = durability.database_file()

    def sweep(self) -> None:
        """One round: whatever a clock or a death makes due. Losing a round loses nothing."""
        if durability.database_file() != self._database:
            # Nothing may be sent from a database that is not the one we began with (D09).
            log.error("database_replaced")
            self._stop.set()
            return
        now = self._around.now()
        if outbound_hold():
            # A restored or copied data folder moves nothing until an administrator releases it (D18, D19).
            workers.beat(self._worker_id, now)
            return
        tidy_up(now)
        if self._beaten_at is None or abs(now - self._beaten_at) >= BEAT:
            workers.beat(self._worker_id, now)
            self._beaten_at = now
        for account_id in ledger.accounts_at_work(now):
            if self._stop.is_set():
                return
            if ledger.outlook(account_id, now) is None:
                self._background.run(f"account-{account_id}", partial(self._send, account_id))

    def _send(self, account_id: int) -> None:
        wait = send_account(account_id, self._worker_id, self._stop, self._around)
        log.info("account_waits", account=account_id, cause=wait.cause)
        if wait.cause == "nothing":
            ledger.finish_jobs(self._around.now())


def tidy_up(now: datetime) -> None:
    """Move everything that needs no sending: releases, deadlines, cancellations, the dead, ends of jobs."""
    reaped = ledger.reap(now)
    if reaped.queued_count or reaped.unknown_count:
        log.warning("reaped", queued=reaped.queued_count, unknown=reaped.unknown_count)
    ledger.release_due(now)
    ledger.expire_due(now)
    ledger.cancel_leftovers(now)
    pacing.forgive_changed_accounts()
    ledger.finish_jobs(now)


def run_worker(stop: threading.Event, around: Around = AROUND, also: Sequence[Beside] = ()) -> None:
    """Be a worker until `stop` is set; then finish what is after the dot, and leave.

    `also` is run beside it, once a second. Raises NotDurable when the database would not keep what is written to it.
    """
    durability.read_back()
    worker_id, lock = workers.enlist(around.now())
    # The connection is looked up by the thread that calls: every one has its own.
    background = Embedded(report=partial(_report, stop), tidy=lambda: connection.close())
    leave_what_is_there()
    try:
        sweeps = (Desk(worker_id, stop, background, around).sweep, *(beside(background, stop) for beside in also))
        for sweep in sweeps:
            background.every(SWEEP_SECONDS, sweep)
        _wait_for(stop)
        background.stop()
    finally:
        workers.retire(worker_id, lock, around.now())


def leave_what_is_there() -> None:
    """Tell the garbage collector that what is there by now stays until the end, and that mails make little garbage.

    Looking through everything again and again would cost more than sending; what a mail needs is freed when it is over.
    """
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


def _wait_for(stop: threading.Event) -> None:
    """Wait so that a signal handler may set `stop` at any moment.

    The kernel may hand a signal to a thread that is not the main one, and only a main thread that wakes runs handlers;
    and a handler must not find the main thread inside the very event it sets. Hence short waits on another event.
    """
    never = threading.Event()
    while not stop.is_set():
        never.wait(0.5)


def _report(stop: threading.Event, name: str, error: BaseException) -> None:
    log.error("work_failed", work=name.partition(" ")[0], error=error)
    if is_failed_sync(error):
        # What this process holds for written may not be (D03): no worker goes on from there.
        log.critical("disk_failed")
        stop.set()
