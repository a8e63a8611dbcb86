"""A worker's lock in PostgreSQL: held by a session of its own, and freed by the server when that session is over.

Workers on several machines see each other's locks there. A worker whose session was cut takes the lock again at its
next beat; whoever judged it dead meanwhile did no harm (the ledger's fence). With SQLite there is nothing to hold.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from django.db import Error, connection, transaction

_turn = threading.Lock()
SESSIONS: dict[str, Any] = {}
"""Worker of this process → the connection that holds its lock."""

NOTICES = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"
"""A machine that lost its power says nothing; the server finds out within a minute."""


def hold(worker_id: str) -> None:
    """Hold the lock from now on, or again after the session was cut."""
    if connection.vendor != "postgresql":
        return
    with _turn:
        session = SESSIONS.get(worker_id)
        if session is not None and _is_alive(session):
            return
        SESSIONS[worker_id] = _locked_session(worker_id)


def release(worker_id: str) -> None:
    """Let go of the lock."""
    with _turn:
        session = SESSIONS.pop(worker_id, None)
    if session is not None:
        session.close()


def is_free(worker_id: str) -> bool:
    """True when nobody holds the lock: the worker is dead. Without PostgreSQL nobody can hold one."""
    if connection.vendor != "postgresql":
        return True
    with transaction.atomic(), connection.cursor() as cursor:
        # Freed by itself at the end of this transaction.
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_key(worker_id)])
        row = cursor.fetchone()
    return bool(row and row[0])


def _locked_session(worker_id: str) -> Any:
    with connection.wrap_database_errors:
        session: Any = connection.get_new_connection(connection.get_connection_params())
        session.autocommit = True
        return _lock(session, worker_id)


def _lock(session: Any, worker_id: str) -> Any:
    session.execute(NOTICES)
    # Whoever looks whether we are dead holds it for a moment.
    session.execute(f"SELECT pg_advisory_lock({_key(worker_id)})")
    return session


def _is_alive(session: Any) -> bool:
    try:
        with connection.wrap_database_errors:
            session.execute("SELECT 1")
    except Error:
        session.close()
        return False
    return True


def _key(worker_id: str) -> int:
    return int.from_bytes(hashlib.sha256(worker_id.encode()).digest()[:8], "big", signed=True)
