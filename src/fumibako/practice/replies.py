"""The mails that come back: answers, automatic replies and error mails, written as plain bytes without a mail library.

Every one is made only from the mail it answers, the person's address, a moment and a number drawn from the seed.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime, timedelta, timezone

JAPAN = timezone(timedelta(hours=9))
HOST = "practice.example.jp"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

ANSWERS = (
    "お世話になっております。\nご連絡ありがとうございます。可です。よろしくお願いいたします。\n",
    "いつもお世話になっております。\n申し訳ございませんが、今回は不可でお願いいたします。\n",
    "お疲れさまです。\n承知いたしました。当日は駅の改札で、10分前にお待ちしています。\n",
    "お世話になります。\n詳しいお話をうかがいたいので、明日の午後にお電話をいただけますか。\n",
    "ご案内ありがとうございます。\n検討して、今週中にお返事いたします。\n",
    "お世話になっております。\n別の仕事が決まりましたので、今回は見送らせてください。\n",
)
VACATION = (
    "このメールは自動返信です。\n夏季休業のため、8月17日まで不在にしております。\n戻りましたらお返事いたします。\n"
)


def header(raw: bytes, name: str) -> str:
    """The unfolded value of the first header `name`, its encoded words untouched; "" when there is none."""
    head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]
    found = re.search(rb"(?im)^" + name.encode() + rb":[ \t]*((?:.*)(?:\r?\n[ \t].*)*)", head)
    if found is None:
        return ""
    value: bytes = found.group(1)
    return re.sub(rb"\r?\n[ \t]+", b" ", value).strip().decode("utf-8", "surrogateescape")


def address_in(value: str) -> str:
    """The address inside a header value: the last one in angle brackets, or the first bare one; "" when none is."""
    bracketed = re.findall(r"<([^<>\s]+@[^<>\s]+)>", value)
    bare = re.findall(r"[^\s<>,;:\"]+@[^\s<>,;:\"]+", value)
    found: list[str] = bracketed[-1:] or bare[:1] or [""]
    return found[0]


def reply_address(raw: bytes, sender: str) -> str:
    """Where an answer goes: Reply-To, else From, else the envelope's sender."""
    return address_in(header(raw, "Reply-To")) or address_in(header(raw, "From")) or sender


def is_automatic(raw: bytes, sender: str) -> bool:
    """Such mail is never answered (RFC 3834 §2)."""
    return not sender or header(raw, "Auto-Submitted").lower() not in ("", "no")


def answer(raw: bytes, person: str, sender: str, at: datetime, number: int) -> bytes:
    """A person's answer: ISO-2022-JP for even numbers, UTF-8 in base64 for odd ones."""
    text = ANSWERS[number % len(ANSWERS)]
    lines = _answer_head(raw, person, reply_address(raw, sender), at, "Re: ", number)
    return _with_text(lines, text, is_iso_2022_jp=number % 2 == 0)


def vacation(raw: bytes, person: str, sender: str, at: datetime, number: int) -> bytes:
    """An automatic reply to the envelope's sender (RFC 3834 §3, §4)."""
    lines = _answer_head(raw, person, sender, at, "Auto: ", number)
    lines += ["Auto-Submitted: auto-replied", "Precedence: bulk"]
    return _with_text(lines, VACATION, is_iso_2022_jp=number % 2 == 0)


def error_mail(raw: bytes, person: str, sender: str, at: datetime, diagnosis: str) -> bytes:
    """A delivery status notification for a mail that was accepted first (RFC 3464)."""
    status = re.search(r"\b[245]\.\d{1,3}\.\d{1,3}\b", diagnosis)
    boundary = f"practice-{_word(raw, person)}"
    head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    lines = [
        "Return-Path: <>",
        f"From: MAILER-DAEMON@{HOST} (Mail Delivery System)",
        "Subject: Undelivered Mail Returned to Sender",
        f"To: {sender}",
        f"Date: {date_of(at)}",
        f"Message-ID: <dsn.{_word(raw, person)}@{HOST}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
        "",
        "This is a MIME-encapsulated message.",
        "",
        f"--{boundary}",
        "Content-Description: Notification",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        f"This is the mail system at host {HOST}.",
        "",
        "I'm sorry to have to inform you that your message could not",
        "be delivered to one or more recipients. It's attached below.",
        "",
        f"<{person}>: host mx.{HOST}[192.0.2.25] said: {diagnosis} (in reply to RCPT TO command)",
        "",
        f"--{boundary}",
        "Content-Description: Delivery report",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns; {HOST}",
        f"X-Postfix-Sender: rfc822; {sender}",
        f"Arrival-Date: {date_of(at)}",
        "",
        f"Final-Recipient: rfc822; {person}",
        f"Original-Recipient: rfc822;{person}",
        "Action: failed",
        f"Status: {status.group() if status else '5.0.0'}",
        f"Remote-MTA: dns; mx.{HOST}",
        f"Diagnostic-Code: smtp; {diagnosis}",
        "",
        f"--{boundary}",
        "Content-Description: Undelivered Message Headers",
        "Content-Type: text/rfc822-headers",
        "",
    ]
    return _joined(lines) + head + _joined(["", "", f"--{boundary}--"])


def date_of(at: datetime) -> str:
    """An RFC 5322 §3.3 date in Japanese time."""
    local = at.astimezone(JAPAN)
    day, month = DAYS[local.weekday()], MONTHS[local.month - 1]
    return f"{day}, {local.day} {month} {local.year} {local:%H:%M:%S} +0900"


def _answer_head(raw: bytes, person: str, to: str, at: datetime, prefix: str, number: int) -> list[str]:
    written_to = header(raw, "To")
    is_only_one = written_to.count("@") == 1 and address_in(written_to).lower() == person.lower()
    original = header(raw, "Message-ID")
    thread = [f"In-Reply-To: {original}", f"References: {original}"] if original else []
    return [
        f"Return-Path: <{person}>",
        f"From: {written_to if is_only_one else f'<{person}>'}",
        f"To: <{to}>",
        f"Subject: {prefix}{header(raw, 'Subject')}",
        f"Date: {date_of(at)}",
        f"Message-ID: <{number}.{_word(raw, person)}@{HOST}>",
        *thread,
        "MIME-Version: 1.0",
    ]


def _with_text(lines: list[str], text: str, *, is_iso_2022_jp: bool) -> bytes:
    if is_iso_2022_jp:
        body = text.encode("iso2022_jp").replace(b"\n", b"\r\n")
        kind = ["Content-Type: text/plain; charset=ISO-2022-JP", "Content-Transfer-Encoding: 7bit"]
    else:
        body = base64.encodebytes(text.replace("\n", "\r\n").encode()).replace(b"\n", b"\r\n")
        kind = ["Content-Type: text/plain; charset=UTF-8", "Content-Transfer-Encoding: base64"]
    return _joined([*lines, *kind, ""]) + body


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")


def _word(raw: bytes, person: str) -> str:
    """A short name for this mail and person, the same in every run with the same mail."""
    named = f"{header(raw, 'Message-ID')}|{person}"
    return hashlib.sha256(named.encode("utf-8", "surrogateescape")).hexdigest()[:16]
