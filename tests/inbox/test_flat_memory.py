"""A mailbox of any size is fetched and read within the same memory, in a process that does nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fumibako.cli.bench.mailbox import letters
from fumibako.cli.bench.measured import database
from tests.house.tree import ROOT
from tests.support.peers.pop import Held, PopServer

MOST_MB = 150


def peak_mb(count: int, folder: Path) -> tuple[float, float]:
    """Memory of the process that fetched so many mails, and of the largest child that read them."""
    held = [Held(f"uid-{number}", raw) for number, raw in enumerate(letters(count))]
    # The process finds its database by the address alone: on PostgreSQL it gets one of its own.
    with PopServer(held) as server, database(os.environ.get("FUMIBAKO_DATABASE_URL", "")) as url:
        surroundings = os.environ | {"PYTHONPATH": str(ROOT / "src"), "FUMIBAKO_DATABASE_URL": url}
        words = ["-m", "fumibako", "--data", str(folder), "bench", "_receive", str(count), str(server.port)]
        done = subprocess.run([sys.executable, *words], env=surroundings, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    assert found["read"] == found["findable"] == count
    return found["peak_rss_mb"], found["peak_rss_mb_reading"]


def test_a_thousand_mails_are_fetched_and_read_within_150_mb(tmp_path: Path) -> None:
    assert max(peak_mb(1_000, tmp_path)) <= MOST_MB


@pytest.mark.long
def test_twenty_thousand_mails_are_fetched_and_read_within_150_mb(tmp_path: Path) -> None:
    assert max(peak_mb(20_000, tmp_path)) <= MOST_MB
