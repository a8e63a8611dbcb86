"""The last gate before a job is frozen: what must be ticked, typed, confirmed and answered, and when it may begin."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.queries import may_use
from fumibako.apps.office.models import Office, Operator
from fumibako.apps.sending import labels
from fumibako.apps.sending.errors import Problem, Refused
from fumibako.apps.sending.inspection import Inspection
from fumibako.apps.sending.selection import SelectionCounts

TICKS = ("sender", "recipients", "letter", "attachments")
"""What a person ticks in the gate, one by one."""

Start = Literal["hold", "now", "immediately"] | datetime
"""開始: after the account's hold time, after a last half minute, at once (command line), or at a reserved time."""

SHORT_HOLD = timedelta(seconds=30)
SMALL_SEND = 10
FARTHEST_START = timedelta(days=366)
"""A reservation beyond a year is a slip of the year."""
LATE_FORM = timedelta(minutes=1)
"""A reservation for a minute that began while the form was open is not in the past."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a person did in the gate."""

    typed_number: str
    ticks: Collection[str]
    accept_warning_hours: bool


def release_time(
    start: Start, now: datetime, counts: SelectionCounts, account: MailAccount, office: Office
) -> datetime:
    """When the first mail may leave. Raises Refused for a time that has passed or lies more than a year ahead."""
    if isinstance(start, datetime):
        if start < now - LATE_FORM:
            raise Refused([Problem("start_at", "", labels.START_IN_THE_PAST)])
        if start > now + FARTHEST_START:
            raise Refused([Problem("start_at", "", labels.START_TOO_FAR)])
        return max(start, now)
    hold = timedelta(minutes=account.hold_minutes)
    if start == "immediately" or not hold:
        return now
    if start == "now":
        return now + (SHORT_HOLD if office.hold_minutes else timedelta(0))
    is_small = counts.mail_count < SMALL_SEND and len(counts.by_kind) <= 1
    return now + (min(SHORT_HOLD, hold) if is_small else hold)


def gate_problems(
    operator: Operator | None, account: MailAccount | None, found: Inspection, gate: Gate, office: Office
) -> Iterator[Problem]:
    """Everything that still keeps the job from being sent, in the order of the page."""
    if operator is not None and account is not None and not may_use(operator, account, "send"):
        yield Problem("account", "N01", labels.ACCOUNT_NOT_PERMITTED)
    for finding in found.findings:
        if finding.weight == "stop":
            yield Problem(finding.link or "findings", _catalogue_id(finding.key), finding.title)
        elif finding.is_open:
            yield Problem("findings", finding.id, labels.unconfirmed(finding.title))
    for tick in TICKS:
        if tick not in gate.ticks:
            yield Problem(f"tick_{tick}", "V02", labels.UNTICKED[tick])
    yield from number_problems(gate.typed_number, found.counts.mail_count, office.typed_number_from)
    if found.plan.starts_in_warning and not gate.accept_warning_hours and account is not None:
        hours = labels.hours_text(account.warn_from, account.warn_to)
        yield Problem("accept_warning_hours", "B03", labels.INSIDE_WARNING.format(hours=hours))


def number_problems(typed: str, mail_count: int, typed_number_from: int) -> Iterator[Problem]:
    """通数を入力: asked from `typed_number_from` mails on; full-width digits, commas, spaces and 通 are accepted."""
    if mail_count < typed_number_from:
        return
    plain = unicodedata.normalize("NFKC", typed).replace(",", "").replace("、", "").replace(" ", "").removesuffix("通")
    if not plain:
        yield labels.problem("typed_number", "V01", item="通数")
    elif not plain.isdecimal() or int(plain) != mail_count:
        yield Problem("typed_number", "B05", labels.wrong_number(typed.strip()))


def _catalogue_id(key: str) -> str:
    return {"C01:recipients": "B01", "C01:limit": "B02"}.get(key, key.partition(":")[0])
