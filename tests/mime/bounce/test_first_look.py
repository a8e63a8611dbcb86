"""The first look at a head saves the reading of ordinary mail and never changes an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from fumibako.mime.bounce import Kind, recognise
from fumibako.mime.bounce.first_look import is_surely_ordinary
from fumibako.mime.bounce.recognising import read_whole
from tests.mime.bounce.generated import notice, recipes
from tests.mime.bounce.samples import Sample, samples

READING = sorted((Path(__file__).parents[2] / "samples" / "reading").glob("*/mail.eml"))
PLAIN = b"""\
Return-Path: <tanaka@example.jp>
From: Tanaka <tanaka@example.jp>
To: desk@desk.example.org
Subject: Friday
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
%s

See you on Friday.

--
\xe6\xa0\xaa\xe5\xbc\x8f\xe4\xbc\x9a\xe7\xa4\xbeNTT\xe3\x83\x89\xe3\x82\xb3\xe3\x83\xa2
"""


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_a_notice_is_the_same_with_and_without_the_first_look(sample: Sample) -> None:
    assert recognise(sample.raw) == read_whole(sample.raw)


@pytest.mark.parametrize("path", READING, ids=lambda path: path.parent.name)
def test_a_mail_is_the_same_with_and_without_the_first_look(path: Path) -> None:
    raw = path.read_bytes()
    assert recognise(raw) == read_whole(raw)


def test_no_notice_of_any_structure_passes_for_ordinary() -> None:
    assert [str(recipe) for recipe in recipes() if is_surely_ordinary(notice(recipe))] == []


def test_a_letter_is_seen_to_be_ordinary_at_the_first_look() -> None:
    assert is_surely_ordinary(PLAIN % b"X-Mailer: Post")


@pytest.mark.parametrize(
    "line",
    [
        b"Auto-Submitted: auto-replied",
        b"X-Failed-Recipients: suzuki@example.jp",
        b"Sender: MAILER-DAEMON@example.jp",
        b"Precedence: auto_reply",
        b"X-MLServer: fml [fml 4.0]",
    ],
)
def test_whatever_a_program_wrote_is_read_whole(line: bytes) -> None:
    assert not is_surely_ordinary(PLAIN % line)


@pytest.mark.parametrize("line", [b"X-Mailer: Post", b"X-Auto-Response-Suppress: All", b"Auto-Submitted: auto-replied"])
def test_who_works_for_a_phone_carrier_is_no_mail_system(line: bytes) -> None:
    assert recognise(PLAIN % line).kind in (Kind.ORDINARY, Kind.AUTO_REPLY)
    assert read_whole(PLAIN % line).kind is not Kind.BOUNCE
