"""The collector against servers that misbehave: nothing lost, nothing twice, nothing deleted that is not kept."""

from __future__ import annotations

import resource
import ssl
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from fumibako.delivery.outcome import Stage
from fumibako.services.collecting.memory import SeenState
from fumibako.services.collector import Collected, ListFlaw, Surroundings
from fumibako.services.trouble import TroubleKind
from tests.services.collecting import IMPATIENT, PASSWORD, fetch, mail, until_done
from tests.support.mail_desk import Desk
from tests.support.peers.certificates import Authority
from tests.support.peers.pop import CAPABILITIES, DROP, Answer, Held, PopServer, block, on_the_wire
from tests.support.peers.tcp import PeerLine

ONE_BY_ONE = tuple(name for name in CAPABILITIES if name != "PIPELINING")
MANNERS = pytest.mark.parametrize("capabilities", [CAPABILITIES, ONE_BY_ONE], ids=["window", "one-by-one"])


def five() -> list[Held]:
    return [Held(f"uid-{number}", mail(number)) for number in range(1, 6)]


def instead(**answers: Answer) -> Callable[[str], Answer]:
    """A rule that answers some commands; `RETR_2` means "RETR 2", `GREETING` the greeting."""
    table = {"" if name == "GREETING" else name.replace("_", " "): answer for name, answer in answers.items()}
    return lambda command: table.get(command)


def kind(collected: Collected) -> TroubleKind | None:
    return collected.trouble.kind if collected.trouble else None


# ------------------------------------------------------------------ P01, P17, P18, P19, P30: no session


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("-ERR [IN-USE] locked by another session", TroubleKind.POP_IN_USE),
        ("-ERR mailbox is locked", TroubleKind.POP_IN_USE),
        ("-ERR [LOGIN-DELAY] wait", TroubleKind.POP_LOGIN_DELAY),
        ("-ERR [AUTH] wrong", TroubleKind.POP_LOGIN_REFUSED),
        ("-ERR [SYS/TEMP] later", TroubleKind.SERVER_BUSY),
        ("-ERR [SYS/PERM] broken", TroubleKind.POP_MAILBOX_BROKEN),
    ],
)
def test_p01_every_refusal_of_a_login_has_its_own_cause(answer: str, expected: TroubleKind) -> None:
    with PopServer(five(), lambda command: answer if command.startswith("PASS ") else None) as server:
        collected = fetch(server.port, Desk())
    assert (kind(collected), collected.stored_count) == (expected, 0)
    assert len(server.said("PASS")) == 1
    assert PASSWORD not in repr(collected)


def test_p17_without_stls_no_password_is_said() -> None:
    with PopServer(five()) as server:
        collected = fetch(server.port, Desk(), security="stls")
    assert kind(collected) is TroubleKind.STARTTLS_MISSING
    assert server.commands == ["CAPA"]


def test_p17_plaintext_behind_the_go_ahead_for_tls_closes_the_line() -> None:
    def rule(command: str) -> Answer:
        return b"+OK begin\r\n+OK injected\r\n" if command == "STLS" else None

    with PopServer(five(), rule, capabilities=(*CAPABILITIES, "STLS")) as server:
        collected = fetch(server.port, Desk(), security="stls")
    assert kind(collected) is TroubleKind.INJECTED_PLAINTEXT
    assert server.commands == ["CAPA", "STLS"]


def test_p17_stls_with_a_pinned_certificate_protects_the_login(tmp_path: Path) -> None:
    certificate = Authority(tmp_path).server("mx.example.jp")
    desk = Desk()
    with PopServer(five(), capabilities=(*CAPABILITIES, "STLS"), tls=certificate.context()) as server:
        collected = fetch(server.port, desk, security="stls", pin=certificate.sha256)
    assert (collected.trouble, len(desk.mails)) == (None, 5)
    assert PASSWORD.encode() not in b"".join(line.received for line in server.lines).partition(b"STLS\r\n")[0]


def test_p18_a_greeting_of_ten_megabytes_and_an_endless_capa_are_cut() -> None:
    endless = b"+OK\r\n" + b"X-NONSENSE\r\n" * 1_000_000
    for rule in (instead(GREETING=b"+OK " + b"x" * 10_000_000), instead(CAPA=endless)):
        tracemalloc.start()
        with PopServer(five(), rule) as server:
            collected = fetch(server.port, Desk())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert kind(collected) in (TroubleKind.GARBAGE, TroubleKind.LINE_LOST)
        assert peak < 4 * 1024 * 1024


