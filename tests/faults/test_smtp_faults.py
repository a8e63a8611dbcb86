"""Faults of the mail server as the ledger sees them in the end, beside the dialogues; Postfix among the servers."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fumibako.apps.sending.models import Pace
from fumibako.apps.sending.work import send_account, tidy_up
from fumibako.services.mailer import Patience, Secret, SmtpRoute, Surroundings
from tests.support.jobs import FakeTime, around, make_account, make_job, make_people, states_of
from tests.support.mailer import Mailer
from tests.support.peers.smtp import SmtpScript
from tests.support.peers.tcp import Peer, PeerLine
from tests.support.post_office import PostOffice
from tests.support.tools import require_tool

pytestmark = pytest.mark.django_db

QUICK = Patience(greeting=1, command=1, login=1, data=1, block=0.4, body=3, dot=1, farewell=0.2)
PASSWORD = "kanariya-no-himitsu"


def sent_by(port: int, count: int = 2, hours: float = 0, **route: Any) -> dict[str, int]:
    """Send `count` mails to a server until nothing is due within `hours`; return the states of the rows."""
    account = make_account()
    job = make_job(account, make_people(count))
    clock = FakeTime()
    values: dict[str, Any] = {"security": "none", "helo_name": "example.jp", "patience": QUICK, **route}
    way = SmtpRoute("127.0.0.1", port, **values)
    world = around(port, clock, route_of=lambda account: way, short_wait=timedelta(0))
    end = clock.now + timedelta(hours=hours)
    while True:
        tidy_up(clock.now)
        wait = send_account(account.pk, "w1", threading.Event(), world)
        tidy_up(clock.now)
        if wait.until is None or wait.until > end:
            return states_of(job)
        clock.now = max(clock.now, wait.until)


def flooding(line: PeerLine, command: str) -> str:
    return "250-filler\r\n" * 200 + "250 end"


ODD_ANSWERS: list[tuple[str, str, Any, dict[str, int]]] = [
    ("s05", "EHLO", flooding, {"queued": 2}),
    ("s06", "MAIL", b"250 " + b"\x1b[2J\xff\x00" * 30_000, {"queued": 2}),
    ("s07", "RCPT", "250-2.1.5 ok\r\n550 5.1.1 no", {"queued": 2}),
    ("s07", "DOT", "250-2.0.0 ok\r\n550 5.1.1 no", {"unknown": 2}),
    ("s08", "RCPT", "250 2.1.5 ok\r\n250 2.1.5 ok", {"queued": 2}),
    ("s14", "AUTH", "454 4.7.0 later", {"queued": 2}),
    ("s14", "AUTH", "432 4.7.12 transition", {"queued": 2}),
    ("s15", "AUTH", f"535 5.7.8 {PASSWORD} is wrong", {"queued": 2}),
    ("s33", "DOT", "250 2.0.0 ok\r\n421 4.3.2 bye", {"sent": 2}),
]


@pytest.mark.parametrize(
    ("fault", "key", "answer", "expected"), ODD_ANSWERS, ids=[f"{o[0]}-{o[1]}" for o in ODD_ANSWERS]
)
def test_s05_s06_s07_s08_s14_s15_s33_odd_answers_end_in_the_state_they_prove(
    fault: str, key: str, answer: Any, expected: dict[str, int]
) -> None:
    auth: dict[str, Any] = {"auth": "LOGIN", "user": "staff", "password": Secret(PASSWORD)} if key == "AUTH" else {}
    extensions = ("AUTH LOGIN",) if auth else ("SIZE 10000000",)
    with Peer(SmtpScript({key: answer}, extensions=extensions)) as peer:
        states = sent_by(peer.port, **auth)
    told = " ".join(
        [*Pace.objects.values_list("stop_text", flat=True), *Pace.objects.values_list("wait_text", flat=True)]
    )
    assert states == expected
    assert told.isprintable()
    assert len(told) <= 1001
    assert PASSWORD not in told


def test_s11_s12_what_was_said_before_tls_counts_for_nothing_after_it() -> None:
    # Without STARTTLS on offer nothing is said at all; the dialogues s11_* and s12_* play the rest byte by byte.
    script = SmtpScript(extensions=("AUTH LOGIN",))
    with Peer(script) as peer:
        route: dict[str, Any] = {"security": "starttls", "auth": "LOGIN", "user": "staff", "password": Secret(PASSWORD)}
        assert sent_by(peer.port, **route) == {"queued": 2}
    assert not [command for command in script.commands if command.startswith("AUTH")]


def test_s19_a_server_that_takes_two_mails_per_session_gets_them_all_once() -> None:
    counts: dict[PeerLine, int] = {}

    def weary(line: PeerLine, command: str) -> str | None:
        counts[line] = counts.get(line, 0) + 1
        if counts[line] <= 2:
            return "250 2.1.0 ok"
        line.say("421 4.7.0 too many")
        line.drop()
        return None

    script = SmtpScript({"MAIL": weary})
    with Peer(script) as peer:
        assert sent_by(peer.port, 5, hours=2) == {"sent": 5}
    assert len({recipients for recipients, _ in script.mails}) == len(script.mails) == 5


@pytest.mark.parametrize("how", ["window", "reset"])
def test_s22_s23_a_line_that_dies_inside_a_long_mail_leaves_the_row_waiting(how: str) -> None:
    def stuck(line: PeerLine, command: str) -> str | None:
        line.say("354 go on")
        line.shrink_window()
        if how == "reset":
            line.hear_bytes(10_000)
            line.reset()
        line.hold()
        return None

    account = make_account(signature="長い署名" * 400_000)
    job = make_job(account, make_people(1))
    clock = FakeTime()
    with Peer(SmtpScript({"DATA": stuck}, extensions=())) as peer:
        way = SmtpRoute("127.0.0.1", peer.port, "none", helo_name="example.jp", patience=QUICK)
        tidy_up(clock.now)
        world = around(peer.port, clock, route_of=lambda account: way, short_wait=timedelta(0))
        send_account(account.pk, "w1", threading.Event(), world)
    assert states_of(job) == {"queued": 1}


@pytest.mark.parametrize(("seconds", "expected"), [(0.5, {"sent": 1}), (1.6, {"unknown": 1})])
def test_s29_an_answer_just_before_the_deadline_counts_and_just_after_it_does_not(
    seconds: float, expected: dict[str, int]
) -> None:
    # 9 min 50 s and 10 min 10 s against a patience of ten minutes, scaled to one second.
    pause = threading.Event()

    def slow(line: PeerLine, command: str) -> str:
        pause.wait(seconds)
        return "250 2.0.0 ok"

    with Peer(SmtpScript({"DOT": slow})) as peer:
        assert sent_by(peer.port, 1) == expected


def test_s30_an_answer_whose_last_byte_never_comes_is_unknown() -> None:
    def dribble(line: PeerLine, command: str) -> None:
        line.dribble(b"250 2.0.0 ok\r", 0.02)
        line.hold()

    with Peer(SmtpScript({"DOT": dribble})) as peer:
        assert sent_by(peer.port, 1) == {"unknown": 1}


def test_s39_no_window_ever_holds_more_than_the_limit_with_two_workers_and_a_restart() -> None:
    account = make_account(batch_size=5, sleep_seconds=60)
    job = make_job(account, make_people(23))
    clock = FakeTime()
    times = []

    def rule(step: str, address: str, count: int) -> str | None:
        if step == "DOT":
            times.append(clock.now)
        return None

    with PostOffice(rule) as office:
        for number in range(200):
            tidy_up(clock.now)
            # Another worker each time, as after a restart; nothing is kept but what the database holds.
            send_account(
                account.pk, f"w{number % 2}", threading.Event(), around(office.port, clock, short_wait=timedelta(0))
            )
            clock.pass_by(seconds=7)
    assert states_of(job) == {"sent": 23}
    for first in times:
        assert sum(first <= at < first + timedelta(seconds=60) for at in times) <= 5


def test_s40_addresses_that_refuse_or_never_answer_are_passed_over_in_time() -> None:
    with Peer(lambda line: None) as gone:
        dead = gone.port
    with black_hole() as silent, Peer(SmtpScript()) as peer:

        def several(host: str, port: int, *_: Any) -> list[Any]:
            ports = (dead, dead, dead, silent, peer.port)
            return [info for each in ports for info in socket.getaddrinfo("127.0.0.1", each, 0, socket.SOCK_STREAM)]

        patience = replace(QUICK, address=0.5, connect=5)
        began = time.monotonic()
        mailer = Mailer(SmtpRoute("mx.example.jp", 25, "none", patience=patience), Surroundings(lookup=several))
        mailer.ready()
        assert time.monotonic() - began < 2
        mailer.close()


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that answers no connection: its queue is full, so the kernel drops what knocks."""
    with socket.socket() as listener, ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            guest = stack.enter_context(socket.socket())
            guest.setblocking(False)
            guest.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


