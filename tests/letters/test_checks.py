"""What the checks notice, and what they leave alone."""

from __future__ import annotations

import pytest

from fumibako.letters.body import joined_body
from fumibako.letters.checks import Finding, attachment_words, gaps, leftovers
from fumibako.letters.merge import parse


def found_in(text: str, subject: str = "ご案内") -> list[tuple[str, int, str]]:
    """(weight, line, what was found) of the leftovers."""
    return [(one.weight, one.line, one.data["found"]) for one in leftovers(subject, text)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("{{氏名}} 様", ["{{", "}}"]),
        ("｛｛氏名", ["｛｛"]),
        ("{% if %}", ["{%", "%}"]),
    ],
)
def test_c02_braces_left_over_stop_the_send(line: str, found: list[str]) -> None:
    assert found_in(f"一行目\n{line}") == [("stop", 2, what) for what in found]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("○○様", "○○"),
        ("〇〇様", "〇〇"),
        ("●月●日までに", "●"),
        ("■■株式会社 御中", "■■"),
        ("〇月〇日", "〇"),
        ("(要修正)ここを直す", "要修正"),
        ("これはテストです", "テスト"),
        ("ﾃｽﾄ送信", "テスト"),
    ],
)
def test_c02_blanks_and_working_words_ask_for_a_look(line: str, found: str) -> None:
    findings = found_in(f"一行目\n{line}")
    assert findings[0] == ("confirm", 2, found)
    assert {weight for weight, _, _ in findings} == {"confirm"}


@pytest.mark.parametrize(
    "line",
    [
        "■ 勤務地 東京都",
        "●募集要項",
        "○ 交通費支給",
        "■□■□■□■□■□",
        "■■ お知らせ ■■",
        "二〇二六年四月一日",
        "二〇〇〇年",
        "コンテストのお知らせ",
        "100% {x} }",
    ],
)
def test_c02_headings_rules_and_ordinary_words_are_left_alone(line: str) -> None:
    assert found_in(f"一行目\n{line}") == []


def test_c02_looks_at_the_subject_too_and_takes_the_offices_own_words() -> None:
    assert leftovers("【仮】○○のご案内", "", words=("仮",)) == (
        Finding("C02", "confirm", "subject", 1, "【仮】○○のご案内", {"found": "○○"}),
        Finding("C02", "confirm", "subject", 1, "【仮】○○のご案内", {"found": "仮"}),
    )


def test_c02_the_excerpt_of_a_long_line_shows_the_place() -> None:
    (finding,) = leftovers("", "あ" * 300 + "○○様" + "い" * 300)
    assert "○○様" in finding.excerpt
    assert len(finding.excerpt) <= 40


def test_c04_a_file_is_promised_and_missing() -> None:
    (finding,) = attachment_words("ご案内", "お世話になります。\n資料を添付します。", 0)
    assert (finding.id, finding.weight, finding.line, finding.excerpt) == ("C04", "confirm", 2, "資料を添付します。")
    assert finding.data == {"missing": "file", "found": "添付"}


def test_c04_a_file_nobody_mentions() -> None:
    (finding,) = attachment_words("ご案内", "お世話になります。", 1)
    assert (finding.id, finding.weight, finding.line, finding.data) == ("C04", "confirm", 0, {"missing": "word"})


@pytest.mark.parametrize(("text", "count"), [("資料は別紙をご覧ください", 2), ("お世話になります", 0)])
def test_c04_says_nothing_when_words_and_files_agree(text: str, count: int) -> None:
    assert attachment_words("件名", text, count) == ()


def test_c04_takes_the_offices_own_words() -> None:
    assert attachment_words("", "enclosed", 0, words=("ENCLOSED",))[0].data["found"] == "ENCLOSED"


@pytest.mark.parametrize(
    ("body", "honorific"),
    [("{{氏名}} 様", "様"), ("{{氏名}}　様\n", "様"), ("{{得意先名}} 御中", "御中"), ("{{部署}}の皆さま", "")],
)
def test_c03_an_empty_value_is_found_with_the_honorific_it_leaves_alone(body: str, honorific: str) -> None:
    (finding,) = gaps(parse("件名", "一行目\n" + body).render({}))
    assert (finding.id, finding.weight, finding.where, finding.line) == ("C03", "confirm", "text", 2)
    assert finding.data["honorific"] == honorific


def test_c03_looks_at_the_subject_too_and_names_each_place_once() -> None:
    letter = parse("{{氏名}}様へ", "{{氏名}}{{氏名}}").render({})
    assert [(one.where, one.data["field"]) for one in gaps(letter)] == [("subject", "氏名"), ("text", "氏名")]
    assert gaps(parse("{{氏名}}様へ", "").render({"氏名": "花子"})) == ()


def test_the_signature_follows_after_one_blank_line() -> None:
    assert joined_body("本文\r\n\r\n", "-- \r\n見本商事\n", "") == "本文\n\n-- \n見本商事\n"
    assert joined_body("本文", "署名", "配信停止") == "本文\n\n署名\n\n配信停止\n"
    assert joined_body("本文", "") == "本文\n"
