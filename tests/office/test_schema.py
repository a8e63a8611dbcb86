"""Bringing the tables up to date: forward only, with a copy first, and nothing at all when nothing is pending (D20)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.acceptance.running import ROOT, finished, surroundings

ONE_STEP_BACK = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", "audit", "0002", verbosity=0)
"""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A data folder whose tables are one step behind this version."""
    data = tmp_path / "data"
    assert finished(data, "account", "list").returncode == 0
    environment = surroundings(tmp_path) | {
        "FUMIBAKO_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "fumibako.web.settings",
    }
    subprocess.run([sys.executable, "-c", ONE_STEP_BACK], env=environment, cwd=ROOT, check=True, timeout=60)
    return data


def steps_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        return {name for (name,) in database.execute("SELECT name FROM django_migrations WHERE app = 'audit'")}


def test_d20_an_older_database_is_copied_and_then_brought_up_to_date(older: Path) -> None:
    assert finished(older, "account", "list").returncode == 0
    (copy,) = (older / "backups").iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600
    assert "0003_append_only" not in steps_of(copy)
    assert "0003_append_only" in steps_of(older / "fumibako.sqlite3")


def test_d20_a_second_run_does_nothing(older: Path) -> None:
    finished(older, "account", "list")
    before = (older / "fumibako.sqlite3").read_bytes()
    assert finished(older, "account", "list").returncode == 0
    assert len(list((older / "backups").iterdir())) == 1
    assert (older / "fumibako.sqlite3").read_bytes() == before


def test_a_new_folder_has_nothing_to_copy(tmp_path: Path) -> None:
    assert finished(tmp_path / "data", "account", "list").returncode == 0
    assert not (tmp_path / "data" / "backups").exists()
