"""A real worker in a process of its own, on the database of the running test. Kill it as you like.

`python -m tests.support.worker_process DATABASE PORT`: sends every account's mail to PORT on loopback.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def start(database: Path, port: int) -> subprocess.Popen[bytes]:
    """Start a worker; it shares the data folder (and so the lock files) of this process."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    command = [sys.executable, "-m", "tests.support.worker_process", str(database), str(port)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def main(database: str, port: int) -> None:
    """Be the worker until SIGTERM."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fumibako.web.settings")
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()

    from fumibako import logs
    from fumibako.apps.sending.work import AROUND, run_worker
    from tests.support.jobs import FakeTime, around

    logs.set_up("worker", settings.DATA.logs)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_worker(stop, replace(AROUND, route_of=around(port, FakeTime()).route_of))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
