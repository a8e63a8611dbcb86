"""Mails and pages that are built to be expensive: each is read by a child process of its own with little memory and
little time, as the worker's own reading child is.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mime.reading.bombs import MAILS, PAGES

SECONDS = 5
MEMORY = 256 * 1024 * 1024
ROOT = Path(__file__).parents[3]

CHILD = """
import sys
from tests.mime.reading.bombs import MAILS, PAGES
from fumibako.mime.read import read
from fumibako.mime.reading.html_text import text_of_html
from fumibako.mime.sanitize import safe_html

kind, name = sys.argv[1:]
if kind == "mail":
    mail = read(MAILS[name]())
    assert len(mail.attachments) <= 1000
    assert len(mail.to) <= 1000
else:
    page = PAGES[name]()
    shown = safe_html(page)
    assert "word" in shown.html
    assert "word" in text_of_html(page)
print("whole")
"""


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def answer_of_a_limited_child(kind: str, name: str) -> str:
    found = subprocess.run(
        [sys.executable, "-c", CHILD, kind, name],
        cwd=ROOT,
        env={"PYTHONPATH": "src:.", "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return found.stdout.strip() or f"{found.returncode} {found.stderr[-500:]}"


@pytest.mark.parametrize("name", MAILS)
def test_x21_a_mail_bomb_is_read_in_five_seconds_and_256_mib(name: str) -> None:
    assert answer_of_a_limited_child("mail", name) == "whole"


@pytest.mark.parametrize("name", PAGES)
def test_x22_a_page_bomb_keeps_its_words_in_five_seconds_and_256_mib(name: str) -> None:
    assert answer_of_a_limited_child("page", name) == "whole"
