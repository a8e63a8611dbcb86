"""`bench freeze`: how long inspecting and approving take, and how much memory, for few and for many people."""

from __future__ import annotations

import argparse

from fumibako.cli.bench.measured import child, folder, free_port, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many people."""
    parser.add_argument("--people", default="10000,100000", help="人数(コンマで区切ると順に測ります)")
    parser.add_argument("--profile", default="", metavar="FILE", help="Python の profile を書き出します")


def run(args: argparse.Namespace) -> int:
    """Two lines per size, 点検 and 承認; the last compares the memory of the last approval with the first."""
    peaks: list[float] = []
    words = ["--profile", args.profile] if args.profile else []
    for people in map(int, args.people.split(",")):
        with folder() as data:
            child("_freeze", data, people, free_port())
            looked = child("_freeze", data, people, 0, "--look")
            facts = child("_freeze", data, people, 0, "--made", *words)
        show(bench="freeze", what="inspect", people=people, **looked)
        show(bench="freeze", what="fumibako", people=people, **facts)
        peaks.append(facts["peak_rss_mb"])
    show(bench="freeze", what="ratio", peak_rss=round(peaks[-1] / peaks[0], 2))
    return 0
