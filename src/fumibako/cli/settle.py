"""`settle DELIVERY sent|resend|give-up --reason R`: decide a 結果不明, by name and with a reason."""

from __future__ import annotations

import argparse
import json

from fumibako.apps.sending.actions import Decision, settle
from fumibako.apps.sending.models import Delivery
from fumibako.cli.ledger import delivery_facts
from fumibako.cli.refused import Refused

DECISIONS: dict[str, Decision] = {"sent": "sent", "resend": "resend", "give-up": "give_up"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `settle` takes."""
    parser.add_argument("delivery", metavar="DELIVERY", help="ledger の delivery の番号、または 送信管理NO-明細NO")
    parser.add_argument("decision", choices=list(DECISIONS), help="送信済とする・再送する・あきらめる")
    parser.add_argument("--reason", required=True, help="理由(記録に残ります)")


def run(args: argparse.Namespace) -> int:
    """Decide, and print the delivery as it is now."""
    row = settle(None, _delivery_id(args.delivery), DECISIONS[args.decision], args.reason)
    print(json.dumps(delivery_facts(row), ensure_ascii=False))
    return 0


def _delivery_id(text: str) -> int:
    number, _, seq = text.partition("-")
    if not (number.isascii() and number.isdigit() and (not seq or (seq.isascii() and seq.isdigit()))):
        raise Refused(f"「{text}」は送信明細の番号ではありません。「ledger NO」で番号を確かめてください。")
    wanted = {"job__number": number, "seq": seq} if seq else {"pk": number}
    found = Delivery.objects.filter(**wanted).values_list("pk", flat=True).first()
    if found is None:
        raise Refused(f"送信明細 {text} はありません。「ledger NO」で番号を確かめてください。")
    return found
