"""`jobs`: every send job with its state and sums."""

from __future__ import annotations

import argparse
import json
from typing import Any

from fumibako.apps.sending.labels import job_state_text
from fumibako.apps.sending.queries import JobLine, jobs, lines

PAGE = 500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `jobs` takes."""
    parser.add_argument("--tests", action="store_true", help="テスト送信も出します")


def run(args: argparse.Namespace) -> int:
    """Print all jobs, newest first."""
    found = jobs(None, conditions={"origin": "any" if args.tests else ""})
    for first in range(0, found.count(), PAGE):
        for line in lines(found[first : first + PAGE]):
            print(json.dumps(job_facts(line), ensure_ascii=False) if args.json else job_words(line))
    return 0


def job_facts(line: JobLine) -> dict[str, Any]:
    """A job as one JSON object. `selected` = sent + failed + unknown + excluded + waiting + unsent."""
    job, counts = line.job, line.counts
    return {
        "number": job.number,
        "origin": job.origin,
        "state": str(line.state),
        "subject": job.subject,
        "account": job.account.account_no if job.account else None,
        "selected": counts.total,
        "sent": counts.sent,
        "failed": counts.failed,
        "unknown": counts.unknown,
        "excluded": counts.excluded,
        "waiting": counts.waiting,
        "unsent": counts.unsent,
        "bounced": counts.bounced,
        "approved_at": _moment(job.approved_at),
        "release_at": _moment(job.release_at),
        "finished_at": _moment(job.finished_at),
    }


def _moment(at: Any) -> str | None:
    return at.isoformat() if at else None


def job_words(line: JobLine) -> str:
    """A job as one line for people."""
    counts = line.counts
    sums = (
        f"対象 {counts.total:,} = 送信済 {counts.sent:,} + 失敗 {counts.failed:,} + 結果不明 {counts.unknown:,}"
        f" + 除外 {counts.excluded:,} + 送信前 {counts.waiting:,} + 未送信 {counts.unsent:,}"
    )
    return f"NO {line.job.number}\t{job_state_text(line.state)}\t{line.job.subject or '(件名なし)'}\t{sums}"
