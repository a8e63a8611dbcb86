"""Long answers of POP3 in whole blocks: byte for byte the mail, wherever the packets are cut."""

from __future__ import annotations

import random
from collections.abc import Iterator
from hashlib import sha256

import pytest

from fumibako.protocol.errors import Garbage
from fumibako.protocol.lines import MAX_REPLY_BYTES, Inbox
from fumibako.protocol.pop3.blocks import Fault, ListReader, ListReply, LongReply, MailReader
from tests.support.peers.pop import on_the_wire

CAP = 10_000_000
PIECES = (b".", b"..", b".\r\n", b"\r\n", b"\r\n.\r\n", b"\r\n..", b"\r", b"\n", b"\n.\n", b"\0", b"\xff\xfe", b"text ")


def mails(count: int, seed: int = 1) -> Iterator[bytes]:
    """Mails of the nastiest bytes, each ending in CRLF as a server sends it."""
    chance = random.Random(seed)
    for number in range(count):
        body = b"".join(chance.choices(PIECES, k=chance.randrange(40))) + chance.randbytes(chance.randrange(60))
        yield b"Subject: %d\r\n\r\n" % number + body + b"\r\n"


def read_all(wire: bytes, count: int, piece: int) -> tuple[list[LongReply], bytes]:
    """Read `count` answers from bytes that come in pieces; also returns what is left over."""
    inbox, replies, position = Inbox(), [], 0
    for _ in range(count):
        reader = MailReader(CAP)
        reply = reader.read(inbox) if inbox else None
        while reply is None:
            inbox.pour(wire[position : position + piece])
            position += piece
            reply = reader.read(inbox)
        replies.append(reply)
    return replies, inbox.draw() + wire[position:]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 4096, 65536])
def test_p05_mails_are_byte_exact_in_pieces_of_any_size(piece: int) -> None:
    sources = list(mails(300 if piece < 64 else 2000))
    wire = b"".join(b"+OK\r\n" + on_the_wire(raw) for raw in sources)
    replies, rest = read_all(wire + b"+OK bye\r\n", len(sources), piece)
    assert [reply.raw for reply in replies] == sources
    assert rest == b"+OK bye\r\n"


def test_p05_ten_thousand_mails_have_the_hash_of_their_source() -> None:
    sources = list(mails(10_000, seed=5))
    wire = b"".join(b"+OK\r\n" + on_the_wire(raw) for raw in sources)
    replies, _ = read_all(wire, len(sources), 65536)
    hashes = [sha256(raw).digest() for raw in sources]
    assert [sha256(reply.raw).digest() for reply in replies] == hashes


@pytest.mark.parametrize("raw", [b"", b"\r\n", b".\r\n", b"..\r\n.\r\n", b"\r\n.\r\n", b".a\r\n", b"a\r\n.b\r\n..\r\n"])
@pytest.mark.parametrize("piece", [1, 2, 3, 4, 5, 100])
def test_p05_dots_and_empty_lines_at_the_edges_survive(raw: bytes, piece: int) -> None:
    replies, rest = read_all(b"+OK\r\n" + on_the_wire(raw), 1, piece)
    assert (replies[0].raw, rest) == (raw, b"")


def test_p02_one_line_of_a_megabyte_is_a_mail_like_any_other() -> None:
    raw = b"Subject: long\r\n\r\n" + b"x" * 1_000_000 + b"\r\n"
    replies, _ = read_all(b"+OK\r\n" + on_the_wire(raw), 1, 65536)
    assert replies[0].raw == raw


def test_p03_a_mail_beyond_the_cap_is_given_up_after_one_more_block() -> None:
    reader, inbox = MailReader(100_000), Inbox()
    inbox.pour(b"+OK 10 octets\r\n")
    reply = reader.read(inbox)
    block_count = 0
    while reply is None:
        inbox.pour(b"y" * 65536)
        block_count += 1
        reply = reader.read(inbox)
    assert (reply.is_too_big, reply.raw, block_count) == (True, b"", 2)


def test_a_mail_of_exactly_the_cap_is_taken() -> None:
    raw = b"a" * 98 + b"\r\n"
    for cap, is_too_big in ((100, False), (99, True)):
        inbox = Inbox()
        inbox.pour(b"+OK\r\n" + on_the_wire(raw))
        reply = MailReader(cap).read(inbox)
        assert reply is not None
        assert reply.is_too_big is is_too_big


def test_what_is_no_answer_is_garbage_and_a_first_line_without_end_too() -> None:
    for raw in (b"hello\r\n", b"+OK\x01\r\n", b"+OK " + b"x" * (MAX_REPLY_BYTES + 1)):
        inbox = Inbox()
        inbox.pour(raw)
        with pytest.raises(Garbage):
            MailReader(CAP).read(inbox)
        inbox.pour(raw)
        with pytest.raises(Garbage):
            ListReader(10).read(inbox)


def listed(wire: bytes, piece: int, most: int = 1000) -> ListReply:
    inbox, reader = Inbox(), ListReader(most)
    for position in range(0, len(wire), piece):
        inbox.pour(wire[position : position + piece])
        reply = reader.read(inbox)
        if reply is not None:
            assert inbox.draw() + wire[position + piece :] in (b"", b"+OK next\r\n")
            return reply
    raise AssertionError("the list did not end")


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 4096])
def test_p09_a_list_tells_what_is_usable_and_what_is_not(piece: int) -> None:
    lines = [b"1 a", b"2   b", b"3 ", b"4 " + b"u" * 500, b"-4 c", b"0 d", b"100000000000000000000 e", b"x", b"6 q\rr"]
    reply = listed(b"+OK\r\n" + b"\r\n".join(lines) + b"\r\n.\r\n+OK next\r\n", piece)
    assert reply.entries == [(1, b"a"), (2, b"b"), (3, b""), (4, b""), (0, b"d"), (6, b"")]
    assert reply.faults == {Fault.NUMBER, Fault.WORD, Fault.LINE}


def test_p19_a_list_with_more_entries_than_allowed_is_too_long() -> None:
    wire = b"+OK\r\n" + b"".join(b"%d u%d\r\n" % (n, n) for n in range(1, 200)) + b".\r\n"
    assert listed(wire, 4096, most=198).is_too_long
    assert len(listed(wire, 4096, most=199).entries) == 199


def test_a_refused_list_says_why() -> None:
    reply = listed(b"-ERR [SYS/TEMP] later\r\n+OK next\r\n", 5)
    assert (reply.is_positive, reply.response_code, reply.text) == (False, "SYS/TEMP", "[SYS/TEMP] later")
