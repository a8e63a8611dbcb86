"""What every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db.backends.sqlite3.operations import DatabaseOperations

pytest_plugins = ["tests.support.browser"]

TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


@pytest.fixture(scope="session", autouse=True)
def _tests_may_empty_every_table() -> Iterator[None]:
    """Between tests every table is emptied, also those that the product itself can only append to."""
    flush = DatabaseOperations.execute_sql_flush

    def flush_without_triggers(self: Any, sql_list: list[str]) -> None:
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

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush_without_triggers)
        yield


@pytest.fixture(autouse=True)
def _every_test_begins_in_a_data_folder_of_its_own_history() -> Iterator[None]:
    """The file that tells a copy from the original goes with the database of one test."""
    yield
    for name in ("fumibako.instance", "fumibako.here"):
        (settings.DATA.root / name).unlink(missing_ok=True)
