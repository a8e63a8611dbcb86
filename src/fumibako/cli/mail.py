"""`mail NO`: one received mail, or its very bytes."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.conf import settings

from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.inbox.queries import mail_numbered
from fumibako.cli.mails import mail_facts
from fumibako.cli.printing import tell
from fumibako.cli.refused import CouldNotRun, Refused


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `mail` takes."""
    parser.add_argument("number", type=int, metavar="NO", help="受信管理NO")
    parser.add_argument("--raw", action="store_true", help="受信したままのデータを標準出力に出します")


def run(args: argparse.Namespace) -> int:
    """Print it."""
    mail = mail_numbered(None, args.number)
    if mail is None:
        raise Refused(f"受信管理NO {args.number} はありません。「mails」で確認してください。")
    if args.raw:
        sys.stdout.buffer.write(_raw_of(mail))
        sys.stdout.buffer.flush()
        return 0
    tell(args, whole_facts(mail), _words(mail))
    return 0


def whole_facts(mail: ReceivedMail) -> dict[str, Any]:
    """A mail with its text, files, persons and error reports as one JSON object."""
    return mail_facts(mail) | {
        "text": mail.text,
        "charset": mail.charset,
        "raw_path": mail.raw_path,
        "files": [
            {"name": one.name, "type": one.content_type, "size": one.size, "is_saved": one.is_saved}
            for one in mail.attachments.all()
        ],
        "persons": [
            {"kind": one.recipient.kind, "number": one.recipient.number, "name": one.recipient.name, "role": one.role}
            for one in mail.persons.select_related("recipient")
        ],
        "bounces": [
            {
                "address": one.address,
                "reason": one.reason,
                "is_hard": one.is_hard,
                "code": one.code,
                "enhanced": one.enhanced,
                "text": one.text,
                "match": one.match,
                "effect": one.effect,
                "delivery": one.delivery_id,
            }
            for one in mail.bounces.all()
        ],
    }


def _raw_of(mail: ReceivedMail) -> bytes:
    try:
        return bytes((settings.DATA.mail / mail.raw_path).read_bytes())
    except OSError as trouble:
        raise CouldNotRun(f"受信管理NO {mail.number} のファイルを読めません({trouble.strerror})。") from trouble


def _words(mail: ReceivedMail) -> str:
    sender = f"{mail.from_name} <{mail.from_address}>" if mail.from_name else mail.from_address
    head = [
        f"受信管理NO {mail.number}",
        f"差出人: {sender}",
        f"宛先: {mail.to_text}",
        *([f"CC: {mail.cc_text}"] if mail.cc_text else []),
        f"件名: {mail.subject}",
        *(f"添付: {one.name}({one.size:,}バイト)" for one in mail.attachments.all()),
    ]
    return "\n".join([*head, "", mail.text])
