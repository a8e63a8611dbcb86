"""A process that stores two batches of received mail when told to, and says aloud what it has promised to keep.

`python -m tests.faults.store_process DATABASE ACCOUNT`: prints `ready`, waits for a line, stores; after each batch that
is durable it writes `kept N` to its error stream, where a tracer sees it.
"""

from __future__ import annotations

import hashlib
import os
import sys

BATCHES, MAILS = 2, 3
KEPT = b"kept "


def main(database: str, account_id: int) -> None:
    """Store."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fumibako.web.settings")
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = database
    django.setup()
    from django.utils import timezone

    from fumibako.apps.accounts.models import MailAccount
    from fumibako.apps.inbox.actions.keeping import Mailbox
    from fumibako.apps.inbox.models import FetchRun
    from fumibako.services.collecting.terms import Fetched, Listed, Rule

    account = MailAccount.objects.get(pk=account_id)
    run = FetchRun.objects.create(account=account, started_at=timezone.now())
    mailbox = Mailbox(account, Rule(), run, None, timezone.now)
    raws = [f"Subject: {number}\r\n\r\n{'x' * 900}\r\n".encode() for number in range(BATCHES * MAILS)]
    mailbox.note_list([Listed(number, f"u{number}", len(raw)) for number, raw in enumerate(raws)])
    print("ready", flush=True)
    sys.stdin.readline()
    for batch in range(BATCHES):
        numbers = range(batch * MAILS, (batch + 1) * MAILS)
        mailbox.keep(
            [
                Fetched(f"u{number}", len(raws[number]), raws[number], hashlib.sha256(raws[number]).hexdigest())
                for number in numbers
            ]
        )
        os.write(2, KEPT + str(batch + 1).encode())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
