"""Somebody who downloads the results of a send over a slow line, again and again, until told to stop."""

from __future__ import annotations

import argparse
import select
import sys

LINES_AT_ONCE = 50
PAUSE_SECONDS = 0.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing to choose."""


def run(args: argparse.Namespace) -> int:
    """Read until standard input is closed; print how many lines it was, and how long the log of the database grew."""
    from fumibako.cli.starting import open_database, start_django

    start_django()
    open_database()
    from django.conf import settings

    from fumibako.apps.sending.models import BulkSend
    from fumibako.apps.sending.report import result_csv
    from fumibako.cli.bench.measured import show

    job = BulkSend.objects.select_related("account").latest("pk")
    log = settings.DATA.root / "fumibako.sqlite3-wal"
    line_count, log_bytes = 0, 0
    while True:
        for _ in result_csv(job, {}):
            line_count += 1
            if line_count % LINES_AT_ONCE:
                continue
            log_bytes = max(log_bytes, log.stat().st_size if log.exists() else 0)
            if select.select([sys.stdin], [], [], PAUSE_SECONDS)[0]:
                show(reader_lines=line_count, log_mb=round(log_bytes / 1e6, 1))
                return 0
