"""What a worker does: sends what is due, account by account, and sweeps once a second.

One mail is four steps: a live session, `ledger.claim`, `mailer.send`, `ledger.record`. Nothing is claimed without a
logged-in session; nothing is sent inside a transaction; one session carries one burst.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import OperationalError, connection
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.routes import smtp_route
from fumibako.apps.office import durability
from fumibako.apps.office.queries import office, outbound_hold
from fumibako.background.embedded import Embedded
from fumibako.background.port import Beside
from fumibako.delivery.decision import POLICY, UNTOUCHED, Move, Policy, Standing, decide, decide_session
from fumibako.delivery.outcome import Outcome, Scope, Stage, Verdict
from fumibako.delivery.states import Trigger
from fumibako.services.mailer import Envelope, Mailer, SmtpRoute, Trouble, TroubleKind

from . import ledger, pacing, workers
from .build import JobComposer, composer_of
from .errors import AttachmentMissing
from .models import BulkSend

log = structlog.get_logger("fumibako.sending")

SWEEP_SECONDS = 1.0
BEAT = timedelta(seconds=10)
RECORD_AGAIN_SECONDS = 1.0
LASTING = frozenset(
    {
        *(kind for kind in TroubleKind if kind.startswith("certificate_")),
        TroubleKind.NOT_LOOPBACK,
        TroubleKind.PLAIN_ON_SSL,
        TroubleKind.SSL_ON_PLAIN,
        TroubleKind.STARTTLS_MISSING,
        TroubleKind.TLS_TOO_OLD,
        TroubleKind.INJECTED_PLAINTEXT,
        TroubleKind.LOGIN_REFUSED,
        TroubleKind.PASSWORD_LOGIN_DISABLED,
        TroubleKind.ENCRYPTION_REQUIRED,
        TroubleKind.LOGIN_REQUIRED,
        TroubleKind.MECHANISM_MISSING,
        TroubleKind.POP_LOGIN_REFUSED,
        "settings_broken",
    }
)
"""Trouble that trying again does not heal."""


def _route_of(account: MailAccount) -> SmtpRoute:
    return smtp_route(account, office())


def _wait(stop: threading.Event, seconds: float) -> object:
    return stop.wait(seconds)


@dataclass(frozen=True, slots=True)
class Around:
    """The world around the sending loop: its clocks, how it waits, where accounts lead.

    A wait of up to `short_wait` is sat out with the account in hand; for a longer one the sweep comes back.
    """

    now: Callable[[], datetime] = timezone.now
    stopwatch: Callable[[], float] = time.monotonic
    wait: Callable[[threading.Event, float], object] = _wait
    route_of: Callable[[MailAccount], SmtpRoute] = _route_of
    policy: Policy = POLICY
    short_wait: timedelta = timedelta(seconds=3)


AROUND = Around()


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why no session came about."""

    stage: Stage
    code: int
    kind: str
    text: str


class _Stopping(Exception):
    """We were asked to end before the mark: the dot will not be written."""


@dataclass(frozen=True, slots=True)
class _JobHalted(Exception):
    """No mail of this job may leave as it is now: `cause` is the job's pause cause."""

    cause: str
    data: dict[str, object] = field(default_factory=dict)


def send_account(account_id: int, worker_id: str, stop: threading.Event, around: Around = AROUND) -> ledger.Wait:
    """Send what is due for one account, over as many connections as it allows, until there is something to wait for."""
    with workers.account_in_hand(account_id) as is_mine:
        if not is_mine:
            return ledger.Wait("in_other_hands")
        wait = ledger.outlook(account_id, around.now())
        if wait is not None:
            return wait
        line_count = max(1, MailAccount.objects.get(pk=account_id).connections)
        lines = [Line(account_id, worker_id, stop, around) for _ in range(line_count)]
        others = [threading.Thread(target=line.run_aside, name=f"account-{account_id}") for line in lines[1:]]
        for thread in others:
            thread.start()
        try:
            return lines[0].run()
        finally:
            for thread in others:
                thread.join()


