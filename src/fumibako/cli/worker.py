"""`worker`: sending and receiving alone, in this process; `serve` starts it as its child."""

from __future__ import annotations

import argparse
import os
import signal
import threading

from django.conf import settings

from fumibako import logs
from fumibako.apps.inbox.work import beside
from fumibako.apps.sending.work import run_worker
from fumibako.background.supervisor import follow_parent
from fumibako.cli.printing import note
from fumibako.cli.starting import require_safe

HURRIED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(args: argparse.Namespace) -> int:
    """Work until SIGTERM or Ctrl+C: once, what is under way is finished; twice, the process ends at once."""
    require_safe()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _ask_to_stop(stop))
    logs.set_up("worker", settings.DATA.logs)
    if not follow_parent(stop.set):
        note("送信と受信の処理を動かしています(終わるときは Ctrl+C)。")
    run_worker(stop, also=(beside(),))
    return 0


def _ask_to_stop(stop: threading.Event) -> None:
    if stop.is_set():
        # Everything that must survive is in the database already; a mail after its dot becomes 結果不明.
        os._exit(HURRIED)
    stop.set()
