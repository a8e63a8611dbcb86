"""Whole notices put together from parts: what a system writes, how it returns the mail, and how all that travels."""

from __future__ import annotations

import base64
import quopri
from dataclasses import dataclass

ADDRESS = "tanaka@example.jp"
MESSAGE_ID = "20261125.0001@desk.example.org"
ANSWER = "550 5.1.1 <tanaka@example.jp>: Recipient address rejected: User unknown in virtual mailbox table"

ORIGINAL = f"""\
Return-Path: <desk@desk.example.org>
Received: from desk.example.org by mx.example.net; Wed, 25 Nov 2026 10:00:00 +0900
Message-ID: <{MESSAGE_ID}>
From: desk@desk.example.org
To: {ADDRESS}
Subject: Interview on Friday
Date: Wed, 25 Nov 2026 10:00:00 +0900
MIME-Version: 1.0
"""

_POSTFIX = f"""\
This is the mail system at host mx.example.net.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<{ADDRESS}>: host mx.example.jp[192.0.2.3] said: {ANSWER} (in reply to RCPT TO command)
"""
_QMAIL = f"""\
Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{ADDRESS}>:
192.0.2.3 does not like recipient.
Remote host said: {ANSWER}
Giving up on 192.0.2.3.
"""
_EXIM = f"""\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {ADDRESS}
    host mx.example.jp [192.0.2.3]
    SMTP error from remote mail server after RCPT TO:<{ADDRESS}>:
    {ANSWER}
"""
_SENDMAIL = f"""\
The original message was received at Wed, 25 Nov 2026 10:00:00 +0900

   ----- The following addresses had permanent fatal errors -----
<{ADDRESS}>
    (reason: {ANSWER})

   ----- Transcript of session follows -----
... while talking to mx.example.jp.:
>>> RCPT To:<{ADDRESS}>
<<< {ANSWER}
550 5.1.1 <{ADDRESS}>... User unknown
"""
_JAPANESE = f"""\
ご利用のメールサーバーからお知らせします。

お送りいただいたメールは、次の宛先にお届けできませんでした。

宛先: {ADDRESS}
理由: {ANSWER}
"""
WRITTEN = {
    "postfix": _POSTFIX,
    "qmail": _QMAIL,
    "exim": _EXIM,
    "sendmail": _SENDMAIL,
    "japanese": _JAPANESE,
}
FIELDS = f"""\
Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {ADDRESS}
Action: failed
"""
REPORTS = {
    "none": "",
    "whole": f"{FIELDS}Status: 5.1.1\nDiagnostic-Code: smtp; {ANSWER}\n",
    "without answer": f"{FIELDS}Status: 5.1.1\n",
    "vague": f"{FIELDS}Status: 5.0.0\nDiagnostic-Code: smtp; {ANSWER}\n",
}
RETURNS = ("message/rfc822", "text/rfc822-headers", "text/plain", "below", "quoted", "nothing")
TRAVELS = ("as it is", "quoted-printable", "base64", "crlf", "cr", "without From")


@dataclass(frozen=True)
class Recipe:
    """How one notice is put together."""

    written: str
    report: str
    returned: str
    travel: str

    def __str__(self) -> str:
        return f"{self.written}, report {self.report}, returned {self.returned}, {self.travel}"


def recipes() -> list[Recipe]:
    """Every wording with every way to return a mail; reports and ways to travel take turns."""
    found = []
    for number, (written, returned) in enumerate((one, two) for one in WRITTEN for two in RETURNS):
        for place, report in enumerate(REPORTS):
            found.append(Recipe(written, report, returned, TRAVELS[(number * 5 + place) % len(TRAVELS)]))
    return found


def notice(recipe: Recipe) -> bytes:
    """The mail."""
    text = WRITTEN[recipe.written]
    if recipe.returned == "below":
        text += "\n--- Below this line is a copy of the message.\n\n" + ORIGINAL
    elif recipe.returned == "quoted":
        text += "\n" + "".join(f"> {line}\n" for line in ORIGINAL.splitlines())
    parts = [_text_part(text, recipe)]
    if REPORTS[recipe.report]:
        parts.append(f"Content-Type: message/delivery-status\n\n{REPORTS[recipe.report]}")
    if "/" in recipe.returned:
        parts.append(f"Content-Type: {recipe.returned}\n\n{ORIGINAL}\nHello.\n")
    raw = (_head(recipe) + _body(parts, recipe)).encode()
    if recipe.travel == "crlf":
        return raw.replace(b"\n", b"\r\n")
    return raw.replace(b"\n", b"\r") if recipe.travel == "cr" else raw


def _head(recipe: Recipe) -> str:
    sender = "" if recipe.travel == "without From" else "From: Mail Delivery System <MAILER-DAEMON@mx.example.net>\n"
    return (
        "Return-Path: <>\nDate: Wed, 25 Nov 2026 10:00:05 +0900\n"
        f"{sender}To: desk@desk.example.org\nSubject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"
    )


def _text_part(text: str, recipe: Recipe) -> str:
    charset = "iso-2022-jp" if recipe.written == "japanese" and recipe.travel != "as it is" else "utf-8"
    raw = text.encode(charset)
    if recipe.travel == "quoted-printable":
        body, coding = quopri.encodestring(raw).decode("ascii"), "quoted-printable"
    elif recipe.travel == "base64":
        body, coding = base64.encodebytes(raw).decode("ascii"), "base64"
    else:
        body, coding = raw.decode("ascii" if charset == "iso-2022-jp" else "utf-8"), "8bit"
    return f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {coding}\n\n{body}"


def _body(parts: list[str], recipe: Recipe) -> str:
    if len(parts) == 1:
        return parts[0]
    kind = "multipart/report; report-type=delivery-status" if REPORTS[recipe.report] else "multipart/mixed"
    inner = "".join(f"--=_notice\n{part}\n" for part in parts)
    return f'Content-Type: {kind}; boundary="=_notice"\n\n{inner}--=_notice--\n'
