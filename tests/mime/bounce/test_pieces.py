"""The pieces error mails are taken apart with: status reports, codes in prose, addresses, the returned mail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fumibako.mime.bounce import recognise
from fumibako.mime.bounce.dialogue import answers_in, best_status, code_in, command_in
from fumibako.mime.bounce.own_words import divide
from fumibako.mime.bounce.phrases import compiled
from fumibako.mime.bounce.status_report import read_status, reporter
from fumibako.mime.bounce.wording import address_in, plain
from tests.mime.bounce.samples import sample


@pytest.mark.parametrize(
    ("text", "code", "status", "command"),
    [
        ("host mx.example.jp[192.0.2.1] said: 550 5.1.1 no (in reply to RCPT TO command)", 550, "5.1.1", "RCPT"),
        ("SMTP error from remote mail server after MAIL FROM:<a@example.jp>:\n 451 later", 451, "", "MAIL"),
        ("Remote host said: 552-5.2.2 full", 552, "5.2.2", ""),
        ("5.1.0 - Unknown address error 550-'5.7.1 Access denied'", 550, "5.1.0", ""),
        ("sorry, no mailbox here by that name (#5.1.1)", 0, "5.1.1", ""),
        ("192.0.2.25 does not like recipient.", 0, "", "RCPT"),
        ("mx.example.jp [192.0.2.1] did not like our final DATA:\n554 5.7.9 no", 554, "5.7.9", "DATA"),
        ("after initial connection:\n 554 no", 554, "", "CONN"),
        ("4500 mails at 192.0.2.5, version 5.1.1.7", 0, "", ""),
    ],
)
def test_codes_and_commands_are_found_in_prose(text: str, code: int, status: str, command: str) -> None:
    assert (code_in(text), best_status(text), command_in(text)) == (code, status, command)


def test_a_status_that_says_something_comes_before_one_that_does_not() -> None:
    assert best_status("554 5.0.0 Service unavailable, 550 5.7.1 denied") == "5.7.1"


def test_answers_of_a_transcript_go_with_the_command_before_them() -> None:
    transcript = ">>> RCPT To:<a@example.jp>\n<<< 550-5.1.1 no\n<<< 550 5.1.1 such user\n>>> DATA\n<<< 503 no"
    assert answers_in(transcript) == (("RCPT", "550-5.1.1 no 550 5.1.1 such user"), ("DATA", "503 no"))


def test_fields_of_several_recipients_may_have_run_together() -> None:
    found = read_status(
        "Reporting-MTA: dns; MX.example.jp\n\n"
        "Final-Recipient: rfc822; a@example.jp\nAction: failed\nStatus: 5.1.1\n"
        "Final-Recipient: rfc822;<b@example.jp>\nAction: Failed (really)\nStatus: 5.2.2 (full)\n"
        "Diagnostic-Code: smtp; 552 5.2.2 the box\nis full\n"
    )
    assert [(one.address, one.action, one.status, one.words) for one in found] == [
        ("a@example.jp", "failed", "5.1.1", ""),
        ("b@example.jp", "failed", "5.2.2", "552 5.2.2 the box is full"),
    ]
    assert reporter("Reporting-MTA: dns; MX.example.jp\n\n") == "mx.example.jp"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("rfc822; a@example.jp", "a@example.jp"),
        ("<A.b@Example.JP>", "A.b@Example.JP"),
        ('"a..b"@docomo.ne.jp', '"a..b"@docomo.ne.jp'),
        ("a..b.@docomo.ne.jp", "a..b.@docomo.ne.jp"),
        ("dda:SMTP=a@example.jp; on Wed", "a@example.jp"),
        ("see a@example.jp.", "a@example.jp"),
        ("rfc822;|/usr/bin/vacation", ""),
    ],
)
def test_an_address_is_found_in_whatever_stands_around_it(text: str, address: str) -> None:
    assert address_in(text) == address


def test_words_are_compared_without_addresses_links_and_codes() -> None:
    said = "550-5.1.1 <spam@example.jp>: User  Unknown.\n550 5.1.1 See https://example.jp/full"
    assert plain(said) == "@ : user unknown. see"


@pytest.mark.parametrize(
    ("phrase", "text", "is_found"),
    [
        ("{mailbox|account} ~2 full", "mailbox of him is full", False),
        ("{mailbox|account} ~2 full", "the mailbox is full.", True),
        ("quota*", "quotas", True),
        ("full", "hopeful", False),
        ("メールボックス…{一杯|満杯}", "宛先のメールボックスが満杯です", True),
        ("user unknown", "user, unknown", True),
    ],
)
def test_phrases_mean_whole_words_with_gaps(phrase: str, text: str, is_found: bool) -> None:
    assert (compiled([phrase]).search(text) is not None) is is_found


def test_a_notice_is_cut_where_the_returned_mail_begins() -> None:
    words = (
        "Sorry.\n<a@example.jp>:\nno such user\n\n--- Below this line is a copy of the message.\n\nReceived: x\nTo: b\n"
    )
    divided = divide(words)
    assert divided.own.strip().endswith("no such user")
    assert divided.returned.startswith("Received: x")


def test_the_returned_mail_tells_whose_it_was() -> None:
    original = recognise(sample("postfix_user_unknown").raw).original
    assert original.message_id == "d.17.3f9a@haken.example.jp"
    assert original.from_address == "info@haken.example.jp"
    assert original.to_addresses == ("hanako@example.ne.jp",)
    assert original.subject == "ご案内"
    assert original.sent_at is not None
    assert original.sent_at.astimezone(UTC) == datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
    assert ("MIME-Version", "1.0") in original.headers


def test_the_servers_words_are_kept_short_and_printable() -> None:
    raw = sample("postfix_user_unknown").raw.replace(b"User unknown", b"User\x1b[31m unknown" + b" x" * 2_000)
    text = recognise(raw).recipients[0].text
    assert len(text) <= 500
    assert text.isprintable()
