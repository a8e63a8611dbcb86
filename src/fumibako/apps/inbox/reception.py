"""動作状況 of receiving: when the next run is, what the last one did, and that the server's list adds up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, OuterRef, QuerySet, Subquery

from fumibako.apps.accounts.models import MailAccount
from fumibako.services.collecting.memory import SeenState

from .labels import fetch_trouble_text
from .models import FetchRequest, FetchRun, ReceivedMail, Reception, SeenMail, ShareCopy


@dataclass(frozen=True, slots=True)
class FetchStatus:
    """How receiving for one account stands."""

    account: MailAccount
    last_run: FetchRun | None
    open_request: FetchRequest | None
    next_at: datetime | None
    """None: by hand only, or stopped."""
    is_stopped: bool
    failing_since_at: datetime | None
    trouble_kind: str
    trouble_text: str
    trouble_next_step: str
    last_success_at: datetime | None
    copy_backlog_count: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The server's last complete list = stored + skipped + quarantined + waiting."""

    listed: int
    stored: int
    skipped: int
    quarantined: int
    waiting: int

    @property
    def is_balanced(self) -> bool:
        """True when every mail on the server is accounted for."""
        return self.listed == self.stored + self.skipped + self.quarantined + self.waiting


@dataclass(frozen=True, slots=True)
class Stand:
    """All that 動作状況 says of receiving for one account."""

    status: FetchStatus
    sums: Reconciliation


def stands_of(accounts: Sequence[MailAccount]) -> list[Stand]:
    """How receiving for these accounts stands now, in a few queries however many they are."""
    receptions = {one.account_id: one for one in Reception.objects.filter(account__in=accounts)}
    requests = FetchRequest.objects.filter(account__in=accounts, run=None).order_by("-id")
    asked = {one.account_id: one for one in requests}
    runs, listed, states, backlog = _last_runs(accounts), _listed(accounts), _states(accounts), _backlog(accounts)
    found = []
    for account in accounts:
        reception = receptions.get(account.pk) or Reception(account=account)
        words = fetch_trouble_text(account, reception.trouble_kind)
        status = FetchStatus(
            account=account,
            last_run=runs.get(account.pk),
            open_request=asked.get(account.pk),
            next_at=_next_at(account, reception),
            is_stopped=reception.stopped_at is not None,
            failing_since_at=reception.failing_since_at,
            trouble_kind=reception.trouble_kind,
            trouble_text=words.text,
            trouble_next_step=words.next_step,
            last_success_at=reception.last_success_at,
            copy_backlog_count=backlog.get(account.pk, 0),
        )
        found.append(Stand(status, _sums(states.get(account.pk, {}), listed.get(account.pk, 0))))
    return found


def fetch_status(account: MailAccount) -> FetchStatus:
    """How receiving for this account stands now."""
    return stands_of([account])[0].status


def next_fetch_at(account: MailAccount) -> datetime | None:
    """When this account is received from by itself; None when never (0 minutes, stopped, not 受信対象)."""
    reception = Reception.objects.filter(account=account).first()
    return _next_at(account, reception) if reception else None


def _next_at(account: MailAccount, reception: Reception) -> datetime | None:
    is_timed = account.receive_enabled and account.fetch_interval_minutes and reception.stopped_at is None
    return reception.next_at if is_timed else None


def reconciliation(account: MailAccount) -> Reconciliation:
    """Hold the last complete list against what we say became of each mail."""
    return stands_of([account])[0].sums


def copy_backlog_of(account: MailAccount) -> int:
    """Copies that wait for the shared folder to come back (P23)."""
    return _backlog([account]).get(account.pk, 0)


def _last_runs(accounts: Sequence[MailAccount]) -> dict[int, FetchRun]:
    return _newest_of(accounts, FetchRun.objects.all())


def _listed(accounts: Sequence[MailAccount]) -> dict[int, int]:
    """Account id → how many mails its last complete list had, less those that were deleted then."""
    runs = _newest_of(accounts, FetchRun.objects.filter(listed_count__isnull=False))
    return {pk: (run.listed_count or 0) - run.deleted_count for pk, run in runs.items()}


def _newest_of(accounts: Sequence[MailAccount], runs: QuerySet[FetchRun]) -> dict[int, FetchRun]:
    # The newest of each by its own search in the index: the greatest of all runs would be a pass over every run.
    newest = runs.filter(account=OuterRef("pk")).order_by("-id").values("pk")[:1]
    ids = MailAccount.objects.filter(pk__in=[one.pk for one in accounts]).order_by().values_list(Subquery(newest))
    return {run.account_id: run for run in FetchRun.objects.filter(pk__in=[pk for (pk,) in ids if pk])}


def _states(accounts: Sequence[MailAccount]) -> dict[int, dict[str, int]]:
    """Account id → state → how many mails of the server's list are in it."""
    present = SeenMail.objects.filter(account__in=accounts, absent_count=0).exclude(state=SeenState.GONE)
    found: dict[int, dict[str, int]] = {}
    for pk, state, count in present.order_by().values_list("account_id", "state").annotate(count=Count("pk")):
        found.setdefault(pk, {})[state] = count
    return found


def _backlog(accounts: Sequence[MailAccount]) -> dict[int, int]:
    # Begins with the copies that wait, which are few, and not with every mail of an account.
    waiting = ShareCopy.objects.filter(done_at=None).values("mail_id")
    mails = ReceivedMail.objects.filter(pk__in=waiting, account__in=accounts).order_by()
    return dict(mails.values_list("account_id").annotate(count=Count("pk")).values_list("account_id", "count"))


def _sums(found: Mapping[str, int], listed: int) -> Reconciliation:
    return Reconciliation(
        listed=listed,
        stored=found.get(SeenState.STORED, 0),
        skipped=found.get(SeenState.SKIPPED, 0),
        quarantined=found.get(SeenState.QUARANTINED, 0),
        waiting=found.get(SeenState.WAITING, 0) + found.get(SeenState.LEAVING, 0),
    )
