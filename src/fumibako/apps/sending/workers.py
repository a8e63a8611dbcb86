"""Who is at work. Each worker locks a file of its own, and the kernel frees the lock at its death, even by SIGKILL.

A free lock is proof that the worker is dead. On PostgreSQL every worker also holds a lock there (`session_locks`), for
those on other machines, from where its file cannot be seen. The heartbeat is for the screens.
"""

from __future__ import annotations

import fcntl
import os
import socket
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

import fumibako
from fumibako.apps.office import instance

from . import session_locks
from .models import Worker

SILENCE_LIMIT = timedelta(minutes=40)
"""Longer than one attempt can take: 20 minutes of content, 10 for the answer to the dot, and what goes before."""
KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Lock:
    """A locked file. Whoever holds the descriptor holds the lock."""

    path: Path
    descriptor: int

    def release(self) -> None:
        """Take the file away, then free the lock: in this order nobody can lock a file that is already gone."""
        self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


def enlist(now: datetime) -> tuple[str, Lock]:
    """Become a worker: lock first, row second, so that a row without a lock means a dead worker."""
    worker_id = str(uuid.uuid4())
    lock = _try_lock(_lock_path(worker_id))
    if lock is None:
        raise RuntimeError("a new worker's lock file is locked already")
    session_locks.hold(worker_id)
    instance.advance()
    Worker.objects.create(
        id=worker_id,
        pid=os.getpid(),
        host=socket.gethostname()[:100],
        version=fumibako.__version__[:20],
        started_at=now,
        seen_at=now,
    )
    return worker_id, lock


def beat(worker_id: str, now: datetime) -> None:
    """Say that the worker lives, and that this data folder is the one that is alive."""
    session_locks.hold(worker_id)
    instance.advance()
    Worker.objects.filter(pk=worker_id).update(seen_at=now)


def retire(worker_id: str, lock: Lock, now: datetime) -> None:
    """End an orderly worker's time, and forget workers that ended long ago."""
    instance.advance()
    Worker.objects.filter(pk=worker_id).update(seen_at=now, stopped_at=now)
    Worker.objects.filter(seen_at__lt=now - KEPT).delete()
    lock.release()
    session_locks.release(worker_id)


def dead_workers() -> set[str]:
    """Return the ids of workers that ended without saying so, for the screens."""
    return dead_among(set(Worker.objects.filter(stopped_at=None).values_list("pk", flat=True)))


def dead_among(worker_ids: Collection[str]) -> set[str]:
    """Return those of `worker_ids` that are proven dead."""
    return {worker_id for worker_id in worker_ids if _is_dead(worker_id)}


@contextmanager
def account_in_hand(account_id: int) -> Iterator[bool]:
    """Hold one account while sending for it; False when another worker has it.

    Only saves useless competition: what keeps two workers apart is the ledger.
    """
    with locked_file(settings.DATA.run / f"account-{account_id}.lock") as is_mine:
        yield is_mine


@contextmanager
def locked_file(path: Path) -> Iterator[bool]:
    """Hold a file's lock, which the kernel frees at our death; False when somebody else has it."""
    lock = _try_lock(path)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock.descriptor)


def _lock_path(worker_id: str) -> Path:
    return Path(settings.DATA.run / f"{worker_id}.lock")


def _try_lock(path: Path) -> Lock | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return Lock(path, descriptor)


def _is_dead(worker_id: str) -> bool:
    path = _lock_path(worker_id)
    if not path.exists():
        # With SQLite all workers share this folder, so it is dead; else it may be on another machine.
        return session_locks.is_free(worker_id)
    lock = _try_lock(path)
    if lock is None:
        return False
    lock.release()
    return True
