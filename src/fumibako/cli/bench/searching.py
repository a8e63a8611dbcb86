"""`bench search`: how long pages take when there are very many mails and sends."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path

from fumibako.cli.bench.measured import child, folder, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much there is, and how often each page is asked for."""
    parser.add_argument("--mails", type=int, default=100_000, help="受信メールの数")
    parser.add_argument("--deliveries", type=int, default=100_000, help="送信明細の数")
    parser.add_argument("--contacts", type=int, default=20_000, help="連絡記録の数")
    parser.add_argument("--rounds", type=int, default=20, help="1画面を開く回数")
    parser.add_argument("--keep", default="", metavar="DIR", help="この場所にデータを残し、次の回にも使います")
    parser.add_argument("--only", default="", metavar="TEXT", help="名前にこの語を含む画面だけを測ります")


def run(args: argparse.Namespace) -> int:
    """One line per page; the last one names the slowest."""
    with nullcontext(Path(args.keep).absolute()) if args.keep else folder() as data:
        words = [f"--only={args.only}"] if args.only else []
        found = child("_search", data, args.mails, args.deliveries, args.contacts, args.rounds, *words)
    for name, facts in found.pop("pages").items():
        show(bench="search", what="fumibako", page=name, **facts)
    show(bench="search", what="whole", mails=args.mails, deliveries=args.deliveries, contacts=args.contacts, **found)
    return 0
