"""2,000 people through Postfix's own test server in batches of 100 with a pause of one second, by a real worker."""

from __future__ import annotations

import email
import email.policy
import os
import re
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.delivery.states import State
from tests.support import worker_process
from tests.support.jobs import make_account, make_job, make_people, states_of
from tests.support.tools import require_tool

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.realserver]

PEOPLE, BATCH, PAUSE = 2000, 100, 1
SECONDS = 120


@dataclass
class Sink:
    """smtp-sink, and the folder it writes every mail to."""

    port: int
    folder: Path

    def mails(self) -> list[tuple[str, bytes]]:
        """The (recipient, content) it took, in order."""
        parts = re.split(rb"(?m)^X-Client-Addr: .*\n", self._dump())[1:]
        return [(_recipient_of(part), part.partition(b"\n\tby smtp-sink")[2].partition(b"\n")[2]) for part in parts]

    def _dump(self) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(self.folder.iterdir(), key=_age))


def _age(path: Path) -> int:
    return path.stat().st_ctime_ns


def _recipient_of(part: bytes) -> str:
    found = re.search(rb"(?m)^X-Rcpt-Args: <(.*)>$", part)
    assert found is not None
    return found.group(1).decode("ascii")


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A server that takes everything."""
    program = require_tool("smtp-sink", "apt-get install postfix")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="fumibako-sink-") as name:
        folder = Path(name)
        # As root the program insists on working as somebody else.
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        folder.chmod(0o777 if user else 0o700)
        command = [program, *user, "-D", f"{folder}/mails", f"127.0.0.1:{port}", "64"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            _wait_until_open(port)
            yield Sink(port, folder)
        finally:
            process.terminate()
            process.wait()


def _wait_until_open(port: int) -> None:
    pause = threading.Event()
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            pause.wait(0.05)
        else:
            return
    pytest.fail("smtp-sink did not start")


def wait_until_finished(job: BulkSend) -> None:
    pause = threading.Event()
    for _ in range(SECONDS * 5):
        job.refresh_from_db()
        if job.finished_at is not None:
            return
        pause.wait(0.2)
    pytest.fail(f"not finished: {states_of(job)}")


def test_two_thousand_people_get_one_readable_mail_each_in_order_with_the_pauses_kept(sink: Sink) -> None:
    account = make_account(batch_size=BATCH, sleep_seconds=PAUSE, charset="iso-2022-jp")
    job = make_job(account, make_people(PEOPLE), now=timezone.now())
    worker = worker_process.start(Path(connection.settings_dict["NAME"]), sink.port)
    try:
        wait_until_finished(job)
    finally:
        worker.terminate()
        assert worker.wait(SECONDS) == 0

    rows = list(Delivery.objects.filter(job=job).order_by("seq"))
    assert {row.state for row in rows} == {State.SENT}
    mails = sink.mails()
    assert [recipient for recipient, _ in mails] == [row.wire_address for row in rows]
    for row, (_, raw) in zip(rows, mails, strict=True):
        assert_personal(row, raw)
    assert_pauses(job, rows)


def assert_personal(row: Delivery, raw: bytes) -> None:
    """This person's own words, readable, in the charset the account asked for."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail["Subject"] == f"{row.party_name}様への連絡"
    assert mail["Message-ID"] == f"<{row.message_id}>"
    assert mail.get_content_charset() == "iso-2022-jp"
    assert mail.get_content().startswith(f"{row.party_name}様\n明日の予定です。")


def assert_pauses(job: BulkSend, rows: list[Delivery]) -> None:
    """Twenty bursts, nineteen pauses of at least a second, each from the last answer of its burst; none at the end."""
    whats = list(job.events.order_by("id").values_list("what", flat=True))
    bursts = PEOPLE // BATCH
    assert whats == ["released", *["burst_started", "burst_finished"] * (bursts - 1), "burst_started", "finished"]
    for first in range(BATCH, PEOPLE, BATCH):
        before, after = rows[first - 1].sent_at, rows[first].claimed_at
        assert before is not None
        assert after is not None
        assert after - before >= timedelta(seconds=PAUSE)
    assert job.finished_at is not None
    assert rows[-1].sent_at is not None
    assert job.finished_at - rows[-1].sent_at < timedelta(seconds=PAUSE + 2)
