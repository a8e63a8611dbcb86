"""Other programs that gather mail, beside ours: mpop and fetchmail, each delivering into a Maildir of its own."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fumibako.cli.bench.dovecot import PASSWORD, USER
from fumibako.cli.bench.measured import Line

APT = {"mpop": "sudo apt install mpop", "fetchmail": "sudo apt install fetchmail"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where from. `pin` is the server certificate's SHA-256 when the line is TLS, `authority` a file that knows it."""

    port: int
    pin: str = ""
    authority: str = ""


def mpop(folder: Path, source: Source) -> list[str]:
    """Write mpop's settings; return how it is started."""
    colons = ":".join(source.pin[place : place + 2] for place in range(0, len(source.pin), 2))
    lines = [
        "account bench",
        "host 127.0.0.1",
        f"port {source.port}",
        f"user {USER}",
        f"password {PASSWORD}",
        "auth user",
        "keep on",
        "received_header off",
        f"delivery maildir {folder / 'mail'}",
        f"uidls_file {folder / 'uidls'}",
        *(["tls on", "tls_starttls on", f"tls_fingerprint {colons}"] if source.pin else ["tls off"]),
    ]
    return ["mpop", "-q", "-C", str(_settings(folder / "mpoprc", lines)), "bench"]


def fetchmail(folder: Path, source: Source) -> list[str]:
    """Write fetchmail's settings and a small program that delivers; return how it is started."""
    deliver = _settings(folder / "deliver", ["#!/bin/sh", f"exec cat > '{folder}/mail/new/'$$.bench"])
    deliver.chmod(0o700)
    tls = f"sslproto 'TLS1.2+' sslcertck sslcertfile '{source.authority}' sslcommonname 'localhost'"
    lines = [
        f"poll 127.0.0.1 protocol pop3 port {source.port} auth password",
        f"user '{USER}' password '{PASSWORD}' keep fetchall no rewrite mda '{deliver}'",
        tls if source.pin else "sslproto ''",
    ]
    settings = _settings(folder / "rc", lines)
    return ["fetchmail", "-s", "-N", "--nosyslog", "-i", str(folder / "ids"), "-f", str(settings)]


GATHERERS: dict[str, Callable[[Path, Source], list[str]]] = {"mpop": mpop, "fetchmail": fetchmail}


SYNCED = {"mpop": "files", "fetchmail": "nothing"}
"""What is surely on the disk when they are done, seen by strace: mpop syncs no folder, fetchmail's `cat` nothing."""


def gather(name: str, folder: Path, source: Source, count: int, before: Sequence[str] = ()) -> Line:
    """Let one of them receive everything; {} and a line on stderr when it is not installed or did not get it all."""
    if shutil.which(name) is None:
        print(f"{name} がないため、並べて測れません: {APT[name]}", file=sys.stderr)
        return {}
    for part in ("cur", "new", "tmp"):
        (folder / "mail" / part).mkdir(parents=True)
    command = [*before, *GATHERERS[name](folder, source)]
    used, begun_at = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    surroundings = os.environ | {"FETCHMAILHOME": str(folder), "HOME": str(folder)}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    seconds, after = time.monotonic() - begun_at, resource.getrusage(resource.RUSAGE_CHILDREN)
    there = sum(1 for _ in (folder / "mail" / "new").iterdir())
    if there != count:
        print(f"{name}: {there} / {count} 通 ({done.stderr.strip()[:300]})", file=sys.stderr)
        return {}
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    return {
        "seconds": round(seconds, 3),
        "rate": round(count / seconds, 1),
        "cpu_seconds": round(cpu, 3),
        "synced": SYNCED[name],
    }


def _settings(file: Path, lines: list[str]) -> Path:
    file.write_text("\n".join(lines) + "\n", "utf-8")
    file.chmod(0o600)
    return file
