"""The plan of a real account: its settings, what was measured of it, and the warning hours in local time."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.sending.build import addresses_in
from fumibako.apps.sending.models import Pace
from fumibako.apps.sending.plan import Plan, Speed, plan
from fumibako.apps.sending.warning import warning_hours


def plan_of(
    account: MailAccount | None, mail_count: int, start_at: datetime, deadline_at: datetime | None = None
) -> Plan:
    """The plan of `mail_count` mails from this account."""
    local = timezone.localtime(start_at)
    hours = warning_hours(account.warn_from, account.warn_to) if account else None
    return plan(mail_count, local, speed_of_account(account), hours=hours, deadline_at=deadline_at)


def speed_of_account(account: MailAccount | None) -> Speed:
    """How this account sends, by its settings and by what was measured."""
    if account is None:
        return Speed(None, 0)
    pace = Pace.objects.filter(account=account).first()
    copies = len(addresses_in(account.cc)) + len(addresses_in(account.bcc))
    return Speed(account.batch_size, account.sleep_seconds, pace.mail_seconds if pace else 0.5, copies)
