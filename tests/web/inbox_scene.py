"""A morning in a small office for the tests of メール受信: mails as bytes, stored and read as the program does it."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox import actions
from fumibako.apps.inbox.models import ReceivedMail, Reception
from fumibako.apps.inbox.sort_key import sort_key
from fumibako.apps.office.models import Department, Operator
from fumibako.apps.recipients.models import Client, ClientContact, PartyAddress, Recipient
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.delivery.states import State
from fumibako.mime.addresses import address_key
from tests.sending.drafting import make_person
from tests.support.jobs import make_account, make_job

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100c9fe92ef"
    "0000000049454e44ae426082"
)
TABLE = """<p>見本スタッフ 佐藤様</p>
<p>お世話になっております。山田です。<br>
提出表をお送りします。第3週の水曜(12月16日)だけ、通院のため早退させてください。</p>
<table border="1" cellpadding="6">
<tr bgcolor="#f3f5f8"><td>週</td><td>勤務</td><td>備考</td></tr>
<tr><td>第1〜2週</td><td>月〜金 9:00-18:00</td><td></td></tr>
<tr><td>第3週</td><td>月〜金 9:00-18:00</td><td>16日は15:00まで</td></tr></table>
<p>よろしくお願いいたします。</p><img src="https://track.example/a.gif"><img src="https://track.example/b.gif">
<blockquote>11/24 16:31 株式会社見本スタッフ 東京本社:<br>12月のシフトを、次のとおりご提出ください。…</blockquote>"""
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def inbox_account(**values: Any) -> MailAccount:
    """An account that receives and sends."""
    given = {
        "name": "スタッフ連絡用",
        "receive_enabled": True,
        "pop_host": "pop.example.jp",
        "from_name": "株式会社見本スタッフ",
        "from_address": "staff@example.jp",
        "signature": "株式会社見本スタッフ 東京本社\nTEL 03-0000-0000",
        "allow_attachments": True,
    }
    account = make_account(**(given | values))
    now = timezone.now()
    Reception.objects.create(account=account, last_success_at=now, next_at=now + timedelta(minutes=5))
    return account


def letter(
    text: str = "",
    *,
    sender: str = "山田 太郎 <yamada.t@example.jp>",
    subject: str = "Re: 【12月度】シフト提出のお願い",
    html: str = "",
    to: str = "staff@example.jp",
    cc: str = "",
    headers: str = "",
    files: tuple[tuple[str, str, bytes], ...] = (),
    picture: bytes = b"",
    at: datetime | None = None,
    message_id: str = "",
) -> bytes:
    """The bytes of a mail as a stranger's program writes it."""
    fields = {"From": _encoded(sender), "To": to, "Cc": cc, "Subject": _word(subject)}
    fields["Date"] = format_datetime(at or timezone.now())
    fields["Message-ID"] = f"<{message_id}>" if message_id else ""
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    head += f"{headers}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=outer\r\n\r\n"
    parts = [_part("text/plain; charset=utf-8", text.encode())] if text or not html else []
    if html:
        parts = ["--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n" + _inner(text, html)]
    if picture:
        parts.append(_part("image/png", picture, 'Content-ID: <pic1>\r\nContent-Disposition: inline; filename="p.png"'))
    for name, content_type, content in files:
        parts.append(_part(content_type, content, f"Content-Disposition: attachment; filename*=utf-8''{_quoted(name)}"))
    return (head + "".join(parts) + "--outer--\r\n").encode()


