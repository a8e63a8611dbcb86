"""What comes before a command: Django, a database of this version, and surroundings in which sending is safe."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fumibako.cli.refused import CouldNotRun
from fumibako.data_folder import UnsafeFolder

LOCK = "serve.lock"
DAMAGED = (
    "データベースが壊れています({})。送信と受信は行いません。"
    "データの置き場所をそのまま別の場所に写してから、控え(backups フォルダー)のファイルに戻してください"
    "(fumibako.sqlite3-wal と -shm が残っていれば、取り除きます)。"
)
UNFINISHED = "復元が途中で止まっています。もう一度「./fumibako restore FILE」を実行してください。"
DATABASE_GONE = (
    "データベース {} がありません。動かした場所には必ずあるものです。元の場所に戻すか、"
    "「./fumibako restore FILE」で控えから戻してください。"
)
DRIVER_MISSING = (
    "PostgreSQL を使うための部品がありません。"
    "「.venv/bin/python -m pip install --require-hashes -r requirements-postgres.lock」を実行してください。"
)
SERVER_GONE = "PostgreSQL を使えません({})。PostgreSQL が動いていることと、FUMIBAKO_DATABASE_URL を確認してください。"
OPEN_TO_OTHERS = "データの置き場所を、ほかの利用者が読めます。「chmod 700 {}」を実行してください。"


def start_django() -> None:
    """Make models and settings usable. Raises CouldNotRun when the data folder cannot be used."""
    # Set, not defaulted: a variable left over from another project must not choose our settings.
    os.environ["DJANGO_SETTINGS_MODULE"] = "fumibako.web.settings"
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
    except UnsafeFolder as trouble:
        raise CouldNotRun(str(trouble)) from trouble
    except ImproperlyConfigured as trouble:
        if "psycopg" not in str(trouble):
            raise
        raise CouldNotRun(DRIVER_MISSING) from trouble
    except OSError as trouble:
        where = trouble.filename or os.environ.get("FUMIBAKO_DATA", "data")
        raise CouldNotRun(
            f"データの置き場所を使えません({where}: {trouble.strerror})。書き込める場所を --data で指定してください。"
        ) from trouble


def data_root() -> Path:
    """Return the data folder in use."""
    from django.conf import settings

    return Path(settings.DATA.root)


def open_database(*, is_serving: bool = False) -> None:
    """Bring the tables up to date. Raises CouldNotRun for a newer, damaged or running installation."""
    from django.db import DatabaseError

    from fumibako.apps.office import journal, schema

    require_whole()
    is_in_use = not is_serving and is_folder_held()
    try:
        schema.bring_up_to_date(is_in_use=is_in_use)
    except (schema.NewerSchema, schema.SchemaInUse, journal.CannotSwitch) as trouble:
        raise CouldNotRun(str(trouble)) from trouble
    except DatabaseError as trouble:
        raise _unusable(trouble) from trouble


def close_database() -> None:
    """Let go of the database at the end of a command; whoever is the last to do so leaves one file without a log."""
    from django.conf import settings

    if settings.configured:
        from django.db import connections

        connections.close_all()


def require_whole() -> None:
    """Raises CouldNotRun when a restore was stopped halfway, or the database of a folder in use is gone (D09)."""
    from django.db import connection

    from fumibako.apps.office import instance

    stand = instance.read_stand()
    if stand is None:
        return
    if stand.held == instance.RESTORING:
        raise CouldNotRun(UNFINISHED)
    path = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor == "sqlite" and (not path.exists() or path.stat().st_size == 0):
        # An empty database made in its place would look like a new office.
        raise CouldNotRun(DATABASE_GONE.format(path))


def require_safe() -> None:
    """Raises CouldNotRun unless the database keeps its promises and nobody else can read it (D04, D08, D10, X48)."""
    from django.db import DatabaseError

    from fumibako.apps.office import durability

    root = data_root()
    if root.stat().st_mode & 0o007:
        raise CouldNotRun(OPEN_TO_OTHERS.format(root))
    try:
        durability.read_back()
        damage = durability.quick_check()
    except durability.NotDurable as trouble:
        raise CouldNotRun(str(trouble)) from trouble
    except DatabaseError as trouble:
        raise _unusable(trouble) from trouble
    if damage:
        raise CouldNotRun(DAMAGED.format(damage))


def _unusable(trouble: Exception) -> CouldNotRun:
    from django.db import connection

    words = str(trouble)
    if "malformed" in words or "not a database" in words:
        return CouldNotRun(DAMAGED.format(words))
    if connection.vendor == "postgresql":
        return CouldNotRun(SERVER_GONE.format(" ".join(words.split())))
    return CouldNotRun(f"データベースを開けません({words})。置き場所の空き容量と、書き込めることを確認してください。")


def is_folder_held() -> bool:
    """True while `serve` or `demo` runs on this data folder."""
    path = data_root() / "run" / LOCK
    if not path.exists():
        return False
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def folder_in_hand() -> Iterator[None]:
    """Be the only `serve` or `demo` on this data folder; the kernel frees the lock at any death. Raises CouldNotRun."""
    descriptor = os.open(data_root() / "run" / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise CouldNotRun(
            f"この置き場所({data_root()})では、もうふみばこが動いています。動いているほうを使うか、先に止めてください。"
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)
