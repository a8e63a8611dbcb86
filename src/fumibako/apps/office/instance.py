"""Whether this data folder is the one that has always worked here, or a copy that must first be released.

A small synced file beside the database (its *stand*) and one row inside agree on a count that every sign of life of a
worker raises. An old database, an old folder, a folder on another computer or in another place disagree in something.
Two small commits every ten seconds buy that; the reasons are in docs/decisions/restored-copies.md.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from .models import Instance, Office

STAND = "fumibako.instance"
ANCHOR = "fumibako.here"
LOCK = "instance.lock"
MACHINE_ID = Path("/etc/machine-id")

ANCHOR_WORDS = "This file knows this folder from a copy of it. Leave it as it is.\n"

FREE = ""
RESTORED = "restored"
"""`restore` has put this data in place."""
RESTORING = "restoring"
"""`restore` was stopped in the middle: files are missing until it has run to its end."""
BEHIND = "behind"
"""The database is older than what the file beside it has seen, or was made as a copy."""
AHEAD = "ahead"
"""The file is older than the database, or missing: nobody can say where the database comes from."""
FOREIGN = "foreign"
"""File and database belong to two installations."""
ELSEWHERE = "elsewhere"
"""Another computer, another place, or files that were written anew: a copy of the folder."""

PROVES_MORE_HAPPENED = frozenset({RESTORED, BEHIND, FOREIGN})
"""Here it is known that the records are older than what happened; nobody can say that nothing was sent since."""


@dataclass(frozen=True, slots=True)
class Stand:
    """What the file says: the count lies between `low` and `high`; where the folder was; and a hold of its own."""

    instance: str
    low: int
    high: int
    machine: str
    path: str
    anchor: str
    held: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What the database says. `copied_at` is set in a copy that `backup` or a change of version made."""

    instance: str
    count: int
    copied_at: datetime | None = None


def outbound_hold() -> str:
    """Return why nothing may be sent or fetched, as one of the words above; "" when all is well."""
    stand, record = read_stand(), read_record()
    if stand is None and record is None:
        return FREE
    return judge(stand, record, _here())


def judge(stand: Stand | None, record: Record | None, here: Stand) -> str:
    """Compare file, database and surroundings (`here`: machine, path and anchor as they are now)."""
    if stand is None:
        return AHEAD
    if stand.held:
        return stand.held
    if record is None:
        return BEHIND
    if record.instance != stand.instance:
        return FOREIGN
    if record.copied_at is not None or record.count < stand.low:
        return BEHIND
    if record.count > stand.high:
        return AHEAD
    is_here = (stand.machine, stand.path, stand.anchor) == (here.machine, here.path, here.anchor)
    return FREE if is_here else ELSEWHERE


def advance() -> bool:
    """Say that this folder is alive: raise the count in file and database. Returns False when it is held.

    The file is written before and after the row, so that a kill between them leaves a span that fits both.
    """
    with alone():
        if outbound_hold():
            return False
        stand, record = read_stand(), read_record()
        if stand is None:
            stand = replace(_begun(), instance=_office_instance())
        count = max(stand.high, record.count if record else 0)
        _step(stand, count)
    return True


def hold(word: str, root: Path | None = None) -> None:
    """Let nothing go out from the folder `root` (ours, when not given) until it is released; durable on return."""
    place = root or Path(settings.DATA.root)
    stand = read_stand(place) or Stand("", 0, 0, "", "", "")
    _write(place, replace(stand, held=word))


def let_go() -> None:
    """Make this folder the one that works here, whatever it was before. Call `alone`, in the release's transaction."""
    stand, record = read_stand(), read_record()
    count = max(stand.high if stand else 0, record.count if record else 0)
    (Path(settings.DATA.root) / ANCHOR).unlink(missing_ok=True)
    _step(replace(_begun(), instance=_office_instance()), count)


def mark_copy(copy: sqlite3.Connection, at: datetime) -> None:
    """Write into a copy of the database that it is one, and take living logins out of it."""
    tables = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    copy.execute("PRAGMA secure_delete=ON")
    for table in {"django_session", "web_cache", "office_setupticket"} & tables:
        copy.execute(f"DELETE FROM {table}")
    if Instance._meta.db_table in tables:
        words = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        copy.execute(
            f"INSERT INTO {Instance._meta.db_table} (id, count, copied_at) VALUES (1, 0, ?)"
            " ON CONFLICT (id) DO UPDATE SET copied_at = excluded.copied_at",
            (words,),
        )
    copy.commit()


def read_stand(root: Path | None = None) -> Stand | None:
    """Return what the file says, None when there is none; an unreadable one holds everything."""
    path = (root or Path(settings.DATA.root)) / STAND
    try:
        values = json.loads(path.read_text("utf-8"))
        return Stand(**values)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        return Stand("", 0, 0, "", "", "", held=AHEAD)


def read_record() -> Record | None:
    """Return what the database says, None when no worker has ever run on it."""
    row = Instance.objects.filter(pk=1).first()
    if row is None:
        return None
    instance = Office.objects.filter(pk=1).values_list("instance_id", flat=True).first()
    return Record(str(instance or ""), row.count, row.copied_at)


def _office_instance() -> str:
    office, _ = Office.objects.get_or_create(id=1)
    return str(office.instance_id)


def _step(stand: Stand, count: int) -> None:
    root = Path(settings.DATA.root)
    _write(root, replace(stand, low=min(stand.low, count), high=count + 1, held=""))
    Instance.objects.update_or_create(pk=1, defaults={"count": count + 1, "copied_at": None})
    _write(root, replace(stand, low=count + 1, high=count + 1, held=""))


def _begun() -> Stand:
    """A stand for where we are now; makes the anchor when it is missing."""
    anchor = Path(settings.DATA.root) / ANCHOR
    if not anchor.exists():
        anchor.write_text(ANCHOR_WORDS, "ascii")
        anchor.chmod(0o600)
    return _here()


def _here() -> Stand:
    root = Path(settings.DATA.root)
    return Stand("", 0, 0, machine_mark(), str(root.resolve()), anchor_mark(root / ANCHOR))


def machine_mark() -> str:
    """Return a word that differs from computer to computer: its id and its name, hashed."""
    try:
        machine = MACHINE_ID.read_text("ascii").strip()
    except (OSError, ValueError):
        machine = ""
    return hashlib.sha256(f"{machine}\n{socket.gethostname()}".encode()).hexdigest()[:32]


def anchor_mark(path: Path) -> str:
    """Return what no copying program can carry along: the file's number and the time its inode last changed."""
    try:
        facts = path.stat()
    except OSError:
        return ""
    return f"{facts.st_ino}:{facts.st_ctime_ns}"


def _write(root: Path, stand: Stand) -> None:
    draft = root / f".{STAND}.{os.getpid()}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(stand), file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(root / STAND)
    finally:
        # On a full disk the draft would stay, again every ten seconds.
        draft.unlink(missing_ok=True)
    sync_folder(root)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone() -> Iterator[None]:
    """Be the only one who changes the stand. Taken before the database's own lock, never inside a transaction."""
    descriptor = os.open(settings.DATA.run / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