def test_p19_more_than_a_million_mails_are_refused_without_asking_for_them() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with PopServer(five(), instead(STAT="+OK 1000001 99")) as server:
        collected = fetch(server.port, Desk())
    assert kind(collected) is TroubleKind.POP_TOO_MANY_MAILS
    assert server.said("UIDL") == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


def test_p30_a_server_that_takes_no_passwords_is_told_as_such() -> None:
    def rule(command: str) -> Answer:
        return "-ERR not supported" if command.startswith("USER") else None

    with PopServer(five(), rule, capabilities=("TOP", "UIDL", "SASL GSSAPI XOAUTH2")) as server:
        collected = fetch(server.port, Desk())
    assert kind(collected) is TroubleKind.PASSWORD_LOGIN_DISABLED
    assert server.said("PASS") == []


# ------------------------------------------------------------------ P02, P03, P04: one mail and its size


def test_p02_lines_of_any_length_are_stored_up_to_the_cap_and_the_next_mail_is_fetched() -> None:
    cap = 2_000_000
    held = [
        Held("short", mail(1, "x" * 3_000)),
        Held("huge", mail(2, "z" * 6_000_000)),
        Held("lying", mail(3, "q" * 6_000_000), size=10),
        Held("long", mail(4, "y" * 1_000_000)),
        Held("last", mail(5)),
    ]
    desk = Desk()
    with PopServer(held) as server:
        collected = fetch(server.port, desk, size_cap=cap)
        assert sorted(desk.mails) == sorted([held[0].raw, held[3].raw, held[4].raw])
        assert (collected.stored_count, collected.failed_count, collected.trouble) == (3, 2, None)
        assert [desk.state_of(uid) for uid in ("huge", "lying")] == [SeenState.QUARANTINED] * 2
        assert desk.why_of("huge") == "too_big"
        server.commands.clear()
        assert fetch(server.port, desk, size_cap=cap).trouble is None
        assert server.said("RETR") == []


