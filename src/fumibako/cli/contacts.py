"""`contacts`: contact records by the conditions of the screen, newest first."""

from __future__ import annotations

import argparse
from typing import Any

from django.utils import timezone

from fumibako.apps.contacts.exporting import in_pages
from fumibako.apps.contacts.labels import NOBODY, PARTY_KINDS
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.contacts.people import label_of
from fumibako.apps.contacts.queries import search
from fumibako.apps.recipients.rules import day_of
from fumibako.cli.printing import iso, tell
from fumibako.cli.refused import Refused

CONDITIONS = {
    "since": "連絡日がこの日から(2026-11-24)",
    "until": "連絡日がこの日まで",
    "operator": "対応者の利用者ID",
    "department": "連絡部門のコード",
    "person": "相手(staff:001245 の形)",
    "party": "相手の氏名・会社名・NO",
    "subject": "件名の言葉",
    "body": "連絡内容・対応内容の言葉",
    "mail": "受信管理NO",
    "next-since": "次回対応日がこの日から",
    "next-until": "次回対応日がこの日まで",
}
DAYS = ("since", "until", "next_since", "next_until")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `contacts` takes."""
    for name, purpose in CONDITIONS.items():
        parser.add_argument(f"--{name}", default="", metavar="X", help=purpose)
    parser.add_argument("--party-kind", choices=list(PARTY_KINDS), default="", help="相手の種類(none = 相手なし)")
    parser.add_argument(
        "--from-mail",
        choices=["yes", "no"],
        default="",
        help="受信メールから作られたものだけ、または手で登録したものだけ",
    )


def run(args: argparse.Namespace) -> int:
    """Print every record that meets the conditions."""
    names = [name.replace("-", "_") for name in (*CONDITIONS, "party-kind", "from-mail")]
    conditions = {name: getattr(args, name) for name in names}
    for name in DAYS:
        if conditions[name] and day_of(conditions[name]) is None:
            raise Refused(f"--{name.replace('_', '-')} は「2026-11-24」の形で指定してください。")
    found = search(None, conditions).order_by("-contacted_at", "-id")
    for record in in_pages(found.prefetch_related("files")):
        facts = record_facts(record)
        party = facts["party"] or NOBODY
        tell(args, facts, f"{facts['number']}\t{_minute(record)}\t{party}\t{facts['status1'] or ''}\t{record.subject}")
    return 0


def record_facts(record: ContactRecord) -> dict[str, Any]:
    """One record as a JSON object."""
    person = record.recipient
    return {
        "number": record.full_number,
        "contacted_at": iso(record.contacted_at),
        "minutes": record.minutes,
        "operator": record.operator_name,
        "department": record.department.name,
        "person": f"{person.kind}:{person.number}" if person else None,
        "party": label_of(person) if person else record.party,
        "role": record.role or None,
        **{f"category{level}": _name(getattr(record, f"category{level}")) for level in (1, 2, 3)},
        "status1": _name(record.status1),
        "status2": _name(record.status2),
        "subject": record.subject,
        "body": record.body,
        "response": record.response,
        "next_on": record.next_on,
        "next_category": _name(record.next_category),
        "next_done_at": iso(record.next_done_at),
        "mail": record.mail.number if record.mail else None,
        "files": [{"name": file.name, "size": file.size} for file in record.files.all()],
    }


def _name(row: object) -> str | None:
    return str(row) if row else None


def _minute(record: ContactRecord) -> str:
    return f"{timezone.localtime(record.contacted_at):%Y/%m/%d %H:%M}"
