"""ruff, mypy and import-linter as tests, so that one closing line speaks for everything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

# One worker runs them one after the other: each uses all the processor it can get.
pytestmark = pytest.mark.xdist_group("tools")

TOOLS = Path(sys.executable).parent


def prove_content(data: Path, *words: str) -> None:
    """Runs a tool from the top of the tree; the test fails with the tool's own words."""
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "FUMIBAKO_DATA": str(data), "NO_COLOR": "1"}
    done = subprocess.run(words, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"{done.stdout}\n{done.stderr}", pytrace=False)


def test_ruff_finds_nothing(tmp_path: Path) -> None:
    prove_content(tmp_path, str(TOOLS / "ruff"), "check", ".")


def test_every_file_is_formatted(tmp_path: Path) -> None:
    prove_content(tmp_path, str(TOOLS / "ruff"), "format", "--check", ".")


def test_mypy_strict_finds_nothing(tmp_path: Path) -> None:
    prove_content(tmp_path, sys.executable, "-m", "mypy")


def test_the_layers_hold(tmp_path: Path) -> None:
    prove_content(tmp_path, str(TOOLS / "lint-imports"))
