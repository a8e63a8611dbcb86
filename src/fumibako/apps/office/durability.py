"""Whether the database keeps what it says it has kept, read back from the database itself before anything is sent."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from fumibako.sqlite_engine import WAL_IS_SAFE_FROM, journal_mode_of

NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs", "ncpfs", "fuse"})
"""SQLite's locks and syncs mean nothing there (D08). Of FUSE only `fuseblk`, a local disk, is another matter."""
MOUNTS = Path("/proc/self/mounts")
OPEN_FILES = Path("/proc/self/fd")
COMPANIONS = ("-journal", "-wal", "-shm")
"""What SQLite keeps beside its file."""
GONE = " (deleted)"


class NotDurable(Exception):
    """A commit might be lost or a lock ignored: sending must stay off. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Durability:
    """The settings in force, for `doctor` and the log. `problems` is empty when all is well."""

    engine: str
    version: str
    settings: dict[str, str]
    file_system: str
    problems: tuple[str, ...]


def read_back() -> Durability:
    """Return the settings in force. Raises NotDurable when they are unsafe."""
    found = examine()
    problems = found.problems or tuple(filter(None, [judge_mode(found)]))
    if problems:
        raise NotDurable("\n".join(problems))
    return found


def examine() -> Durability:
    """Return the settings in force, with what is wrong with them."""
    return _examine_sqlite() if connection.vendor == "sqlite" else _examine_postgresql()


def judge_sqlite(version: tuple[int, ...], settings: dict[str, str], file_system: str) -> tuple[str, ...]:
    """Return what is unsafe, in words that say what to do."""
    problems = []
    journal, synchronous = settings["journal_mode"], settings["synchronous"]
    if journal not in ("delete", "truncate", "persist", "wal"):
        problems.append(f"データベースの記録方式が {journal} です。停電で送信記録が失われるため、送信できません。")
    if journal == "wal" and version < WAL_IS_SAFE_FROM:
        problems.append("この SQLite では WAL を安全に使えません。SQLite を 3.51.3 以上にしてください。")
    if synchronous not in ("2", "3"):
        problems.append(f"データベースの同期設定が {synchronous} です。FULL(2)以上にしてください。")
    if _is_network(file_system):
        problems.append(
            f"データベースが共有フォルダー({file_system})にあります。このコンピューターのディスクに移してください。"
        )
    return tuple(problems)


def judge_mode(found: Durability) -> str:
    """Return what to do when a database is not yet kept as this SQLite keeps it, "" when it is (see `journal`)."""
    if found.engine != "sqlite":
        return ""
    mode, wanted = found.settings["journal_mode"], journal_mode_of(tuple(map(int, found.version.split("."))))
    if mode == wanted:
        return ""
    return (
        f"データベースの記録方式が {mode} で、{wanted} ではありません。ふみばこをすべて止めて、動かし直してください。"
    )


def is_on_network() -> bool:
    """True when the database lies on a network drive (D08)."""
    return _is_network(_file_system())


def judge_postgresql(settings: dict[str, str]) -> tuple[str, ...]:
    """Return what is unsafe, in words that say what to do."""
    wanted = {
        "fsync": ("on",),
        "full_page_writes": ("on",),
        "synchronous_commit": ("on", "remote_apply", "remote_write", "local"),
    }
    return tuple(
        f"PostgreSQL の {name} が {settings[name]} です。on にしてください。"
        for name, values in wanted.items()
        if settings[name] not in values
    )


def file_system_of(path: Path, mounts: str) -> str:
    """Return the type of the file system that holds `path`, from the text of /proc/self/mounts; "" when unknown."""
    best, found = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        # The kernel writes spaces in names as octal escapes.
        point = fields[1].replace("\\040", " ")
        is_above = str(path) == point or str(path).startswith(point.rstrip("/") + "/")
        if is_above and len(point) >= len(best):
            best, found = point, fields[2]
    return found


def quick_check() -> str:
    """Return the first damage that SQLite finds in its file, "" when it is sound (D10); PostgreSQL checks its own."""
    if connection.vendor != "sqlite":
        return ""
    found = _asked("PRAGMA quick_check(1)")
    return "" if found == "ok" else " ".join(found.split())[:200]


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Which file the database is, beyond its name (D09)."""

    device: int
    inode: int


def database_file() -> FileIdentity | None:
    """Return the identity of the SQLite file as its name leads to it now, None on PostgreSQL or when it is gone.

    When the log that belongs to it was taken away under us, the file alone is not the database any more: None.
    """
    if connection.vendor != "sqlite":
        return None
    path = Path(str(connection.settings_dict["NAME"]))
    try:
        facts = os.stat(path)
    except FileNotFoundError:
        return None
    return None if is_log_gone(path) else FileIdentity(facts.st_dev, facts.st_ino)


def is_log_gone(path: Path) -> bool:
    """True when this process writes to a log, or uses an index of it, that nobody else can find any more (D09)."""
    lost = {f"{path.resolve()}{ending}{GONE}" for ending in COMPANIONS}
    try:
        numbers = os.listdir(OPEN_FILES)
    except OSError:
        return False
    for number in numbers:
        with suppress(OSError):
            if os.readlink(OPEN_FILES / number) in lost:
                return True
    return False


def _file_system() -> str:
    path = Path(str(connection.settings_dict["NAME"])).resolve()
    return file_system_of(path, MOUNTS.read_text("utf-8", "replace")) if MOUNTS.exists() else ""


def _is_network(file_system: str) -> bool:
    return file_system.partition(".")[0] in NETWORK_FILE_SYSTEMS


def _examine_sqlite() -> Durability:
    settings = {name: _asked(f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "foreign_keys")}
    file_system = _file_system()
    problems = judge_sqlite(sqlite3.sqlite_version_info, settings, file_system)
    return Durability("sqlite", sqlite3.sqlite_version, settings, file_system, problems)


def _examine_postgresql() -> Durability:
    settings = {name: _asked(f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")}
    return Durability("postgresql", _asked("SHOW server_version"), settings, "", judge_postgresql(settings))


def _asked(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return str(row[0])
