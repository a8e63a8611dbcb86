"""`bench send`: the engine with its full durable ledger against a sink, and Postfix's smtp-source beside it."""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from fumibako.cli.bench.measured import Line, child, database, folder, free_port, running, show
from fumibako.cli.bench.sink import sink_command

PEERS: dict[str, tuple[str, ...]] = {"smtp-source": (), "smtp-source -d": ("-d",)}
"""One connection per mail, as the program does by itself, and with `-d` many mails on one connection, as we do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many, over how many connections, how far away."""
    parser.add_argument("--mails", type=int, default=10_000, help="通数")
    parser.add_argument("--connections", default="10,1", help="同時接続数(コンマで区切ると順に測ります)")
    parser.add_argument("--rtt", type=float, default=0.0, metavar="MS", help="往復の遅れ(ミリ秒)")
    parser.add_argument("--peer-mails", type=int, default=0, help="並べて測るほうの通数(0=同じ)")
    parser.add_argument("--repeat", type=int, default=1, help="繰り返しの数(よいほうを比べます)")
    parser.add_argument(
        "--database-url",
        default="",
        metavar="URL",
        help="PostgreSQL で測ります(測定用のデータベースを作り、終わると消します)",
    )
    parser.add_argument("--reader", action="store_true", help="結果の書き出しをゆっくり読む人がいる時も測ります")
    parser.add_argument("--profile", default="", metavar="FILE", help="Python の profile を書き出します")


def run(args: argparse.Namespace) -> int:
    """One line per run; the last holds the ratios of the best of each."""
    ratios: dict[str, float] = {}
    for connections in map(int, args.connections.split(",")):
        best: dict[str, float] = {}
        for _ in range(args.repeat):
            for what, facts in _runs(args, connections):
                show(bench="send", what=what, connections=connections, rtt_ms=args.rtt, **facts)
                best[what] = max(best.get(what, 0.0), facts["rate"])
        ours = best.pop("fumibako")
        if "fumibako beside a reader" in best:
            ratios[f"{connections} beside a reader / alone"] = round(best.pop("fumibako beside a reader") / ours, 3)
        ratios |= {f"{connections} / {what}": round(ours / rate, 3) for what, rate in best.items()}
    show(bench="send", what="ratio", rtt_ms=args.rtt, ratios=ratios)
    return 0


def _runs(args: argparse.Namespace, connections: int) -> Iterator[tuple[str, Line]]:
    with _server(args.rtt) as (port, sink):
        words = ["--profile", args.profile] if args.profile else []
        ours = _ours(args, port, connections, *words) | {"sink": sink}
        yield "fumibako", ours
        if args.reader:
            yield "fumibako beside a reader", _ours(args, port, connections, "--reader")
        program = shutil.which("smtp-source") or shutil.which("smtp-source", path="/usr/sbin")
        for what, options in PEERS.items() if program else ():
            count = args.peer_mails or args.mails
            command = [program or "", "-s", str(connections), "-m", str(count), "-l", str(ours["octets"]), *options]
            yield what, _peer([*command, "-f", "a@example.jp", "-t", "b@example.com", f"127.0.0.1:{port}"], count)


def _ours(args: argparse.Namespace, port: int, connections: int, *words: str) -> Line:
    """Make, approve and send in a process each, so that the memory told is that of sending."""
    with folder() as data, database(args.database_url) as url:
        child("_freeze", data, args.mails, port, "--connections", connections, database_url=url)
        frozen = child("_freeze", data, args.mails, port, "--made", database_url=url)
        sent = child("_send", data, *words, database_url=url)
    whole = round(args.mails / (frozen["seconds"] + sent["seconds"]), 1)
    return sent | {"freeze_seconds": frozen["seconds"], "whole_rate": whole}


def _peer(command: list[str], count: int) -> Line:
    before, begun_at = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.monotonic() - begun_at, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": round(seconds, 3), "rate": round(count / seconds, 1), "cpu_seconds": round(cpu, 3)}


@contextmanager
def _server(round_trip_ms: float) -> Iterator[tuple[int, str]]:
    """A sink, at the given distance: (port, which sink)."""
    with ExitStack() as stack:
        port = free_port()
        name, command = sink_command(port)
        stack.enter_context(running(command, port))
        if round_trip_ms:
            near = free_port()
            delay = [sys.executable, "-m", "fumibako", "bench", "_delay", str(near), str(port), str(round_trip_ms)]
            stack.enter_context(running(delay, near))
            port = near
        yield port, name