def test_p03_a_mail_without_end_is_cut_at_the_cap_and_the_others_come() -> None:
    def endless(line: PeerLine) -> None:
        line.say(b"+OK 10 octets\r\n")
        while True:
            line.say(b"y" * 65536)

    desk = Desk()
    tracemalloc.start()
    with PopServer(five(), instead(RETR_2=endless)) as server:
        collected = fetch(server.port, desk, size_cap=4_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert collected.trouble is None
    assert sorted(desk.mails) == [mail(number) for number in (1, 3, 4, 5)]
    assert desk.state_of("uid-2") is SeenState.QUARANTINED
    assert peak < 32 * 1024 * 1024


def test_p03_a_run_has_an_end_however_slowly_a_mail_dribbles_and_what_was_whole_is_kept() -> None:
    def dribble(line: PeerLine) -> None:
        line.say(b"+OK\r\n")
        line.dribble(b"x" * 1000, 0.05)

    desk = Desk()
    # Every group is a mail of its own: sizes beyond a group's are listed.
    held = [Held(f"uid-{number}", mail(number), size=5_000_000) for number in range(1, 6)]
    with PopServer(held, instead(RETR_3=dribble)) as server:
        around = Surroundings(give_up_at=time.monotonic() + 0.7)
        collected = fetch(server.port, desk, around=around)
    assert collected.trouble is not None
    assert (collected.trouble.kind, collected.trouble.stage) == (TroubleKind.TOO_SLOW, Stage.POP_FETCH)
    assert desk.mails == [mail(1), mail(2)]
    assert server.session_count == 1


@MANNERS
def test_p03_a_mail_that_stops_in_the_middle_is_set_aside_after_three_tries(capabilities: tuple[str, ...]) -> None:
    half = b"+OK\r\nSubject: half\r\n"
    desk = Desk()
    with PopServer(five(), instead(RETR_1=half), capabilities=capabilities) as server:
        kinds = [kind(fetch(server.port, desk, patience=IMPATIENT)) for _ in range(4)]
        assert kinds == [TroubleKind.TOO_SLOW] * 3 + [None]
        assert sorted(desk.mails) == [mail(number) for number in (2, 3, 4, 5)]
        assert (desk.state_of("uid-1"), desk.why_of("uid-1")) == (SeenState.QUARANTINED, "cut")
        server.rule = lambda command: None
        desk.try_again("uid-1")
        fetch(server.port, desk)
    assert len(desk.mails) == 5


def test_p04_a_wrong_size_in_the_list_changes_nothing() -> None:
    held = [Held("small", mail(1, "x" * 5_000_000), size=10), Held("big", mail(2), size=5_000_000_000)]
    desk = Desk()
    with PopServer(held) as server:
        collected = fetch(server.port, desk)
    assert (sorted(desk.mails), collected.trouble) == (sorted(one.raw for one in held), None)


def test_p04_a_window_full_of_mails_listed_as_small_is_fetched_one_by_one() -> None:
    held = [Held(f"uid-{number}", mail(number, "x" * 9_000_000), size=10) for number in range(8)]
    desk = Desk()
    with PopServer(held) as server:
        collected = fetch(server.port, desk)
    assert (len(desk.mails), collected.trouble) == (8, None)
    assert server.session_count == 2


def test_a_refused_mail_does_not_hold_up_the_others() -> None:
    desk = Desk()
    with PopServer(five(), instead(RETR_3="-ERR cannot read it")) as server:
        for _ in range(4):
            assert fetch(server.port, desk).trouble is None
    assert len(desk.mails) == 4
    assert (desk.state_of("uid-3"), desk.why_of("uid-3")) == (SeenState.QUARANTINED, "refused")
    assert len(server.said("RETR")) == 4 + 3


# ------------------------------------------------------------------ P06, P07: the line breaks


@MANNERS
@pytest.mark.parametrize("number", range(1, 6))
def test_p06_a_line_lost_at_any_mail_loses_nothing_and_doubles_nothing(
    number: int, capabilities: tuple[str, ...]
) -> None:
    def half(line: PeerLine) -> None:
        server.rule = lambda command: None
        line.say(b"+OK\r\n" + on_the_wire(mail(number))[:-9])
        line.drop()

    desk = Desk()
    with PopServer(five(), instead(**{f"RETR_{number}": half}), capabilities=capabilities) as server:
        runs = until_done(lambda: fetch(server.port, desk, delete_after_receive=True))
        assert (kind(runs[0]), len(runs)) == (TroubleKind.LINE_LOST, 2)
        assert server.box == []
    assert sorted(desk.mails) == [mail(number) for number in range(1, 6)]


@MANNERS
@pytest.mark.parametrize("deletes_on_drop", [True, False])
@pytest.mark.parametrize("command", ["DELE 1", "DELE 3", "DELE 5", "UIDL", "QUIT"])
def test_p07_a_line_lost_while_deleting_leaves_nothing_in_doubt_for_ever(
    command: str, deletes_on_drop: bool, capabilities: tuple[str, ...]
) -> None:
    def rule(said: str) -> Answer:
        is_in_deleting = command != "UIDL" or bool(server.said("DELE"))
        if said == command and is_in_deleting:
            server.rule = lambda command: None
            return DROP
        return None

    desk = Desk()
    with PopServer(five(), rule, capabilities=capabilities, deletes_on_drop=deletes_on_drop) as server:
        runs = until_done(lambda: fetch(server.port, desk, delete_after_receive=True))
        assert (kind(runs[0]), len(runs)) == (TroubleKind.LINE_LOST, 2)
        assert server.box == []
    assert sorted(desk.mails) == [mail(number) for number in range(1, 6)]


def test_p07_deleted_at_quit_with_the_answer_lost_and_the_uid_given_to_another_mail() -> None:
    def apply_and_drop(line: PeerLine) -> None:
        server.rule = lambda command: None
        server.box = [Held("uid-1", mail(77))]
        line.drop()

    desk = Desk()
    with PopServer(five(), instead(QUIT=apply_and_drop)) as server:
        runs = until_done(lambda: fetch(server.port, desk, delete_after_receive=True))
        assert len(runs) == 2
        assert server.box == []
    assert sorted(desk.mails) == [*(mail(number) for number in range(1, 6)), mail(77)]


def test_p07_a_refused_quit_is_not_a_yes() -> None:
    desk = Desk()
    with PopServer(five(), instead(QUIT="-ERR some deleted messages not removed")) as server:
        collected = fetch(server.port, desk, delete_after_receive=True)
    assert (kind(collected), collected.deleted_count) == (TroubleKind.POP_QUIT_REFUSED, 0)
    assert desk.state_of("uid-1") is SeenState.LEAVING


def test_a_refused_dele_keeps_the_mail_stored_and_is_asked_again() -> None:
    desk = Desk()
    with PopServer(five(), instead(DELE_2="-ERR read only")) as server:
        assert fetch(server.port, desk, delete_after_receive=True).deleted_count == 4
        assert [one.uid for one in server.box] == ["uid-2"]
        assert desk.state_of("uid-2") is SeenState.STORED
        server.rule = lambda command: None
        server.commands.clear()
        assert fetch(server.port, desk, delete_after_receive=True).deleted_count == 1
        assert server.said("RETR") == []


# ------------------------------------------------------------------ P09 to P16: lists and names


def test_p09_a_list_with_impossible_lines_is_read_as_far_as_it_goes_and_nothing_is_deleted() -> None:
    lines = [b"1 uid-1", b"-4 x", b"2   uid-2", b"100000000000000000000 y", b"3 " + b"u" * 500, b"4 ", b"5 u\rv"]
    desk = Desk()
    with PopServer(five(), instead(UIDL=block(b"+OK", lines))) as server:
        collected = fetch(server.port, desk, delete_after_receive=True)
        assert (sorted(desk.mails), collected.trouble) == ([mail(1), mail(2)], None)
        assert collected.flaws == {ListFlaw.BAD_NUMBER, ListFlaw.BAD_UIDL, ListFlaw.COUNT_DIFFERS}
        assert server.said("DELE") == []
        server.commands.clear()
        fetch(server.port, desk)
        assert server.said("RETR") == []


def test_p09_a_number_that_means_two_uids_is_not_believed() -> None:
    lines = [b"1 uid-1", b"2 uid-2", b"2 other", b"3 uid-3", b"3 uid-3", b"4 uid-4", b"5 uid-5"]
    desk = Desk()
    with PopServer(five(), instead(UIDL=block(b"+OK", lines))) as server:
        collected = fetch(server.port, desk, delete_after_receive=True)
    assert ListFlaw.DUPLICATE_NUMBER in collected.flaws
    assert sorted(desk.mails) == [mail(number) for number in (1, 3, 4, 5)]
    assert server.said("DELE") == []


@pytest.mark.parametrize("has_top", [True, False])
def test_p10_without_uidl_mails_are_told_apart_by_their_bytes(has_top: bool) -> None:
    def rule(command: str) -> Answer:
        refused = ("UIDL",) if has_top else ("UIDL", "TOP")
        return "-ERR what?" if command.split(" ")[0] in refused else None

    capabilities = ("USER", "PIPELINING", *(("TOP",) if has_top else ()))
    desk = Desk()
    with PopServer(five(), rule, capabilities=capabilities) as server:
        assert fetch(server.port, desk).stored_count == 5
        server.commands.clear()
        again = fetch(server.port, desk)
        assert (again.stored_count, len(desk.mails), again.has_uidl) == (0, 5, False)
        assert len(server.said("RETR")) == (0 if has_top else 5)
        server.box.append(Held("?", mail(6)))
        # Deletion only of what this very session fetched.
        fetch(server.port, desk, delete_after_receive=True)
        assert len(server.box) == (5 if has_top else 0)
    assert len(desk.mails) == 6


def test_p11_new_uids_for_all_mails_cost_one_download_and_no_second_row() -> None:
    held = [Held(f"old-{number}", mail(number)) for number in range(500)]
    desk = Desk()
    with PopServer(held) as server:
        fetch(server.port, desk)
        for number, one in enumerate(server.box):
            one.uid = f"new-{number}"
        moved = fetch(server.port, desk)
        assert (moved.stored_count, moved.again_count, moved.is_renumbered) == (0, 500, True)
        server.commands.clear()
        assert not fetch(server.port, desk).is_renumbered
        assert server.said("RETR") == []
    assert len(desk.mails) == 500


def test_p12_a_uid_given_to_another_mail_after_deletion_is_fetched() -> None:
    desk = Desk()
    with PopServer(five()) as server:
        fetch(server.port, desk, delete_after_receive=True)
        server.box = [Held("uid-3", mail(33))]
        assert fetch(server.port, desk).stored_count == 1
    assert mail(33) in desk.mails


def test_p12_a_uid_given_to_another_mail_while_somebody_else_deleted_is_fetched_when_the_size_tells() -> None:
    desk = Desk()
    with PopServer(five()) as server:
        fetch(server.port, desk)
        server.box[2] = Held("uid-3", mail(3, "a different mail"))
        assert fetch(server.port, desk, delete_after_receive=True).stored_count == 1
        assert server.box == []
    assert len(desk.mails) == 6


def test_p13_two_mails_under_one_uid_are_both_fetched_and_compared() -> None:
    held = [Held("same", mail(1)), Held("same", mail(1)), Held("same", mail(2)), Held("other", mail(3))]
    desk = Desk()
    with PopServer(held) as server:
        assert fetch(server.port, desk).stored_count == 3
        assert fetch(server.port, desk).stored_count == 0
        collected = fetch(server.port, desk, delete_after_receive=True)
        assert (collected.deleted_count, server.box) == (4, [])
    assert sorted(desk.mails) == [mail(1), mail(2), mail(3)]


def test_p14_one_empty_list_makes_nobody_forget() -> None:
    desk = Desk()
    with PopServer(five()) as server:
        fetch(server.port, desk)
        full, server.box = server.box, []
        assert fetch(server.port, desk).listed_count == 0
        server.box = full
        server.commands.clear()
        assert fetch(server.port, desk).known_count == 5
        assert server.said("RETR") == []


@MANNERS
def test_p15_a_server_that_renumbers_before_deleting_deletes_nothing(capabilities: tuple[str, ...]) -> None:
    shifted = [b"%d uid-%d" % (number, number + 1) for number in range(1, 5)]

    def rule(command: str) -> Answer:
        return block(b"+OK", shifted) if command == "UIDL" and len(server.said("UIDL")) > 2 else None

    desk = Desk()
    with PopServer(five(), rule, capabilities=capabilities) as server:
        collected = fetch(server.port, desk, delete_after_receive=True)
        assert (len(desk.mails), collected.flaws, server.said("DELE")) == (5, {ListFlaw.CHANGED}, [])
        assert len(server.box) == 5
        # The bytes under these numbers are not trusted: fetched again, compared, and deleted then.
        server.rule = lambda command: None
        assert fetch(server.port, desk, delete_after_receive=True).deleted_count == 5
    assert len(desk.mails) == 5


def test_p15_a_server_that_marked_another_mail_is_told_to_take_it_back() -> None:
    others = block(b"+OK", [b"3 uid-3"])

    def rule(command: str) -> Answer:
        return others if command == "UIDL" and server.said("DELE") else None

    desk = Desk()
    with PopServer(five(), rule) as server:
        collected = fetch(server.port, desk, delete_after_receive=True)
        assert (collected.flaws, collected.deleted_count, len(server.box)) == ({ListFlaw.CHANGED}, 0, 5)
        assert server.commands[-2:] == ["RSET", "QUIT"]


@MANNERS
def test_p15_a_number_that_means_another_mail_while_fetching_ends_the_session(capabilities: tuple[str, ...]) -> None:
    desk = Desk()
    with PopServer(five(), instead(UIDL_5="+OK 5 uid-4"), capabilities=capabilities) as server:
        collected = fetch(server.port, desk, delete_after_receive=True)
        assert (kind(collected), server.said("DELE")) == (TroubleKind.POP_LIST_CHANGED, [])
        assert desk.state_of("uid-5") is None
        server.rule = lambda command: None
        fetch(server.port, desk)
    assert len(desk.mails) == 5


def test_p15_a_server_without_uidl_for_one_mail_is_believed_by_its_list() -> None:
    desk = Desk()
    with PopServer(five(), instead(UIDL_5="-ERR what?")) as server:
        assert fetch(server.port, desk, delete_after_receive=True).deleted_count == 5
    assert len(desk.mails) == 5


def test_p16_a_mail_that_comes_between_uidl_and_list_is_fetched_by_the_next_run() -> None:
    longer = block(b"+OK", [b"%d 100" % number for number in range(1, 7)])
    desk = Desk()
    with PopServer(five(), instead(LIST=longer)) as server:
        assert fetch(server.port, desk).trouble is None
        server.box.append(Held("uid-6", mail(6)))
        assert fetch(server.port, desk).stored_count == 1
    assert len(desk.mails) == 6


def test_a_list_that_is_refused_for_now_is_the_server_s_trouble_and_forgets_nothing() -> None:
    desk = Desk()
    with PopServer(five()) as server:
        fetch(server.port, desk)
        server.rule = instead(UIDL="-ERR [SYS/TEMP] later")
        collected = fetch(server.port, desk)
        assert collected.trouble is not None
        assert (collected.trouble.kind, collected.trouble.stage) == (TroubleKind.SERVER_BUSY, Stage.POP_LIST)
        assert desk.state_of("uid-1") is SeenState.STORED


def test_the_password_is_in_no_error_and_certificates_are_checked(tmp_path: Path) -> None:
    context: ssl.SSLContext = Authority(tmp_path).server("mx.example.jp").context()
    with PopServer(five(), capabilities=(*CAPABILITIES, "STLS"), tls=context) as server:
        collected = fetch(server.port, Desk(), security="stls")
    assert kind(collected) is not None
    assert PASSWORD not in repr(collected.trouble)
    assert server.said("USER") == []
