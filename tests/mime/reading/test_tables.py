"""Many small forms that mails are really written in, one line each in `tables/`: what is in the mail, what is read.

`raw` holds the octets as Latin-1, so that every one of them can be seen in the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fumibako.mime.read import ReadMail, read

TABLES = Path(__file__).parent / "tables"


def cases(table: str) -> list[Any]:
    lines = (TABLES / f"{table}.jsonl").read_text("utf-8").splitlines()
    return [pytest.param(json.loads(line), id=f"line {number}") for number, line in enumerate(lines, start=1)]


def octets(case: dict[str, Any]) -> bytes:
    return str(case["raw"]).encode("latin-1")


@pytest.mark.parametrize("case", cases("subjects"))
def test_a_subject_is_read_in_every_form_it_comes_in(case: dict[str, Any]) -> None:
    assert read(b"Subject: " + octets(case) + b"\r\nFrom: a@example.jp\r\n\r\nx").subject == case["want"]


@pytest.mark.parametrize("case", cases("people"))
def test_a_sender_is_read_in_every_form_it_comes_in(case: dict[str, Any]) -> None:
    sender = read(b"From: " + octets(case) + b"\r\n\r\nx").from_
    assert [sender.name, sender.address] == case["want"]


@pytest.mark.parametrize("case", cases("file_names"))
def test_a_file_name_is_read_in_every_form_it_comes_in(case: dict[str, Any]) -> None:
    head = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n\r\nhi\r\n--bb\r\n"
    (found,) = read(head + octets(case) + b"\r\n\r\nDATA\r\n--bb--\r\n").attachments
    assert (found.name, found.raw()) == (case["want"], b"DATA")


@pytest.mark.parametrize("case", cases("texts"))
def test_a_text_is_read_in_every_form_it_comes_in(case: dict[str, Any]) -> None:
    encoding = f"Content-Transfer-Encoding: {case['encoding']}\r\n" if case["encoding"] else ""
    head = f"From: a@example.jp\r\nContent-Type: {case['type']}\r\n{encoding}\r\n"
    assert read(head.encode() + octets(case)).text == case["want"]


def facts_of(mail: ReadMail) -> dict[str, Any]:
    """What a line about a whole mail may say."""
    return {
        "subject": mail.subject,
        "text": mail.text,
        "attachments": [one.name for one in mail.attachments],
        "enclosed": list(mail.enclosed_texts),
        "from": [mail.from_.name, mail.from_.address],
        "to": [[one.name, one.address] for one in mail.to],
    }


@pytest.mark.parametrize("case", cases("mails"))
def test_a_mail_is_taken_apart_in_every_form_it_comes_in(case: dict[str, Any]) -> None:
    facts = facts_of(read(octets(case)))
    assert {name: facts[name] for name in case if name != "raw"} == {k: v for k, v in case.items() if k != "raw"}
