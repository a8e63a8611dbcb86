"""What happens to a job as a whole: released, expired, cancelled, paused by itself, finished."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from fumibako.delivery.states import State, Trigger

from ..models import BulkSend, Delivery, JobEvent
from .moves import SILENT, Note, Step, move_all, one_writer
from .statements import moment_of, pen_in_hand

GRACE = timedelta(minutes=60)
"""A start missed by more (the server was off) is not made up for by itself: somebody is asked (T04)."""
BREAKER_FROM = 50
"""Mails with a result before 失敗がこの割合を超えたら一時停止 is looked at."""

Jobs = QuerySet[BulkSend, BulkSend]

OPEN = (State.PLANNED.value, State.QUEUED.value, State.SENDING.value, State.HANDING_OVER.value)
"""States in which a delivery still wants something from us."""


def going_jobs(now: datetime) -> Jobs:
    """Jobs whose rows may be claimed: released, neither paused, cancelled nor finished, deadline ahead."""
    return BulkSend.objects.filter(
        Q(deadline_at=None) | Q(deadline_at__gt=now),
        released_at__isnull=False,
        finished_at=None,
        paused_at=None,
        cancelled_at=None,
    )


def accounts_at_work(now: datetime) -> list[int]:
    """Accounts that have something queued in a going job."""
    queued = Delivery.objects.filter(job=OuterRef("pk"), state=State.QUEUED)
    going = going_jobs(now).filter(Exists(queued), account__isnull=False)
    return sorted(set(going.values_list("account_id", flat=True)))


def plan_rows(rows: list[Delivery]) -> None:
    """Lay down the deliveries of a job that is being approved: PLANNED, or SUPPRESSED with a reason."""
    if connection.vendor != "sqlite":
        Delivery.objects.bulk_create(rows, batch_size=200)
        return
    fields = [field for field in Delivery._meta.concrete_fields if not field.primary_key]
    columns = [(str(field.attname), _stored_as(field)) for field in fields]
    names = ", ".join(f'"{field.column}"' for field in fields)
    statement = f"INSERT INTO sending_delivery ({names}) VALUES ({', '.join('%s' for _ in fields)})"
    with pen_in_hand() as pen:
        pen.run_for_all(statement, [[stored(getattr(row, name)) for name, stored in columns] for row in rows])


def _stored_as(field: Any) -> Callable[[Any], Any]:
    """How SQLite keeps the values of a column: what `get_db_prep_save` would say, without its price per value."""
    if isinstance(field, models.JSONField):
        return json.dumps
    if isinstance(field, models.DateTimeField):
        return moment_of
    return _as_text if isinstance(field, models.CharField) else _as_it_is


def _as_text(value: str) -> str:
    return str(value)


def _as_it_is(value: Any) -> Any:
    return value


def release_due(now: datetime) -> int:
    """Release every approved job whose time has come; return how many. One that is too late is paused and asks."""
    due = BulkSend.objects.filter(
        approved_at__isnull=False, released_at=None, release_at__lte=now, paused_at=None, cancelled_at=None
    )
    return sum(_release(job, now) for job in due)


def _release(job: BulkSend, now: datetime) -> bool:
    with one_writer():
        if job.release_at is not None and now - job.release_at > GRACE:
            pause_job(job.pk, "missed_schedule", now, {"planned": job.release_at.isoformat()})
            return False
        released_count = BulkSend.objects.filter(pk=job.pk, released_at=None, paused_at=None, cancelled_at=None).update(
            released_at=now
        )
        if released_count != 1:
            return False
        move_all(job.deliveries.all(), Step(Trigger.RELEASE, now))
        JobEvent.objects.create(job=job, at=now, what="released")
        return True


def expire_due(now: datetime) -> int:
    """Expire what waits in jobs past their deadline, and what could only be tried again after it; return how many.

    A paused job waits for a person, who may give it more time: nothing of it expires, and nothing is claimed either.
    """
    # Job by job: asked about all jobs in one, the database goes through every delivery there ever was.
    going = BulkSend.objects.filter(finished_at=None, paused_at=None, deadline_at__isnull=False)
    return sum(_expire(job_id, now) for job_id in going.values_list("pk", flat=True).order_by("number"))


def _expire(job_id: int, now: datetime) -> int:
    waiting = Delivery.objects.filter(job_id=job_id, job__finished_at=None, job__paused_at=None)
    late = waiting.filter(job__deadline_at__lte=now)
    never = waiting.filter(not_before_at__gte=F("job__deadline_at"), state=State.QUEUED)
    step = Step(Trigger.EXPIRE, now)
    return move_all(late, step) + move_all(never, step, only=(State.QUEUED,))


def cancel_job(job_id: int, now: datetime, note: Note = SILENT) -> int:
    """Cancel what no worker holds yet; return how many. Call in the transaction that sets `cancelled_at`.

    What is on its way before the dot is stopped by the mark's condition; what is after the dot cannot be.
    """
    rows = Delivery.objects.filter(job_id=job_id)
    return move_all(rows, Step(Trigger.CANCEL, now, note), only=(State.PLANNED, State.QUEUED))


def cancel_leftovers(now: datetime) -> int:
    """Cancel what came back into the queue of a cancelled job; return how many."""
    jobs = BulkSend.objects.filter(cancelled_at__isnull=False, finished_at=None)
    return sum(cancel_job(job_id, now) for job_id in jobs.values_list("pk", flat=True))


def finish_jobs(now: datetime) -> int:
    """Note the end of every job that has nothing left to do; return how many."""
    left = Delivery.objects.filter(job=OuterRef("pk"), state__in=OPEN)
    over = BulkSend.objects.filter(
        ~Exists(left), Q(released_at__isnull=False) | Q(cancelled_at__isnull=False), finished_at=None
    ).filter(approved_at__isnull=False)
    return sum(_finish(job, now) for job in over)


def _finish(job: BulkSend, now: datetime) -> bool:
    with one_writer():
        if BulkSend.objects.filter(pk=job.pk, finished_at=None).update(finished_at=now) != 1:
            return False
        JobEvent.objects.create(job=job, at=now, what="finished")
        return True


def pause_job(job_id: int, cause: str, now: datetime, data: Mapping[str, Any] | None = None) -> bool:
    """Let a job wait for a person, for a stable word `cause`. Returns False when it was paused or over already."""
    with one_writer():
        going = BulkSend.objects.filter(pk=job_id, paused_at=None, cancelled_at=None, finished_at=None)
        if going.update(paused_at=now, paused_by_name="", pause_cause=cause) != 1:
            return False
        JobEvent.objects.create(job_id=job_id, at=now, what="paused", data={"cause": cause, **(data or {})})
        return True


def pause_failing_job(job: BulkSend, now: datetime) -> bool:
    """Pause the job when too many of its mails failed since it began, or since a person last let it go on."""
    percent = job.account.stop_failure_percent if job.account is not None else 0
    if percent == 0:
        return False
    rows = job.deliveries.filter(state__in=(State.SENT, State.FAILED, State.UNKNOWN, State.BOUNCED))
    resumed = job.events.filter(what="resumed").order_by("-id").first()
    if resumed is not None:
        rows = rows.filter(changed_at__gt=resumed.at)
    counts = rows.aggregate(done=Count("pk"), failed=Count("pk", filter=Q(state=State.FAILED)))
    if counts["done"] < BREAKER_FROM or counts["failed"] * 100 <= percent * counts["done"]:
        return False
    return pause_job(job.pk, "failures", now, {"failed": counts["failed"], "done": counts["done"]})


def say_stopped(account_id: int, why: str, now: datetime) -> None:
    """Write into every unfinished job of the account that the account stopped."""
    jobs = BulkSend.objects.filter(account_id=account_id, approved_at__isnull=False, finished_at=None)
    JobEvent.objects.bulk_create([JobEvent(job=job, at=now, what="stopped", data={"why": why}) for job in jobs])
