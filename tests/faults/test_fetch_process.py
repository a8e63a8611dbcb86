"""A fetcher that dies at any call of one fetch: no mail is lost, and none is stored twice."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from fumibako.apps.accounts.models import MailAccount
from tests.faults.injecting import SYNCS, Tracer, every_call, killing
from tests.faults.sender_process import SenderProcess
from tests.inbox.desk import fetch, letter, mails_of, receiving_account
from tests.support.peers.pop import Held, PopServer

pytestmark = pytest.mark.django_db(transaction=True)

MAILS = 3
FEW = [
    ("openat", 8), ("write", 2), (SYNCS, 1), (SYNCS, 4), (SYNCS, 8), (SYNCS, 12), ("linkat", 1),
    ("linkat", 3), ("unlinkat", 2), ("pwrite64", 1), ("pwrite64", 40), ("pwrite64", 80), ("sendto", 5), ("sendto", 10),
    ("recvfrom", 9),
]  # fmt: skip
"""Calls at which the fetcher is killed in the usual run; with --long it is killed at every one."""
NUMBERS = count()


@dataclass
class Scene:
    """A mailbox, the account that empties it, and a process whose children fetch."""

    server: PopServer
    account: MailAccount
    fetcher: SenderProcess

    def arrive(self) -> set[bytes]:
        """New mails come in; return their bytes."""
        new = [Held(f"uid-{number}", letter(number)) for number in (next(NUMBERS) for _ in range(MAILS))]
        self.server.box = new
        return {mail.raw for mail in new}

    def fetch(self, *options: str, log: Path | None = None) -> int:
        """One fetch under a tracer; return how it ended."""
        tracer = Tracer(self.fetcher.prepare(self.account.pk, "fetch"), *options, log=log)
        code = self.fetcher.go()
        tracer.finish()
        return code

    def stored(self) -> list[bytes]:
        """The bytes behind every row; a row without its whole file fails here."""
        found = []
        for mail in mails_of(self.account):
            found.append((settings.DATA.mail / mail.raw_path).read_bytes())
            assert hashlib.sha256(found[-1]).hexdigest() == mail.raw_sha256
        return found


@pytest.fixture
def scene() -> Iterator[Scene]:
    with PopServer() as server, SenderProcess(Path(connection.settings_dict["NAME"]), 0) as fetcher:
        yield Scene(server, receiving_account(server.port, delete_after_receive=True), fetcher)


def assert_nothing_lost(scene: Scene, mails: set[bytes], what: str) -> None:
    """Every mail is on the server or here; and the next fetch ends what the killed one began."""
    left = {mail.raw for mail in scene.server.box}
    assert mails <= left | set(scene.stored()), what
    assert fetch(scene.account).trouble_kind == "", what
    stored = [raw for raw in scene.stored() if raw in mails]
    assert (sorted(stored), scene.server.box) == (sorted(mails), []), what


def test_c02_killed_at_a_call_of_one_fetch_nothing_is_lost_and_nothing_stored_twice(scene: Scene) -> None:
    for call, number in FEW:
        mails = scene.arrive()
        assert scene.fetch(*killing(call, number)) in (0, -signal.SIGKILL)
        assert_nothing_lost(scene, mails, f"{call} {number}")


@pytest.mark.long
def test_c02_killed_at_every_call_of_one_fetch_nothing_is_lost_and_nothing_stored_twice(
    scene: Scene, tmp_path: Path
) -> None:
    log = tmp_path / "calls"
    scene.arrive()
    assert scene.fetch("-e", "trace=all", log=log) == 0
    kills = 0
    for call, number in every_call(log):
        mails = scene.arrive()
        kills += scene.fetch(*killing(call, number)) == -signal.SIGKILL
        assert_nothing_lost(scene, mails, f"{call} {number}")
    assert kills > 200
