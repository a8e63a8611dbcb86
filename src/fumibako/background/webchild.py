"""The web child: waitress on a listening socket that was opened by somebody else."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import waitress.server

from .supervisor import follow_parent

THREADS = 8


def run_web(application: Callable[..., Any], descriptor: int) -> None:
    """Serve `application` on the inherited socket until SIGTERM, or until the parent is gone."""
    listener = socket.socket(fileno=descriptor)
    server = waitress.server.create_server(application, sockets=[listener], threads=THREADS, ident="fumibako")

    def leave(*_: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    # Requests are short and the database keeps its own promises: alone, the web child may go at once.
    follow_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
    try:
        server.run()
    finally:
        server.close()
