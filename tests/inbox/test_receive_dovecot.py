"""Receiving from a real Dovecot into files and rows: byte for byte, once, over every kind of line, killed or not."""

from __future__ import annotations

import hashlib
import random
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.secrets import seal
from fumibako.apps.inbox import work
from fumibako.apps.inbox.models import FetchRun, ReceivedMail
from fumibako.cli.bench.mailbox import letters
from tests.inbox import fetch_process
from tests.inbox.desk import mails_of, receiving_account
from tests.support.dovecot import PASSWORD, USER, Dovecot

pytestmark = [
    pytest.mark.realserver,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("_words_are_forgotten"),
]
COUNTS = [300, pytest.param(5000, marks=pytest.mark.long)]
COUNTS_AND_KILLS = [(300, 6), pytest.param(5000, 50, marks=pytest.mark.long)]


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    # pytest's own folders are too deep for the names of sockets.
    short = tempfile.TemporaryDirectory(prefix="dovecot-", ignore_cleanup_errors=True)
    with short as folder, Dovecot(Path(folder)) as server:
        yield server


def account_at(dovecot: Dovecot, **values: Any) -> MailAccount:
    """An account that receives from this Dovecot."""
    made = receiving_account(dovecot.plain_port, user_id=USER, **values)
    made.password_sealed = seal(made.pk, "password", PASSWORD)
    made.save()
    return made


def run_of(account: MailAccount) -> FetchRun:
    run = work.fetch_account(account.pk)
    assert run is not None
    return run


def stored(account: MailAccount) -> list[str]:
    """The hash of every mail, taken from its file and equal to its row's."""
    found = []
    for mail in mails_of(account):
        found.append(hashlib.sha256((settings.DATA.mail / mail.raw_path).read_bytes()).hexdigest())
        assert found[-1] == mail.raw_sha256
    return sorted(found)


def hashes(mails: list[bytes]) -> list[str]:
    return sorted(hashlib.sha256(raw).hexdigest() for raw in mails)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "stls"])
def test_p05_every_mail_is_received_once_byte_for_byte_read_and_then_deleted(
    is_secure: bool, count: int, dovecot: Dovecot
) -> None:
    mails = list(letters(count))
    dovecot.deliver(mails)
    pin = dovecot.certificate_sha256 if is_secure else ""
    account = account_at(dovecot, pop_tls=is_secure, pop_pinned_sha256=pin)
    first, second = run_of(account), run_of(account)
    assert (first.trouble_kind, first.stored_count) == ("", count)
    assert (second.trouble_kind, second.stored_count, second.known_count) == ("", 0, count)
    while work.read_waiting():
        pass
    assert ReceivedMail.objects.filter(account=account, reading="read").count() == count
    assert stored(account) == hashes(mails)
    account.delete_after_receive = True
    account.save()
    last = run_of(account)
    assert (last.trouble_kind, last.stored_count, last.deleted_count, dovecot.count()) == ("", 0, count, 0)
    assert len(mails_of(account)) == count


@pytest.mark.parametrize(("count", "kills"), COUNTS_AND_KILLS)
def test_p08_whoever_is_killed_at_random_moments_loses_nothing_and_stores_nothing_twice(
    count: int, kills: int, dovecot: Dovecot
) -> None:
    mails, chance = list(letters(count)), random.Random(50)
    account = account_at(dovecot, delete_after_receive=True)
    share = -(-count // kills)
    for number in range(kills):
        # Some more each time, so that no kill comes after the end of everything.
        dovecot.deliver(mails[number * share : (number + 1) * share])
        process = fetch_process.start(account.pk, runs=1000)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            process.wait(chance.uniform(0.0, 0.5))
        except subprocess.TimeoutExpired:
            process.kill()
        process.stdout.close()
        process.wait()
    assert run_of(account).trouble_kind == ""
    assert (stored(account), dovecot.count()) == (hashes(mails), 0)
