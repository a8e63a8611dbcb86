"""The parent of `serve` with real children: back after a kill, gone with the parent, asked once before the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fumibako.background.supervisor import ChildPlan, Supervisor, open_listener

ROOT = Path(__file__).parent.parent.parent
SECONDS = 20

CHILD = """
import os, signal, sys, threading
from pathlib import Path
from fumibako.background.supervisor import follow_parent
stop = threading.Event()
may_end = sys.argv[2] == "obedient"
signal.signal(signal.SIGTERM, lambda *_: stop.set() if may_end else None)
follow_parent(stop.set)
with open(sys.argv[1], "a") as file:
    file.write(f"{os.getpid()}\\n")
stop.wait()
Path(sys.argv[1] + f".{os.getpid()}.ended").touch()
"""

WEB = """
import sys
from fumibako.background.webchild import run_web
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"alive"]
run_web(application, int(sys.argv[1]))
"""

PARENT = """
import sys
from fumibako.background.supervisor import ChildPlan, serve
serve([ChildPlan("worker", [sys.executable, "-c", sys.argv[1], sys.argv[2], "obedient"])])
"""


def until(holds, seconds: float = SECONDS) -> float:  # type: ignore[no-untyped-def]
    """Wait until `holds()`; return how long it took."""
    began, pause = time.monotonic(), threading.Event()
    while not holds():
        assert time.monotonic() - began < seconds, "it never happened"
        pause.wait(0.02)
    return time.monotonic() - began


def lines_of(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


@pytest.fixture(autouse=True)
def _children_find_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))


@pytest.fixture
def supervised() -> Iterator[list[tuple[Supervisor, threading.Thread]]]:
    """Supervisors in threads; each is stopped hard at the end."""
    running: list[tuple[Supervisor, threading.Thread]] = []
    yield running
    for supervisor, thread in running:
        if thread.is_alive():
            supervisor.stop()
            supervisor.stop()
        thread.join(SECONDS)


def run(running: list[tuple[Supervisor, threading.Thread]], *plans: ChildPlan) -> tuple[Supervisor, threading.Thread]:
    supervisor = Supervisor(plans)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    running.append((supervisor, thread))
    return supervisor, thread


def child(path: Path, manner: str = "obedient") -> ChildPlan:
    return ChildPlan("worker", [sys.executable, "-c", CHILD, str(path), manner])


def test_a_killed_child_is_back_within_two_seconds(
    tmp_path: Path, supervised: list[tuple[Supervisor, threading.Thread]]
) -> None:
    path = tmp_path / "pids"
    run(supervised, child(path))
    until(lambda: len(lines_of(path)) == 1)
    os.kill(int(lines_of(path)[0]), signal.SIGKILL)
    assert until(lambda: len(lines_of(path)) == 2) < 2


def test_a_child_asked_to_end_may_finish_first(
    tmp_path: Path, supervised: list[tuple[Supervisor, threading.Thread]]
) -> None:
    path = tmp_path / "pids"
    supervisor, thread = run(supervised, child(path))
    until(lambda: len(lines_of(path)) == 1)
    supervisor.stop()
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert Path(f"{path}.{lines_of(path)[0]}.ended").exists()
    assert len(lines_of(path)) == 1, "nobody was started again"


def test_c03_a_second_request_ends_a_child_that_does_not_obey(
    tmp_path: Path, supervised: list[tuple[Supervisor, threading.Thread]]
) -> None:
    path = tmp_path / "pids"
    supervisor, thread = run(supervised, child(path, "stubborn"))
    until(lambda: len(lines_of(path)) == 1)
    supervisor.stop()
    thread.join(1)
    assert thread.is_alive()
    supervisor.stop()
    thread.join(SECONDS)
    assert not thread.is_alive()


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "pids"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD, str(path)])
    try:
        until(lambda: len(lines_of(path)) == 1)
    finally:
        parent.kill()
        parent.wait()
    ended = Path(f"{path}.{lines_of(path)[0]}.ended")
    assert until(ended.exists) < SECONDS


def test_sigterm_to_the_parent_ends_everything_in_order(tmp_path: Path) -> None:
    path = tmp_path / "pids"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD, str(path)])
    until(lambda: len(lines_of(path)) == 1)
    parent.terminate()
    assert parent.wait(SECONDS) == 0
    assert Path(f"{path}.{lines_of(path)[0]}.ended").exists()


def test_no_visitor_is_turned_away_while_the_web_child_restarts(
    supervised: list[tuple[Supervisor, threading.Thread]],
) -> None:
    with open_listener("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, "-c", WEB, str(listener.fileno())]
        supervisor, _ = run(supervised, ChildPlan("web", command, descriptors=(listener.fileno(),)))
        assert fetched(port) == b"alive"
        first = supervisor.pids["web"]
        os.kill(first, signal.SIGKILL)
        assert fetched(port) == b"alive"
        assert supervisor.pids["web"] != first


def fetched(port: int) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=SECONDS) as answer:
        return bytes(answer.read())


def test_a_taken_port_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        open_listener("127.0.0.1", taken.getsockname()[1])
