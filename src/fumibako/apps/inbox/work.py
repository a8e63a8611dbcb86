"""What a worker does for received mail: fetches what is due, account by account, reads what came, makes the copies.

Held beside sending in the same process (`beside`); one account's trouble never stops another. Nothing is deleted on a
server before its bytes are durable here.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.conf import settings
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.routes import pop_route
from fumibako.apps.office.models import Operator
from fumibako.apps.office.queries import office, outbound_hold
from fumibako.apps.sending.workers import locked_file
from fumibako.background.port import Background, Beside
from fumibako.mime.bounce import head_is_bounce
from fumibako.services.collector import SIZE_CAP, Collected, PopRoute, Rule, Surroundings, collect
from fumibako.services.mail_store import NotDurable

from . import pacing
from .actions.keeping import Mailbox
from .actions.reading import Reading, request_of, take_readings
from .copies import has_due_copies, make_due_copies
from .models import FetchRequest, FetchRun, ReceivedMail
from .pacing import Came
from .reader.pool import POOL, Answer, NoReader, Reader, Request
from .sweeping import forget_rows, sweep_orphans

log = structlog.get_logger("fumibako.inbox")

SWEEP_SECONDS = 1.0
BATCH = 200
"""Mails that a child is asked about at once, and whose facts are one transaction."""
BATCH_OCTETS = 8 * 1024 * 1024
"""A batch of larger mails ends sooner: all that was read of it is held at once."""
ASKED = ("raw_path", "charset_override", "raw_size")
"""All that must be known of a mail before it is read."""
READERS = 2
SWEPT_EVERY = timedelta(days=1)
NO_READER_WAIT = timedelta(minutes=1)


def _route_of(account: MailAccount) -> PopRoute:
    return pop_route(account, office())


@dataclass(frozen=True, slots=True)
class Around:
    """The world around receiving: its clock, where accounts lead, what the engine stands on."""

    now: Callable[[], datetime] = timezone.now
    route_of: Callable[[MailAccount], PopRoute] = _route_of
    engine: Surroundings | None = None
    size_cap: int = SIZE_CAP


AROUND = Around()


def fetch_account(
    account_id: int, operator: Operator | None = None, *, is_scheduled: bool = False, around: Around = AROUND
) -> FetchRun | None:
    """Receive for one account, from connecting to QUIT; None when somebody else is at it, or the database is busy.

    Never raises for what server, network, disk or database do: that is the run's trouble.
    """
    with locked_file(settings.DATA.run / f"fetch-{account_id}.lock") as is_mine:
        if not is_mine:
            return None
        account = MailAccount.objects.get(pk=account_id)
        try:
            run = pacing.begin(account, operator, around.now(), is_scheduled=is_scheduled)
        except OperationalError as error:
            log.error("run_not_begun", account=account_id, error=error)
            return None
        why_not = "on_hold" if outbound_hold() else "resting" if pacing.is_resting(account, around.now()) else ""
        came = Came(trouble_kind=why_not) if why_not else _collect(account, run, operator, around)
        try:
            pacing.finish(run, account, came, around.now())
        except OperationalError as error:
            # The result is lost, the mails are not: the next run finds this one unfinished.
            log.error("run_unrecorded", account=account_id, error=error)
        return run


def _collect(account: MailAccount, run: FetchRun, operator: Operator | None, around: Around) -> Came:
    try:
        rule = Rule(
            delete_after_receive=account.delete_after_receive,
            bounce_only=account.bounce_only,
            size_cap=around.size_cap,
            is_error_mail=head_is_bounce,
            is_whole_error_mail=_is_error_mail,
        )
        mailbox = Mailbox(account, rule, run, operator, around.now)
        collected = collect(around.route_of(account), rule, mailbox, mailbox, around.engine)
    except OperationalError as error:
        return _broken(account, "disk_full" if "full" in str(error) else "database_busy", error)
    except (OSError, NotDurable, DatabaseError) as error:
        # Nothing was deleted, and the next run writes new files: it does not ask twice about the same ones (D03).
        is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        return _broken(account, "disk_full" if is_full else "store_failed", error)
    except Exception as error:  # boundary: settings that lead nowhere stop their own account, nothing else
        return _broken(account, "settings_broken", error)
    return _came_of(collected)


def _is_error_mail(raw: bytes) -> bool:
    """Judge a whole mail, in a child like every reading. One that cannot be judged is received: it is not lost."""
    with POOL.reader() as reader:
        answer = reader.ask([Request(do="kind", raw=raw)])[0]
    return answer.facts.get("kind", "bounce") not in ("ordinary", "auto_reply", "receipt")


def _broken(account: MailAccount, kind: str, error: Exception) -> Came:
    log.error("fetch_broken", account=account.pk, kind=kind, error=error)
    return Came(trouble_kind=kind)


def _came_of(collected: Collected) -> Came:
    trouble = collected.trouble
    return Came(
        trouble_kind=str(trouble.kind) if trouble else "",
        trouble_text=trouble.text if trouble else "",
        trouble_stage=str(trouble.stage) if trouble else "",
        listed_count=collected.listed_count,
        known_count=collected.known_count,
        stored_count=collected.stored_count,
        again_count=collected.again_count,
        skipped_count=collected.skipped_count,
        quarantined_count=collected.failed_count,
        deleted_count=collected.deleted_count,
        is_renumbered=collected.is_renumbered,
    )


def read_waiting(stop: threading.Event | None = None) -> int:
    """Read everything that waits, in a few children side by side; return how many were taken up.

    One process at a time does this; another one finds nothing to do.
    """
    with locked_file(settings.DATA.run / "read.lock") as is_mine:
        if not is_mine:
            return 0
        line = _Line(stop or threading.Event())
        batches = [batch for _ in range(READERS) if (batch := line.next())]
        if not batches:
            return 0
        others = [threading.Thread(target=line.run_aside, args=[batch], name="read-mails") for batch in batches[1:]]
        for thread in others:
            thread.start()
        try:
            line.run(batches[0])
        finally:
            for thread in others:
                thread.join()
        return line.count


class _Line:
    """The mails that wait, oldest first, dealt out to several readers."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._guard = threading.Lock()
        self._last_id = 0
        self.count = 0

    def run(self, batch: list[ReceivedMail]) -> None:
        """Read this batch, and on until nothing new waits."""
        with POOL.reader() as reader:
            while batch and not self._stop.is_set():
                following = self.next()
                self._read(reader, batch, following)
                batch = following

    def run_aside(self, batch: list[ReceivedMail]) -> None:
        """`run` as the whole life of a thread."""
        try:
            self.run(batch)
        except Exception as error:  # boundary: one reader may fail without the others
            log.error("reader_failed", error=error)
        finally:
            connection.close()

    def next(self) -> list[ReceivedMail]:
        """Take the next batch; it is given to nobody else."""
        with self._guard:
            waiting = ReceivedMail.objects.filter(reading=ReceivedMail.Reading.WAITING, pk__gt=self._last_id)
            batch = _light(waiting.only(*ASKED).order_by("pk")[:BATCH])
            if batch:
                self._last_id = batch[-1].pk
                self.count += len(batch)
            return batch

    def _read(self, reader: Reader, batch: list[ReceivedMail], following: list[ReceivedMail]) -> None:
        answers = reader.ask(*([request_of(mail) for mail in mails] for mails in (batch, following)))
        take_readings([Reading(mail, answer) for mail, answer in zip(batch, answers, strict=True)])
        left = ReceivedMail.objects.filter(pk__in=[mail.pk for mail in batch], reading=ReceivedMail.Reading.WAITING)
        for mail in left:
            _insist(mail)


