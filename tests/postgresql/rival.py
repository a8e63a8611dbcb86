"""A worker on a machine of its own, as far as the database can tell: it sends for one account without asking whether
another does, and its clock is wrong.

`python -m tests.postgresql.rival DATABASE PORT ACCOUNT MINUTES`
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from datetime import datetime, timedelta


def main(database: str, port: int, account_id: int, minutes: int) -> None:
    """Send until nothing is left."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fumibako.web.settings")
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()

    from django.utils import timezone

    from fumibako.apps.sending import ledger, workers
    from fumibako.apps.sending.work import AROUND, Fleet
    from tests.support.jobs import FakeTime, around

    def now() -> datetime:
        return timezone.now() + timedelta(minutes=minutes)

    worker_id, lock = workers.enlist(now())
    world = replace(AROUND, route_of=around(port, FakeTime()).route_of, now=now)
    ledger.reap(now())
    Fleet(account_id, worker_id, threading.Event(), world).run()
    ledger.reap(now())
    workers.retire(worker_id, lock, now())


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
