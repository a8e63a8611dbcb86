"""`mails`: received mails, newest first, by the conditions of the screen メール受信."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox.labels import KINDS, WORKS
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.inbox.queries import VIEWS, Conditions, page_after, search
from fumibako.cli.printing import iso, tell
from fumibako.cli.refused import Refused

PAGE = 500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The conditions of the screen."""
    parser.add_argument("--view", choices=VIEWS, default="all", help="一覧の種類(初期値 all)")
    parser.add_argument("--account", type=int, metavar="NO", help="受信元のメールアカウントNO")
    parser.add_argument("--words", default="", help="差出人・宛先・件名・本文のどこか")
    parser.add_argument("--from", dest="sender", default="", help="差出人")
    parser.add_argument("--to", default="", help="宛先")
    parser.add_argument("--subject", default="", help="件名")
    parser.add_argument("--body", default="", help="本文")
    parser.add_argument("--kind", choices=sorted(ReceivedMail.Kind.values), default="", help="種別")
    parser.add_argument("--since", type=date.fromisoformat, metavar="DATE", help="受信日(から)")
    parser.add_argument("--until", type=date.fromisoformat, metavar="DATE", help="受信日(まで)")
    parser.add_argument("--job", type=int, metavar="NO", help="送信管理NO への返信")
    parser.add_argument("--unread", action="store_true", help="未読だけ")
    parser.add_argument("--linked", choices=("yes", "no"), help="人への紐付けの有無")
    parser.add_argument("--files", choices=("yes", "no"), help="添付の有無")
    parser.add_argument("--limit", type=int, metavar="N", help="最大の件数")


def run(args: argparse.Namespace) -> int:
    """Print them, one line each."""
    for mail in islice(_found(_conditions(args)), args.limit):
        tell(args, mail_facts(mail), _words(mail))
    return 0


def _conditions(args: argparse.Namespace) -> Conditions:
    return Conditions(
        view=args.view,
        account_ids=[_account_id(args.account)] if args.account is not None else (),
        received_from=args.since,
        received_to=args.until,
        words=args.words,
        sender=args.sender,
        recipients=args.to,
        subject=args.subject,
        body=args.body,
        kind=args.kind,
        is_unread_only=args.unread,
        is_linked=args.linked and args.linked == "yes",
        has_attachment=args.files and args.files == "yes",
        job_number=args.job,
    )


def _account_id(number: int) -> int:
    found = MailAccount.objects.filter(account_no=number).values_list("pk", flat=True).first()
    if found is None:
        raise Refused(f"メールアカウントNO {number} はありません。「account list」で確認してください。")
    return int(found)


def _found(conditions: Conditions) -> Iterator[ReceivedMail]:
    mails = search(None, conditions)
    last: int | None = None
    while page := page_after(mails, last, PAGE):
        yield from page
        last = page[-1].sort_key


def mail_facts(mail: ReceivedMail) -> dict[str, Any]:
    """A mail as one JSON object."""
    return {
        "number": mail.number,
        "account": mail.account.account_no,
        "kind": mail.kind,
        "at": iso(mail.at),
        "fetched_at": iso(mail.fetched_at),
        "from_name": mail.from_name,
        "from_address": mail.from_address,
        "to": mail.to_text,
        "cc": mail.cc_text,
        "subject": mail.subject,
        "message_id": f"<{mail.message_id}>" if mail.message_id else "",
        "thread": mail.thread,
        "size": mail.raw_size,
        "raw_sha256": mail.raw_sha256,
        "attachments": mail.attachment_count,
        "is_read": mail.is_read,
        "work": mail.work,
        "assignee": str(mail.assignee) if mail.assignee else None,
        "replied_at": iso(mail.replied_at),
        "job": mail.job.number if mail.job else None,
        "answer": mail.answer,
        "problems": mail.problems,
    }


def _words(mail: ReceivedMail) -> str:
    sender = mail.from_name or mail.from_address or "(差出人なし)"
    kind, work = KINDS[ReceivedMail.Kind(mail.kind)], WORKS[ReceivedMail.Work(mail.work)]
    return f"NO {mail.number}\t{iso(mail.at)}\t{kind}\t{work}\t{sender}\t{mail.subject or '(件名なし)'}"