SINK = [
    ("-q .", {"unknown": 3}),
    ("-Q .", {"queued": 3}),
    ("-r .", {"queued": 3}),
    ("-f .", {"failed": 3}),
    ("", {"sent": 3}),
]
"""Hang up, 421, 4xx, 5xx at the dot; and a server without a fault."""


@pytest.mark.realserver
@pytest.mark.parametrize(("options", "expected"), SINK, ids=[options or "polite" for options, _ in SINK])
def test_s38_postfixs_own_test_server_misbehaves_at_the_dot(options: str, expected: dict[str, int]) -> None:
    with smtp_sink(*options.split()) as port:
        # Long enough for what waits after a lost answer, too short for a second try after a 4xx.
        assert sent_by(port, 3, hours=0.05) == expected


@contextmanager
def smtp_sink(*options: str) -> Iterator[int]:
    """Postfix's smtp-sink, told to misbehave at the final dot."""
    program = require_tool("smtp-sink", "apt-get install -y postfix")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    process = subprocess.Popen([program, *user, *options, f"127.0.0.1:{port}", "16"], stdout=subprocess.DEVNULL)
    try:
        _wait_until_open(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_until_open(port: int) -> None:
    pause = threading.Event()
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            pause.wait(0.05)
        else:
            return
    pytest.fail("the server did not start")


@pytest.mark.realserver
def test_s37_a_real_postfix_takes_every_mail_once_and_unchanged() -> None:
    with postfix() as (port, spool):
        account = make_account()
        job = make_job(account, make_people(30, domain="postfix.example"))
        clock = FakeTime()
        tidy_up(clock.now)
        send_account(account.pk, "w1", threading.Event(), around(port, clock))
        assert states_of(job) == {"sent": 30}
        sizes = {row.message_id: row.size for row in job.deliveries.all()}
        kept = [path.read_bytes() for path in spool.rglob("*") if path.is_file()]
    held = [raw for raw in kept if b"postfix.example" in raw]
    assert len(held) == 30
    assert all(sum(message_id.encode() in raw for raw in held) == 1 for message_id in sizes)


@contextmanager
def postfix() -> Iterator[tuple[int, Path]]:
    """A private Postfix that takes mail for postfix.example and holds it in its queue."""
    program = require_tool("postfix", "apt-get install -y postfix")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="fumibako-postfix-") as name:
        home = Path(name)
        home.chmod(0o755)
        (home / "queue").mkdir()
        (home / "data").mkdir()
        subprocess.run(["chown", "postfix", str(home / "data")], check=True)
        settings = f"""
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = post.postfix.example
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
relay_domains = postfix.example
smtpd_recipient_restrictions = check_recipient_access static:HOLD, permit_mynetworks, reject
maillog_file = {home}/maillog
maillog_file_prefixes = {home}
"""
        (home / "main.cf").write_text(settings, "ascii")
        (home / "master.cf").write_text(MASTER.format(port=port), "ascii")
        started = subprocess.run([program, "-c", name, "start"], capture_output=True, text=True, check=False)
        if started.returncode != 0:
            pytest.skip(f"Postfix needs root here: {started.stderr[-300:]}; run as root, or: sudo ./fumibako test")
        try:
            _wait_until_open(port)
            yield port, home / "queue"
        finally:
            subprocess.run([program, "-c", name, "stop"], capture_output=True, check=False)


MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
