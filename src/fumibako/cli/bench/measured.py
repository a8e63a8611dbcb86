"""What every measurement has in common: a folder of its own, children with their figures, and lines of JSON."""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

Line = dict[str, Any]
T = TypeVar("T")


def show(**facts: Any) -> None:
    """Print one line."""
    print(json.dumps(facts, ensure_ascii=False), flush=True)


@contextmanager
def folder() -> Iterator[Path]:
    """A place for data that is removed at the end; FUMIBAKO_BENCH chooses the disk to be measured."""
    place = tempfile.mkdtemp(prefix="fumibako-bench-", dir=os.environ.get("FUMIBAKO_BENCH"))
    try:
        yield Path(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def database(url: str) -> Iterator[str]:
    """The URL of a new database on the same PostgreSQL, removed at the end; "" for SQLite in the data folder."""
    if not url:
        yield ""
        return
    import psycopg

    name = f"fumibako_bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def slow_disk(sync_ms: float) -> list[str]:
    """The words before a command for which every sync takes so much longer, as on a disk without a cache of its own."""
    if not sync_ms:
        return []
    inject = f"inject=fsync,fdatasync:delay_exit={round(sync_ms * 1000)}"
    return ["strace", "-f", "--seccomp-bpf", "-qq", "-o", os.devnull, "-e", "trace=fsync,fdatasync", "-e", inject]


def child(kind: str, data: Path, *words: object, database_url: str = "", before: Sequence[str] = ()) -> Line:
    """Run one hidden kind in a process of its own on a data folder; return the line it printed last.

    Its database is named by `database_url` alone: an office's own is never measured.
    """
    environment = {name: value for name, value in os.environ.items() if name != "FUMIBAKO_DATABASE_URL"}
    if database_url:
        environment["FUMIBAKO_DATABASE_URL"] = database_url
    command = [*before, sys.executable, "-m", "fumibako", "--data", str(data), "bench", kind, *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    found: Line = json.loads(done.stdout.splitlines()[-1])
    return found


def data_words() -> list[str]:
    """The words that begin a command of ours on the data folder of this process."""
    from django.conf import settings

    return [sys.executable, "-m", "fumibako", "--data", str(settings.DATA.root)]


@contextmanager
def running(command: Sequence[str], port: int) -> Iterator[None]:
    """A server that a measurement needs; it is ready when its port answers, and gone at the end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_until_open(port)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_until_open(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("a server of the measurement did not start")


def free_port() -> int:
    """A port on loopback that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Stopwatch:
    """Time and processor seconds of this process since the beginning."""

    def __init__(self) -> None:
        self._at, (self._cpu, self._kernel) = time.monotonic(), _cpu_seconds()

    def facts(self, count: int) -> Line:
        """What it took to do `count` things."""
        seconds, (cpu, kernel) = time.monotonic() - self._at, _cpu_seconds()
        cpu, kernel = cpu - self._cpu, kernel - self._kernel
        return {
            "seconds": round(seconds, 3),
            "rate": round(count / seconds, 1),
            "cpu_seconds": round(cpu, 3),
            "cpu_per_10000": round(cpu / max(count, 1) * 10_000, 3),
            "kernel_share": round(kernel / cpu, 2) if cpu else 0.0,
            "peak_rss_mb": peak_mb(),
        }


def peak_mb() -> float:
    """The most memory that this process has had, in MB. `ru_maxrss` would count the process that started it as well."""
    status = Path("/proc/self/status").read_text("ascii")
    high = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return round(int(high.split()[1]) / 1024, 1)


def profiled(file: str, work: Callable[[], T]) -> T:
    """Do the work; with a `file`, under Python's profiler."""
    if not file:
        return work()
    import cProfile

    profile = cProfile.Profile()
    try:
        return profile.runcall(work)
    finally:
        profile.dump_stats(file)


def _cpu_seconds() -> tuple[float, float]:
    """Of this process: in all, and in the kernel."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_stime


def surroundings() -> Line:
    """Where it was measured."""
    return {"python": platform.python_version(), "cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
