"""The practice POP3 server, by octets."""

from __future__ import annotations

from pathlib import Path

import pytest

from fumibako.practice import PracticeServer
from fumibako.practice.server import CannotListen
from fumibako.practice.store import Store
from tests.practice.conftest import HandClock
from tests.practice.wire import Wire

BOX = "staff-desk@example.jp"
FIRST = b"Subject: one\r\n\r\nfirst line\r\n.\r\n..two\r\nlast\r\n"
SECOND = b"Subject: two\r\n\r\nsecond\r\n"


@pytest.fixture
def filled(tmp_path: Path, clock: HandClock, server: PracticeServer) -> PracticeServer:
    outside = Store(tmp_path / "practice", clock)
    outside.put(BOX, FIRST)
    outside.put(BOX, SECOND)
    outside.close()
    return server


def login(server: PracticeServer, user: bytes = b"staff-desk", password: bytes = b"secret") -> Wire:
    wire = Wire(server.addresses.pop_port)
    assert wire.line().startswith(b"+OK ")
    assert wire.ask(b"USER " + user) == b"+OK\r\n"
    assert wire.ask(b"PASS " + password).startswith(b"+OK")
    return wire


def test_a_mailbox_is_listed_read_and_numbered(filled: PracticeServer) -> None:
    with login(filled) as wire:
        total = len(FIRST) + len(SECOND)
        assert wire.ask(b"STAT") == f"+OK 2 {total}\r\n".encode()
        assert wire.ask_lines(b"LIST") == [f"1 {len(FIRST)}\r\n".encode(), f"2 {len(SECOND)}\r\n".encode()]
        assert wire.ask(b"LIST 2") == f"+OK 2 {len(SECOND)}\r\n".encode()
        assert wire.ask_lines(b"RETR 2") == [b"Subject: two\r\n", b"\r\n", b"second\r\n"]
        assert wire.ask(b"NOOP") == b"+OK\r\n"


def test_lines_that_begin_with_a_dot_are_stuffed(filled: PracticeServer) -> None:
    with login(filled) as wire:
        lines = wire.ask_lines(b"RETR 1")
    assert lines[2:] == [b"first line\r\n", b"..\r\n", b"...two\r\n", b"last\r\n"]
    assert b"".join(line[1:] if line.startswith(b".") else line for line in lines) == FIRST


def test_top_gives_the_head_and_as_many_lines_as_asked(filled: PracticeServer) -> None:
    with login(filled) as wire:
        assert wire.ask_lines(b"TOP 1 0") == [b"Subject: one\r\n", b"\r\n"]
        assert wire.ask_lines(b"TOP 1 1") == [b"Subject: one\r\n", b"\r\n", b"first line\r\n"]


def test_uidls_stay_the_same_over_sessions_and_deletions(filled: PracticeServer) -> None:
    with login(filled) as wire:
        before = wire.ask_lines(b"UIDL")
        assert wire.ask(b"DELE 1").startswith(b"+OK")
        assert wire.ask(b"QUIT").startswith(b"+OK")
        assert wire.line() == b""
    with login(filled) as wire:
        assert [line.split()[1] for line in wire.ask_lines(b"UIDL")] == [before[1].split()[1]]


def test_a_deletion_needs_quit_and_can_be_taken_back(filled: PracticeServer) -> None:
    with login(filled) as wire:
        wire.ask(b"DELE 1")
        assert wire.ask(b"RETR 1").startswith(b"-ERR")
        assert wire.ask(b"STAT").startswith(b"+OK 1 ")
        assert wire.ask(b"RSET") == b"+OK\r\n"
        assert wire.ask(b"STAT").startswith(b"+OK 2 ")
        wire.ask(b"DELE 2")
    assert len(filled.mails_of(BOX)) == 2


def test_one_session_at_a_time_has_a_mailbox(filled: PracticeServer) -> None:
    with login(filled), Wire(filled.addresses.pop_port) as second:
        second.line()
        second.ask(b"USER " + BOX.encode())
        assert second.ask(b"PASS secret").startswith(b"-ERR [IN-USE]")


def test_a_wrong_password_is_refused_with_its_response_code(filled: PracticeServer) -> None:
    with Wire(filled.addresses.pop_port) as wire:
        wire.line()
        wire.ask(b"USER staff-desk")
        assert wire.ask(b"PASS wrong").startswith(b"-ERR [AUTH]")
        assert wire.ask(b"STAT").startswith(b"-ERR")


def test_capabilities_can_be_asked_before_login(server: PracticeServer) -> None:
    with Wire(server.addresses.pop_port) as wire:
        wire.line()
        assert {b"USER\r\n", b"TOP\r\n", b"UIDL\r\n"} <= set(wire.ask_lines(b"CAPA"))


@pytest.mark.parametrize(
    "command", [b"RETR 3", b"RETR 0", b"RETR x", b"RETR", b"TOP 1", b"DELE 9", b"XYZZY", b"\xff\xfe"]
)
def test_nonsense_is_an_error_and_the_session_goes_on(filled: PracticeServer, command: bytes) -> None:
    with login(filled) as wire:
        assert wire.ask(command).startswith(b"-ERR")
        assert wire.ask(b"STAT").startswith(b"+OK 2")


def test_a_taken_port_is_named(tmp_path: Path, server: PracticeServer) -> None:
    second = PracticeServer(tmp_path / "second", smtp_port=server.addresses.smtp_port)
    with pytest.raises(CannotListen, match=str(server.addresses.smtp_port)):
        second.start()
    second.stop()