def error_mail(address: str, message_id: str, status: str, text: str) -> bytes:
    """A delivery status notification (RFC 3464) about one address."""
    lines = [
        "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>",
        "To: staff@example.jp",
        "Subject: Undelivered Mail Returned to Sender",
        f"Date: {format_datetime(timezone.now())}",
        f"Message-ID: <{hashlib.sha256((address + message_id).encode()).hexdigest()[:16]}@mx.example.net>",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        "",
        "--b",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        f"<{address}>: {text}",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example.net",
        "",
        f"Final-Recipient: rfc822; {address}",
        "Action: failed",
        f"Status: {status}",
        f"Diagnostic-Code: smtp; {text}",
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        "From: staff@example.jp",
        f"To: {address}",
        f"Message-ID: {message_id}",
        "Subject: Re",
        "",
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()


def deliver(account: MailAccount, raw: bytes, *, at: datetime | None = None, **values: Any) -> ReceivedMail:
    """Put a mail into the store as receiving it would, and read it."""
    last = ReceivedMail.objects.order_by("-number").values_list("number", flat=True).first() or 0
    number = values.pop("number", last + 1)
    at = at or timezone.now()
    path = settings.DATA.mail / str(account.account_no) / f"{number:08d}.eml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    mail = ReceivedMail.objects.create(
        number=number,
        account=account,
        raw_sha256=hashlib.sha256(raw).hexdigest(),
        raw_path=f"{account.account_no}/{number:08d}.eml",
        raw_size=len(raw),
        fetched_at=at,
        at=at,
        sort_key=sort_key(at, number),
    )
    actions.read_mail(mail.pk)
    if values:
        ReceivedMail.objects.filter(pk=mail.pk).update(**values)
    return ReceivedMail.objects.select_related("account", "assignee", "job").get(pk=mail.pk)


def asked_job(account: MailAccount, count: int = 20) -> BulkSend:
    """NO 128, 12月度シフト提出のお願い, to 山田 太郎 and others; two did not get it."""
    people = [PartyAddress.objects.get(address="yamada.t@example.jp"), *_crowd(count - 1)]
    job = make_job(account, people, number=128, subject="12月度シフト提出のお願い")
    rows = Delivery.objects.filter(job=job)
    rows.update(state=State.SENT, sent_at=timezone.now() - timedelta(hours=1))
    rows.filter(seq__in=(2, 3)).update(state=State.BOUNCED)
    return job


def answer_to(job: BulkSend, seq: int = 1) -> str:
    """The header lines by which a mail answers one mail of a job."""
    message_id = job.deliveries.get(seq=seq).message_id
    return f"In-Reply-To: <{message_id}>\r\nReferences: <{message_id}>\r\n"


def make_people() -> dict[str, Recipient]:
    """The people of the picture: two staff, a client's contact, an applicant."""
    found = {
        "yamada": make_person("山田 太郎", "yamada.t@example.jp"),
        "sasaki": make_person("佐々木 由美", "sasaki@example.jp"),
        "li": make_person("李 明", "li@example.jp"),
        "nakamura": make_person("中村 翔", "nakamura@example.net", kind="applicant"),
    }
    staff = found["yamada"].staff
    staff.department, _ = Department.objects.get_or_create(code="100", defaults={"name": "東京本社"})
    staff.phone = "090-0000-0000"
    staff.save()
    company = Client.objects.create(number="000120", company_name="株式会社見本物流", phone="03-0000-0001")
    contact = Recipient.objects.create(kind="client", number="000120-000-01", family_name="人事部", given_name="")
    ClientContact.objects.create(recipient=contact, client=company, section="人事部")
    _address(contact, "jinji@logi.example.jp")
    found["logi"] = contact
    return found


def morning(operator: Operator) -> dict[str, ReceivedMail]:
    """The list of the picture: nine mails, some answered to NO 128, one unknown, one assigned."""
    account = inbox_account()
    make_people()
    tanaka = Operator.objects.create(username="tanaka", display_name="田中 明", is_administrator=True)
    lines = _lines(asked_job(account), operator, tanaka)
    now = timezone.now()
    found = {}
    for place, (key, words, values) in enumerate(lines):
        at = now - timedelta(minutes=12 * (len(lines) - place))
        found[key] = deliver(account, letter(at=at, message_id=f"{key}@mail.example", **words), at=at, **values)
    return found


