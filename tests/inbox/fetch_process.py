"""Receiving in a process of its own, on the database of the running test. Kill it as you like.

`python -m tests.inbox.fetch_process DATABASE ACCOUNT RUNS`: says "ready", then does so many runs, a line of JSON each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).parent.parent.parent


def start(account_id: int, runs: int = 1, *, under: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start it; it shares the data folder of this process. `under` is a program that watches over it."""
    database = str(connection.settings_dict["NAME"])
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    words = ["-m", "tests.inbox.fetch_process", database, str(account_id), str(runs)]
    return subprocess.Popen(
        [*under, sys.executable, *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def main(database: str, account_id: int, runs: int) -> None:
    """Do the runs."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fumibako.web.settings")
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()

    from fumibako.apps.inbox.work import fetch_account

    print("ready", flush=True)
    for _ in range(runs):
        run = fetch_account(account_id)
        facts = {"trouble": run.trouble_kind, "stored": run.stored_count} if run else {"trouble": "not mine"}
        print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
