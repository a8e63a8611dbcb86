"""The one way a delivery changes: a conditional UPDATE whose row count must be right, and an event appended with it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value

from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import OptOut
from fumibako.delivery.states import IN_FLIGHT, State, Trigger, destination, sources

from ..models import BulkSend, Delivery, DeliveryEvent

one_at_a_time = threading.RLock()
"""The threads of one process queue here, fairly and without SQLite's busy waiting."""

Rows = QuerySet[Delivery, Delivery]
ROWS_AT_ONCE = 5_000


class LostClaim(Exception):
    """The row is no longer what this worker left it as: somebody else moved it, or its job was paused or cancelled."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Exactly the row one worker holds: a single value that differs and nothing is written."""

    delivery_id: int
    state: State
    attempt: int
    owner: str


@dataclass(frozen=True, slots=True)
class Note:
    """What the event tells beside the move: the server's answer, or who decided and why."""

    stage: str = ""
    code: int = 0
    enhanced: str = ""
    text: str = ""
    operator: Operator | None = None
    actor_name: str = ""
    reason: str = ""

    def columns(self) -> dict[str, Any]:
        """Return the columns of a DeliveryEvent that this note fills."""
        return {name: getattr(self, name) for name in self.__slots__}


SILENT = Note()


@dataclass(frozen=True, slots=True)
class Step:
    """One move to make: where from, by which trigger, and the other columns that change with it."""

    trigger: Trigger
    at: datetime
    note: Note = SILENT
    columns: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def one_writer(*, may_fail_alone: bool = True) -> Iterator[None]:
    """A transaction that writes. Inside another one it may fail alone, unless it is told not to: for that, SQLite holds
    the old pages of all that it changes in memory."""
    with one_at_a_time:
        leave_broken_connection()
        with transaction.atomic(savepoint=may_fail_alone):
            yield


def leave_broken_connection() -> None:
    """After the database cut a connection, the next transaction begins on a new one."""
    if connection.vendor == "postgresql" and connection.errors_occurred:
        connection.close_if_unusable_or_obsolete()


def markable() -> Rows:
    """Rows whose final dot may still follow: the job neither paused nor cancelled, the address under no 配信停止.

    A row may have been claimed some time ahead of its mark. Tests, and answers to who is nobody's record, go anyway.
    """
    active = OptOut.objects.filter(address_key=OuterRef("address_key"), lifted_at=None)
    is_free = Q(job__origin=BulkSend.Origin.TEST) | Q(party_address=None) | ~Exists(active)
    return Delivery.objects.filter(is_free, job__paused_at=None, job__cancelled_at=None)


def move(fence: Fence, step: Step, *, among: Rows | None = None) -> State:
    """Move one delivery and append the event. Call inside `one_writer`. Returns the new state.

    `among` narrows the rows that may be moved at all. Raises LostClaim when the row differs from `fence` in anything,
    IllegalMove when the table has no such move.
    """
    after = destination(fence.state, step.trigger)
    rows = Delivery.objects.all() if among is None else among
    moved_count = rows.filter(pk=fence.delivery_id, state=fence.state, attempt=fence.attempt, owner=fence.owner).update(
        **_columns(after, step)
    )
    if moved_count != 1:
        raise LostClaim(f"delivery {fence.delivery_id} attempt {fence.attempt} by {step.trigger}")
    columns = dict(step.columns)
    DeliveryEvent.objects.create(
        delivery_id=fence.delivery_id,
        at=step.at,
        trigger=step.trigger,
        from_state=fence.state,
        to_state=after,
        attempt=columns.get("attempt", fence.attempt),
        owner=columns.get("owner", fence.owner),
        **step.note.columns(),
    )
    return after


def move_all(rows: Rows, step: Step, *, only: Iterable[State] | None = None) -> int:
    """Move every delivery of `rows` that has such an exit, with one event each, in one transaction."""
    wanted = sources(step.trigger) if only is None else frozenset(only)
    if not rows.filter(state__in=[state.value for state in wanted]).exists():
        return 0
    with one_writer(may_fail_alone=False):
        return sum(_move_from(rows.filter(state=state), state, step) for state in State if state in wanted)


def _move_from(rows: Rows, state: State, step: Step) -> int:
    after = destination(state, step.trigger)
    moved_count = 0
    # What has moved is not found again, so every portion is the first of what is left.
    while (portion := _first_of(rows, state)) is not None:
        _append_events(portion, step, after)
        moved_count += portion.update(**_columns(after, step))
    return moved_count


def _first_of(rows: Rows, state: State) -> Rows | None:
    """Some of them: the old pages of all that one statement changes are in memory until it ends, too."""
    if connection.features.has_select_for_update:
        # Only the deliveries, always in one order, and each of them looked at again once it is ours.
        chosen = Delivery.objects.filter(pk__in=rows.order_by().values("pk"), state=state).order_by("pk")
        locked = list(chosen.select_for_update().values_list("pk", flat=True)[:ROWS_AT_ONCE])
        return Delivery.objects.filter(pk__in=locked) if locked else None
    found = list(rows.order_by().values_list("pk", flat=True)[:ROWS_AT_ONCE])
    return rows.filter(pk__gte=min(found), pk__lte=max(found)) if found else None


def _columns(after: State, step: Step) -> dict[str, Any]:
    columns: dict[str, Any] = {"state": after, "changed_at": step.at}
    if after not in IN_FLIGHT:
        columns["owner"] = ""
    return columns | dict(step.columns)


def _append_events(rows: Rows, step: Step, after: State) -> None:
    """INSERT … SELECT, so that a job of 100,000 rows is released without fetching one of them."""
    texts: dict[str, Any] = {
        "trigger": step.trigger.value,
        "to_state": after.value,
        "stage": step.note.stage,
        "enhanced": step.note.enhanced,
        "text": step.note.text,
        "actor_name": step.note.actor_name,
        "reason": step.note.reason,
    }
    values: dict[str, Any] = {f"e_{name}": Value(text, output_field=models.CharField()) for name, text in texts.items()}
    values["e_at"] = Value(step.at, output_field=models.DateTimeField())
    values["e_code"] = Value(step.note.code, output_field=models.IntegerField())
    source = {"delivery": "pk", "from_state": "state", "attempt": "attempt", "owner": "owner"}
    source |= {name.removeprefix("e_"): name for name in values}
    chosen = rows.order_by().annotate(**values).values_list(*source.values())
    query, parameters = chosen.query.sql_with_params()
    quote = connection.ops.quote_name
    column_of = {field.name: str(field.column) for field in DeliveryEvent._meta.concrete_fields}
    columns = ", ".join(quote(column_of[name]) for name in source)
    table = quote(DeliveryEvent._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}) {query}", parameters)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What the events of one delivery say it must be."""

    state: State
    attempt: int
    owner: str


class BrokenHistory(Exception):
    """The events of a delivery do not follow from each other: somebody wrote past the ledger."""


def rebuild(delivery: Delivery) -> Rebuilt:
    """Return what the row must be, from its events alone. Raises BrokenHistory when they are not one chain."""
    first = State.SUPPRESSED if delivery.state == State.SUPPRESSED else State.PLANNED
    rebuilt = Rebuilt(first, 0, "")
    for number, event in enumerate(delivery.events.order_by("id")):
        before = State.PLANNED if number == 0 else rebuilt.state
        after = destination(State(event.from_state), Trigger(event.trigger))
        if event.from_state != before or event.to_state != after:
            raise BrokenHistory(f"event {event.pk} of delivery {delivery.pk}")
        rebuilt = Rebuilt(after, event.attempt, event.owner if after in IN_FLIGHT else "")
    return rebuilt
