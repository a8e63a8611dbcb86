"""Whether an account can send and receive, as the header of its page and the lists say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fumibako.apps.accounts.labels import trouble_text
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.sending.models import Pace
from fumibako.apps.sending.queries import account_stops, sent_today
from fumibako.services.trouble import TroubleKind

USUAL_MAIL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Status:
    """`can_send` and `can_receive` are None when the account is not set up for it."""

    can_send: bool | None
    can_receive: bool | None
    sent_today: int
    stopped_at: datetime | None
    stop_words: str


def status_of(account: MailAccount | None) -> Status:
    """Return the status of one account; a new one is not set up."""
    return Status(None, None, 0, None, "") if account is None else statuses_of([account])[account.pk]


def statuses_of(accounts: Sequence[MailAccount]) -> dict[int, Status]:
    """Return account id → status, in two queries however many they are."""
    ids = [account.pk for account in accounts]
    stops, sent = account_stops(ids), sent_today(ids)
    return {account.pk: _status(account, stops.get(account.pk), sent[account.pk]) for account in accounts}


def _status(account: MailAccount, stop: Pace | None, sent: int) -> Status:
    return Status(
        can_send=stop is None if account.smtp_host else None,
        can_receive=True if account.receive_enabled else None,
        sent_today=sent,
        stopped_at=stop.stopped_at if stop else None,
        stop_words=_stop_words(stop, account) if stop else "",
    )


def mail_seconds_of(account: MailAccount | None) -> float:
    """Return the measured mean of seconds per mail, or what an account starts with."""
    pace = Pace.objects.filter(account=account).first() if account else None
    return pace.mail_seconds if pace else USUAL_MAIL_SECONDS


def _stop_words(stop: Pace, account: MailAccount) -> str:
    if stop.stop_kind not in {kind.value for kind in TroubleKind}:
        return stop.stop_text
    words = trouble_text(stop.stop_kind, {"host": account.smtp_host, "port": account.smtp_port, "protocol": "smtp"})
    return f"{words.text}{words.next_step}"
