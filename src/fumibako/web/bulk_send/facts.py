"""Small facts that the steps show beside what the queries of the apps tell. Never writes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from fumibako.apps.recipients.models import Recipient
from fumibako.apps.sending.models import BulkSend, Delivery, DeliveryEvent, DraftAddress, JobEvent
from fumibako.delivery.states import Trigger

TOLD = (Trigger.REFUSE, Trigger.LOSE_ANSWER)
"""Moves of single mails that 経過 names."""


def has_people(job: BulkSend) -> bool:
    """True when the draft's list is not empty."""
    return DraftAddress.objects.filter(job=job).exists()


def listed_among(job: BulkSend, recipient_ids: Collection[int]) -> set[int]:
    """Which of these people are in the draft's list."""
    rows = DraftAddress.objects.filter(job=job, recipient_id__in=recipient_ids)
    return set(rows.values_list("recipient_id", flat=True))


def removed_people(job: BulkSend) -> list[Recipient]:
    """外した人, in the order of their numbers."""
    return list(Recipient.objects.filter(pk__in=job.removed_recipients.values("recipient_id")).order_by("number"))


def last_events(job: BulkSend, limit: int) -> list[JobEvent]:
    """経過 of the job itself, newest first."""
    return list(JobEvent.objects.filter(job=job).exclude(what="edited").order_by("-id")[:limit])


def last_failures(job: BulkSend, limit: int) -> list[DeliveryEvent]:
    """The newest refusals and lost answers, newest first."""
    rows = DeliveryEvent.objects.filter(delivery__job=job, trigger__in=TOLD)
    return list(rows.select_related("delivery").order_by("-id")[:limit])


def burst_starts(job: BulkSend) -> list[datetime]:
    """When each burst of the job began, in order."""
    return list(JobEvent.objects.filter(job=job, what="burst_started").order_by("id").values_list("at", flat=True))


def mails_by_kind(job: BulkSend) -> list[tuple[str, str]]:
    """(kind of person, number of the person) of every mail of a frozen job."""
    return list(Delivery.objects.filter(job=job, exclusion="").values_list("party_kind", "party_number"))
