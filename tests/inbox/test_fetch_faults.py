"""What must not cost a mail while receiving: killed processes, a full disk, a busy database, a share that is gone."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox import reception
from fumibako.apps.inbox.copies import make_due_copies
from fumibako.apps.inbox.models import FetchRun, ReceivedMail, SeenMail, ShareCopy
from fumibako.apps.inbox.sweeping import forget_rows, sweep_orphans
from fumibako.apps.inbox.work import fetch_account
from fumibako.apps.office.models import Office
from fumibako.apps.office.queries import office
from tests.inbox import fetch_process
from tests.inbox.desk import Post, fetch, letter, mails_of, receiving_account
from tests.support.peers.pop import Held, PopServer
from tests.support.tools import require_tool

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("_words_are_forgotten")]

PAUSES = random.Random(8)


def held(numbers: range) -> list[Held]:
    """Mails on a server."""
    return [Held(f"uid-{number}", letter(number)) for number in numbers]


def stored_bytes(account: MailAccount) -> list[bytes]:
    """The bytes behind every row: a row without its whole file fails here (D05)."""
    found = []
    for mail in mails_of(account):
        raw = (settings.DATA.mail / mail.raw_path).read_bytes()
        assert (len(raw), hashlib.sha256(raw).hexdigest()) == (mail.raw_size, mail.raw_sha256)
        found.append(raw)
    return found


def kill_runs(account: MailAccount, kills: int, longest: float) -> int:
    """Start receiving and kill it at a random moment, again and again; return how many runs came to their end."""
    ended = 0
    for _ in range(kills):
        process = fetch_process.start(account.pk, runs=1000)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            process.wait(PAUSES.uniform(0.0, longest))
        except subprocess.TimeoutExpired:
            process.kill()
        ended += len(process.stdout.read().splitlines())
        process.wait()
    return ended


def test_p08_d05_a_fetcher_killed_at_random_moments_loses_nothing_and_stores_nothing_twice() -> None:
    with PopServer(held(range(25))) as server:
        account = receiving_account(server.port, delete_after_receive=True)
        sent = [mail.raw for mail in server.box]
        for round_number in range(1, 7):
            kill_runs(account, 1, longest=0.25)
            more = held(range(round_number * 100, round_number * 100 + 10))
            sent += [mail.raw for mail in more]
            with server.guard:
                server.box += more
            assert set(stored_bytes(account)) | {mail.raw for mail in server.box} >= set(sent)
        fetch(account)
        assert sorted(stored_bytes(account)) == sorted(sent)
        assert server.box == []


def test_p20_a_thousand_mails_come_in_batches_and_go_on_after_every_kill() -> None:
    with PopServer(held(range(1000))) as server:
        account = receiving_account(server.port)
        kill_runs(account, 4, longest=0.4)
        run = fetch_account(account.pk)
        assert run is not None
        assert (run.listed_count, run.trouble_kind) == (1000, "")
        assert sorted(stored_bytes(account)) == sorted(mail.raw for mail in server.box)
        assert reception.reconciliation(account).is_balanced
        again = fetch_account(account.pk)
        assert again is not None
        assert again.known_count == 1000


def test_p21_example_12_a_full_disk_deletes_nothing_and_receiving_goes_on_by_itself() -> None:
    strace = require_tool("strace", "apt install strace")
    calls = "link,linkat,rename,renameat,renameat2"
    full = [strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", f"--inject={calls}:error=ENOSPC"]
    with PopServer(held(range(5))) as server:
        account = receiving_account(server.port, delete_after_receive=True)
        process = fetch_process.start(account.pk, under=full)
        told, _ = process.communicate(timeout=60)
        assert '"trouble": "disk_full"' in told
        assert (server.said("DELE"), len(server.box), ReceivedMail.objects.count()) == ([], 5, 0)
        assert "空きを増やすと、自動で再開します" in reception.fetch_status(account).trouble_text
        assert not reception.fetch_status(account).is_stopped
        assert fetch(account).deleted_count == 5
        assert len(stored_bytes(account)) == 5


class Blocker:
    """Somebody else who has the database, or on PostgreSQL the mails, to himself."""

    def __init__(self) -> None:
        self._session: Any = None

    def lock(self) -> None:
        """Lock it, if it is not locked."""
        if self._session is not None:
            return
        if connection.vendor == "sqlite":
            name = str(connection.settings_dict["NAME"])
            self._session = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
            self._session.execute("BEGIN EXCLUSIVE")
        else:
            self._session = connection.get_new_connection(connection.get_connection_params())
            self._session.execute("LOCK TABLE inbox_receivedmail")

    def release(self) -> None:
        """Let go."""
        self._session.rollback()
        self._session.close()
        self._session = None


def test_p22_a_locked_database_deletes_nothing_and_is_tried_again() -> None:
    blocker = Blocker()

    def lock_at_the_first_mail(command: str) -> None:
        if command.startswith("RETR"):
            blocker.lock()

    with PopServer(held(range(3)), lock_at_the_first_mail) as server:
        account = receiving_account(server.port, delete_after_receive=True)
        with connection.cursor() as cursor:
            is_sqlite = connection.vendor == "sqlite"
            cursor.execute("PRAGMA busy_timeout = 300" if is_sqlite else "SET lock_timeout = '300ms'")
        run = fetch_account(account.pk)
        assert (server.said("DELE"), len(server.box)) == ([], 3)
        blocker.release()
        server.rule = lambda command: None
        assert run is None or run.trouble_kind == "database_busy"
        assert ReceivedMail.objects.count() == 0
        assert fetch(account).deleted_count == 3
        assert len(stored_bytes(account)) == 3


def test_p23_a_share_that_is_gone_holds_nothing_up_and_gets_its_copies_later(
    account: MailAccount, post: Post, tmp_path: Path
) -> None:
    share = tmp_path / "share"
    Office.objects.filter(pk=office().pk).update(mail_share_root=str(share))
    MailAccount.objects.filter(pk=account.pk).update(delete_after_receive=True, store_path="スタッフ/受信")
    post.put(letter(1, subject="面談の件"), letter(2, subject="次の件"))
    assert fetch(account).deleted_count == 2
    assert make_due_copies(timezone.now()) == 0
    assert reception.copy_backlog_of(account) == 2
    assert reception.fetch_status(account).copy_backlog_count == 2
    share.mkdir()
    assert make_due_copies(timezone.now()) == 0, "not before its time"
    assert make_due_copies(timezone.now() + timedelta(minutes=2)) == 2
    assert reception.copy_backlog_of(account) == 0
    copies = sorted(path.name for path in (share / "スタッフ" / "受信").iterdir())
    assert {name.split("_")[1] for name in copies} == {"面談の件", "次の件"}
    for copy in ShareCopy.objects.select_related("mail"):
        assert (share / copy.path).read_bytes() == (settings.DATA.mail / copy.mail.raw_path).read_bytes()


def test_p24_two_processes_never_have_one_account_at_the_same_time(account: MailAccount, post: Post) -> None:
    post.put(*(letter(number) for number in range(30)))
    both = [fetch_process.start(account.pk, runs=15) for _ in range(2)]
    for process in both:
        process.communicate(timeout=60)
    assert not FetchRun.objects.exclude(trouble_kind="").exists()
    assert ReceivedMail.objects.count() == SeenMail.objects.count() == 30


def test_p14_one_empty_list_forgets_nothing(account: MailAccount) -> None:
    with PopServer(held(range(4))) as server:
        account.pop_port = server.port
        account.save()
        fetch(account)
        box, server.box = server.box, []
        fetch(account)
        server.box = box
        run = fetch(account)
        assert (run.known_count, run.again_count, len(server.said("RETR"))) == (4, 0, 4)


def test_p12_a_uid_that_is_used_again_for_another_mail_is_fetched(account: MailAccount) -> None:
    with PopServer(held(range(2))) as server:
        account.pop_port, account.delete_after_receive = server.port, True
        account.save()
        fetch(account)
        server.box = [Held("uid-0", letter(99))]
        fetch(account)
        assert letter(99) in stored_bytes(account)
        assert len(stored_bytes(account)) == 3


def test_a_file_without_a_row_is_swept_only_when_its_bytes_are_here_under_a_row(
    account: MailAccount, post: Post
) -> None:
    post.put(letter(1))
    fetch(account)
    kept = settings.DATA.mail / mails_of(account)[0].raw_path
    young, second, only = (kept.with_name(f"{name}.eml") for name in ("young", "second", "only"))
    for path, raw in ((young, letter(1)), (second, letter(1)), (only, letter(2))):
        path.write_bytes(raw)
    now = timezone.now()
    for path in (kept, second, only):
        os.utime(path, times=((now - timedelta(hours=25)).timestamp(),) * 2)
    assert sweep_orphans(now) == 1
    assert [path.exists() for path in (kept, young, second, only)] == [True, True, False, True]
    young.unlink()
    only.unlink()


def test_runs_that_brought_nothing_are_forgotten_after_a_month(account: MailAccount, post: Post) -> None:
    now = timezone.now()
    for days, stored_count in ((31, 0), (31, 5), (29, 0)):
        FetchRun.objects.create(account=account, started_at=now - timedelta(days=days), stored_count=stored_count)
    assert forget_rows(now) == 1
    assert FetchRun.objects.count() == 2
