"""PostgreSQL as the database of the whole product: the tests that exist, once more on a server of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgresql import PostgreSQL

pytestmark = pytest.mark.realserver

ROOT = Path(__file__).parent.parent.parent
OWN = ("tests/postgresql/on_the_server.py", "tests/postgresql/rounds_there.py")
SHORT = (
    *OWN,
    "tests/sending/test_ledger_moves.py",
    "tests/sending/test_commit_in_doubt.py",
    "tests/sending/test_workers.py",
    "tests/inbox/test_search.py",
)
ALL = (*OWN, "tests/sending", "tests/inbox", "tests/contacts")
SQLITE_ALONE = ("d02_a_disk_that_is_full", "d04", "test_big_run")
"""What fills, or breaks, a file that PostgreSQL does not have."""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQL]:
    with PostgreSQL() as found:
        yield found


@pytest.mark.parametrize(
    "places", [pytest.param(SHORT, id="short"), pytest.param(ALL, id="all", marks=pytest.mark.long)]
)
def test_c07_c18_t06_the_ledger_keeps_its_promises_on_postgresql(server: PostgreSQL, places: tuple[str, ...]) -> None:
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        "FUMIBAKO_DATABASE_URL": server.url,
        "FUMIBAKO_TEST_POSTGRESQL": server.place,
    }
    environment.pop("PYTEST_XDIST_WORKER", None)
    words = ["-q", "-p", "no:cacheprovider", "-n", "0", "-k", " and ".join(f"not {name}" for name in SQLITE_ALONE)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *places], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
