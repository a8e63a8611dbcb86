"""The processor time of a PostgreSQL that runs on this computer: its main process and all that it started."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class ServerStopwatch:
    """Processor seconds of the database server since the beginning; nothing with SQLite, or a server elsewhere."""

    def __init__(self) -> None:
        self._main = _main_process()
        self._before = _used(self._main)

    def facts(self, count: int) -> dict[str, float]:
        """What it took the server to do `count` things."""
        if not self._main:
            return {}
        seconds = _used(self._main) - self._before
        return {
            "server_cpu_seconds": round(seconds, 3),
            "server_cpu_per_10000": round(seconds / max(count, 1) * 10_000, 3),
        }


def _main_process() -> int:
    """The parent of the process that serves this session; 0 when it is none of this computer's."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
    try:
        is_ours = Path(f"/proc/{row[0]}/comm").read_text("ascii").startswith("postgres")
    except OSError:
        return 0
    return int(_numbers(row[0])[0]) if is_ours else 0


def _used(main: int) -> float:
    if not main:
        return 0.0
    ticks = 0
    for place in Path("/proc").iterdir():
        try:
            parent, own, of_ended = _numbers(int(place.name))
        except (ValueError, OSError):
            continue  # No process, or one that has ended meanwhile: its time is its parent's.
        ticks += own + of_ended if place.name == str(main) else own if parent == main else 0
    return ticks / TICKS


def _numbers(process: int) -> tuple[int, int, int]:
    """Parent, ticks of its own, ticks of its children that have ended."""
    words = Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return int(words[1]), int(words[11]) + int(words[12]), int(words[13]) + int(words[14])
