"""Which SQLite `sqlite3` means in this process, and how its file is kept.

A commit costs four or five syncs with a rollback journal and one with a write-ahead log. The log may lose acknowledged
commits before SQLite 3.51.3, and what a Linux distribution ships is often older; so the product brings its own, as a
wheel, where there is one. Elsewhere the one of Python serves, with the rollback journal.

One process must never open one file with two SQLites: each would drop the other's locks (sqlite.org/howtocorrupt.html,
§2.2). Hence `sqlite3` itself is exchanged, before Django or anything of ours has imported it, and not just in places.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import import_module

WAL_IS_SAFE_FROM = (3, 51, 3)
"""Earlier versions may lose acknowledged commits when a write-ahead log is reset."""
BUNDLED = "pysqlite3"
CHOICE = "FUMIBAKO_SQLITE"
"""`system` in this variable: the SQLite of Python, although there is our own."""

CHECKPOINT_PAGES = 4000
"""16 MB of log: large enough that a page which is written again and again goes into the database once."""
LOG_BYTES = 64 * 1024 * 1024
"""What the log may keep when it begins anew. It is overwritten in place: a sync of a file that does not grow is several
times cheaper. Only what somebody's long reading has made it longer is given back."""


@dataclass(frozen=True, slots=True)
class Engine:
    """`is_bundled`: our own, not Python's."""

    version: tuple[int, ...]
    is_bundled: bool

    @property
    def journal_mode(self) -> str:
        """Return the only mode that a database is used in."""
        return journal_mode_of(self.version)

    @property
    def first_words(self) -> str:
        """Return what every connection says before all else.

        The write-ahead log is a property of the file, taken up and left once, by whoever has the folder to himself
        (`office.journal`); the other mode is one of the connection. Deleted content is overwritten, as Debian's does.
        """
        words = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
        if self.journal_mode == "wal":
            return f"{words} PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}; PRAGMA journal_size_limit={LOG_BYTES};"
        return f"PRAGMA journal_mode=TRUNCATE; {words}"


def journal_mode_of(version: tuple[int, ...]) -> str:
    """Return how a SQLite of this version keeps a database of ours."""
    return "wal" if version >= WAL_IS_SAFE_FROM else "truncate"


def take() -> Engine:
    """Let `sqlite3` mean the bundled SQLite from here on, where there is one; return which it is now."""
    if os.environ.get(CHOICE) != "system":
        _exchange()
    module = import_module("sqlite3")
    return Engine(tuple(module.sqlite_version_info), module.__name__ == BUNDLED)


def _exchange() -> None:
    try:
        bundled, interface = import_module(BUNDLED), import_module(f"{BUNDLED}.dbapi2")
    except ImportError:
        # No wheel for this computer; `doctor` says which SQLite it is.
        return
    sys.modules["sqlite3"], sys.modules["sqlite3.dbapi2"] = bundled, interface
