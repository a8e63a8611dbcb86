"""What the account's settings make of a mailbox: error mails only, and deleting after receiving."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

import pytest

from fumibako.services.collecting.memory import SeenState
from fumibako.services.collector import Fetched
from fumibako.services.mail_store import NotDurable
from tests.services.collecting import bounce, fetch, looks_like_bounce, mail
from tests.support.mail_desk import Desk
from tests.support.peers.pop import CAPABILITIES, Answer, Held, PopServer

UNDECIDED = mail(9).replace(b"Subject: mail 9", b"Subject: undecided")


class FullDesk(Desk):
    """A desk whose disk is full after so many batches."""

    def __init__(self, room: int, error: Exception) -> None:
        super().__init__()
        self._room = room
        self._error = error

    def keep(self, batch: Sequence[Fetched]) -> int:
        if len(self.batches) >= self._room:
            raise self._error
        return super().keep(batch)


def mixed() -> list[Held]:
    return [Held("a", mail(1)), Held("b", bounce(2)), Held("c", mail(3))]


def test_example_11_error_mails_only_leaves_the_others_until_the_rule_is_switched_off() -> None:
    desk = Desk(bounce_only=True)
    with PopServer(mixed()) as server:
        collected = fetch(
            server.port, desk, bounce_only=True, delete_after_receive=True, is_error_mail=looks_like_bounce
        )
        assert (collected.stored_count, collected.deleted_count, collected.skipped_count) == (1, 1, 2)
        assert ([one.uid for one in server.box], desk.mails) == (["a", "c"], [bounce(2)])
        assert server.said("RETR") == ["RETR 2"]
        server.commands.clear()
        fetch(server.port, desk, bounce_only=True, delete_after_receive=True, is_error_mail=looks_like_bounce)
        assert (server.said("TOP"), server.said("RETR"), server.said("DELE")) == ([], [], [])
        desk.bounce_only = False
        assert fetch(server.port, desk, delete_after_receive=True).stored_count == 2
        assert server.box == []
    assert sorted(desk.mails) == sorted([mail(1), bounce(2), mail(3)])


@pytest.mark.parametrize("is_bounce", [True, False])
def test_a_mail_that_its_first_lines_do_not_decide_is_fetched_whole_and_judged_again(is_bounce: bool) -> None:
    desk = Desk(bounce_only=True)
    with PopServer([Held("u", UNDECIDED)]) as server:
        collected = fetch(
            server.port,
            desk,
            bounce_only=True,
            delete_after_receive=True,
            is_error_mail=looks_like_bounce,
            is_whole_error_mail=lambda raw: is_bounce,
        )
        assert (collected.stored_count, collected.skipped_count) == ((1, 0) if is_bounce else (0, 1))
        assert len(server.box) == (0 if is_bounce else 1)


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_server_without_top_is_asked_for_whole_mails(is_announced: bool) -> None:
    def rule(command: str) -> Answer:
        return "-ERR what?" if command.startswith("TOP") else None

    capabilities = CAPABILITIES if is_announced else tuple(name for name in CAPABILITIES if name != "TOP")
    desk = Desk(bounce_only=True)
    with PopServer(mixed(), rule, capabilities=capabilities) as server:
        collected = fetch(
            server.port, desk, bounce_only=True, delete_after_receive=True, is_error_mail=looks_like_bounce
        )
        assert (collected.stored_count, collected.skipped_count, len(server.box)) == (1, 2, 2)
    assert desk.mails == [bounce(2)]


def test_example_12_without_deleting_two_runs_store_everything_once() -> None:
    desk = Desk()
    with PopServer(mixed()) as server:
        assert (fetch(server.port, desk).stored_count, fetch(server.port, desk).stored_count) == (3, 0)
        assert len(server.box) == 3
    assert len(desk.mails) == 3


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no space left"), NotDurable("syncing failed")])
@pytest.mark.parametrize("room", [0, 1])
def test_example_12_a_full_disk_deletes_nothing(error: Exception, room: int) -> None:
    held = [Held(f"uid-{number}", mail(number)) for number in range(300)]
    desk = FullDesk(room, error)
    with PopServer(held) as server:
        with pytest.raises(type(error)):
            fetch(server.port, desk, delete_after_receive=True)
        assert (server.said("DELE"), server.said("QUIT"), len(server.box)) == ([], [], 300)
        assert len(desk.mails) == sum(desk.batches)
        desk._room = 1000
        assert fetch(server.port, desk, delete_after_receive=True).trouble is None
        assert server.box == []
    assert len(desk.mails) == 300


def test_what_was_stored_before_deleting_was_switched_on_is_deleted_without_being_fetched_again() -> None:
    desk = Desk()
    with PopServer(mixed()) as server:
        fetch(server.port, desk)
        server.commands.clear()
        collected = fetch(server.port, desk, delete_after_receive=True)
        assert (collected.deleted_count, server.said("RETR"), server.box) == (3, [], [])
    assert desk.state_of("a") is SeenState.GONE


def test_the_numbers_of_a_run_add_up() -> None:
    def rule(command: str) -> Answer:
        return "-ERR no" if command == "RETR 4" else None

    held = [Held("a", mail(1)), Held("b", bounce(2)), Held("c", mail(3)), Held("d", bounce(4)), Held("e", bounce(5))]
    desk = Desk(bounce_only=True)
    with PopServer(held[:2], rule) as server:
        fetch(server.port, desk, bounce_only=True, is_error_mail=looks_like_bounce)
        server.box = held
        run = fetch(server.port, desk, bounce_only=True, is_error_mail=looks_like_bounce)
    assert (run.listed_count, run.known_count, run.stored_count, run.skipped_count, run.failed_count) == (5, 2, 1, 1, 1)
    assert run.byte_count == len(bounce(5))


def test_files_of_a_run_are_whole_and_nothing_is_left_lying_about(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with PopServer([Held(f"uid-{number}", mail(number)) for number in range(300)]) as server:
        assert fetch(server.port, desk).stored_count == 300
    assert desk.mails == [mail(number) for number in range(300)]
    assert desk.batches == [256, 44]
    assert list(tmp_path.glob(".*")) == []
    desk.close()
