"""What becomes of waiting mail when an old copy of the records is taken into use: nobody knows what left since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from fumibako.delivery.states import Trigger, sources

from ..models import BulkSend, Delivery, JobEvent
from .jobs import pause_job
from .moves import Note, Step, move_all, one_writer


@dataclass(frozen=True, slots=True)
class Doubted:
    """Rows that became 結果不明, and jobs that now wait for a person."""

    unknown_count: int = 0
    paused_count: int = 0


def doubt_waiting(now: datetime, note: Note) -> Doubted:
    """Move whatever may have been sent since the copy was made to UNKNOWN; a job whose start lies ahead is paused.

    Rows of a job whose start has passed may all have left. Before its start nothing can have, unless somebody pressed
    すぐ開始: that job asks.
    """
    open_jobs = BulkSend.objects.filter(approved_at__isnull=False, cancelled_at=None, finished_at=None)
    begun = open_jobs.filter(Q(released_at__isnull=False) | Q(release_at__lte=now))
    with one_writer():
        waiting = Delivery.objects.filter(state__in=[state.value for state in sources(Trigger.RESTORE)])
        jobs = list(begun.filter(pk__in=waiting.values("job")).values_list("pk", flat=True))
        count = move_all(waiting.filter(job__in=jobs), Step(Trigger.RESTORE, now, note))
        # A row that a person sends again must find its job released.
        BulkSend.objects.filter(pk__in=jobs, released_at=None).update(released_at=now)
        JobEvent.objects.bulk_create([JobEvent(job_id=job_id, at=now, what="restored") for job_id in jobs])
        ahead = open_jobs.filter(released_at=None, paused_at=None).exclude(pk__in=jobs)
        paused_count = sum(pause_job(job.pk, "restored", now) for job in ahead)
    return Doubted(count, paused_count)
