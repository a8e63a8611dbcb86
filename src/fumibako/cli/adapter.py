"""`./fumibako adapter`: the product's own mail reading, one JSON question per line in, one JSON answer per line out.

For measuring: a scorer names a file and a task, and gets what the product would make of it. No Django, no database.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fumibako.mime.addresses import judge
from fumibako.mime.bounce import Kind, recognise
from fumibako.mime.read import read
from fumibako.mime.sanitize import safe_html

Answer = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options: everything comes in by standard input."""


def run(args: argparse.Namespace) -> int:
    """Answer until standard input ends."""
    for line in sys.stdin.buffer:
        if line.strip():
            sys.stdout.write(json.dumps(_answered(line), ensure_ascii=True) + "\n")
            sys.stdout.flush()
    return 0


def _answered(line: bytes) -> Answer:
    question: Answer = {}
    try:
        question = json.loads(line)
        return {"id": question["id"], **TASKS[question["task"]](question)}
    except Exception as problem:  # boundary: one bad question is one bad answer, and the next is still answered
        return {"id": question.get("id"), "error": f"{type(problem).__name__}: {problem}"}


def _raw(question: Answer) -> bytes:
    return Path(question["path"]).read_bytes()


def _decode(question: Answer) -> Answer:
    mail = read(_raw(question))
    return {
        "subject": mail.subject,
        "from": {"name": mail.from_.name, "address": mail.from_.address},
        "text": "\n".join((mail.text, *mail.enclosed_texts)),
        "attachments": [attachment.name for attachment in mail.attachments],
    }


def _sanitize(question: Answer) -> Answer:
    return {"html": safe_html(_raw(question).decode("utf-8", "replace")).html}


def _address(question: Answer) -> Answer:
    return {"accept": judge(question["text"], allow_non_rfc=True).is_accepted}


def _bounce(question: Answer) -> Answer:
    report = recognise(_raw(question))
    return {
        "is_bounce": report.kind is Kind.BOUNCE,
        "kind": report.kind.value,
        "recipients": [
            {
                "address": failure.address,
                "action": failure.action,
                "permanent": failure.permanent,
                "hard": failure.hard,
                "reason": failure.reason,
                "status": failure.status,
                "reply_code": str(failure.code or ""),
            }
            for failure in report.recipients
        ],
    }


TASKS: dict[str, Callable[[Answer], Answer]] = {
    "decode": _decode,
    "sanitize": _sanitize,
    "address": _address,
    "bounce": _bounce,
}
