"""`./fumibako adapter` answers with the product's own reading, one JSON line for each question."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fumibako


def asked(*questions: object) -> list[dict[str, object]]:
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    command = [sys.executable, "-m", "fumibako", "adapter"]
    around = os.environ | {"PYTHONPATH": str(Path(fumibako.__file__).parent.parent), "PYTHONUTF8": "1"}
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=60, env=around)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_task_is_answered_with_its_id(tmp_path: Path) -> None:
    mail, page = tmp_path / "mail.eml", tmp_path / "page.html"
    mail.write_bytes("From: 山田 <a@example.jp>\r\nSubject: 面接\r\n\r\n本文".encode())
    page.write_text("<p onclick=x>word</p>", "utf-8")
    answers = asked(
        {"id": "1", "task": "decode", "path": str(mail)},
        {"id": "2", "task": "sanitize", "path": str(page)},
        {"id": "3", "task": "address", "text": "abc..d@docomo.ne.jp"},
    )
    assert answers[0] == {
        "id": "1",
        "subject": "面接",
        "from": {"name": "山田", "address": "a@example.jp"},
        "text": "本文",
        "attachments": [],
    }
    assert answers[1:] == [{"id": "2", "html": "<p>word</p>"}, {"id": "3", "accept": True}]


def test_a_question_that_cannot_be_answered_does_not_stop_the_next() -> None:
    first, second = asked({"id": "x", "task": "nothing"}, {"id": "y", "task": "address", "text": "a@example.jp"})
    assert "error" in first
    assert second == {"id": "y", "accept": True}


def test_an_error_mail_is_told_recipient_by_recipient() -> None:
    path = Path(__file__).parents[1] / "samples" / "bounces" / "postfix_user_unknown" / "mail.eml"
    (answer,) = asked({"id": "b", "task": "bounce", "path": str(path)})
    assert answer == {
        "id": "b",
        "is_bounce": True,
        "kind": "bounce",
        "recipients": [
            {
                "address": "hanako@example.ne.jp",
                "action": "failed",
                "permanent": True,
                "hard": True,
                "reason": "userunknown",
                "status": "5.1.1",
                "reply_code": "550",
            }
        ],
    }
