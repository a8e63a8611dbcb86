"""`bench`: reproducible measurements against servers that the command starts itself; one JSON line each.

Each kind is a module in this package with `add_arguments(parser)` and `run(args) -> int`, and one line in the table.
Everything happens in a data folder of its own that is removed at the end.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from fumibako.cli.refused import Refused

KINDS: dict[str, tuple[str, str]] = {
    "send": ("sending", "承認済みのメールを送る速さ(smtp-source があれば並べて測ります)"),
    "freeze": ("freezing", "承認(全員分のメールを作って確定する)の速さ"),
    "receive": ("receiving", "受信したメールが一覧で読めて、探せるまでの速さ(mpop・fetchmail があれば並べて測ります)"),
    "search": ("searching", "大量のメールと送信がある時の、一覧・検索・送信履歴の画面の速さ"),
}
"""Name → module in this package, and what it measures."""

HIDDEN = {
    "_send": "send_child",
    "_read": "read_child",
    "_freeze": "freeze_child",
    "_receive": "receive_child",
    "_search": "search_child",
    "_delay": "delay",
    "_sink": "sink",
}
"""What the measurements start for themselves, each in a process of its own."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The kind, and what that kind takes."""
    names = "\n".join(f"  {name:<8}{purpose}" for name, (_, purpose) in KINDS.items())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"種類:\n{names}"
    parser.add_argument("kind", metavar="KIND", help="下の種類のどれか")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="…", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Measure one kind. Raises Refused for a kind that does not exist."""
    if args.kind not in KINDS | HIDDEN:
        raise Refused(f"「{args.kind}」という測定はありません。使えるのは {'・'.join(KINDS)} です。")
    name = KINDS[args.kind][0] if args.kind in KINDS else HIDDEN[args.kind]
    module: Any = import_module(f"fumibako.cli.bench.{name}")
    parser = argparse.ArgumentParser(prog=f"./fumibako bench {args.kind}")
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(args.rest)))
