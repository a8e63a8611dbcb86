"""Accounts, mails and error mails for tests of the inbox."""

from __future__ import annotations

import time
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from django.db import connection

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.secrets import seal
from fumibako.apps.inbox import work
from fumibako.apps.inbox.models import FetchRun, ReceivedMail
from fumibako.apps.sending.models import Delivery
from fumibako.practice import PracticeServer
from fumibako.practice.store import Store
from tests.support.jobs import NOW, make_account

BOX = "desk@example.jp"


class Post(PracticeServer):
    """The practice server, with a hand that lays mails into its boxes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._hand = Store(folder, time.time)

    @property
    def pop_port(self) -> int:
        """Where to fetch."""
        return self.addresses.pop_port

    def put(self, *mails: bytes, box: str = BOX) -> None:
        """Lay mails into a box; they are there at once."""
        for raw in mails:
            self._hand.put(box, raw, delay_seconds=-1.0)

    def left(self, box: str = BOX) -> list[bytes]:
        """What is still on the server."""
        return self.mails_of(box)


def receiving_account(port: int, **values: Any) -> MailAccount:
    """An account that receives from `port` on loopback."""
    wanted = {
        "receive_enabled": True,
        "pop_host": "127.0.0.1",
        "pop_port": port,
        "pop_tls": False,
        "user_id": BOX,
        "from_address": BOX,
    }
    made = make_account(**(wanted | values))
    made.password_sealed = seal(made.pk, "password", "practice")
    made.save()
    return made


def forget_words() -> None:
    """Empty the search table: it is no model, so nobody else does between tests."""
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inbox_search (inbox_search) VALUES ('delete-all')" if is_sqlite else "DELETE FROM inbox_search"
        )


def fetch(account: MailAccount, **values: Any) -> FetchRun:
    """One run, its mails read."""
    run = work.fetch_account(account.pk, **values)
    assert run is not None
    work.read_waiting()
    return run


def letter(
    number: int = 1,
    *,
    sender: str = "tanaka@example.com",
    to: str = BOX,
    subject: str = "",
    text: str = "",
    **more: str,
) -> bytes:
    """An ordinary mail in UTF-8, different for each number."""
    headers = {
        "From": sender,
        "To": to,
        "Subject": subject or f"mail {number}",
        "Date": format_datetime(NOW),
        "Message-ID": f"<letter-{number}@example.com>",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body = (text or f"text of {number}").replace("\n", "\r\n")
    return f"{head}\r\n{body}\r\n".encode()


def error_mail(
    address: str, message_id: str = "", *, status: str = "5.1.1", said: str = "550 5.1.1 User unknown", number: int = 1
) -> bytes:
    """A status notification by RFC 3464 about `address`, with the header of the mail that had `message_id`."""
    returned = f"Message-ID: <{message_id}>\r\n" if message_id else ""
    return (
        f"Return-Path: <>\r\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example>\r\nTo: {BOX}\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nDate: {format_datetime(NOW)}\r\n"
        f"Message-ID: <dsn-{number}@mx.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nI could not deliver your mail to {address}.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {said}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{returned}From: {BOX}\r\nTo: {address}\r\nSubject: x\r\n\r\n"
        "--b--\r\n"
    ).encode()


def dsn_about(row: Delivery, **more: Any) -> bytes:
    """An error mail that names one of our deliveries."""
    return error_mail(row.address, row.message_id, **more)


def mails_of(account: MailAccount) -> list[ReceivedMail]:
    """What is stored, oldest first."""
    return list(ReceivedMail.objects.filter(account=account).order_by("number"))
