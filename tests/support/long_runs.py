"""Loaded by pytest (see pyproject.toml): tests marked `long` run only with --long, and say so when they do not."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """--long."""
    parser.addoption("--long", action="store_true", help="run the tests that take many minutes, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is long, aloud."""
    if config.getoption("--long"):
        return
    skip = pytest.mark.skip(reason="takes many minutes; run: ./fumibako test --long")
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(skip)
