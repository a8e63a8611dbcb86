"""`bench` measures in a folder of its own and says what it measured, one JSON line each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fumibako.cli import bench
from fumibako.cli.refused import Refused
from tests.house.tree import ROOT


def measured(tmp_path: Path, *words: str) -> list[dict[str, Any]]:
    surroundings = os.environ | {"PYTHONPATH": str(ROOT / "src"), "FUMIBAKO_BENCH": str(tmp_path)}
    command = [sys.executable, "-m", "fumibako", "bench", *words]
    done = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_bench_send_sends_every_mail_behind_a_wire_and_leaves_nothing_behind(tmp_path: Path) -> None:
    lines = measured(tmp_path, "send", "--mails", "40", "--connections", "3", "--rtt", "2", "--peer-mails", "10")
    assert (lines[0]["what"], lines[0]["states"]["sent"], lines[0]["settings"]["synchronous"]) == ("fumibako", 40, "2")
    assert {"rate", "cpu_seconds", "peak_rss_mb", "settings"} <= lines[0].keys()
    assert lines[-1]["what"] == "ratio"
    assert list(tmp_path.iterdir()) == []


def test_bench_freeze_tells_time_and_memory(tmp_path: Path) -> None:
    looked, frozen, ratio = measured(tmp_path, "freeze", "--people", "30")
    assert (looked["what"], looked["mails"], frozen["what"], frozen["mails"]) == ("inspect", 30, "fumibako", 30)
    assert ratio["peak_rss"] == 1.0


def test_an_unknown_measurement_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(Refused, match="send・freeze"):
        bench.run(type("Words", (), {"kind": "fly", "rest": []})())
