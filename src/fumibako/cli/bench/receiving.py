"""`bench receive`: from a mailbox on a Dovecot of our own to mails that can be found, mpop and fetchmail beside it."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from fumibako.cli.bench.dovecot import Dovecot
from fumibako.cli.bench.gatherers import GATHERERS, Source, gather
from fumibako.cli.bench.mailbox import letter, letters
from fumibako.cli.bench.measured import Line, child, folder, free_port, running, show, slow_disk
from fumibako.cli.refused import CouldNotRun

APT = "sudo apt install dovecot-pop3d"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many, over what, how far away."""
    parser.add_argument("--mails", type=int, default=5_000, help="通数")
    parser.add_argument("--wires", default="plain,tls", help="plain・tls(コンマで区切ると順に測ります)")
    parser.add_argument("--rtt", default="0", metavar="MS", help="往復の遅れ(ミリ秒。コンマで区切ると順に測ります)")
    parser.add_argument("--sync", type=float, default=0.0, metavar="MS", help="ディスクの書き込み確認の遅れ(ミリ秒)")
    parser.add_argument("--peers", default="mpop,fetchmail", help="並べて測るプログラム(空なら測りません)")
    parser.add_argument("--repeat", type=int, default=1, help="繰り返しの数(よいほうを比べます)")
    parser.add_argument("--delete", action="store_true", help="受信後にサーバーから削除します(並べて測れません)")
    parser.add_argument("--profile", default="", metavar="FILE", help="Python の profile を書き出します")


def run(args: argparse.Namespace) -> int:
    """One line per run; the last holds the ratios of the best of each."""
    program = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
    if program is None:
        raise CouldNotRun(f"Dovecot が要ります: {APT}")
    if args.sync and shutil.which("strace") is None:
        raise CouldNotRun("strace が要ります: sudo apt install strace")
    ratios: dict[str, float] = {}
    with _mailbox(program, args.mails) as (port, certificate), ExitStack() as places:
        for wire in args.wires.split(","):
            for round_trip in map(float, args.rtt.split(",")):
                with _distant(port, round_trip) as near:
                    source = Source(near, certificate.pin if wire == "tls" else "", str(certificate.path))
                    best = _measure(args, source, places, wire, round_trip)
                ours = best.pop("fumibako")
                ratios |= {f"{wire} {round_trip:g} ms / {what}": round(ours / rate, 2) for what, rate in best.items()}
    show(bench="receive", what="ratio", sync_ms=args.sync, mails=args.mails, octets=len(letter(1)), ratios=ratios)
    return 0


def _measure(
    args: argparse.Namespace, source: Source, places: ExitStack, wire: str, round_trip: float
) -> dict[str, float]:
    best: dict[str, float] = {}
    for _ in range(args.repeat):
        for what, facts in _runs(args, source, places):
            show(bench="receive", what=what, wire=wire, rtt_ms=round_trip, sync_ms=args.sync, mails=args.mails, **facts)
            best[what] = max(best.get(what, 0.0), facts["rate"])
    return best


def _runs(args: argparse.Namespace, source: Source, places: ExitStack) -> Iterator[tuple[str, Line]]:
    """Every run has a folder of its own, and none is removed before the last run.

    ext4 makes files several times more slowly while thousands were removed beside them a minute ago.
    """
    words = [f"--profile={args.profile}"] if args.profile else []
    words += ["--delete"] if args.delete else []
    words += [f"--pin={source.pin}"] if source.pin else []
    before = slow_disk(args.sync)
    yield "fumibako", child("_receive", places.enter_context(folder()), args.mails, source.port, *words, before=before)
    for name in filter(None, args.peers.split(",")):
        if name not in GATHERERS:
            raise CouldNotRun(f"並べて測れるのは {'・'.join(GATHERERS)} です。")
        facts = gather(name, places.enter_context(folder()), source, args.mails, before)
        if facts:
            yield name, facts


@contextmanager
def _mailbox(program: str, count: int) -> Iterator[tuple[int, _Certificate]]:
    # Below /tmp whatever FUMIBAKO_BENCH says: the names of sockets must be short.
    place = Path(tempfile.mkdtemp(prefix="fb-pop-"))
    try:
        certificate = _Certificate(place)
        with Dovecot(program, place, certificate.path) as server:
            server.deliver(letters(count))
            yield server.plain_port, certificate
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _distant(port: int, round_trip_ms: float) -> Iterator[int]:
    with ExitStack() as stack:
        if not round_trip_ms:
            yield port
            return
        near = free_port()
        delay = [sys.executable, "-m", "fumibako", "bench", "_delay", str(near), str(port), str(round_trip_ms)]
        stack.enter_context(running(delay, near))
        yield near


class _Certificate:
    """For localhost, valid for a day, signed by itself; `path` holds it and its key (PEM)."""

    def __init__(self, place: Path) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        self.pin = sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()
        self.path = place / "localhost.pem"
        self.path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
