"""The same failure, told in every structure notices come in, is always the same failure."""

from __future__ import annotations

import pytest

from fumibako.mime.bounce import Kind, recognise
from tests.mime.bounce.generated import ADDRESS, MESSAGE_ID, Recipe, notice, recipes


@pytest.mark.parametrize("recipe", recipes(), ids=str)
def test_a_failure_is_understood_whatever_the_structure(recipe: Recipe) -> None:
    report = recognise(notice(recipe))
    assert report.kind is Kind.BOUNCE
    assert [one.address for one in report.recipients] == [ADDRESS]
    (failure,) = report.recipients
    assert (failure.reason, failure.hard, failure.permanent) == ("userunknown", True, True)
    assert failure.status == ("5.0.0" if recipe.report == "vague" else "5.1.1")
    assert failure.code == 550
    if recipe.returned != "nothing":
        assert report.original.message_id == MESSAGE_ID


REASONS_OF_SEVERAL = {
    "gone@example.jp": ("5.1.1", "550 5.1.1 <gone@example.jp>: User unknown", "userunknown"),
    "full@example.jp": ("4.2.2", "452 4.2.2 <full@example.jp>: Mailbox full", "mailboxfull"),
    "shut@example.jp": ("5.2.1", "550 5.2.1 <shut@example.jp>: account is disabled", "suspend"),
    "far@exmaple.jp": ("5.1.2", "", "hostunknown"),
}


def test_recipients_of_one_report_each_have_their_own_reason() -> None:
    blocks = "\n".join(
        f"Final-Recipient: rfc822; {address}\nAction: failed\nStatus: {status}\n"
        + (f"Diagnostic-Code: smtp; {answer}\n" if answer else "")
        for address, (status, answer, _) in REASONS_OF_SEVERAL.items()
    )
    raw = (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: desk@desk.example.org\nSubject: failure notice\n"
        "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nYour message could not be delivered.\n"
        f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n{blocks}\n--b--\n"
    )
    found = {one.address: one.reason for one in recognise(raw.encode()).recipients}
    assert found == {address: reason for address, (_, _, reason) in REASONS_OF_SEVERAL.items()}


def test_recipients_named_in_prose_each_have_their_own_reason() -> None:
    prose = "".join(
        f"<{address}>: host mx.example.jp[192.0.2.3] said: {answer} (in reply to RCPT TO command)\n\n"
        for address, (_, answer, _) in REASONS_OF_SEVERAL.items()
        if answer
    )
    raw = (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: desk@desk.example.org\n"
        "Subject: Undelivered Mail Returned to Sender\n\n"
        f"This is the mail system at host mx.example.net.\n\nYour message could not be delivered.\n\n{prose}"
    )
    found = {one.address: one.reason for one in recognise(raw.encode()).recipients}
    assert found == {address: reason for address, (_, answer, reason) in REASONS_OF_SEVERAL.items() if answer}


def test_a_delay_that_became_a_failure_is_a_failure() -> None:
    head = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: desk@desk.example.org\n"
    block = "Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; slow@example.jp\n"
    kinds = []
    for subject, action, status in (
        ("Delayed Mail (still being retried)", "delayed", "4.4.1"),
        ("Undelivered Mail Returned to Sender", "failed", "4.4.1"),
    ):
        raw = (
            f"{head}Subject: {subject}\nMIME-Version: 1.0\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
            f"--b\nContent-Type: message/delivery-status\n\n{block}Action: {action}\nStatus: {status}\n"
            "Diagnostic-Code: x-postfix; connect to mx.example.jp[192.0.2.3]:25: Connection timed out\n\n--b--\n"
        )
        report = recognise(raw.encode())
        kinds.append((report.kind, report.recipients[0].permanent, report.recipients[0].hard))
    assert kinds == [(Kind.DELAY, False, False), (Kind.BOUNCE, False, False)]
