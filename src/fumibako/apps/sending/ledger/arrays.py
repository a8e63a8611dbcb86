"""The everyday moves of a round on PostgreSQL: claims in one statement, good answers and marks in another.

Their rows come as one array per column. Each is still moved under its own condition and told by its own event; when one
is not what its worker left it as, the statement fails and leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DataError, connections

from fumibako.delivery.states import State, Trigger

from . import line
from .line import Statement, numbers, texts
from .statements import EVENT_COLUMNS, GOING_UNLESS_STOPPED, IS_MARKABLE, Differs, Moves, Values

DIVISION_BY_ZERO = "22012"
IS_ALL = "1 / ({count} = %(count)s::bigint)::int"
"""Divides by nought when the count differs, so that nothing of the statement stays."""


def settle(moves: Moves) -> frozenset[int]:
    """Record good answers and make marks, or raise Differs and leave everything as it was.

    Returns the jobs that are going: asked in the same breath.
    """
    ids, attempts, owners, stages, codes, enhanced, said, copies = _columns(moves.accepted, 8)
    marked_ids, marked_attempts, marked_owners = _columns(moves.marked, 3)
    has_news = bool(moves.accepted)
    values = {
        "at": moves.at,
        "account": moves.account_id,
        "rest": moves.rest,
        "share": moves.share,
        "has_news": has_news,
        "count": len(ids) + len(marked_ids) + has_news,
        "ids": numbers(ids),
        "attempts": numbers(attempts),
        "owners": texts(owners),
        "stages": texts(stages),
        "codes": numbers(codes),
        "enhanced": texts(enhanced),
        "texts": texts(said),
        "copies": texts(copies),
        "marked_ids": numbers(marked_ids),
        "marked_attempts": numbers(marked_attempts),
        "marked_owners": texts(marked_owners),
    }
    _, going = _run(_SETTLE, values)
    return frozenset(going)


def claim(at: Any, rows: Sequence[Values]) -> None:
    """Claim rows of (delivery, its new attempt, owner), or raise Differs and leave everything as it was."""
    ids, attempts, owners = _columns(rows, 3)
    count = len(ids)
    values = {"at": at, "ids": numbers(ids), "attempts": numbers(attempts), "owners": texts(owners), "count": count}
    _run(_CLAIM, values)


def _columns(rows: Sequence[Values], count: int) -> Sequence[Sequence[Any]]:
    return tuple(zip(*rows, strict=True)) if rows else ((),) * count


def _run(statement: Statement, values: Mapping[str, Any]) -> Sequence[Any]:
    database = connections[DEFAULT_DB_ALIAS]
    try:
        with database.wrap_database_errors:
            found: Sequence[Any] = line.ask(database, statement, [values[name] for name in statement.names])[0]
    except DataError as error:
        if getattr(error.__cause__, "sqlstate", "") != DIVISION_BY_ZERO:
            raise
        raise Differs from None
    return found


# The statements ------------------------------------------------------------------------------------------------------

_EVENTS = (
    f"INSERT INTO sending_deliveryevent ({EVENT_COLUMNS}) "
    "SELECT id, %(at)s::timestamptz, trigger, before, after, attempt, owner, stage, code, enhanced, text, "
    "NULL::bigint, '', '' FROM moved"
)
# By its id, which is said twice so that few are expected, and with no plan beginning at an index on the state: there
# everything that has moved on has left an entry.
_IS_THE_ROW = (
    "sending_delivery.id = ANY ({ids}) AND sending_delivery.id = held.id "
    "AND sending_delivery.state IS NOT DISTINCT FROM held.before"
)


def _if_sent(column: str, value: str) -> str:
    return f"{column} = CASE WHEN held.after = '{State.SENT}' THEN {value} ELSE sending_delivery.{column} END"


_SAID = ", ".join(
    _if_sent(column, f"held.{column}") for column in ("stage", "code", "enhanced", "text", "refused_copies")
)
_SETTLE = Statement(f"""
WITH news AS (
    UPDATE sending_pace
    SET last_activity_at = GREATEST(last_activity_at, %(at)s::timestamptz), trouble_count = 0,
        mail_seconds = mail_seconds * %(rest)s::float8 + %(share)s::float8
    WHERE account_id = %(account)s::bigint AND %(has_news)s::boolean
    RETURNING account_id
), moved AS (
    UPDATE sending_delivery
    SET state = held.after, changed_at = %(at)s::timestamptz, {_SAID}, {_if_sent("owner", "''")},
        {_if_sent("not_before_at", "NULL")}, {_if_sent("sent_at", "%(at)s::timestamptz")}
    FROM (
        SELECT *, '{Trigger.ACCEPT}' AS trigger, '{State.HANDING_OVER}' AS before, '{State.SENT}' AS after
        FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(owners)s::text[], %(stages)s::text[],
                    %(codes)s::smallint[], %(enhanced)s::text[], %(texts)s::text[], %(copies)s::text[])
            AS answer(id, attempt, owner, stage, code, enhanced, text, refused_copies)
        UNION ALL
        SELECT *, '', 0::smallint, '', '', '', '{Trigger.MARK}', '{State.SENDING}', '{State.HANDING_OVER}'
        FROM unnest(%(marked_ids)s::bigint[], %(marked_attempts)s::int[], %(marked_owners)s::text[])
            AS mark(id, attempt, owner)
    ) AS held
    WHERE {_IS_THE_ROW.format(ids="%(ids)s::bigint[] || %(marked_ids)s::bigint[]")}
        AND sending_delivery.attempt = held.attempt AND sending_delivery.owner = held.owner
        AND (held.before = '{State.HANDING_OVER}' OR ({IS_MARKABLE}))
    RETURNING held.*
), told AS (
    {_EVENTS}
)
SELECT {IS_ALL.format(count="(SELECT count(*) FROM news) + (SELECT count(*) FROM moved)")},
    ARRAY({GOING_UNLESS_STOPPED % ("%(account)s::bigint", "%(at)s::timestamptz")})
