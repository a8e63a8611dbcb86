"""A PostgreSQL of the test's own: made by Debian's initdb, on loopback, durable, stopped by its process id."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psycopg

from tests.support.tools import require_tool

APT = "sudo apt install postgresql"
PROGRAMS = Path("/usr/lib/postgresql")
MEMORY, ROOM = Path("/dev/shm"), 1_000_000_000
SECONDS = 30
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
fsync = on
synchronous_commit = on
full_page_writes = on
max_connections = 100
logging_collector = off
autovacuum = on
"""


class PostgreSQL:
    """The server while the `with` block runs. `url` leads to its database, as a role that may make others."""

    def __init__(self, **settings: str) -> None:
        folders = tuple(sorted(PROGRAMS.glob("*/bin"), reverse=True))
        self._initdb = require_tool("initdb", APT, folders=folders)
        self._server = require_tool("postgres", APT, folders=folders)
        self._settings = settings
        self._owner = _unprivileged()
        self._folder = Path()
        self.port = _free_port()

    @classmethod
    def at(cls, place: str) -> Self:
        """The server that another process of the same tests has made (`place` of its object)."""
        found = cls()
        port, _, folder = place.partition(":")
        found.port, found._folder = int(port), Path(folder)
        return found

    @property
    def place(self) -> str:
        """What `at` takes."""
        return f"{self.port}:{self._folder}"

    @property
    def url(self) -> str:
        """What FUMIBAKO_DATABASE_URL takes."""
        return f"postgresql://fumibako@127.0.0.1:{self.port}/fumibako"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="fumibako-pg-", dir=_quick_place()))
        os.chown(self._folder, self._owner.pw_uid, self._owner.pw_gid)
        try:
            make = [self._initdb, "-D", str(self.data), "-U", "fumibako", "-A", "trust", "-E", "UTF8"]
            if self._started([*make, "--locale=C.UTF-8"], subprocess.DEVNULL).wait() != 0:
                raise RuntimeError("initdb made no server")
            with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
                file.write(SETTINGS.format(port=self.port))
                file.writelines(f"{name} = {value}\n" for name, value in self._settings.items())
            self.start()
            with psycopg.connect(self._address("postgres"), autocommit=True) as found:
                found.execute("CREATE DATABASE fumibako")
        except BaseException:  # boundary: a server that did not come about is not left behind
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def data(self) -> Path:
        """The folder of the cluster."""
        return self._folder / "data"

    def start(self) -> None:
        """Start it, again after a stop; back when it answers."""
        with (self._folder / "log").open("ab") as log:
            process = self._started([self._server, "-D", str(self.data)], log)
        # Whoever started it takes its end from the process table: a start that finds its number there refuses.
        threading.Thread(target=process.wait, daemon=True).start()
        pause = threading.Event()
        for _ in range(SECONDS * 20):
            try:
                psycopg.connect(self._address("postgres")).close()
            except psycopg.OperationalError:
                pause.wait(0.05)
            else:
                return
        raise RuntimeError((self._folder / "log").read_text("utf-8", "replace")[-2000:])

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT cuts every connection (fast), SIGQUIT crashes it (`pg_ctl -m immediate stop`)."""
        note = self.data / "postmaster.pid"
        if not note.exists():
            return
        number = int(note.read_text("ascii").splitlines()[0])
        pause = threading.Event()
        try:
            os.kill(number, how)
            for _ in range(SECONDS * 20):
                os.kill(number, 0)
                pause.wait(0.05)
        except ProcessLookupError:
            return
        raise RuntimeError("PostgreSQL does not end")

    def cut_connections(self, except_for: str = "") -> int:
        """`pg_terminate_backend` for everybody, or for all but one application's; return how many."""
        question = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name <> %s"
        )
        with psycopg.connect(self._address("postgres"), autocommit=True) as found:
            row = found.execute(question, [except_for or "-"]).fetchone()
        return int(row[0]) if row else 0

    def _address(self, database: str) -> str:
        return f"postgresql://fumibako@127.0.0.1:{self.port}/{database}?connect_timeout=5"

    def _started(self, command: Sequence[str], log: IO[bytes] | int) -> subprocess.Popen[bytes]:
        """A program of the server's, as its owner and away from our folder."""
        if os.geteuid() != 0:
            return subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
        user, group = self._owner.pw_uid, self._owner.pw_gid
        return subprocess.Popen(command, stdout=log, stderr=log, cwd="/", user=user, group=group, extra_groups=[])


def _unprivileged() -> pwd.struct_passwd:
    """Who runs it: we ourselves, or `nobody` instead of root, whom it refuses."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _quick_place() -> Path | None:
    """Memory, when there is enough: every test empties all tables, and the disk is not what is tested here."""
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if has_room else None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
