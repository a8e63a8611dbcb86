"""`backup FILE`: the whole office in one file, while everything goes on. The key is not in it."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.utils import timezone

from fumibako.apps.audit.actions import record
from fumibako.apps.office.backup import make_backup
from fumibako.cli.printing import note, tell
from fumibako.cli.starting import data_root

KEEP_APART = "鍵ファイル {} は控えに入っていません。控えとは別の場所に、必ず控えておいてください。"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `backup` takes."""
    parser.add_argument("file", metavar="FILE", help="作る控えのファイル(上書きはしません)")


def run(args: argparse.Namespace) -> int:
    """Make it, and say how large it is and how long it took."""
    now = timezone.now()
    made = make_backup(Path(args.file).expanduser().absolute(), now)
    record(None, "office.backed_up", "office", changes={"bytes": [0, made.byte_count]})
    facts = {
        "file": str(made.path),
        "bytes": made.byte_count,
        "entries": made.entry_count,
        "seconds": round(made.seconds, 3),
        "hold_seconds": round(made.hold_seconds, 3),
    }
    size = made.byte_count / 1024 / 1024
    tell(args, facts, f"控えを作りました: {made.path}({size:,.1f}MB、{made.entry_count:,}ファイル)")
    note(KEEP_APART.format(data_root() / "fumibako.key"))
    return 0