def _lines(job: BulkSend, operator: Operator, tanaka: Operator) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(name, words of the mail, what became of it), the oldest first."""
    read = {"is_read": True}

    def mail(sender: str, subject: str, text: str, **more: Any) -> dict[str, Any]:
        shift = {"headers": answer_to(job, more.pop("seq"))} if "seq" in more else {}
        return {"sender": sender, "subject": subject, "text": text, **shift, **more}

    shift = "Re: 【12月度】シフト提出のお願い"
    contract = ("契約書.pdf", "application/pdf", b"%PDF-1.4")
    sheet = ("シフト提出表_山田.xlsx", SHEET_TYPE, b"PK" * 9000)
    application = (
        "はじめまして。御社のサイトを拝見し、倉庫内作業の求人に応募したくご連絡しました。\n加藤と申します。\n"
        "https://kato.example.net/profile?a=1 をご覧ください。"
    )
    moved = "引っ越しに伴い住所が変わりました。必要な書類があればお知らせください。"
    rest = "子どもの行事があり、12月11日はお休みをいただきたいです。"
    posted = "本日、郵送いたしました。到着しましたらご連絡ください。"
    fare = "10月分の交通費が1日分足りないようです。確認をお願いします。"
    interview = "11月26日(木)14時でお願いいたします。履歴書は当日持参します。"
    more = "川崎センターで12月7日から夜間のピッキング要員を5名ほどお願いできますか。"
    early = "お世話になっております。提出表をお送りします。第3週の水曜だけ早退させてください。"
    return [
        ("shimizu", mail("清水 大輔 <shimizu@example.jp>", "住所変更の届け出", moved), read),
        ("kobayashi", mail("小林 優子 <kobayashi@example.jp>", shift, rest, seq=4), read),
        (
            "sekou",
            mail("見本工業 総務部 <soumu@kogyo.example.jp>", "契約書の押印について", posted, files=(contract,)),
            read | {"assignee": operator},
        ),
        ("li", mail("李 明 <li@example.jp>", "給与明細について", fare), {}),
        (
            "nakamura",
            mail("中村 翔 <nakamura@example.net>", "面接の日程について", interview),
            read | {"assignee": operator},
        ),
        ("kato", mail("加藤 真 <kato.m@example.net>", "求人の件", application), {}),
        (
            "sasaki",
            mail("佐々木 由美 <sasaki@example.jp>", shift, "可能です。よろしくお願いいたします。", seq=5),
            read | {"assignee": tanaka},
        ),
        ("logi", mail("株式会社見本物流 人事部 <jinji@logi.example.jp>", "12月の増員についてご相談", more), {}),
        (
            "yamada",
            mail(
                "山田 太郎 <yamada.t@example.jp>", shift, early, seq=1,
                html=TABLE, files=(sheet,), cc="takagi@example.jp",
            ),
            {"answer": "yes"},
        ),
    ]  # fmt: skip


def _crowd(count: int) -> list[PartyAddress]:
    return [_address(make_person(f"見本{n} 花子"), f"p{n}@example.com") for n in range(count)]


def _address(person: Recipient, address: str) -> PartyAddress:
    return PartyAddress.objects.create(recipient=person, slot=1, address=address, address_key=address_key(address))


def _inner(text: str, html: str) -> str:
    plain = _part("text/plain; charset=utf-8", text.encode()).replace("--outer", "--inner")
    page = _part("text/html; charset=utf-8", html.encode()).replace("--outer", "--inner")
    return f"{plain}{page}--inner--\r\n"


def _part(content_type: str, content: bytes, more: str = "") -> str:
    lines = b64encode(content).decode()
    wrapped = "\r\n".join(lines[at : at + 76] for at in range(0, len(lines), 76))
    extra = f"{more}\r\n" if more else ""
    return f"--outer\r\nContent-Type: {content_type}\r\n{extra}Content-Transfer-Encoding: base64\r\n\r\n{wrapped}\r\n"


def _word(text: str) -> str:
    return text if text.isascii() else f"=?utf-8?b?{b64encode(text.encode()).decode()}?="


def _encoded(mailbox: str) -> str:
    name, _, address = mailbox.rpartition(" <")
    return f"{_word(name)} <{address}" if name else mailbox


def _quoted(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())
