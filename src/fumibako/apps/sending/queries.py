"""Facts about jobs and deliveries: where each stands, what is happening now, what wants a person. Never writes.

A job's state is computed from its rows, the decisions stored on it and the pace of its account, never stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Case, Count, Exists, Max, Min, OuterRef, Q, QuerySet, When
from django.utils import timezone
from django.utils.dateparse import parse_date

from fumibako.apps.accounts.queries import may_use, usable_accounts
from fumibako.apps.office.models import Operator
from fumibako.apps.sending.addressees import only_to
from fumibako.apps.sending.explain import Explanation, explain
from fumibako.apps.sending.models import BulkSend, Delivery, DeliveryEvent, Pace, Worker
from fumibako.apps.sending.schedule import speed_of_account
from fumibako.apps.sending.state import JobCounts, JobState, counts_from, state_of
from fumibako.apps.sending.status import Facts, StatusLine, line_of
from fumibako.delivery.states import State

__all__ = [
    "Attention",
    "JobCounts",
    "JobLine",
    "JobState",
    "StatusLine",
    "account_stops",
    "attempts_of",
    "counts_of_job",
    "counts_of_jobs",
    "exclusions_of_job",
    "job_numbered",
    "job_seen_by",
    "jobs",
    "last_move_of",
    "live_job",
    "needs_attention",
    "pace_of",
    "rows_of_job",
    "sent_today",
    "state_of",
    "status_line",
    "visible_jobs",
    "waiting_count",
    "worker_seen_at",
]

PAGE_SIZE = 50
FEW = 1_000
"""So many rows are sorted in no time."""

OPEN = (State.PLANNED, State.QUEUED, State.SENDING, State.HANDING_OVER)


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job in a list."""

    job: BulkSend
    counts: JobCounts
    state: JobState


@dataclass(frozen=True, slots=True)
class Attention:
    """A row that wants a person: what happened, in plain words, and what to do."""

    delivery: Delivery
    explanation: Explanation


# Jobs ----------------------------------------------------------------------------------------------------------------


def visible_jobs(operator: Operator | None) -> QuerySet[BulkSend]:
    """Jobs this operator may see: their own, and those of accounts they may send from. None = the command line."""
    rows = BulkSend.objects.select_related("account")
    if operator is None or operator.is_administrator:
        return rows
    return rows.filter(Q(created_by=operator) | Q(account__in=usable_accounts(operator, "send")))


def job_seen_by(operator: Operator, job: BulkSend) -> bool:
    """The rule of `visible_jobs` for one job."""
    if operator.is_administrator or job.created_by_id == operator.pk:
        return True
    return job.account is not None and may_use(operator, job.account, "send")


def job_numbered(operator: Operator | None, number: int) -> BulkSend:
    """The job with this 送信管理NO. Raises BulkSend.DoesNotExist, also when the operator may not see it."""
    return visible_jobs(operator).get(number=number)


