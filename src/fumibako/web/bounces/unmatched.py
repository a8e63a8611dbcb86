"""未照合: error mails that fit no send for sure, each beside the sends that it may be about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from fumibako.apps.inbox import labels, queries
from fumibako.apps.inbox.bounce_words import explanation
from fumibako.apps.inbox.models import BounceReport
from fumibako.apps.office.models import Operator
from fumibako.apps.sending.labels import clock
from fumibako.apps.sending.models import Delivery
from fumibako.delivery.states import State

PAGE_SIZE = 20
CANDIDATES = 5
LOOKED_AT = 400
POSSIBLE = (State.SENT.value, State.UNKNOWN.value)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A send that the error mail may be about."""

    delivery: Delivery
    words: str


@dataclass(frozen=True, slots=True)
class Open:
    """One report that waits for a person."""

    report: BounceReport
    mail_url: str
    reason: str
    effect: str
    candidates: Sequence[Candidate]


def open_reports(operator: Operator) -> list[Open]:
    """The newest ones first; settled ones leave and the next come up."""
    reports = list(queries.unmatched_bounces(operator)[:PAGE_SIZE])
    keys = {report.address_key for report in reports if report.address_key}
    sends = Delivery.objects.filter(address_key__in=keys, state__in=POSSIBLE).select_related("job").order_by("-id")
    by_key: dict[str, list[Candidate]] = {}
    for one in sends[:LOOKED_AT]:
        known = by_key.setdefault(one.address_key, [])
        if len(known) < CANDIDATES:
            known.append(_candidate(one))
    return [_open(report, by_key.get(report.address_key, [])) for report in reports]


def report_of(operator: Operator, report_id: int) -> BounceReport | None:
    """A report that this operator may settle."""
    return queries.bounce_list(operator).filter(pk=report_id).first()


def delivery_of(report: BounceReport, delivery_id: int) -> Delivery | None:
    """A send to the very address of the report."""
    return Delivery.objects.filter(pk=delivery_id, address_key=report.address_key, state__in=POSSIBLE).first()


def _candidate(one: Delivery) -> Candidate:
    at = clock(one.sent_at or one.changed_at, timezone.now())
    return Candidate(one, f"送信管理NO {one.job.number} {one.job.subject or '(件名なし)'}({at})")


def _open(report: BounceReport, candidates: Sequence[Candidate]) -> Open:
    return Open(
        report=report,
        mail_url=f"{reverse('inbox:mail', args=[report.mail.number])}?v=bounces&p=all",
        reason=explanation(report.reason)[0],
        effect=labels.EFFECTS[BounceReport.Effect(report.effect)],
        candidates=candidates,
    )
