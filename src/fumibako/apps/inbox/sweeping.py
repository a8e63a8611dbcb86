"""Once a day: files that a killed run left behind, and rows that nobody will ask for again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings

from fumibako.services.mail_store import DRAFT_AGE, sweep_drafts

from .models import FetchRun, Presence, ReceivedMail

log = structlog.get_logger("fumibako.inbox")

LOOKED_AT = timedelta(days=7)
"""Older files were looked at on the days before."""
RUNS_KEPT = timedelta(days=30)
PER_QUERY = 500


def forget_rows(now: datetime) -> int:
    """Drop runs that brought nothing a month ago, and who had a mail open yesterday; return how many."""
    idle, _ = FetchRun.objects.filter(started_at__lt=now - RUNS_KEPT, stored_count=0).delete()
    absent, _ = Presence.objects.filter(seen_at__lt=now - DRAFT_AGE).delete()
    return idle + absent


def sweep_orphans(now: datetime) -> int:
    """Remove drafts, and whole mails that are stored a second time under a row of their own; return how many.

    A mail without a row may be the only copy, after a restore from a backup: it stays unless the same bytes are here.
    """
    root = Path(settings.DATA.mail)
    count = sweep_drafts(root, now.timestamp())
    old = list(_files(root, now))
    for first in range(0, len(old), PER_QUERY):
        chunk = old[first : first + PER_QUERY]
        known = ReceivedMail.objects.filter(raw_path__in=[str(path.relative_to(root)) for path in chunk])
        kept = set(known.values_list("raw_path", flat=True))
        for path in chunk:
            if str(path.relative_to(root)) not in kept and _is_second(path, root):
                path.unlink(missing_ok=True)
                count += 1
    return count


def _is_second(path: Path, root: Path) -> bool:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for raw_path in ReceivedMail.objects.filter(raw_sha256=digest).values_list("raw_path", flat=True):
        place = root / raw_path
        if place.is_file() and hashlib.sha256(place.read_bytes()).hexdigest() == digest:
            return True
    log.warning("mail_without_row", file=path.name)
    return False


def _files(root: Path, now: datetime) -> Iterator[Path]:
    latest, earliest = (now - DRAFT_AGE).timestamp(), (now - LOOKED_AT).timestamp()
    for folder, _, names in os.walk(root):
        # A month that has ended long ago has nothing new in it.
        if not names or Path(folder).stat().st_mtime < earliest:
            continue
        for name in names:
            path = Path(folder) / name
            if name.endswith(".eml") and earliest <= path.stat().st_mtime <= latest:
                yield path
