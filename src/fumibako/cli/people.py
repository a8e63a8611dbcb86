"""`people import|list`: the masters by file, with the same checks as the screen, and as lists."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.db import transaction

from fumibako.apps.office.actions import add_departments, command_line_operator
from fumibako.apps.office.models import Department
from fumibako.apps.recipients.importing.preview import Fate, Preview, Row
from fumibako.apps.recipients.importing.running import begin_import, preview_of, run_import, table_of
from fumibako.apps.recipients.labels import FLAG
from fumibako.apps.recipients.models import ImportDraft, Recipient
from fumibako.apps.recipients.queries import find
from fumibako.cli.printing import note, tell
from fumibako.cli.refused import Refused

ERRORS_SHOWN = 100
KINDS = [kind.value for kind in Recipient.Kind]
CONDITIONS = ("name_kana", "number", "department", "mail_state", "tag", "client", "address")
SHIFTED = (
    "{}人のメールアドレスが、ほかの人のものと入れ替わるように見えます。行がずれていないかを --dry-run で確かめ、"
    "正しければ --changed-addresses {} を付けてください。"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """import KIND FILE, list KIND."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="import|list")
    taking = verbs.add_parser("import", help="CSV か Excel を取り込みます")
    taking.add_argument("kind", choices=KINDS, metavar="|".join(KINDS))
    taking.add_argument("file", metavar="FILE")
    taking.add_argument("--dry-run", action="store_true", help="点検だけをして、何も変えません")
    taking.add_argument("--add-departments", action="store_true", help="ファイルにある新しい部門を作ります")
    taking.add_argument("--changed-addresses", metavar="N", default="", help="変わるメールアドレスの数を確かめた印")
    listing = verbs.add_parser("list", help="一覧")
    listing.add_argument("kind", choices=KINDS, metavar="|".join(KINDS))
    for name in CONDITIONS:
        listing.add_argument(f"--{name.replace('_', '-')}", default="", help=argparse.SUPPRESS)
    for verb in (taking, listing):
        verb.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Do what the verb says; an import returns 1 when rows were left out."""
    return _import(args) if args.verb == "import" else _list(args)


def _import(args: argparse.Namespace) -> int:
    try:
        raw = Path(args.file).read_bytes()
    except OSError as trouble:
        raise Refused(f"ファイル「{args.file}」を読めません({trouble.strerror})。") from None
    with transaction.atomic():
        draft = begin_import(command_line_operator(), args.kind, Path(args.file).name, raw)
        if args.add_departments or not Department.objects.exists():
            # An office that has no department yet has the departments of its first file.
            add_departments(_departments_in(draft))
        seen = preview_of(draft)
        facts = _facts(args, seen)
        changed_count = seen.count(Fate.ADD) + seen.count(Fate.CHANGE)
        if args.dry_run or (not changed_count and not seen.count(Fate.REFUSE)):
            transaction.set_rollback(True)
        else:
            _require_agreement(args, seen, changed_count)
            facts["import"] = _take_in(draft, seen, args.changed_addresses)
    _tell_errors(seen)
    verb = "取り込めます" if args.dry_run else "取り込みました"
    words = f"追加 {facts['added']:,}人・変更 {facts['changed']:,}人・変更なし {facts['unchanged']:,}人"
    tell(args, facts, f"{words}を{verb}。取り込めない行は {facts['refused']:,}行です。")
    return 1 if facts["refused"] else 0


def _departments_in(draft: ImportDraft) -> list[str]:
    columns = draft.columns or []
    if "department" not in columns:
        return []
    place = columns.index("department")
    return [row[place] for row in table_of(draft).rows[1:] if len(row) > place]


def _facts(args: argparse.Namespace, seen: Preview) -> dict[str, Any]:
    return {
        "kind": args.kind,
        "dry_run": args.dry_run,
        "added": seen.count(Fate.ADD),
        "changed": seen.count(Fate.CHANGE),
        "unchanged": seen.count(Fate.SAME),
        "refused": seen.count(Fate.REFUSE),
        "errors": [{"row": row.number, "problems": row.problems} for row in _refused(seen)[:ERRORS_SHOWN]],
    }


def _require_agreement(args: argparse.Namespace, seen: Preview, changed_count: int) -> None:
    if not changed_count:
        first = _refused(seen)[0]
        raise Refused(f"取り込める行がありません。{first.number}行目: {' '.join(first.problems)}")
    if seen.shifted and args.changed_addresses != str(len(seen.shifted)):
        raise Refused(SHIFTED.format(len(seen.shifted), len(seen.shifted)))


def _take_in(draft: ImportDraft, seen: Preview, typed_number: str) -> int:
    done = run_import(command_line_operator(), draft.pk, fingerprint=seen.fingerprint, typed_number=typed_number)
    return done.pk


def _refused(seen: Preview) -> list[Row]:
    return [row for row in seen.rows if row.fate is Fate.REFUSE]


def _tell_errors(seen: Preview) -> None:
    refused = _refused(seen)
    for row in refused[:ERRORS_SHOWN]:
        note(f"{row.number}行目: {' '.join(row.problems)}")
    if len(refused) > ERRORS_SHOWN:
        note(f"ほかに {len(refused) - ERRORS_SHOWN:,}行あります。")


def _list(args: argparse.Namespace) -> int:
    conditions = {name: getattr(args, name) for name in CONDITIONS}
    for person in find(args.kind, conditions).prefetch_related("addresses"):
        facts = person_facts(person)
        addresses = " ".join(f"{one['address']}({FLAG[one['flag']]})" for one in facts["addresses"]) or "(未登録)"
        tell(args, facts, f"{person.number}\t{person.name}\t{addresses}")
    return 0


def person_facts(person: Recipient) -> dict[str, Any]:
    """Return one person as a JSON object."""
    rows = sorted(person.addresses.all(), key=lambda row: row.slot)
    return {
        "kind": person.kind,
        "number": person.number,
        "name": person.name,
        "kana": person.kana,
        "addresses": [
            {"slot": row.slot, "address": row.address, "flag": row.flag, "error_count": row.error_count}
            for row in rows
            if row.address
        ],
    }
