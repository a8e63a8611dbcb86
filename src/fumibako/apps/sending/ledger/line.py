"""PostgreSQL by the driver's own line: statements that are prepared once per session and asked with values as text.

By Django's way a statement is read and planned anew each time, which costs more than most of a round's do; and the
driver's cursor costs half of that again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.db.backends.base.base import BaseDatabaseWrapper

_numbers = count(1)
_PLACE = re.compile(r"%(?:\((\w+)\))?s")


class Statement:
    """Its text with places in the manner of Python's drivers, `%s` or `%(name)s`, and with PostgreSQL's numbers.

    Values come in the order in which their places are met first.
    """

    def __init__(self, text: str) -> None:
        places = [found[1] or f"p{place}" for place, found in enumerate(_PLACE.finditer(text))]
        self.names = tuple(dict.fromkeys(places))
        self.named = _written(text, [f"%({name})s" for name in places])
        self.numbered = _written(text, [f"${self.names.index(name) + 1}" for name in places]).encode()
        self.name = b"fumibako_%d" % next(_numbers)


def _written(text: str, places: Sequence[str]) -> str:
    rest = iter(places)
    return _PLACE.sub(lambda _: next(rest), text)


@cache
def statement_of(text: str) -> Statement:
    """The statement of a text; always the same, so that it is prepared once."""
    return Statement(text)


_prepared: WeakKeyDictionary[Any, set[bytes]] = WeakKeyDictionary()
"""Session → the names of what is prepared in it. No rollback takes that back, and Django prepares nothing itself."""


def ask(database: BaseDatabaseWrapper, statement: Statement, values: Sequence[Any]) -> list[Any]:
    """Run a statement in the transaction that is open, or in one of its own; return its rows.

    Other threads run meanwhile. Raises what the driver raises.
    """
    if database.queries_logged or database.execute_wrappers:
        # Whoever watches statements still sees them.
        with database.cursor() as cursor:
            cursor.execute(statement.named, dict(zip(statement.names, values, strict=True)))
            return list(cursor.fetchall()) if cursor.description else []
    database.ensure_connection()
    session: Any = database.connection
    line, driver = session.pgconn, _driver(database)
    if not session.autocommit and line.transaction_status == driver.pq.TransactionStatus.IDLE:
        # The driver says it before the first statement of its own, and would not know of this one.
        _require(database, line.exec_(b"BEGIN"))
    prepared = _prepared.setdefault(session, set())
    if statement.name not in prepared:
        _require(database, line.prepare(statement.name, statement.numbered))
        prepared.add(statement.name)
    words = [_as_text(value) for value in values]
    if any(word is not None and b"\0" in word for word in words):
        # As the driver's cursor does: the line would take it for the end.
        raise driver.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    result = _require(database, line.exec_prepared(statement.name, words))
    if not result.ntuples:
        return []
    reader = driver.adapt.Transformer(session)
    reader.set_pgresult(result)
    return list(reader.load_rows(0, result.ntuples, tuple))


def numbers(values: Sequence[int]) -> str:
    """An array of integers."""
    return "{" + ",".join(map(str, values)) + "}"


def texts(values: Sequence[str]) -> str:
    """An array of texts."""
    quoted = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return '{"' + '","'.join(quoted) + '"}' if quoted else "{}"


def _as_text(value: Any) -> bytes | None:
    if value is None:
        return None
    return (value.isoformat() if isinstance(value, datetime) else str(value)).encode()


def _driver(database: Any) -> Any:
    return database.Database


def _require(database: BaseDatabaseWrapper, result: Any) -> Any:
    driver = _driver(database)
    if result.status in (driver.pq.ExecStatus.COMMAND_OK, driver.pq.ExecStatus.TUPLES_OK):
        return result
    if database.connection.pgconn.status != driver.pq.ConnStatus.OK:
        raise driver.OperationalError(result.error_message.decode("utf-8", "replace"))
    raise driver.errors.error_from_result(result)
