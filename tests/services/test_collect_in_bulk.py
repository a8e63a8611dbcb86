"""Many mails, little room: big mailboxes in batches, a disk that fills up, and the practice server as a peer."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fumibako.practice import PracticeServer
from fumibako.practice.store import Store
from fumibako.services.collecting.fetching import BATCH_COUNT, STRIDE
from tests.services.collecting import fetch, mail, until_done
from tests.services.test_mail_store import largest_file
from tests.support.mail_desk import Desk
from tests.support.peers.pop import DROP, Answer, Held, PopServer

COUNT = 12_000
BOX = "desk@example.jp"


def test_p20_thousands_of_mails_come_oldest_first_in_batches_and_survive_twenty_cuts() -> None:
    held = [Held(f"uid-{number}", mail(number, "x" * 900)) for number in range(COUNT)]
    desk = Desk()
    cuts = sorted(random.Random(20).sample(range(1, COUNT), 20))

    def rule(command: str) -> Answer:
        if cuts and command == f"RETR {cuts[0]}":
            cuts.pop(0)
            return DROP
        return None

    with PopServer(held, rule) as server:
        runs = until_done(lambda: fetch(server.port, desk), most=30)
        assert server.session_count == len(runs) == 21
        # What was whole and checked before a cut is kept: hardly anything comes twice.
        assert len(server.said("RETR")) < COUNT + 20 * 300
    assert max(desk.batches) <= BATCH_COUNT + STRIDE
    stored = desk.mails
    assert (len(stored), set(stored)) == (COUNT, {one.raw for one in held})
    assert stored[:16] == [one.raw for one in held[:16]]


def test_memory_stays_flat_while_a_big_mailbox_is_fetched(tmp_path: Path) -> None:
    held = [Held(f"uid-{number}", mail(number, "x" * 100_000)) for number in range(500)]
    desk = Desk(tmp_path)
    with PopServer(held) as server:
        tracemalloc.start()
        collected = fetch(server.port, desk)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (collected.trouble, collected.byte_count) == (None, sum(len(one.raw) for one in held))
    # The peer's own buffers are counted too.
    assert peak < 24 * 1024 * 1024
    desk.close()


def test_p21_a_full_disk_ends_the_session_without_a_dele_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    held = [Held(f"uid-{number}", mail(number, "x" * 60_000)) for number in range(100)]
    store = tmp_path / "store"
    store.mkdir()
    desk = Desk(tmp_path, store=store)
    with PopServer(held) as server:
        with small_disk(store), pytest.raises(OSError, match=f"{os.strerror(errno.ENOSPC)}|{os.strerror(errno.EFBIG)}"):
            fetch(server.port, desk, delete_after_receive=True)
        assert (server.said("DELE"), len(server.box)) == ([], 100)
        for kept in list(desk.mails):
            assert kept in [one.raw for one in held]
        collected = fetch(server.port, Desk(tmp_path / "again", store=store), delete_after_receive=True)
        assert (collected.trouble, server.box) == (None, [])
    desk.close()


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Two megabytes and not one more; where nobody may mount, files that may not grow."""
    (folder.parent / "again").mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        with largest_file(50_000):
            yield
        return
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("is_deleting", [False, True])
def test_the_practice_server_can_be_fetched_from(is_deleting: bool, tmp_path: Path) -> None:
    mails = [mail(number, ".\r\n..\r\nbody") for number in range(300)]
    box = Store(tmp_path / "practice", lambda: 1_000_000.0)
    for raw in mails:
        box.put(BOX, raw)
    box.close()
    desk = Desk()
    with PracticeServer(tmp_path / "practice") as server:
        first = fetch(server.addresses.pop_port, desk, delete_after_receive=is_deleting, user=BOX)
        second = fetch(server.addresses.pop_port, desk, delete_after_receive=is_deleting, user=BOX)
        assert (first.trouble, first.stored_count, first.deleted_count) == (None, 300, 300 if is_deleting else 0)
        assert (second.trouble, second.stored_count) == (None, 0)
        assert len(server.mails_of(BOX)) == (0 if is_deleting else 300)
    assert sorted(desk.mails) == sorted(mails)
