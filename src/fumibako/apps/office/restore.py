"""復元: a backup is unpacked beside, checked to the last byte, and put in place; what was there is moved aside.

From before the first file moves until an administrator releases it, the folder neither sends nor fetches. Killed
anywhere, the next call does it again; nothing is ever deleted but what this call unpacked itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from django.db.migrations.loader import MigrationLoader

from fumibako import data_folder

from . import instance, journal
from .backup import CHUNK, DATABASE, FOLDERS, MANIFEST, Entry, Manifest, key_mark, manifest_from
from .durability import COMPANIONS
from .problems import Problem, Refused

MOST_MANIFEST_BYTES = 256 * CHUNK

NOT_OURS = "{} は、ふみばこの控えではないか、途中で切れています。ほかの控えを指定してください。"
CHANGED = "控えの中の {} が、控えを作ったときの内容と違います。ほかの控えを指定してください。"
BROKEN = "控えのデータベースが壊れています({})。ほかの控えを指定してください。"
NEWER = "この控えは、新しい版のふみばこで作られています({})。新しい版で復元してください。"
BAD_KEY = "{} は鍵ファイルではありません。控えておいた fumibako.key を指定してください。"
NO_ROOM = "空き容量が足りません({:,}MB 必要です)。データの置き場所のディスクの空きを増やしてください。"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place. `aside` is where the former data is now, None when there was none.

    `is_key_missing`: no key that is here opens the passwords of this backup.
    """

    manifest: Manifest
    aside: Path | None
    is_key_missing: bool


@contextmanager
def unpacked(file: Path, root: Path) -> Iterator[tuple[Path, Manifest]]:
    """Unpack `file` into a folder of its own inside `root`, checked and synced; gone at the end unless it was moved.

    Raises Refused when the file is not a whole backup, was changed, is damaged, or comes from a newer version.
    """
    place = root / f".restoring-{secrets.token_hex(4)}"
    _require_room(file, root)
    place.mkdir(mode=0o700)
    try:
        manifest = _unpack(file, place)
        _check_database(place / DATABASE)
        os.sync()
        yield place, manifest
    finally:
        shutil.rmtree(place, ignore_errors=True)


def put_in_place(place: Path, manifest: Manifest, root: Path, at: datetime, key_file: Path | None = None) -> Restored:
    """Move what is in `root` aside and what is in `place` to it. Nobody may be at work on `root`.

    Raises Refused for a key file that is none; then nothing was moved.
    """
    keys = _keys_of(key_file) if key_file is not None else ()
    # First of all, and durable: whatever happens from here on, nothing goes out.
    instance.hold(instance.RESTORING, root)
    # Killed between two files, a database that was moved without its log would have lost the latest commits.
    journal.fold_in(root / DATABASE)
    aside = _move_aside(root, at)
    for name in (*FOLDERS, DATABASE):
        if (place / name).exists():
            (place / name).rename(root / name)
    for name in FOLDERS:
        (root / name).mkdir(mode=0o700, exist_ok=True)
    folder = data_folder.DataFolder(root)
    if keys:
        data_folder.write_keys(folder, keys)
    instance.sync_folder(root)
    instance.hold(instance.RESTORED, root)
    marks = {key_mark(key) for key in data_folder.read_keys(folder)}
    return Restored(manifest, aside, is_key_missing=not set(manifest.keys) <= marks)


def is_somebody_at_work(run: Path) -> bool:
    """True when a worker holds its lock: one that was started alone, without `serve`."""
    return any(_is_locked(path) for path in run.glob("*-*.lock"))


def _is_locked(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _move_aside(root: Path, at: datetime) -> Path | None:
    names = [DATABASE, *(DATABASE + ending for ending in COMPANIONS)]
    there = [name for name in names if (root / name).exists()]
    there += [name for name in FOLDERS if (root / name).is_dir() and any((root / name).iterdir())]
    if not there:
        return None
    aside = root / f"before-restore-{at:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    aside.mkdir(mode=0o700)
    for name in there:
        (root / name).rename(aside / name)
    instance.sync_folder(aside)
    instance.sync_folder(root)
    return aside


def _unpack(file: Path, place: Path) -> Manifest:
    found: dict[str, Entry] = {}
    manifest = b""
    try:
        with tarfile.open(file, "r:") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                if content is None or member.name in found:
                    raise _refused(NOT_OURS, file)
                if member.name == MANIFEST:
                    manifest = content.read(MOST_MANIFEST_BYTES)
                else:
                    found[member.name] = _keep(place / _safe(member.name, file), content, member.name)
        told = manifest_from(manifest)
    except (tarfile.TarError, OSError, EOFError, ValueError) as trouble:
        raise _refused(NOT_OURS, file) from trouble
    for name in {entry.name for entry in told.entries} | found.keys():
        if found.get(name) not in told.entries:
            raise _refused(CHANGED, name)
    if DATABASE not in found:
        raise _refused(NOT_OURS, file)
    return told


def _safe(name: str, file: Path) -> PurePosixPath:
    """A name that stays inside its folder (X18: an archive is somebody else's word)."""
    path = PurePosixPath(name)
    is_plain = not path.is_absolute() and ".." not in path.parts and "\0" not in name and str(path) == name
    if not is_plain or not (name == DATABASE or (len(path.parts) > 1 and path.parts[0] in FOLDERS)):
        raise _refused(NOT_OURS, file)
    return path


def _keep(path: Path, content: IO[bytes], name: str) -> Entry:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        while raw := content.read(CHUNK):
            target.write(raw)
            digest.update(raw)
            size += len(raw)
        target.flush()
        if name == DATABASE:
            os.fsync(target.fileno())
    return Entry(name, size, digest.hexdigest())


def _check_database(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as database:
            damage = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
            stray = database.execute("PRAGMA foreign_key_check").fetchone()
            applied = set(database.execute("SELECT app, name FROM django_migrations"))
    except sqlite3.DatabaseError as trouble:
        raise _refused(BROKEN, trouble) from trouble
    if damage != "ok" or stray is not None:
        raise _refused(BROKEN, damage if damage != "ok" else f"foreign key {stray[0]}")
    loader = MigrationLoader(None)
    unknown = sorted(
        f"{app}.{name}" for app, name in applied - set(loader.disk_migrations or ()) - set(loader.graph.nodes)
    )
    if unknown:
        raise _refused(NEWER, unknown[-1])


def _keys_of(path: Path) -> tuple[bytes, ...]:
    try:
        keys = tuple(bytes.fromhex(line) for line in path.read_text("ascii").split())
    except (OSError, ValueError):
        keys = ()
    if not keys or any(len(key) != 32 for key in keys):
        raise _refused(BAD_KEY, path)
    return keys


def _require_room(file: Path, root: Path) -> None:
    try:
        needed = file.stat().st_size + 64 * CHUNK
    except OSError as trouble:
        raise _refused(NOT_OURS, file) from trouble
    if shutil.disk_usage(root).free < needed:
        raise _refused(NO_ROOM, needed // CHUNK + 1)


def _refused(words: str, what: object) -> Refused:
    return Refused([Problem("file", "", words.format(what))])