""")
_CLAIM = Statement(f"""
WITH moved AS (
    UPDATE sending_delivery
    SET state = '{State.SENDING}', changed_at = %(at)s::timestamptz, attempt = held.attempt, owner = held.owner,
        claimed_at = clock_timestamp(), not_before_at = NULL
    FROM (
        SELECT *, '' AS stage, 0::smallint AS code, '' AS enhanced, '' AS text,
            '{Trigger.CLAIM}' AS trigger, '{State.QUEUED}' AS before, '{State.SENDING}' AS after
        FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(owners)s::text[]) AS row(id, attempt, owner)
    ) AS held
    WHERE {_IS_THE_ROW.format(ids="%(ids)s::bigint[]")}
        AND sending_delivery.attempt = held.attempt - 1 AND sending_delivery.owner = ''
    RETURNING held.*
), told AS (
    {_EVENTS}
)
SELECT {IS_ALL.format(count="(SELECT count(*) FROM moved)")}
""")
"""Several machines may share PostgreSQL: a lease begins by the clock of the database (T06)."""
DUE = (
    'SELECT d.id, d.seq, d.attempt, d.deferred_count, d.wire_address, d.party_name, d."values", d.message_id, '
    "CAST(d.dated_at AS TEXT), d.boundary, d.raw_sha256, d.party_kind, d.party_address_id, "
    "(SELECT a.flag FROM recipients_partyaddress a WHERE a.id = d.party_address_id), "
    "(SELECT o.id FROM recipients_optout o WHERE o.address_key = d.address_key AND o.lifted_at IS NULL) "
    "FROM sending_delivery d WHERE d.state = 'queued' "
    "AND (d.account_id, d.job_id, d.seq) >= (%(account)s, %(job)s, 0) "
    "AND (d.account_id, d.job_id, d.seq) < (%(account)s, %(job)s + 1, 0) "
    "AND (d.not_before_at IS NULL OR d.not_before_at <= %(at)s) ORDER BY d.account_id, d.job_id, d.seq LIMIT %(limit)s"
)
"""The same as `statements.DUE`, in words that only the index of what is due can answer: with any other, the claim goes
through all that the job has sent already."""
