"""`ledger NO`: the delivery ledger of one job, one JSON object per line."""

from __future__ import annotations

import argparse
import json
from typing import Any

from fumibako.apps.sending.models import Delivery
from fumibako.apps.sending.report import in_pages
from fumibako.cli.job import job_by_number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `ledger` takes."""
    parser.add_argument("number", type=int, metavar="NO", help="送信管理NO")


def run(args: argparse.Namespace) -> int:
    """Print every delivery in the order of the list."""
    job = job_by_number(args.number)
    for row in in_pages(job.deliveries.all()):
        print(json.dumps(delivery_facts(row), ensure_ascii=False))
    return 0


def delivery_facts(row: Delivery) -> dict[str, Any]:
    """A delivery as one JSON object. `delivery` is what `settle` takes; `address` is as it goes on the wire."""
    return {
        "seq": row.seq,
        "delivery": row.pk,
        "kind": row.party_kind,
        "number": row.party_number,
        "person": row.party_name,
        "address": row.wire_address or row.address,
        "state": row.state,
        "exclusion": row.exclusion,
        "attempts": row.attempt,
        "deferred": row.deferred_count,
        "resends": row.resend_count,
        "stage": row.stage,
        "code": row.code,
        "enhanced": row.enhanced,
        "text": row.text,
        "message_id": f"<{row.message_id}>" if row.message_id else "",
        "raw_sha256": row.raw_sha256,
        "size": row.size,
        "charset": row.charset,
        "not_before_at": row.not_before_at.isoformat() if row.not_before_at else None,
        "sent_at": row.sent_at.isoformat() if row.sent_at else None,
        "changed_at": row.changed_at.isoformat(),
    }
