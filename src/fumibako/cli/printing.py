"""What a command says: with `--json` one object per line on stdout, else a text; notes for people go to stderr."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from django.utils import timezone


def tell(args: argparse.Namespace, record: Mapping[str, Any], text: str) -> None:
    """Say one thing on stdout."""
    line = json.dumps(record, ensure_ascii=False, default=_plain) if args.json else text
    print(line, flush=True)


def note(text: str) -> None:
    """Say something to the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def iso(when: datetime | None) -> str | None:
    """Return a time in ISO 8601 with its zone, to the second; None stays None."""
    return timezone.localtime(when).isoformat(timespec="seconds") if when is not None else None


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return str(iso(value))
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
