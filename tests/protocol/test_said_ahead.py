"""The next mail said behind a dot: what goes out in which order, and that nothing is judged otherwise because of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fumibako.delivery.outcome import Outcome, Stage, Verdict
from fumibako.protocol.errors import LineLost, TooSlow
from fumibako.protocol.lines import Inbox
from fumibako.protocol.patience import Patience
from fumibako.protocol.smtp.capabilities import Capabilities
from fumibako.protocol.smtp.deliver import deliver
from fumibako.protocol.smtp.envelope import Envelope
from fumibako.transport.relay import Part, Relay
from tests.support.peers.dialogue import Dialogue, load, play, play_behind

SERVER = Capabilities(has_pipelining=True)
RAW = b"Subject: one\r\n\r\nhello\r\n"
NEXT = b"Subject: two\r\n\r\nhello again\r\n"
AHEAD = b"MAIL FROM:<office@example.jp>\r\nRCPT TO:<next@example.jp>\r\nDATA\r\n"
FILES = sorted((Path(__file__).parents[1] / "dialogues").glob("*.txt"))


@dataclass
class Wire:
    """A line by hand: `arriving` is what the server has sent; `writes` what we wrote, write by write."""

    patience: Patience = field(default_factory=Patience)
    inbox: Inbox = field(default_factory=Inbox)
    is_open: bool = True
    arriving: bytes = b""
    is_lost: bool = False
    room: int = 1 << 20
    now: float = 0.0
    writes: list[bytes] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def arrive(self) -> bool:
        raw, self.arriving = self.arriving, b""
        if raw:
            self.inbox.feed(raw)
        elif self.is_lost:
            raise LineLost("gone")
        return bool(raw)

    def push(self, raw: memoryview) -> int:
        taken = bytes(raw[: self.room])
        self.room -= len(taken)
        if taken:
            self.writes.append(taken)
        return len(taken)

    def close(self) -> None:
        self.is_open = False


@dataclass
class Talk:
    """A relay whose first mail stands before its dot, and a second mail ready to follow."""

    wire: Wire = field(default_factory=Wire)

    def __post_init__(self) -> None:
        self.relay: Relay[Outcome] = Relay(self.wire)
        self.first = Part(deliver(Envelope("office@example.jp", "first@example.jp"), RAW, SERVER))
        self.next = Part(deliver(Envelope("office@example.jp", "next@example.jp"), NEXT, SERVER))
        self.relay.begin(self.first)
        self.hear(b"250 a\r\n250 b\r\n354 c\r\n")
        assert self.relay.is_before_dot
        self.wire.writes.clear()

    def hear(self, raw: bytes) -> None:
        """The server says something."""
        self.wire.arriving += raw
        self.relay.advance()


def test_the_dot_and_the_next_mail_s_commands_are_one_write_and_nothing_more_follows_before_the_answer() -> None:
    talk = Talk()
    talk.relay.hand_over(0.0, talk.next)
    assert talk.wire.writes == [b".\r\n" + AHEAD]
    for _ in range(3):
        talk.relay.advance()
    assert talk.wire.writes == [b".\r\n" + AHEAD]
    assert not talk.relay.is_before_dot


def test_after_the_answer_the_next_content_is_written_but_no_dot_without_its_own_mark() -> None:
    talk = Talk()
    talk.relay.hand_over(0.0, talk.next)
    talk.hear(b"250 2.0.0 taken\r\n250 a\r\n250 b\r\n354 c\r\n")
    assert talk.first.result.verdict is Verdict.SENT
    assert talk.wire.writes[1:] == [NEXT]
    assert talk.relay.is_before_dot
    assert not talk.next.is_over
    talk.relay.advance()
    assert talk.wire.writes[1:] == [NEXT]


@pytest.mark.parametrize("cut", range(1, 43))
def test_answers_in_any_pieces_come_to_the_same(cut: int) -> None:
    talk, said = Talk(), b"250 2.0.0 taken\r\n250 a\r\n250 b\r\n354 c\r\n"
    talk.relay.hand_over(0.0, talk.next)
    for piece in (said[:cut], said[cut:]):
        talk.hear(piece)
    assert (talk.first.result.verdict, talk.relay.is_before_dot) == (Verdict.SENT, True)


def test_s08_an_answer_that_comes_before_the_dot_ends_the_line_and_nothing_was_said_ahead() -> None:
    talk = Talk()
    talk.wire.arriving = b"250 surplus\r\n"
    talk.relay.hand_over(0.0, talk.next)
    assert (talk.first.result.verdict, talk.first.result.stage) == (Verdict.UNREACHABLE, Stage.MARK)
    assert (talk.next.has_begun, talk.wire.writes, talk.wire.is_open) == (False, [], False)


def test_c05_too_long_between_mark_and_dot_writes_neither_the_dot_nor_what_follows() -> None:
    talk = Talk()
    talk.wire.now = 5.1
    talk.relay.hand_over(0.0, talk.next)
    assert (talk.first.result.verdict, talk.first.result.stage) == (Verdict.UNREACHABLE, Stage.MARK)
    assert (talk.next.has_begun, talk.wire.writes) == (False, [])


def test_s27_a_line_lost_after_the_dot_is_uncertain_for_the_first_and_before_its_beginning_for_the_next() -> None:
    talk = Talk()
    talk.relay.hand_over(0.0, talk.next)
    talk.wire.is_lost = True
    talk.relay.advance()
    assert (talk.first.result.verdict, talk.first.result.stage) == (Verdict.UNCERTAIN, Stage.DOT)
    assert (talk.next.result.verdict, talk.next.result.stage) == (Verdict.UNREACHABLE, Stage.MAIL)


def test_s29_the_dot_s_answer_has_600_seconds_whatever_was_said_behind_it() -> None:
    talk = Talk()
    talk.relay.hand_over(0.0, talk.next)
    talk.wire.now = 599.9
    talk.relay.give_up_when_late()
    assert not talk.first.is_over
    talk.wire.now = 600.0
    talk.relay.give_up_when_late()
    assert talk.first.result.verdict is Verdict.UNCERTAIN


@pytest.mark.parametrize("said", ["25", "2500 ok", "200 ok", "350 go on", "abc"])
def test_s31_garbage_after_the_dot_is_uncertain_and_the_next_mail_has_not_begun(said: str) -> None:
    talk = Talk()
    talk.relay.hand_over(0.0, talk.next)
    talk.hear(f"{said}\r\n250 a\r\n250 b\r\n354 c\r\n".encode())
    assert talk.first.result.verdict is Verdict.UNCERTAIN
    assert (talk.next.result.verdict, talk.next.result.stage) == (Verdict.UNREACHABLE, Stage.MAIL)
    assert not talk.wire.is_open


@pytest.mark.parametrize("said", ["abc", "250-a\r\n251 b", "25"])
@pytest.mark.parametrize(("before", "stage"), [("", "mail"), ("250 a\r\n", "rcpt"), ("250 a\r\n250 b\r\n", "data")])
def test_garbage_among_the_next_mail_s_answers_leaves_the_first_sent(said: str, before: str, stage: str) -> None:
    talk = Talk()
    talk.relay.hand_over(0.0, talk.next)
    talk.hear(f"250 taken\r\n{before}{said}\r\n".encode())
    assert talk.first.result.verdict is Verdict.SENT
    assert (talk.next.result.verdict, talk.next.result.stage) == (Verdict.UNREACHABLE, stage)
    assert NEXT not in talk.wire.writes


def test_s22_content_that_the_kernel_does_not_take_is_not_before_the_mark_until_all_of_it_is_there() -> None:
    talk = Talk()
    talk.relay.hand_over(0.0, talk.next)
    talk.wire.room = 5
    talk.hear(b"250 taken\r\n250 a\r\n250 b\r\n354 c\r\n")
    assert (talk.relay.is_before_dot, talk.relay.wants_to_write) == (False, True)
    talk.wire.room = 1000
    talk.relay.advance()
    assert (talk.relay.is_before_dot, talk.relay.wants_to_write) == (True, False)
    assert b"".join(talk.wire.writes[1:]) == NEXT


def test_s22_a_peer_that_takes_nothing_more_is_given_up_before_the_mark() -> None:
    talk = Talk()
    talk.relay.hand_over(0.0, talk.next)
    talk.wire.room = 5
    talk.hear(b"250 taken\r\n250 a\r\n250 b\r\n354 c\r\n")
    talk.wire.now = Patience().block
    talk.relay.give_up_when_late()
    assert (talk.next.result.verdict, talk.next.result.stage) == (Verdict.UNREACHABLE, Stage.BODY)


def test_s33_a_421_behind_the_250_lets_the_first_be_sent_and_the_next_go_elsewhere() -> None:
    talk = Talk()
    talk.relay.hand_over(0.0, talk.next)
    talk.hear(b"250 taken\r\n421 4.3.2 closing\r\n")
    assert talk.first.result.verdict is Verdict.SENT
    assert (talk.next.result.stage, talk.next.result.code) == (Stage.MAIL, 421)


def test_a_line_given_up_from_outside_ends_both_mails() -> None:
    talk = Talk()
    talk.relay.hand_over(0.0, talk.next)
    talk.relay.break_off(TooSlow("over"))
    assert (talk.first.result.verdict, talk.next.result.verdict) == (Verdict.UNCERTAIN, Verdict.UNREACHABLE)


def pipelined(path: Path) -> bool:
    """True for a dialogue in which the server offers PIPELINING and a mail is begun."""
    dialogue = load(path)
    is_offered = any(who == "S" and b"PIPELINING" in raw for who, raw in dialogue.events)
    return is_offered and any(who == "C" and raw.startswith(b"MAIL") for who, raw in dialogue.events)


@pytest.fixture(params=[path for path in FILES if pipelined(path)], ids=lambda path: path.stem)
def dialogue(request: pytest.FixtureRequest) -> Dialogue:
    return load(request.param)


@pytest.mark.parametrize("piece", [0, 1, 2, 3, 7])
def test_every_dialogue_comes_to_the_same_when_its_mail_was_said_behind_another_s_dot(
    dialogue: Dialogue, piece: int
) -> None:
    alone, (first, behind) = play(dialogue, piece), play_behind(dialogue, piece)
    assert first.verdict is Verdict.SENT
    assert (behind.result, behind.is_open, behind.refused_copies) == (
        alone.result,
        alone.is_open,
        alone.refused_copies,
    )
