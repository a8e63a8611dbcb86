"""Fetching from a real Dovecot: byte for byte, over every kind of line, cut at every command, killed at any moment."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from fumibako.services.collector import Collected, PopRoute, Rule, collect
from fumibako.services.secret import Secret
from tests.services.collecting import QUICK, mail
from tests.support.dovecot import PASSWORD, Dovecot
from tests.support.mail_desk import Desk
from tests.support.peers.cutting import CuttingLine

pytestmark = pytest.mark.realserver
COUNTS = [600, pytest.param(5000, marks=pytest.mark.long)]
COUNTS_AND_KILLS = [(600, 10), pytest.param(5000, 50, marks=pytest.mark.long)]


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    # pytest's own folders are too deep for the names of sockets.
    short = tempfile.TemporaryDirectory(prefix="dovecot-", ignore_cleanup_errors=True)
    with short as folder, Dovecot(Path(folder)) as server:
        yield server


def invented(count: int) -> list[bytes]:
    """Mails of many sizes with dots, bare eight-bit bytes and long lines."""
    chance = random.Random(7)
    bodies = ["..", ".", "\r\n.\r\n", "件名", "x" * 4000, ".\r\n..\r\n...", "line\r\n" * 100]
    return [mail(number, "\r\n".join(chance.choices(bodies, k=chance.randrange(1, 6)))) for number in range(count)]


def fetch(port: int, user: str, desk: Desk, *, delete: bool = False, **route: Any) -> Collected:
    way = PopRoute("127.0.0.1", port, user=user, password=Secret(PASSWORD), loopback_only=True, **route)
    return collect(way, Rule(delete_after_receive=delete), desk, desk)


def hashes(mails: list[bytes]) -> list[str]:
    return sorted(sha256(raw).hexdigest() for raw in mails)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("security", ["none", "stls", "tls"])
def test_p05_mails_come_byte_exact_once_and_leave_an_empty_mailbox(
    security: Any, count: int, dovecot: Dovecot, tmp_path: Path
) -> None:
    mails, desk = invented(count), Desk(tmp_path)
    user = f"whole-{security}-{count}"
    dovecot.deliver(mails, user)
    port = dovecot.tls_port if security == "tls" else dovecot.plain_port
    way = {"security": security, "pinned_sha256": "" if security == "none" else dovecot.certificate_sha256}
    first, second = (fetch(port, user, desk, **way) for _ in range(2))
    assert (first.trouble, first.stored_count, second.stored_count, second.known_count) == (None, count, 0, count)
    assert hashes(desk.mails) == hashes(mails)
    last = fetch(port, user, desk, delete=True, **way)
    assert (last.trouble, last.deleted_count, dovecot.count(user)) == (None, count, 0)
    assert fetch(port, user, desk, delete=True, **way).listed_count == 0
    desk.close()


@pytest.mark.parametrize("is_answer_lost", [False, True])
def test_p06_p07_a_line_cut_at_every_command_loses_nothing_and_doubles_nothing(
    is_answer_lost: bool, dovecot: Dovecot
) -> None:
    mails = [mail(number) for number in range(5)]
    with CuttingLine(dovecot.plain_port) as line:
        line.is_answer_lost = is_answer_lost
        cut_at, runs = 0, 2
        while runs > 1:
            cut_at += 1
            user = f"cut-{cut_at}-{int(is_answer_lost)}"
            dovecot.deliver(mails, user)
            desk, line.cut_at, runs = Desk(), cut_at, 1
            while fetch(line.port, user, desk, delete=True, patience=QUICK).trouble is not None:
                runs += 1
                assert runs < 4, f"cut at command {cut_at}"
            assert (hashes(desk.mails), dovecot.count(user)) == (hashes(mails), 0), f"cut at command {cut_at}"
    assert cut_at > 20, "every command of a whole session was cut once"


@pytest.mark.parametrize(("count", "most_kills"), COUNTS_AND_KILLS)
def test_p08_a_fetcher_killed_at_any_moment_loses_nothing_and_doubles_nothing(
    count: int, most_kills: int, dovecot: Dovecot, tmp_path: Path
) -> None:
    mails, chance, user = invented(count), random.Random(8), f"killed-{count}"
    dovecot.deliver(mails, user)
    command = [sys.executable, "-m", "tests.support.fetch_process", str(dovecot.plain_port), str(tmp_path), user]
    kills = 0
    for attempt in range(most_kills * 3):
        with subprocess.Popen([*command, PASSWORD], stdout=subprocess.PIPE, env=environment()) as child:
            assert child.stdout is not None
            child.stdout.readline()
            try:
                done = child.wait(chance.uniform(0, 0.2) if kills < most_kills else 60)
            except subprocess.TimeoutExpired:
                child.kill()
                kills += 1
                continue
        assert done == 0
        if kills >= most_kills or attempt == most_kills * 3 - 1:
            break
        dovecot.deliver([mail(10_000 + attempt)], user)
        mails.append(mail(10_000 + attempt))
    desk = Desk(tmp_path)
    assert hashes(desk.mails) == hashes(mails)
    assert dovecot.count(user) == 0
    for path in tmp_path.glob("*.eml"):
        assert sha256(path.read_bytes()).hexdigest() == path.stem, "a half file is visible"
    desk.close()


def environment() -> dict[str, str]:
    """The child finds what this process finds."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}
