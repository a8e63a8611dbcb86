"""The page of faults tells the truth: what it names exists, and speaks of that fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ROW = re.compile(r"^\| (\w+) \|.*\| ([^|]*) \|$", re.MULTILINE)
EXAMPLE = re.compile(r"^\| (\d+) \| ([^|]*) \|$", re.MULTILINE)


def rows() -> list[tuple[str, str]]:
    """(word as in names of tests, a file that is said to test it)."""
    text = (ROOT / "docs" / "operations" / "faults.md").read_text("utf-8")
    told = [(fault.lower(), files) for fault, files in ROW.findall(text) if re.fullmatch(r"[A-Z]\d\d", fault)]
    told += [(f"example_{int(number):02d}", files) for number, files in EXAMPLE.findall(text)]
    return [(word, name) for word, files in told for name in re.findall(r"`([^`]+)`", files)]


def test_the_page_names_faults_and_examples() -> None:
    words = {word for word, _ in rows()}
    assert {"s01", "s27", "d10", "x48", "example_01", "example_22"} <= words


@pytest.mark.parametrize(("word", "name"), rows())
def test_what_the_page_names_is_there(word: str, name: str) -> None:
    if "*" in name:
        assert list((ROOT / "tests").glob(name))
    else:
        assert f"_{word}_" in (ROOT / "tests" / name).read_text("utf-8").lower()
