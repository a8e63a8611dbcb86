"""The world around the sending loop: its clocks, how it waits, where accounts lead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.routes import smtp_route
from fumibako.apps.office.queries import office
from fumibako.delivery.decision import POLICY, Policy
from fumibako.services.mailer import SmtpRoute


def _route_of(account: MailAccount) -> SmtpRoute:
    return smtp_route(account, office())


def _wait(stop: threading.Event, seconds: float) -> object:
    return stop.wait(seconds)


@dataclass(frozen=True, slots=True)
class Around:
    """The world around the sending loop.

    A wait of up to `short_wait` is sat out with the account in hand; for a longer one the sweep comes back.
    """

    now: Callable[[], datetime] = timezone.now
    stopwatch: Callable[[], float] = time.monotonic
    wait: Callable[[threading.Event, float], object] = _wait
    route_of: Callable[[MailAccount], SmtpRoute] = _route_of
    policy: Policy = POLICY
    short_wait: timedelta = timedelta(seconds=3)


AROUND = Around()