class Line:
    """One connection of one account, and the session it has open."""

    def __init__(self, account_id: int, worker_id: str, stop: threading.Event, around: Around = AROUND) -> None:
        self._account_id = account_id
        self._worker_id = worker_id
        self._stop = stop
        self._around = around
        self._mailer: Mailer | None = None
        self._mail_count = 0
        self._composers: dict[int, JobComposer] = {}

    def run(self) -> ledger.Wait:
        """Send mail after mail; return what the account waits for when that takes longer."""
        try:
            while not self._stop.is_set():
                wait = self.send_next()
                if wait is None:
                    continue
                self.close()
                if not self._sit_out(wait):
                    return wait
            return ledger.Wait("stopping")
        finally:
            self.close()

    def run_aside(self) -> None:
        """`run` as the whole life of a thread."""
        try:
            self.run()
        except Exception as error:  # boundary: one connection may fail without the others
            log.error("line_failed", account=self._account_id, error=error)
        finally:
            connection.close()

    def send_next(self) -> ledger.Wait | None:
        """Send one mail; return what to wait for when none may be sent now."""
        mailer = self._live_mailer()
        if isinstance(mailer, ledger.Wait):
            return mailer
        claim = ledger.claim(self._account_id, self._worker_id, self._around.now())
        if isinstance(claim, ledger.Wait):
            return claim
        started = self._around.stopwatch()
        outcome, move = self._attempt(mailer, claim)
        self._record(claim, move, outcome, self._around.stopwatch() - started)
        return None

    def close(self) -> None:
        """End the session with QUIT. Attachments are read and checked again before the next burst (D13, D14)."""
        mailer, self._mailer = self._mailer, None
        self._mail_count = 0
        self._composers.clear()
        if mailer is not None:
            mailer.close()

    def _live_mailer(self) -> Mailer | ledger.Wait:
        """A logged-in session, opened only when there is something to send."""
        if self._mailer is not None and self._mailer.is_alive:
            return self._mailer
        wait = ledger.outlook(self._account_id, self._around.now())
        if wait is not None:
            return wait
        self._mail_count = 0
        seen_count = ledger.trouble_count_of(self._account_id)
        account = MailAccount.objects.get(pk=self._account_id)
        try:
            self._mailer = Mailer(self._around.route_of(account))
            self._mailer.ready()
        except Trouble as trouble:
            log.warning("no_session", account=account.pk, kind=trouble.kind, stage=trouble.stage, code=trouble.code)
            facts = _Trouble(trouble.stage, trouble.code, trouble.kind, trouble.text)
            return self._tell(facts, seen_count)
        except OperationalError:
            raise
        except Exception as error:  # boundary: settings that lead nowhere stop their own account, nothing else
            log.error("no_route", account=account.pk, error=error)
            return self._tell(_Trouble(Stage.NAME, 0, "settings_broken", ""), seen_count)
        return self._mailer

    def _tell(self, trouble: _Trouble, seen_count: int) -> ledger.Wait:
        self._mailer = None
        standing = Standing(trouble_count=seen_count, seed=self._account_id)
        move = decide_session(
            trouble.stage,
            trouble.code,
            trouble.kind,
            standing,
            self._around.policy,
            is_lasting=trouble.kind in LASTING,
        )
        now = self._around.now()
        ledger.note_trouble(self._account_id, move, seen_count=seen_count, now=now, text=trouble.text)
        return ledger.outlook(self._account_id, now) or ledger.Wait("trouble", now)

    def _attempt(self, mailer: Mailer, claim: ledger.Claim) -> tuple[Outcome, Move]:
        try:
            envelope, raw = self._mail_of(claim)
            outcome = mailer.send(envelope, raw, partial(self._mark, claim))
        except _JobHalted as halt:
            ledger.pause_job(claim.job.pk, halt.cause, self._around.now(), {"seq": claim.row.seq, **halt.data})
            return self._step_back(Stage.BUILD, halt.cause)
        except (ledger.LostClaim, _Stopping) as reason:
            return self._step_back(Stage.MARK, type(reason).__name__)
        except _Unbuilt as unbuilt:
            outcome = Outcome(Verdict.REFUSED, Scope.MESSAGE, Stage.BUILD, text=str(unbuilt)[:500])
        except Exception as error:  # boundary: whatever went wrong, the row must not be left in our hands
            log.error("attempt_failed", delivery=claim.row.pk, attempt=claim.row.attempt, error=error)
            verdict = Verdict.UNCERTAIN if claim.is_marked else Verdict.UNREACHABLE
            outcome = Outcome(verdict, Scope.SESSION, Stage.DOT if claim.is_marked else Stage.BODY)
            self.close()
        self._mail_count += 1
        standing = Standing(
            attempt=claim.row.attempt,
            deferred_count=claim.row.deferred_count,
            trouble_count=claim.trouble_count,
            session_mail_count=self._mail_count - 1,
            seed=claim.row.pk * 31 + claim.row.attempt,
        )
        return outcome, decide(outcome, standing, self._around.policy)

    def _mail_of(self, claim: ledger.Claim) -> tuple[Envelope, bytes]:
        composer = self._composer_of(claim.job)
        try:
            raw = composer.compose(claim.row).raw
            envelope = Envelope(composer.envelope_sender, claim.row.wire_address, composer.copies)
        except Exception as error:  # boundary: what is wrong in one row fails that row alone (C14)
            log.error("row_unbuilt", delivery=claim.row.pk, error=error)
            raise _Unbuilt(f"{type(error).__name__}: {error}") from error
        if hashlib.sha256(raw).hexdigest() != claim.row.raw_sha256:
            raise _JobHalted("content_changed")
        return envelope, raw

    def _composer_of(self, job: BulkSend) -> JobComposer:
        if job.pk not in self._composers:
            try:
                self._composers[job.pk] = composer_of(job)
            except AttachmentMissing as missing:
                raise _JobHalted("attachment_missing", {"is_changed": missing.is_changed}) from missing
        return self._composers[job.pk]

    def _mark(self, claim: ledger.Claim) -> None:
        if self._stop.is_set():
            raise _Stopping
        claim.mark(self._around.now())

    def _step_back(self, stage: Stage, text: str) -> tuple[Outcome, Move]:
        outcome = Outcome(Verdict.UNREACHABLE, Scope.MESSAGE, stage, text=text)
        return outcome, Move(Trigger.PUT_BACK, account=UNTOUCHED)

    def _record(self, claim: ledger.Claim, move: Move, outcome: Outcome, seconds: float) -> None:
        """Record, however long the disk is full: what happened after a dot must not be forgotten while we live."""
        spent = seconds if outcome.verdict is Verdict.SENT else None
        while True:
            try:
                state = ledger.record(claim, move, outcome, self._around.now(), seconds=spent)
            except ledger.LostClaim:
                log.warning("claim_lost", delivery=claim.row.pk, attempt=claim.row.attempt, verdict=outcome.verdict)
                return
            except OperationalError as error:
                if "I/O error" in str(error):
                    # A failed sync may have lost pages that a second one reports as safe (D03).
                    raise
                log.error("record_failed", delivery=claim.row.pk, error=error)
                self._around.wait(threading.Event(), RECORD_AGAIN_SECONDS)
            else:
                log.info("mail", delivery=claim.row.pk, attempt=claim.row.attempt, state=state, code=outcome.code)
                return

    def _sit_out(self, wait: ledger.Wait) -> bool:
        """Wait here for what comes soon. Returns False when it is for the sweep to come back."""
        if wait.until is None:
            return False
        rest = wait.until - self._around.now()
        if rest > self._around.short_wait:
            return False
        self._around.wait(self._stop, max(0.0, rest.total_seconds()))
        return True


class _Unbuilt(Exception):
    """One row could not be turned into a mail."""


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
    background = Embedded(report=_report, tidy=lambda: connection.close())
    try:
        sweeps = (Desk(worker_id, stop, background, around).sweep, *(beside(background, stop) for beside in also))
        for sweep in sweeps:
            background.every(SWEEP_SECONDS, sweep)
        _wait_for(stop)
        background.stop()
    finally:
        workers.retire(worker_id, lock, around.now())


def _wait_for(stop: threading.Event) -> None:
    """Wait so that a signal handler may set `stop` at any moment.

    The kernel may hand a signal to a thread that is not the main one, and only a main thread that wakes runs handlers;
    and a handler must not find the main thread inside the very event it sets. Hence short waits on another event.
    """
    never = threading.Event()
    while not stop.is_set():
        never.wait(0.5)


def _report(name: str, error: BaseException) -> None:
    log.error("work_failed", work=name.partition(" ")[0], error=error)
