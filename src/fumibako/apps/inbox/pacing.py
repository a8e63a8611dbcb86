"""When an account is received from, and how a run that went wrong is followed: waiting longer, or for a person."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.office.models import Operator
from fumibako.delivery.outcome import Stage
from fumibako.services.trouble import CERTIFICATE_KINDS, TroubleKind

from .locking import name_of
from .models import FetchRequest, FetchRun, Reception

WAITS = (1, 5, 15, 30, 60)
"""Minutes after the first, second … run in a row that failed."""
LOGINS_PER_HOUR = 3
"""While receiving fails: a provider locks the account of whoever keeps knocking."""
HOUR = timedelta(hours=1)
NEEDS_A_PERSON = frozenset(
    {
        *CERTIFICATE_KINDS,
        TroubleKind.POP_LOGIN_REFUSED,
        TroubleKind.PASSWORD_LOGIN_DISABLED,
        TroubleKind.ENCRYPTION_REQUIRED,
        TroubleKind.MECHANISM_MISSING,
        TroubleKind.STARTTLS_MISSING,
        TroubleKind.PLAIN_ON_SSL,
        TroubleKind.SSL_ON_PLAIN,
        TroubleKind.TLS_TOO_OLD,
        TroubleKind.INJECTED_PLAINTEXT,
        TroubleKind.NOT_LOOPBACK,
        "settings_broken",
    }
)
"""Trouble that trying again does not heal: receiving stops until the settings change or somebody says so."""
NOTHING_TRIED = frozenset({"resting", "on_hold"})
WITH_LOGIN = frozenset({Stage.POP_LOGIN, Stage.POP_LIST, Stage.POP_FETCH, Stage.POP_DELETE, Stage.POP_QUIT})


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one run; the names are those of FetchRun."""

    trouble_kind: str = ""
    trouble_text: str = ""
    trouble_stage: str = ""
    listed_count: int | None = None
    known_count: int = 0
    stored_count: int = 0
    again_count: int = 0
    skipped_count: int = 0
    quarantined_count: int = 0
    deleted_count: int = 0
    is_renumbered: bool = False


def due_accounts(now: datetime) -> list[int]:
    """Accounts that somebody asked for, and those whose time has come."""
    asked = set(FetchRequest.objects.filter(run=None).values_list("account_id", flat=True))
    receiving = MailAccount.objects.filter(receive_enabled=True, fetch_interval_minutes__gt=0).exclude(pop_host="")
    never = Q(reception=None)
    in_time = Q(reception__stopped_at=None) & (Q(reception__next_at=None) | Q(reception__next_at__lte=now))
    # A person saved other settings: that is the answer to a stop, and to waiting.
    renewed = ~Q(reception__trouble_count=0) & ~Q(reception__seen_version=F("version"))
    due = receiving.filter(never | in_time | renewed).values_list("pk", flat=True)
    return sorted(asked | set(due))


def begin(account: MailAccount, operator: Operator | None, now: datetime, *, is_scheduled: bool) -> FetchRun:
    """Open a run, and close what a dead process left open. Call with the account in hand."""
    with transaction.atomic():
        FetchRun.objects.filter(account=account, finished_at=None).update(finished_at=now, trouble_kind="interrupted")
        reception, _ = Reception.objects.get_or_create(account=account)
        if reception.seen_version != account.version:
            _forgive(reception)
            reception.seen_version = account.version
            reception.save()
        run = FetchRun.objects.create(
            account=account,
            started_at=now,
            operator_name="" if is_scheduled else name_of(operator),
            is_scheduled=is_scheduled,
        )
        FetchRequest.objects.filter(account=account, run=None).update(run=run)
    return run


def is_resting(account: MailAccount, now: datetime) -> bool:
    """True when three log-ins went wrong within the hour: nobody, not even by hand, knocks a fourth time."""
    reception = Reception.objects.get(account=account)
    since = max(now - HOUR, reception.forgiven_at) if reception.forgiven_at else now - HOUR
    failed = FetchRun.objects.filter(account=account, has_login=True, started_at__gt=since).exclude(trouble_kind="")
    return reception.trouble_count > 0 and failed.count() >= LOGINS_PER_HOUR


def finish(run: FetchRun, account: MailAccount, came: Came, now: datetime) -> None:
    """Write down what came of a run, and when the next one may be."""
    for name, value in asdict(came).items():
        setattr(run, name, value)
    run.trouble_text = came.trouble_text[:500]
    run.finished_at = now
    run.has_login = not came.trouble_kind or came.trouble_stage in WITH_LOGIN
    with transaction.atomic():
        run.save()
        reception = Reception.objects.select_for_update().get(account=account)
        interval = timedelta(minutes=account.fetch_interval_minutes)
        if not came.trouble_kind:
            _forgive(reception)
            reception.last_success_at = now
            reception.next_at = now + interval
        elif came.trouble_kind in NOTHING_TRIED:
            reception.next_at = now + max(interval, timedelta(minutes=WAITS[-1]))
        else:
            _note_trouble(reception, came, now)
        reception.save()


def allow(account: MailAccount, now: datetime) -> str:
    """A person says: go on. Returns what it was stopped for."""
    with transaction.atomic():
        reception, _ = Reception.objects.select_for_update().get_or_create(account=account)
        before = reception.trouble_kind
        _forgive(reception)
        reception.next_at, reception.forgiven_at = None, now
        reception.save()
    return before


def _note_trouble(reception: Reception, came: Came, now: datetime) -> None:
    reception.trouble_count += 1
    reception.failing_since_at = reception.failing_since_at or now
    reception.trouble_kind = came.trouble_kind
    reception.trouble_text = came.trouble_text[:500]
    reception.trouble_stage = came.trouble_stage
    wait = timedelta(minutes=WAITS[min(reception.trouble_count, len(WAITS)) - 1])
    reception.next_at = now + wait
    if came.trouble_kind in NEEDS_A_PERSON:
        reception.stopped_at = now


def _forgive(reception: Reception) -> None:
    reception.trouble_count = 0
    reception.failing_since_at = reception.stopped_at = None
    reception.trouble_kind = reception.trouble_text = reception.trouble_stage = ""
