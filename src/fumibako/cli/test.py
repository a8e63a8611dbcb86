"""`test`: the whole test suite in one pytest run; ruff, mypy and import-linter are among its tests (tests/house)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fumibako.cli.refused import CouldNotRun

ROOT = Path(__file__).resolve().parents[3]
OWN_PARALLELISM = ("-n", "--numprocesses", "--dist", "--pdb", "--collect-only", "--co", "-h", "--help", "--version")


def run(words: list[str]) -> int:
    """Runs pytest from the top of the tree with `words` added; returns pytest's exit code."""
    if not (ROOT / "tests").is_dir():
        raise CouldNotRun("この置き場所にはテストがありません。配布元からフォルダごと取り直してください。")
    try:
        import pytest
    except ImportError as missing:
        raise CouldNotRun("テストの道具がありません。「./fumibako test」から始めてください。") from missing
    os.chdir(ROOT)
    # `tests` is a namespace of its own beside `src`; the launcher keeps the current folder off the path.
    sys.path.insert(0, str(ROOT))
    return int(pytest.main([*parallel(words), *words]))


def parallel(words: list[str]) -> list[str]:
    """One worker for each processor, unless the caller decides that himself."""
    if any(word.startswith(OWN_PARALLELISM) for word in words):
        return []
    return ["-n", str(os.cpu_count() or 1), "--dist", "loadgroup"]
