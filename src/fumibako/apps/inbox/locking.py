"""Changing one mail: locked, permitted, told in its 経過, and noticed by whoever is writing an answer to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.queries import Use, may_use
from fumibako.apps.audit.actions import SYSTEM
from fumibako.apps.office.models import Operator

from .models import MailEvent, ReceivedMail


def locked_mail(operator: Operator | None, mail: ReceivedMail) -> ReceivedMail:
    """The mail as it is now, locked until the transaction ends. Raises PermissionDenied."""
    found = ReceivedMail.objects.select_for_update(of=("self",)).select_related("account").get(pk=mail.pk)
    require(operator, found.account, "view")
    return found


def require(operator: Operator | None, account: MailAccount, use: Use) -> None:
    """Raises PermissionDenied; `operator` None is whoever owns the command line."""
    if operator is not None and not may_use(operator, account, use):
        raise PermissionDenied


def changed(mail: ReceivedMail, operator: Operator | None, at: datetime) -> None:
    """Raise the version, and say who did it: answers begun before are stopped. Does not save."""
    mail.version += 1
    mail.changed_at = at
    mail.changed_by_name = name_of(operator)


def tell(mail: ReceivedMail, what: str, operator: Operator | None, at: datetime, **data: Any) -> None:
    """Append one line to the mail's 経過."""
    MailEvent.objects.create(mail=mail, at=at, what=what, operator_name=name_of(operator), data=data)


def name_of(operator: Operator | None) -> str:
    """Who did it, for snapshots."""
    return str(operator)[:100] if operator else SYSTEM


def target_of(mail: ReceivedMail) -> str:
    """What the audit log calls the mail."""
    return f"mail:{mail.number}"
