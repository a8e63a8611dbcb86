"""`job NO`: one send job, and pausing, resuming or stopping it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from fumibako.apps.office.models import Operator
from fumibako.apps.sending import actions
from fumibako.apps.sending.models import BulkSend
from fumibako.apps.sending.queries import job_numbered, lines, status_line
from fumibako.cli.jobs import job_facts, job_words
from fumibako.cli.refused import Refused

VERBS: dict[str, Callable[[Operator | None, BulkSend], BulkSend]] = {
    "pause": actions.pause,
    "resume": actions.resume,
    "cancel": actions.cancel,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `job` takes."""
    parser.add_argument("number", type=int, metavar="NO", help="送信管理NO")
    parser.add_argument("verb", nargs="?", choices=list(VERBS), help="一時停止・再開・中止")


def run(args: argparse.Namespace) -> int:
    """Do the verb, if any, and print the job."""
    job = job_by_number(args.number)
    if args.verb:
        VERBS[args.verb](None, job)
    (line,) = lines([job_by_number(args.number)])
    status = status_line(line.job, line.counts)
    if args.json:
        print(json.dumps(job_facts(line) | {"status": status.text}, ensure_ascii=False))
    else:
        print(job_words(line))
        print(status.text)
    return 0


def job_by_number(number: int) -> BulkSend:
    """The job with this 送信管理NO. Raises Refused when there is none."""
    try:
        return job_numbered(None, number)
    except BulkSend.DoesNotExist:
        raise Refused(f"送信管理NO {number} はありません。「jobs」で番号を確かめてください。") from None
