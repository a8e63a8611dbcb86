"""控え: one file with the database, the attachments and the mail store, made while everything runs. Never with the key.

A plain tar archive that any tool opens. The database is copied first, the files after it, so that every row finds its
file; the manifest with the SHA-256 of everything comes last, so that a file cut short is known by its absence.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import shutil
import sqlite3
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection

import fumibako
from fumibako import data_folder

from . import instance, journal
from .problems import Problem, Refused
from .queries import office

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "fumibako.sqlite3"
FOLDERS = ("files", "mail")
RESERVE_BYTES = 64 * 1024 * 1024
"""Left free for the results of sending (D02)."""
CHUNK = 1024 * 1024

NOT_SQLITE = "PostgreSQL では、データベースは pg_dump で、files と mail のフォルダーはファイルの写しで控えてください。"
THERE_ALREADY = "{} はもうあります。上書きはしません。ほかの名前を指定してください。"
NO_FOLDER = "{} に書き込めません。書き込める場所を指定してください。"
NO_ROOM = "空き容量が足りません({:,}MB 必要です)。ほかのディスクを指定するか、空きを増やしてください。"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in a backup."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `keys` are marks of the keys that open its passwords, never the keys."""

    made_at: str
    version: str
    instance: str
    keys: tuple[str, ...]
    entries: tuple[Entry, ...]
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup. `hold_seconds` is how long other writers had to wait while the database was copied."""

    path: Path
    byte_count: int
    entry_count: int
    seconds: float
    hold_seconds: float


@dataclass
class _Archive:
    """A tar file under way."""

    tar: tarfile.TarFile
    entries: list[Entry] = field(default_factory=list)

    def add(self, name: str, path: Path) -> None:
        """Add a file as it is now; one that was removed meanwhile is left out."""
        try:
            source = path.open("rb")
        except FileNotFoundError:
            return
        with source:
            facts = os.fstat(source.fileno())
            info = _tar_entry(name, facts.st_size, facts.st_mtime)
            reader = _Hashing(source)
            self.tar.addfile(info, reader)
            self.entries.append(Entry(name, facts.st_size, reader.digest.hexdigest()))


class _Hashing:
    """Reads a file and hashes what was read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        raw = self._source.read(size)
        self.digest.update(raw)
        return raw


def key_mark(key: bytes) -> str:
    """Return a word by which a key is known again; nothing leads back to the key."""
    return hashlib.sha256(b"fumibako key mark" + key).hexdigest()[:16]


def make_backup(target: Path, at: datetime) -> Made:
    """Write everything into the new file `target`, synced, readable by its owner only. Sending goes on meanwhile.

    Raises Refused for a place that cannot take it, a name that is taken, or PostgreSQL.
    """
    _require_place(target)
    began = time.monotonic()
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    snapshot = target.with_name(f"{draft.name}.db")
    try:
        hold_seconds = copy_live_database(snapshot, at)
        entry_count = _write_archive(draft, snapshot, at)
        draft.replace(target)
        instance.sync_folder(target.parent)
    finally:
        for path in (draft, snapshot):
            path.unlink(missing_ok=True)
    return Made(target, target.stat().st_size, entry_count, time.monotonic() - began, hold_seconds)


def copy_live_database(target: Path, at: datetime) -> float:
    """Copy the database into a new file, marked as a copy; return for how many seconds writers had to wait.

    In one step: a copy in several begins anew whenever somebody writes, and under load would never end. With a log
    nobody waits for it; with a journal, what keeps the step short is reading the file beforehand, so that it comes from
    memory. (Not with a log: closing the file would drop the lock that says that this process uses it.)
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    has_log = settings.SQLITE.journal_mode == "wal"
    if not has_log:
        _read_through(journal.path_of_database())
    connection.ensure_connection()
    with closing(sqlite3.connect(target)) as copy:
        # Nothing reads the copy before it is synced below.
        copy.execute("PRAGMA synchronous=OFF")
        began = time.monotonic()
        connection.connection.backup(copy)
        hold_seconds = 0.0 if has_log else time.monotonic() - began
        journal.make_one_file(copy)
        instance.mark_copy(copy, at)
    with target.open("rb") as file:
        os.fsync(file.fileno())
    return hold_seconds


def _write_archive(draft: Path, snapshot: Path, at: datetime) -> int:
    keys = tuple(key_mark(key) for key in data_folder.read_keys(settings.DATA))
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            archive = _Archive(tar)
            archive.add(DATABASE, snapshot)
            for name, path in stored_files(Path(settings.DATA.root)):
                archive.add(name, path)
            told = Manifest(
                at.isoformat(), fumibako.__version__, str(office().instance_id), keys, tuple(archive.entries)
            )
            raw = json.dumps(asdict(told), ensure_ascii=False).encode()
            tar.addfile(_tar_entry(MANIFEST, len(raw), at.timestamp()), io.BytesIO(raw))
        file.flush()
        os.fsync(file.fileno())
    return len(archive.entries)


def stored_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Every finished file of the stores as (name in the archive, path); drafts and links are left out."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                yield path.relative_to(root).as_posix(), path


def _tar_entry(name: str, size: int, changed_at: float) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, int(changed_at), 0o600
    return info


def _require_place(target: Path) -> None:
    problem = ""
    if connection.vendor != "sqlite":
        problem = NOT_SQLITE
    elif target.exists():
        problem = THERE_ALREADY.format(target)
    elif not target.parent.is_dir() or not os.access(target.parent, os.W_OK):
        problem = NO_FOLDER.format(target.parent)
    else:
        stored = sum(path.stat().st_size for _, path in stored_files(Path(settings.DATA.root)))
        needed = 2 * journal.byte_count(journal.path_of_database()) + stored + RESERVE_BYTES
        if shutil.disk_usage(target.parent).free < needed:
            problem = NO_ROOM.format(needed // CHUNK + 1)
    if problem:
        raise Refused([Problem("file", "", problem)])


def _read_through(path: Path) -> None:
    with suppress(OSError), path.open("rb") as file:
        while file.read(CHUNK):
            pass


def manifest_from(raw: bytes) -> Manifest:
    """Return the manifest. Raises ValueError when it is none, or of a later format."""
    values: dict[str, Any] = json.loads(raw)
    if values.get("format") != FORMAT:
        raise ValueError("format")
    try:
        entries = tuple(Entry(str(each["name"]), int(each["size"]), str(each["sha256"])) for each in values["entries"])
        made_at, version, office_id = (str(values[name]) for name in ("made_at", "version", "instance"))
        return Manifest(made_at, version, office_id, tuple(map(str, values["keys"])), entries)
    except (KeyError, TypeError) as trouble:
        raise ValueError("manifest") from trouble