def _light(mails: Iterable[ReceivedMail]) -> list[ReceivedMail]:
    """The first of these mails, at least one, that are not too much together."""
    found: list[ReceivedMail] = []
    size = 0
    for mail in mails:
        size += mail.raw_size
        if found and size > BATCH_OCTETS:
            break
        found.append(mail)
    return found


def _insist(mail: ReceivedMail) -> None:
    """Try a mail that broke its reader, or what follows reading, again, alone, until it is read or 解析不能."""
    with POOL.reader() as reader:
        while ReceivedMail.objects.filter(pk=mail.pk, reading=ReceivedMail.Reading.WAITING).exists():
            answer: Answer = reader.ask([request_of(mail)])[0]
            take_readings([Reading(mail, answer)])


def fetch_due(now: datetime) -> list[int]:
    """Accounts to receive for now: asked for, or their time has come."""
    return pacing.due_accounts(now)


class Receiver:
    """The receiving side of one worker: its sweep, once a second. Losing a round loses nothing."""

    def __init__(self, background: Background, stop: threading.Event, around: Around = AROUND) -> None:
        self._background = background
        self._stop = stop
        self._around = around
        self._swept_at: datetime | None = None
        self._read_from: datetime | None = None

    def sweep(self) -> None:
        """Begin whatever is due, each in a thread of its own."""
        now = self._around.now()
        # A restored or copied data folder fetches nothing until an administrator releases it (D18, D19).
        for account_id in [] if outbound_hold() else fetch_due(now):
            if self._stop.is_set():
                return
            self._background.run(f"fetch-{account_id}", partial(self._fetch, account_id))
        is_waiting = ReceivedMail.objects.filter(reading=ReceivedMail.Reading.WAITING).exists()
        if is_waiting and (self._read_from is None or now >= self._read_from):
            self._background.run("read-mails", self._read)
        if has_due_copies(now):
            self._background.run("share-copies", partial(make_due_copies, now))
        if self._swept_at is None or now - self._swept_at >= SWEPT_EVERY:
            self._swept_at = now
            self._background.run("sweep-orphans", partial(sweep_orphans, now))
            self._background.run("forget-rows", partial(forget_rows, now))

    def _fetch(self, account_id: int) -> None:
        request = FetchRequest.objects.filter(account=account_id, run=None).select_related("operator").first()
        run = fetch_account(
            account_id, request.operator if request else None, is_scheduled=request is None, around=self._around
        )
        log.info("fetched", account=account_id, is_mine=run is not None)

    def _read(self) -> None:
        try:
            read_waiting(self._stop)
        except NoReader as error:
            # Our own trouble (no memory for a child, a broken installation): the mails wait, and so do we.
            self._read_from = self._around.now() + NO_READER_WAIT
            log.error("no_reader", error=error)


def beside(around: Around = AROUND) -> Beside:
    """What `apps.sending.work.run_worker` runs beside sending."""
    return lambda background, stop: Receiver(background, stop, around).sweep
