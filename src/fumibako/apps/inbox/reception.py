"""動作状況 of receiving: when the next run is, what the last one did, and that the server's list adds up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from fumibako.apps.accounts.models import MailAccount
from fumibako.services.collecting.memory import SeenState

from .labels import fetch_trouble_text
from .models import FetchRequest, FetchRun, Reception, SeenMail, ShareCopy


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


def fetch_status(account: MailAccount) -> FetchStatus:
    """How receiving for this account stands now."""
    reception = Reception.objects.filter(account=account).first() or Reception(account=account)
    words = fetch_trouble_text(account, reception.trouble_kind)
    return FetchStatus(
        account=account,
        last_run=FetchRun.objects.filter(account=account).order_by("-id").first(),
        open_request=FetchRequest.objects.filter(account=account, run=None).first(),
        next_at=next_fetch_at(account),
        is_stopped=reception.stopped_at is not None,
        failing_since_at=reception.failing_since_at,
        trouble_kind=reception.trouble_kind,
        trouble_text=words.text,
        trouble_next_step=words.next_step,
        last_success_at=reception.last_success_at,
        copy_backlog_count=copy_backlog_of(account),
    )


def next_fetch_at(account: MailAccount) -> datetime | None:
    """When this account is received from by itself; None when never (0 minutes, stopped, not 受信対象)."""
    if not account.receive_enabled or not account.fetch_interval_minutes:
        return None
    reception = Reception.objects.filter(account=account).first()
    if reception is None or reception.stopped_at is not None:
        return None
    return reception.next_at


def reconciliation(account: MailAccount) -> Reconciliation:
    """Hold the last complete list against what we say became of each mail."""
    present = SeenMail.objects.filter(account=account, absent_count=0).exclude(state=SeenState.GONE)
    found = dict(present.order_by().values_list("state").annotate(count=Count("pk")))
    waiting = found.get(SeenState.WAITING, 0) + found.get(SeenState.LEAVING, 0)
    last = FetchRun.objects.filter(account=account, listed_count__isnull=False).order_by("-id").first()
    return Reconciliation(
        listed=last.listed_count - last.deleted_count if last and last.listed_count is not None else 0,
        stored=found.get(SeenState.STORED, 0),
        skipped=found.get(SeenState.SKIPPED, 0),
        quarantined=found.get(SeenState.QUARANTINED, 0),
        waiting=waiting,
    )


def copy_backlog_of(account: MailAccount) -> int:
    """Copies that wait for the shared folder to come back (P23)."""
    return ShareCopy.objects.filter(mail__account=account, done_at=None).count()
