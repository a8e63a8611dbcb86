"""The practice SMTP server, by octets: each person of the table behaves as the table says."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from fumibako.practice import PracticeServer
from fumibako.practice.people import BEHAVIOURS, behaviour_of
from tests.practice.conftest import HandClock
from tests.practice.wire import Wire

SENDER = b"staff-desk@example.jp"


def mail_to(address: str, message_id: str = "<1@example.jp>", extra: str = "") -> bytes:
    return (
        f"From: =?UTF-8?B?6KaL5pys?= <{SENDER.decode()}>\r\nTo: <{address}>\r\n{extra}"
        f"Message-ID: {message_id}\r\nSubject: =?UTF-8?B?5YuV5YuZ?=\r\n =?UTF-8?B?6KGo?=\r\n\r\nbody\r\n..dot\r\n"
    ).encode()


def greet(wire: Wire) -> None:
    assert wire.smtp_reply()[-1].startswith(b"220 ")
    assert wire.say(b"EHLO test.example.jp").startswith(b"250 ")


def hand_over(server: PracticeServer, address: str, raw: bytes | None = None, sender: bytes = SENDER) -> bytes:
    """Sends one mail; returns the reply that decided, or b"" when the line was cut."""
    with Wire(server.addresses.smtp_port) as wire:
        greet(wire)
        assert wire.say(b"MAIL FROM:<" + sender + b">").startswith(b"250 ")
        reply = wire.say(f"RCPT TO:<{address}>".encode())
        if not reply.startswith(b"250 "):
            return reply
        assert wire.say(b"DATA").startswith(b"354 ")
        return wire.say((raw or mail_to(address)) + b".")


def test_a_mail_is_kept_exactly_as_it_came(server: PracticeServer) -> None:
    assert hand_over(server, "sato@example.jp").startswith(b"250 2.0.0")
    assert server.mails_of("sato@example.jp") == [mail_to("sato@example.jp").replace(b"\r\n..dot", b"\r\n.dot")]
    assert (server.accepted_count, server.copies_of("Sato@example.jp")) == (1, 1)


def test_the_greeting_offers_size_eightbit_pipelining_codes_and_login(server: PracticeServer) -> None:
    with Wire(server.addresses.smtp_port) as wire:
        wire.smtp_reply()
        wire.write(b"EHLO test.example.jp\r\n")
        offers = {line[4:].strip() for line in wire.smtp_reply()[1:]}
    assert {b"SIZE 20971520", b"8BITMIME", b"PIPELINING", b"ENHANCEDSTATUSCODES", b"AUTH LOGIN PLAIN"} <= offers


def test_pipelined_commands_are_answered_in_order(server: PracticeServer) -> None:
    with Wire(server.addresses.smtp_port) as wire:
        greet(wire)
        wire.write(b"MAIL FROM:<a@example.jp>\r\nRCPT TO:<b.unknown@example.jp>\r\nRCPT TO:<c@example.jp>\r\nDATA\r\n")
        assert [wire.smtp_reply()[-1][:3] for _ in range(4)] == [b"250", b"550", b"250", b"354"]


@pytest.mark.parametrize(
    ("word", "start"),
    [
        ("unknown", b"550 5.1.1 "),
        ("docomo", b"550 Unknown user "),
        ("refuse", b"550 5.7.1 "),
        ("quota", b"552 5.2.2 "),
        ("full", b"452 4.2.2 "),
        ("later", b"451 4.7.1 "),
    ],
)
def test_a_refusing_person_is_refused_with_the_words_of_the_table(
    server: PracticeServer, word: str, start: bytes
) -> None:
    reply = hand_over(server, f"taro.{word}@example.jp")
    assert reply.startswith(start)
    assert f"taro.{word}@example.jp".encode() in reply
    assert server.accepted_count == 0


def test_the_last_word_of_the_local_part_decides_behind_a_dot_or_a_plus() -> None:
    assert behaviour_of("a.unknown@example.jp") is behaviour_of("A+Unknown@example.jp") is BEHAVIOURS["unknown"]
    assert not behaviour_of("unknown.a@example.jp").refusal


def test_greylisting_ends_after_the_wait_and_starts_again_for_the_next_mail(
    server: PracticeServer, clock: HandClock
) -> None:
    address = "sato.later@example.jp"
    assert hand_over(server, address).startswith(b"451 ")
    clock.pass_seconds(19)
    assert hand_over(server, address).startswith(b"451 ")
    clock.pass_seconds(1)
    assert hand_over(server, address).startswith(b"250 ")
    assert hand_over(server, address).startswith(b"451 ")


def test_a_dropped_mail_is_kept_but_its_sender_gets_no_answer(server: PracticeServer) -> None:
    assert hand_over(server, "sato.drop@example.jp") == b""
    assert server.copies_of("sato.drop@example.jp") == 1


def test_a_lost_mail_is_not_kept_and_is_taken_at_the_second_try(server: PracticeServer) -> None:
    assert hand_over(server, "sato.lost@example.jp") == b""
    assert server.copies_of("sato.lost@example.jp") == 0
    assert hand_over(server, "sato.lost@example.jp").startswith(b"250 ")
    assert server.copies_of("sato.lost@example.jp") == 1


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b"AUTH PLAIN " + base64.b64encode(b"\0user\0secret"), b"235"),
        (b"AUTH PLAIN " + base64.b64encode(b"\0user\0wrong"), b"535"),
    ],
)
def test_any_password_but_wrong_is_right_for_plain(server: PracticeServer, command: bytes, code: bytes) -> None:
    with Wire(server.addresses.smtp_port) as wire:
        greet(wire)
        assert wire.say(command).startswith(code)


@pytest.mark.parametrize(("password", "code"), [(b"secret", b"235"), (b"wrong", b"535")])
def test_any_password_but_wrong_is_right_for_login(server: PracticeServer, password: bytes, code: bytes) -> None:
    with Wire(server.addresses.smtp_port) as wire:
        greet(wire)
        assert wire.say(b"AUTH LOGIN").startswith(b"334 ")
        assert wire.say(base64.b64encode(b"user")).startswith(b"334 ")
        assert wire.say(base64.b64encode(password)).startswith(code)


def test_an_answer_comes_when_its_time_has_come_and_not_before(server: PracticeServer, clock: HandClock) -> None:
    hand_over(server, "sato.answer@example.jp")
    assert server.mails_of(SENDER.decode()) == []
    clock.pass_seconds(20)
    (answer,) = server.mails_of(SENDER.decode())
    assert b"From: <sato.answer@example.jp>\r\n" in answer
    assert b"In-Reply-To: <1@example.jp>\r\n" in answer
    assert b"Subject: Re: =?UTF-8?B?5YuV5YuZ?= =?UTF-8?B?6KGo?=\r\n" in answer


def test_answers_come_in_iso_2022_jp_and_in_utf_8(server: PracticeServer, clock: HandClock) -> None:
    for number in range(8):
        address = f"p{number}.answer@example.jp"
        hand_over(server, address, mail_to(address))
    clock.pass_seconds(20)
    kinds = set()
    for answer in server.mails_of(SENDER.decode()):
        head, _, body = answer.partition(b"\r\n\r\n")
        if b"charset=ISO-2022-JP" in head:
            kinds.add("iso-2022-jp")
            assert "。" in body.decode("iso2022_jp")
        else:
            kinds.add("utf-8")
            assert "。" in base64.b64decode(body).decode()
    assert kinds == {"iso-2022-jp", "utf-8"}


def test_an_answer_goes_to_reply_to_when_there_is_one(server: PracticeServer, clock: HandClock) -> None:
    address = "sato.answer@example.jp"
    hand_over(server, address, mail_to(address, extra="Reply-To: Desk <answers@example.jp>\r\n"))
    clock.pass_seconds(20)
    assert len(server.mails_of("answers@example.jp")) == 1


def test_an_automatic_mail_is_never_answered(server: PracticeServer, clock: HandClock) -> None:
    for address in ("a.answer@example.jp", "b.vacation@example.jp", "c.bounce@example.jp"):
        hand_over(server, address, mail_to(address, extra="Auto-Submitted: auto-generated\r\n"))
        hand_over(server, address, sender=b"")
    clock.pass_seconds(60)
    assert server.mails_of(SENDER.decode()) == []


def test_a_vacation_reply_says_that_it_is_automatic(server: PracticeServer, clock: HandClock) -> None:
    hand_over(server, "sato.vacation@example.jp")
    clock.pass_seconds(20)
    (reply,) = server.mails_of(SENDER.decode())
    assert b"Auto-Submitted: auto-replied\r\n" in reply


def test_a_bouncing_mail_is_accepted_and_comes_back_as_a_delivery_report(
    server: PracticeServer, clock: HandClock
) -> None:
    assert hand_over(server, "sato.bounce@example.jp").startswith(b"250 ")
    assert server.mails_of("sato.bounce@example.jp") == []
    clock.pass_seconds(4)
    (report,) = server.mails_of(SENDER.decode())
    for line in (
        b"Return-Path: <>",
        b"Final-Recipient: rfc822; sato.bounce@example.jp",
        b"Action: failed",
        b"Status: 5.1.1",
        b"Message-ID: <1@example.jp>",
    ):
        assert b"\r\n" + line + b"\r\n" in b"\r\n" + report
    boundary = b"--" + report.partition(b'boundary="')[2].partition(b'"')[0]
    assert report.count(boundary + b"\r\n") == 3
    assert report.endswith(boundary + b"--\r\n")


def test_the_same_seed_gives_the_same_answers_byte_for_byte(tmp_path: Path) -> None:
    runs = []
    for name in ("first", "second"):
        clock = HandClock()
        with PracticeServer(tmp_path / name, seed=7, clock=clock) as server:
            for number in range(5):
                address = f"p{number}.answer@example.jp"
                hand_over(server, address, mail_to(address))
            clock.pass_seconds(20)
            runs.append(server.mails_of(SENDER.decode()))
    assert runs[0] == runs[1]
    assert len(runs[0]) == 5


def test_a_restart_forgets_neither_mails_nor_waiting_answers_nor_counts(tmp_path: Path) -> None:
    clock = HandClock()
    with PracticeServer(tmp_path, clock=clock) as server:
        hand_over(server, "sato.answer@example.jp")
    clock.pass_seconds(20)
    with PracticeServer(tmp_path, clock=clock) as server:
        assert (server.accepted_count, server.copies_of("sato.answer@example.jp")) == (1, 1)
        assert len(server.mails_of(SENDER.decode())) == 1
        hand_over(server, "sato@example.jp")
        assert server.accepted_count == 2


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("bounce-full", b"5.2.2"),
        ("bounce-docomo", b"5.0.0"),
        ("bounce-au", b"5.0.0"),
        ("bounce-gmail", b"5.1.1"),
        ("bounce-m365", b"5.1.10"),
    ],
)
def test_error_mails_carry_the_words_of_the_large_providers(
    server: PracticeServer, clock: HandClock, word: str, status: bytes
) -> None:
    address = f"sato.{word}@example.jp"
    assert hand_over(server, address).startswith(b"250 ")
    clock.pass_seconds(4)
    (report,) = server.mails_of(SENDER.decode())
    assert b"\r\nStatus: " + status + b"\r\n" in report
    words = BEHAVIOURS[word].diagnosis.format(address=address).encode()
    assert b"\r\nDiagnostic-Code: smtp; " + words + b"\r\n" in report
