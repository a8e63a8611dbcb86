"""Where SQLite keeps a commit until it is in the database: in a write-ahead log, or with an old SQLite in a journal.

The log belongs to the file, not to a connection. It is taken up and left once, at a start, by whoever has the folder to
himself; from then on every connection finds it. `docs/decisions/write-ahead-log.md` says why.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from django.conf import settings
from django.db import connection

from . import durability
from .durability import COMPANIONS

PATIENCE_SECONDS = 5.0

IN_USE = (
    "データベースの記録方式を切り替える必要がありますが、ほかの処理がデータベースを使っています。"
    "動いているふみばこをすべて止めてから、もう一度実行してください。"
)
NOT_HERE = (
    "データベースの記録方式を {} に切り替えられません(いまは {})。"
    "データの置き場所を、このコンピューターのディスクに移してください。"
)


class CannotSwitch(Exception):
    """The database cannot be used as it must be. The message says what to do."""


def path_of_database() -> Path:
    """Return the SQLite file in use."""
    return Path(str(connection.settings_dict["NAME"]))


def leave_log(*, is_in_use: bool) -> None:
    """With a SQLite that is too old for a log: fold it in and do without. Call before anything opens the database.

    A database that is not there yet is made, readable by its owner alone; its companions take after it.
    Raises CannotSwitch while somebody uses the database.
    """
    if connection.vendor != "sqlite":
        return
    with suppress(FileExistsError):
        os.close(os.open(path_of_database(), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    if settings.SQLITE.journal_mode != "wal":
        _switch("truncate", is_in_use)


def take_log(*, is_in_use: bool) -> None:
    """With a SQLite that is new enough: keep commits in a log from now on. Raises CannotSwitch as `leave_log` does."""
    # On a network drive a log would only do harm, and there `durability` keeps everything off.
    if connection.vendor == "sqlite" and settings.SQLITE.journal_mode == "wal" and not durability.is_on_network():
        _switch("wal", is_in_use)


def _switch(wanted: str, is_in_use: bool) -> None:
    with closing(sqlite3.connect(path_of_database(), timeout=PATIENCE_SECONDS)) as database:
        found = _asked(database, "PRAGMA journal_mode")
        if (found == "wal") == (wanted == "wal"):
            return
        if is_in_use:
            raise CannotSwitch(IN_USE)
        try:
            # SQLite does this for a sole user only, and refuses while anybody reads or writes.
            found = _asked(database, f"PRAGMA journal_mode={wanted}")
        except sqlite3.OperationalError as trouble:
            if "locked" not in str(trouble):
                raise
            raise CannotSwitch(IN_USE) from trouble
        if found != wanted:
            raise CannotSwitch(NOT_HERE.format(wanted.upper(), found))


def make_one_file(copy: sqlite3.Connection) -> None:
    """Let a copy be a single file that any SQLite opens: it inherits the log from what it was copied from."""
    _asked(copy, "PRAGMA journal_mode=DELETE")


def fold_in(path: Path) -> None:
    """Bring what is in the log of an unused database into its file, as far as that is possible, and remove the log."""
    if not path.exists():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=PATIENCE_SECONDS)) as database:
        _asked(database, "PRAGMA wal_checkpoint(TRUNCATE)")


def byte_count(path: Path) -> int:
    """Return how large the database and what belongs to it are."""
    count = 0
    for ending in ("", *COMPANIONS):
        with suppress(FileNotFoundError):
            count += os.stat(f"{path}{ending}").st_size
    return count


def _asked(database: sqlite3.Connection, statement: str) -> str:
    row = database.execute(statement).fetchone()
    return str(row[0])
