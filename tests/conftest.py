"""What every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.base.creation import BaseDatabaseCreation

from fumibako.apps.sending import session_locks

pytest_plugins = ["tests.support.browser"]

TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
OWN_TABLES = ("inbox_search",)
"""Tables that no model knows, and that PostgreSQL therefore would not empty."""


@pytest.fixture(scope="session", autouse=True)
def _tests_may_empty_every_table() -> Iterator[None]:
    """Between tests every table is emptied, also those that the product itself can only append to."""
    operations = type(connection.ops)
    flush = operations.execute_sql_flush

    def flush_without_triggers(self: Any, sql_list: list[str]) -> None:
        if self.connection.vendor == "postgresql":
            # Those of a row are not asked about TRUNCATE, and the owner of a table may pass by the others.
            owned = [f"TRUNCATE {table}" for table in OWN_TABLES]
            flush(self, ["SET session_replication_role = replica", *owned, *sql_list, "RESET session_replication_role"])
            return
        with self.connection.cursor() as cursor:
            triggers = cursor.execute(TRIGGERS).fetchall()
            for name, _ in triggers:
                cursor.execute(f"DROP TRIGGER {name}")
        try:
            flush(self, sql_list)
        finally:
            with self.connection.cursor() as cursor:
                for _, statement in triggers:
                    cursor.execute(statement)

    put_back = BaseDatabaseCreation.deserialize_db_from_string

    def put_back_into_empty_tables(self: Any, data: str) -> None:
        # After emptying, Django makes these two anew by itself, with other numbers than the first rows have.
        with self.connection.cursor() as cursor:
            cursor.execute("DELETE FROM auth_permission")
            cursor.execute("DELETE FROM django_content_type")
        put_back(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "execute_sql_flush", flush_without_triggers)
        patch.setattr(BaseDatabaseCreation, "deserialize_db_from_string", put_back_into_empty_tables)
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The database of the tests is kept as a start of the product would keep it."""
    from fumibako.apps.office import journal

    with django_db_blocker.unblock():
        journal.take_log(is_in_use=False)


@pytest.fixture(autouse=True)
def _every_test_begins_in_a_data_folder_of_its_own_history() -> Iterator[None]:
    """The file that tells a copy from the original goes with the database of one test."""
    yield
    for worker_id in [*session_locks.SESSIONS]:
        session_locks.release(worker_id)
    for name in ("fumibako.instance", "fumibako.here"):
        (settings.DATA.root / name).unlink(missing_ok=True)