def jobs(
    operator: Operator | None,
    *,
    tab: str = "all",
    conditions: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> QuerySet[BulkSend]:
    """Jobs for a list, newest first. Tabs: all, draft, scheduled, sending, done.

    Conditions: since, until (days as 2026-11-24), account (id), creator, subject, recipient (part of a name), address
    (part), origin (bulk unless given; "any"). Discarded drafts are never listed.
    """
    asked = conditions or {}
    rows = visible_jobs(operator).exclude(approved_at=None, cancelled_at__isnull=False)
    origin = asked.get("origin") or BulkSend.Origin.BULK
    rows = rows if origin == "any" else rows.filter(origin=origin)
    return _matching(_in_tab(rows, tab), asked)


def _in_tab(rows: QuerySet[BulkSend], tab: str) -> QuerySet[BulkSend]:
    is_open = Exists(Delivery.objects.filter(job=OuterRef("pk"), state__in=OPEN))
    if tab == "draft":
        return rows.filter(approved_at=None)
    if tab == "scheduled":
        return rows.filter(is_open, approved_at__isnull=False, released_at=None, cancelled_at=None, finished_at=None)
    if tab == "sending":
        return rows.filter(is_open, released_at__isnull=False, finished_at=None)
    if tab == "done":
        return rows.filter(~is_open, approved_at__isnull=False)
    return rows


def _day_in(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _matching(rows: QuerySet[BulkSend], asked: Mapping[str, str]) -> QuerySet[BulkSend]:
    """What cannot be read is no condition."""
    told = {key: value.strip() for key, value in asked.items() if value.strip()}
    since, until = _day_in(told.get("since", "")), _day_in(told.get("until", ""))
    if since and since > date.min:
        rows = rows.filter(created_at__gte=_midnight(since))
    if until and until < date.max:
        rows = rows.filter(created_at__lt=_midnight(until + timedelta(days=1)))
    if _is_id(told.get("account", "")):
        rows = rows.filter(account_id=int(told["account"]))
    for key, lookup in (("creator", "created_by_name__icontains"), ("subject", "subject__icontains")):
        rows = rows.filter(**{lookup: told[key]}) if key in told else rows
    for key, column in (("recipient", "name"), ("address", "address")):
        rows = only_to(rows, column, told[key]) if key in told else rows
    return rows


def lines(found: Iterable[BulkSend], now: datetime | None = None) -> list[JobLine]:
    """The jobs of one page with sums and states: two queries for all of them."""
    now = now or timezone.now()
    listed = list(found)
    counts = counts_of_jobs(listed)
    paces = {pace.account_id: pace for pace in Pace.objects.filter(account__in={job.account_id for job in listed})}
    return [
        JobLine(job, counts[job.pk], state_of(job, counts[job.pk], paces.get(job.account_id or 0), now))
        for job in listed
    ]


def live_job(operator: Operator, now: datetime | None = None) -> JobLine | None:
    """The operator's job that the pill in the top bar follows: the newest that is approved and not over."""
    own = BulkSend.objects.filter(created_by=operator, finished_at=None, approved_at__isnull=False)
    # Every page asks, and mostly there is none: one small question says so.
    if not own.exists():
        return None
    is_open = Exists(Delivery.objects.filter(job=OuterRef("pk"), state__in=OPEN))
    going = own.filter(is_open, origin=BulkSend.Origin.BULK).select_related("account")
    found = going.order_by("-number").first()
    return lines([found], now)[0] if found else None


def pace_of(job: BulkSend) -> Pace | None:
    """The pace of the job's account."""
    return Pace.objects.filter(account=job.account_id).first() if job.account_id else None


def status_line(job: BulkSend, counts: JobCounts | None = None, now: datetime | None = None) -> StatusLine:
    """What is happening to the job now."""
    now = now or timezone.now()
    counts = counts or counts_of_job(job)
    pace = pace_of(job)
    state = state_of(job, counts, pace, now)
    return line_of(Facts(job, counts, state, pace, speed_of_account(job.account), worker_seen_at(), now))


def worker_seen_at() -> datetime | None:
    """The last sign of life of any worker that has not ended in good order."""
    seen_at: datetime | None = Worker.objects.filter(stopped_at=None).aggregate(seen_at=Max("seen_at"))["seen_at"]
    return seen_at


def waiting_count() -> int:
    """Mails of all jobs that are approved and have no result yet."""
    # Whatever still has such a row is not over, and these are few among all that were ever sent.
    going = BulkSend.objects.filter(approved_at__isnull=False, finished_at=None)
    return Delivery.objects.filter(job__in=going.values("pk"), state__in=OPEN).count()


# Sums ----------------------------------------------------------------------------------------------------------------


def counts_of_job(job: BulkSend) -> JobCounts:
    """Every row of the job in exactly one sum. Raises SumsDisagree when a row is missing (P1)."""
    return counts_of_jobs([job])[job.pk]


def counts_of_jobs(found: Sequence[BulkSend]) -> dict[int, JobCounts]:
    """`counts_of_job` of several jobs, by one query for those that are over and one for the others."""
    groups: dict[int, list[Any]] = {job.pk: [] for job in found}
    over = [job.pk for job in found if job.finished_at is not None]
    going = [job.pk for job in found if job.finished_at is None]
    rows: list[Mapping[str, Any]] = [*_sums_of(over), *_sums_of(going).annotate(**_WAITS)]
    for row in rows:
        groups[row["job_id"]].append(row)
    return {job.pk: counts_from(job, groups[job.pk]) for job in found}


_QUEUED = Q(state=State.QUEUED)
_WAITS = {
    "deferred": Count("pk", filter=_QUEUED & Q(deferred_count__gt=0)),
    "next_at": Min("not_before_at", filter=_QUEUED),
    "undated": Count("pk", filter=_QUEUED & Q(not_before_at=None)),
}
"""What can only be told of a job with rows that wait."""


def _sums_of(ids: Sequence[int]) -> QuerySet[Any, Any]:
    rows = Delivery.objects.filter(job__in=ids).order_by().values("job_id", "state")
    return rows.annotate(count=Count("*"))


def last_move_of(job: BulkSend) -> datetime | None:
    """When the last row of the job moved."""
    at: datetime | None = job.deliveries.aggregate(at=Max("changed_at"))["at"]
    return at


def exclusions_of_job(job: BulkSend) -> dict[str, int]:
    """How many rows were left out, by reason."""
    rows = job.deliveries.filter(state=State.SUPPRESSED).order_by().values_list("exclusion")
    return dict(rows.annotate(count=Count("pk")).values_list("exclusion", "count"))


def sent_today(account_ids: Collection[int], now: datetime | None = None) -> dict[int, int]:
    """本日 n通: mails each account handed over since local midnight, tests included."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Delivery.objects.filter(account__in=account_ids, sent_at__gte=midnight).order_by().values_list("account_id")
    found = dict(rows.annotate(count=Count("pk")).values_list("account_id", "count"))
    return {account_id: found.get(account_id, 0) for account_id in account_ids}


def account_stops(account_ids: Collection[int]) -> dict[int, Pace]:
    """The accounts among these that stopped and wait for a person."""
    stopped = Pace.objects.filter(account__in=account_ids, stopped_at__isnull=False)
    return {pace.account_id: pace for pace in stopped}


# Rows ----------------------------------------------------------------------------------------------------------------

FILTERS: dict[str, tuple[State, ...]] = {
    "sent": (State.SENT,),
    "failed": (State.FAILED, State.BOUNCED),
    "unknown": (State.UNKNOWN, State.CLOSED),
    "excluded": (State.SUPPRESSED,),
    "unsent": (State.EXPIRED, State.CANCELLED),
    "waiting": OPEN,
}
"""One word per sum of the result screen."""


def rows_of_job(job: BulkSend, filters: Mapping[str, str]) -> tuple[QuerySet[Delivery], int]:
    """The rows of a job that `filters` ask for (see `filtered`), and how many they are."""
    found = filtered(job, filters).select_related(None)
    if not any(filters.values()):
        return found, job.selected_count
    total = found.count()
    if filters.get("q") and total <= FEW:
        # The words are in an index of their own; in the order of the list they would be looked for in every row.
        found = job.deliveries.filter(pk__in=list(found.order_by().values_list("pk", flat=True)))
    return found, total


def filtered(job: BulkSend, filters: Mapping[str, str]) -> QuerySet[Delivery]:
    """Rows of a job. Filters: result (a key of FILTERS), reason (exclusion), kind, q (part of name, NO or address)."""
    rows = job.deliveries.select_related("recipient", "job")
    if states := FILTERS.get(filters.get("result", "")):
        rows = rows.filter(state__in=states)
    for key, lookup in (("reason", "exclusion"), ("kind", "party_kind")):
        if value := filters.get(key, ""):
            rows = rows.filter(**{lookup: value})
    if words := filters.get("q", "").strip():
        rows = rows.filter(
            Q(party_name__icontains=words) | Q(party_number__icontains=words) | Q(address__icontains=words)
        )
    return rows


def needs_attention(job: BulkSend, limit: int = 50) -> list[Attention]:
    """対応が必要な宛先: unknown results first, then failures that nobody repeated, newest first, in plain words."""
    rows = job.deliveries.filter(state__in=[State.UNKNOWN, State.FAILED, State.BOUNCED])
    again = Delivery.objects.filter(previous=OuterRef("pk"))
    rows = rows.exclude(Exists(again)).select_related("recipient", "party_address")
    unknown_first = Case(When(state=State.UNKNOWN, then=0), default=1)
    return [Attention(row, explanation_of(row)) for row in rows.order_by(unknown_first, "-changed_at")[:limit]]


def explanation_of(delivery: Delivery) -> Explanation:
    """What happened to a row, in plain words."""
    domain = delivery.wire_address.rpartition("@")[2]
    code = 0 if delivery.state == State.UNKNOWN else delivery.code
    text = "" if delivery.state == State.UNKNOWN else delivery.text or "-"
    return explain(code, delivery.enhanced, text, domain)


def attempts_of(delivery: Delivery) -> list[DeliveryEvent]:
    """Every move of a row, oldest first."""
    return list(delivery.events.select_related("operator").order_by("id"))


# fmt: off
TOLD = (
    "seq", "address", "state", "changed_at", "sent_at", "job__number", "job__subject", "job__created_by_name",
)
# fmt: on


def mails_to(recipient_ids: Sequence[int], limit: int = 200) -> list[Delivery]:
    """メール送信履歴 of a person: their rows, newest first, exclusions left out. Only TOLD of them."""
    rows = Delivery.objects.filter(recipient__in=recipient_ids).exclude(state=State.SUPPRESSED)
    return list(rows.select_related("job").only(*TOLD).order_by("-pk")[:limit])
