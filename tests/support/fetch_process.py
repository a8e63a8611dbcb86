"""A process that fetches a mailbox into a folder until it is done, or until somebody kills it.

python -m tests.support.fetch_process PORT FOLDER USER PASSWORD
"""

from __future__ import annotations

import sys
from pathlib import Path

from fumibako.services.collector import PopRoute, Rule, collect
from fumibako.services.secret import Secret
from tests.support.mail_desk import Desk


def main(port: str, folder: str, user: str, password: str) -> int:
    """Fetch and delete. 0: done; 1: trouble."""
    desk = Desk(Path(folder))
    print("ready", flush=True)
    route = PopRoute("127.0.0.1", int(port), user=user, password=Secret(password), loopback_only=True)
    collected = collect(route, Rule(delete_after_receive=True), desk, desk)
    desk.close()
    return 0 if collected.trouble is None else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
