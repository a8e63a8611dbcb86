"""Tests that need an outside program: skipped with the command that installs it, failed where it must be there."""

from __future__ import annotations

import pytest

from tests.support.tools import require_tool

APT_LINE = "sudo apt install no-such-tool"


def test_a_present_program_is_found() -> None:
    assert require_tool("sh", APT_LINE).endswith("/sh")


def test_a_missing_program_skips_with_the_exact_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FUMIBAKO_CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=APT_LINE):
        require_tool("no-such-tool", APT_LINE)


def test_a_missing_program_fails_in_continuous_integration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUMIBAKO_CI", "1")
    with pytest.raises(pytest.fail.Exception, match=APT_LINE):
        require_tool("no-such-tool", APT_LINE)
