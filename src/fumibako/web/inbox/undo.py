"""「返信を受け付けました。取り消す」, on whatever screen its writer is while the answer can still be taken back."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from fumibako.apps.inbox.board import reply_held
from fumibako.apps.office.models import Operator
from fumibako.apps.sending.models import BulkSend

KEY = "reply_until"


@dataclass(frozen=True, slots=True)
class Undo:
    """For `inbox/undo.html`; `written_at` is the address of the form whose draft is no longer needed."""

    number: int
    words: str
    seconds: int
    written_at: str


def remember(request: HttpRequest, job: BulkSend) -> None:
    """Every page of this session asks for the answer until it leaves; no other page has to."""
    if job.release_at is not None:
        request.session[KEY] = job.release_at.isoformat()


def undo_of(request: HttpRequest, operator: Operator) -> Undo | None:
    """The newest answer that has not left yet."""
    now = timezone.now()
    until = parse_datetime(request.session.get(KEY, "")) if hasattr(request, "session") else None
    if until is None or until <= now:
        return None
    held = reply_held(operator, now)
    if held is None or held.job.release_at is None:
        return None
    seconds = math.ceil((held.job.release_at - now).total_seconds())
    verb = "転送" if held.is_forward else "返信"
    name = "inbox:forward" if held.is_forward else "inbox:reply"
    written_at = reverse(name, args=[held.mail.number])
    return Undo(held.job.number, f"{verb}を受け付けました({held.job.subject})。", seconds, written_at)
