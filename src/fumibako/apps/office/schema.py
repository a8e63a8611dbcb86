"""Whether the tables are those of this version, and bringing them up to date: forward only, with a copy made first."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState
from django.utils import timezone

import fumibako

from . import instance, journal
from .restore import is_somebody_at_work

LOCK = "schema.lock"


class NewerSchema(Exception):
    """A newer version has written this database; this one must not touch it (D20). The message says what to do."""


class SchemaInUse(Exception):
    """The tables would have to change while the program runs. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Schema:
    """`pending` changes are ours and not in the database, `unknown` ones are in the database and not ours."""

    pending: tuple[str, ...]
    unknown: tuple[str, ...]
    is_new: bool

    @property
    def is_current(self) -> bool:
        """True when code and tables belong together."""
        return not self.pending and not self.unknown


@dataclass(frozen=True, slots=True)
class Change:
    """What bringing up to date did; `copy` is the copy of the database as it was before."""

    applied_count: int
    copy: Path | None = None


def schema() -> Schema:
    """Return where the tables stand."""
    loader = MigrationExecutor(connection).loader
    applied, known = set(loader.applied_migrations), set(loader.graph.nodes)
    pending = sorted(f"{app}.{name}" for app, name in known - applied)
    unknown = sorted(f"{app}.{name}" for app, name in applied - set(loader.disk_migrations or ()) - known)
    return Schema(tuple(pending), tuple(unknown), is_new=not applied)


def bring_up_to_date(*, is_in_use: bool = False) -> Change:
    """Apply what is pending; nothing to do costs a few queries. Starts at the same time wait for each other.

    Raises NewerSchema, and SchemaInUse when there is something to change and the caller says that it `is_in_use`;
    journal.CannotSwitch when the log is to be taken up or left, and somebody uses the database.
    """
    with _alone():
        is_open = is_in_use or is_somebody_at_work(settings.DATA.run)
        journal.leave_log(is_in_use=is_open)
        found = schema()
        if found.unknown:
            raise NewerSchema(
                f"このデータは、新しい版のふみばこで使われています({found.unknown[-1]})。新しい版で開いてください。"
            )
        journal.take_log(is_in_use=is_open)
        if not found.pending:
            return Change(0)
        if is_in_use and not found.is_new:
            raise SchemaInUse(
                "ふみばこが古い版のまま動いています。いったん止めて、「./fumibako serve」で動かし直してください。"
            )
        copy = None if found.is_new else copy_database(timezone.now())
        # In this order, so that a start that is killed here leaves something pending for the next one.
        call_command("createcachetable", verbosity=0)
        executor = WholeSteps(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        # Nothing is left to apply: this tells Django's own apps that their tables are there.
        call_command("migrate", interactive=False, verbosity=0)
        return Change(len(found.pending), copy)


class WholeSteps(MigrationExecutor):
    """Applies a migration and notes that it is applied in one transaction, so that a kill leaves both or neither (D20).

    Django notes it in a second one whenever the migration has indexes to make at its end.
    """

    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> ProjectState:
        """Apply one migration; nothing is ever faked here."""
        with self.connection.schema_editor(atomic=migration.atomic) as editor:
            state = migration.apply(state, editor)
            for statement in editor.deferred_sql:
                editor.execute(statement)
            editor.deferred_sql.clear()
            self.recorder.record_applied(migration.app_label, migration.name)
        return state


def copy_database(at: datetime) -> Path | None:
    """Copy the SQLite file as it stands into `backups`, whole or not at all; PostgreSQL has its own tools (None)."""
    if connection.vendor != "sqlite":
        return None
    folder = Path(settings.DATA.root) / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"before-{fumibako.__version__}-{at:%Y%m%d-%H%M%S}.sqlite3"
    draft = path.with_suffix(".part")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    connection.ensure_connection()
    with closing(sqlite3.connect(draft)) as target:
        connection.connection.backup(target)
        journal.make_one_file(target)
        # Put in place by hand it must not go on sending what was sent since (D18).
        instance.mark_copy(target, at)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)
    return path


@contextmanager
def _alone() -> Iterator[None]:
    descriptor = os.open(settings.DATA.run / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
