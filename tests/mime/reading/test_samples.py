"""Our own mails, one folder per trap: what is in the mail, what must come out, and why anybody writes such a mail."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from fumibako.mime.read import ReadMail, read

SAMPLES = Path(__file__).parents[2] / "samples" / "reading"
NAMES = sorted(folder.name for folder in SAMPLES.iterdir())


def facts_of(mail: ReadMail) -> dict[str, Any]:
    """What a sample may expect, by the names of its file."""
    return {
        "subject": mail.subject,
        "from_name": mail.from_.name,
        "from_address": mail.from_.address,
        "attachments": [attachment.name for attachment in mail.attachments],
        "problems": [str(problem) for problem in mail.problems],
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_mail_is_read_as_its_folder_says(name: str) -> None:
    expected = tomllib.loads((SAMPLES / name / "expected.toml").read_text("utf-8"))
    mail = read((SAMPLES / name / "mail.eml").read_bytes())
    text = "\n".join((mail.text, *mail.enclosed_texts))
    assert [words for words in expected.pop("text_contains", []) if words not in text] == []
    assert [words for words in expected.pop("text_lacks", []) if words in text] == []
    facts = facts_of(mail)
    assert {fact: facts[fact] for fact in expected} == expected
    assert "\ufffd" not in mail.subject + text


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_says_why_it_is_there(name: str) -> None:
    assert len((SAMPLES / name / "about.md").read_text("utf-8").strip()) > 20


def test_there_are_enough_samples_to_cover_every_trap() -> None:
    assert len(NAMES) >= 60
