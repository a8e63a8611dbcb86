"""What a round asks the database, and the pen that it writes with.

How many deliveries are moved at once is for `at_once` on SQLite and `arrays` on PostgreSQL to say: the same conditions
as `moves.move`, without its price per row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from .line import ask, statement_of
from .moves import leave_broken_connection, one_at_a_time, one_writer

Values = Sequence[Any]

IS_MARKABLE = (
    "EXISTS (SELECT 1 FROM sending_bulksend "
    "WHERE id = sending_delivery.job_id AND paused_at IS NULL AND cancelled_at IS NULL) "
    "AND NOT EXISTS (SELECT 1 FROM recipients_optout o JOIN sending_bulksend j ON j.id = sending_delivery.job_id "
    "WHERE o.address_key = sending_delivery.address_key AND o.lifted_at IS NULL "
    "AND j.origin <> 'test' AND sending_delivery.party_address_id IS NOT NULL)"
)
"""The same as `moves.markable`."""
EVENT_COLUMNS = (
    "delivery_id, at, trigger, from_state, to_state, attempt, owner, stage, code, enhanced, text, operator_id, "
    "actor_name, reason"
)
DUE = (
    'SELECT d.id, d.seq, d.attempt, d.deferred_count, d.wire_address, d.party_name, d."values", d.message_id, '
    "CAST(d.dated_at AS TEXT), d.boundary, d.raw_sha256, d.party_kind, d.party_address_id, a.flag, o.id "
    "FROM sending_delivery d LEFT JOIN recipients_partyaddress a ON a.id = d.party_address_id "
    "LEFT JOIN recipients_optout o ON o.address_key = d.address_key AND o.lifted_at IS NULL "
    "WHERE d.account_id = %s AND d.job_id = %s AND d.state = 'queued' "
    "AND (d.not_before_at IS NULL OR d.not_before_at <= %s) ORDER BY d.seq LIMIT %s"
)
GOING = (
    "SELECT id FROM sending_bulksend WHERE account_id = %s AND released_at IS NOT NULL AND finished_at IS NULL "
    "AND paused_at IS NULL AND cancelled_at IS NULL AND (deadline_at IS NULL OR deadline_at > %s) ORDER BY number"
)
"""The same as `jobs.going_jobs`."""
GOING_UNLESS_STOPPED = GOING.replace(
    " ORDER BY",
    " AND NOT EXISTS (SELECT 1 FROM sending_pace p WHERE p.account_id = sending_bulksend.account_id "
    "AND p.stopped_at IS NOT NULL) ORDER BY",
)
PACE = (
    "SELECT p.burst_count, p.burst_number, p.last_activity_at, p.next_slot_at, p.wait_cause, p.trouble_count, "
    "p.stopped_at, a.batch_size, a.sleep_seconds "
    "FROM sending_pace p JOIN accounts_mailaccount a ON a.id = p.account_id WHERE p.account_id = %s"
)
KEEP_PACE = (
    "UPDATE sending_pace SET burst_count = %s, burst_number = %s, last_activity_at = %s, next_slot_at = %s, "
    "wait_cause = %s WHERE account_id = %s"
)


class Differs(Exception):
    """Some row is not what its worker left it as: the round is done again, row by row."""


@dataclass(frozen=True, slots=True)
class Moves:
    """What a round records of good answers, and what it marks. `rest` and `share` are what becomes of a mean.

    A row of `accepted` is (delivery, attempt, owner, stage, code, enhanced, text, refused copies), one of `marked`
    (delivery, attempt, owner).
    """

    account_id: int
    at: Any
    accepted: Sequence[Values]
    rest: float
    share: float
    marked: Sequence[Values]


class Pen:
    """What a transaction writes with.

    On SQLite it is the driver's own cursor: Django's wrapping costs more than most of these statements. On PostgreSQL
    it is the driver's own line. Whoever watches statements (a log of queries, an execute wrapper) still sees them.
    """

    def __init__(self, database: BaseDatabaseWrapper) -> None:
        self._database = database
        self._is_plain = _is_plain(database)

    def run(self, statement: str, values: Values) -> None:
        """Run a statement."""
        with self._database.wrap_database_errors:
            if self._database.vendor == "postgresql":
                ask(self._database, statement_of(statement), values)
            else:
                self._cursor.execute(self._in_dialect(statement), values)

    def run_for_all(self, statement: str, rows: Sequence[Values]) -> int:
        """Run a statement once for each row of values; return how many rows it changed in all."""
        if not rows:
            return 0
        self._cursor.executemany(self._in_dialect(statement), rows)
        return int(self._cursor.rowcount)

    def fetch(self, statement: str, values: Values, *, lock: str) -> list[Any]:
        """Run a SELECT; return its rows, those of `lock` locked where the database locks rows and not the whole."""
        if self._database.vendor == "postgresql":
            return ask(self._database, statement_of(f"{statement} FOR UPDATE OF {lock}" if lock else statement), values)
        self._cursor.execute(self._in_dialect(statement), values)
        return list(self._cursor.fetchall())

    def lay_down(self) -> None:
        """Nothing more is written."""
        if "_cursor" in self.__dict__:
            self._cursor.close()

    @cached_property
    def _cursor(self) -> Any:
        return self._database.connection.cursor() if self._is_plain else self._database.cursor()

    def _in_dialect(self, statement: str) -> str:
        return _with_question_marks(statement) if self._is_plain else statement


@contextmanager
def pen_in_hand(*, is_alone: bool = False) -> Iterator[Pen]:
    """A transaction that writes, as `one_writer`, and the pen to write with.

    `is_alone` promises that the pen writes one statement only, which may be a transaction of its own.
    """
    database = connections[DEFAULT_DB_ALIAS]
    may_be_alone = is_alone and not database.in_atomic_block
    with _one_statement(database) if may_be_alone else one_writer(), database.wrap_database_errors:
        database.ensure_connection()
        pen = Pen(database)
        yield pen
        pen.lay_down()


def _one_statement(database: BaseDatabaseWrapper) -> AbstractContextManager[object]:
    if database.vendor == "postgresql":
        leave_broken_connection()
        return nullcontext()
    return one_at_a_time if _is_plain(database) else one_writer()


def _is_plain(database: BaseDatabaseWrapper) -> bool:
    return database.vendor == "sqlite" and not (database.queries_logged or database.execute_wrappers)


@lru_cache(maxsize=64)
def _with_question_marks(statement: str) -> str:
    return statement.replace("%s", "?")


@lru_cache(maxsize=64)
def moment_of(at: datetime | None) -> Any:
    """A moment as the database takes it."""
    if at is None:
        return None
    return connection.ops.adapt_datetimefield_value(at)


def lease_moment(now: datetime) -> datetime:
    """Now, as leases are measured: by the clock of the database where several machines may share it (T06)."""
    if connection.vendor != "postgresql":
        return now
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    at: datetime = row[0]
    return at


def moment_from(stored: datetime | str | None) -> datetime | None:
    """A moment as the database gave it: SQLite knows no offset, and all it holds is UTC."""
    if stored is None:
        return None
    moment = _read(stored) if isinstance(stored, str) else stored
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@lru_cache(maxsize=256)
def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)
