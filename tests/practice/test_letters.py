"""The letters of the practice office: readable tables outside, the bytes of Japanese mail inside."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fumibako.mime.bounce import Kind, recognise
from fumibako.mime.read import read
from fumibako.practice.letters import Facts, Letter, letters, message_id, raw_letter

AT = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
PLACES = {"address": "sato@docomo.example.jp", "message_id": "1.1.abc@example.jp"}


def raw_of(letter: Letter) -> bytes:
    return raw_letter(letter, Facts("佐藤 花子", "hanako@mail.example.jp", f"{letter.to}@example.jp", AT, 7, PLACES))


@pytest.mark.parametrize("letter", letters(), ids=lambda letter: letter.subject or letter.raw[:40].strip())
def test_every_letter_is_the_same_in_every_run_and_ends_its_lines_as_smtp_does(letter: Letter) -> None:
    raw = raw_of(letter)
    assert raw == raw_of(letter)
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert not any(len(line) > 998 for line in raw.split(b"\r\n"))


@pytest.mark.parametrize("letter", [one for one in letters() if not one.raw], ids=lambda letter: letter.subject)
def test_every_written_letter_is_read_as_it_was_written(letter: Letter) -> None:
    found = read(raw_of(letter))
    assert found.subject == letter.subject
    assert found.from_.name == "佐藤 花子"
    assert [part.name for part in found.attachments] == [file["name"] for file in letter.files]
    if letter.text:
        assert letter.text.strip().splitlines()[0] in found.text


def test_reports_in_the_style_of_three_providers_are_known_as_error_mails() -> None:
    reports = [recognise(raw_of(letter)) for letter in letters() if letter.about]
    assert [report.kind for report in reports] == [Kind.BOUNCE] * 3
    assert [report.recipients[0].address for report in reports] == [PLACES["address"]] * 3
    assert {report.original.message_id for report in reports} == {PLACES["message_id"]}
    assert [report.recipients[0].reason for report in reports] == ["userunknown", "userunknown", "mailboxfull"]


def test_a_request_for_days_off_is_not_taken_for_the_answer_of_a_robot() -> None:
    asking = next(letter for letter in letters() if letter.subject == "有給休暇の申請")
    assert recognise(raw_of(asking)).kind is Kind.ORDINARY
    away = next(letter for letter in letters() if letter.subject.startswith("自動応答"))
    assert recognise(raw_of(away)).kind is Kind.AUTO_REPLY


def test_serial_numbers_make_message_ids_that_never_meet() -> None:
    facts = [Facts("", "a@mail.example.jp", "staff@example.jp", AT, serial) for serial in range(1, 60)]
    assert len({message_id(one) for one in facts}) == len(facts)
