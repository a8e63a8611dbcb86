"""Words: every stable word has Japanese, and a server's answer is told in plain words with whose fault it is."""

from __future__ import annotations

from datetime import time

import pytest

from fumibako.apps.sending import labels
from fumibako.apps.sending.explain import explain
from fumibako.apps.sending.inspection import labels as inspection_labels
from fumibako.apps.sending.state import JobState
from fumibako.delivery.states import State
from fumibako.letters.problems import ProblemKind


def test_every_state_of_jobs_and_deliveries_has_its_own_word() -> None:
    assert set(labels.JOB_STATES) == set(JobState)
    assert set(labels.DELIVERY_STATES) == set(State)
    assert len(set(labels.JOB_STATES.values())) == len(JobState)
    assert len(set(labels.DELIVERY_STATES.values())) == len(State)


@pytest.mark.parametrize("kind", list(ProblemKind))
def test_every_mistake_in_a_letter_is_named_in_japanese_with_its_line(kind: ProblemKind) -> None:
    words = inspection_labels.letter_problem(kind, "氏名", 3, "text")
    assert kind.value not in words
    assert "3行目" in words or "100万文字" in words


@pytest.mark.parametrize(
    ("code", "enhanced", "text", "domain", "fault", "words"),
    [
        (550, "5.1.1", "User unknown", "example.jp", "address", "存在しません"),
        (550, "", "No such user here", "example.jp", "address", "存在しません"),
        (551, "", "User not local; please try <x>", "example.jp", "address", "存在しません"),
        (550, "", "Unknown user or rejected", "docomo.ne.jp", "receiver", "docomo"),
        (550, "5.1.1", "Unknown user", "DOCOMO.ne.jp", "receiver", "docomo"),
        (550, "5.1.1", "Unknown user", "notdocomo.ne.jp", "address", "存在しません"),
        (552, "5.2.2", "Mailbox full", "example.jp", "mailbox", "一杯"),
        (452, "4.2.2", "Over quota", "example.jp", "mailbox", "一杯"),
        (451, "4.7.1", "Greylisting in action, try again later", "example.jp", "nobody", "待って"),
        (450, "", "temporarily deferred", "example.jp", "nobody", "待って"),
        (552, "5.3.4", "Message too big", "example.jp", "letter", "大きさ"),
        (554, "5.7.1", "Rejected by Spamhaus", "example.jp", "sender", "迷惑メール"),
        (550, "5.7.26", "DMARC policy", "gmail.com", "sender", "迷惑メール"),
        (550, "5.7.1", "Message refused by policy", "example.jp", "receiver", "断りました"),
        (550, "5.1.2", "Domain not found", "gmial.com", "address", "ドメイン"),
        (550, "5.7.1", "Relaying denied", "example.jp", "sender", "中継"),
        (553, "5.7.60", "not allowed to send as this sender", "example.jp", "sender", "差出人"),
        (421, "4.7.0", "Too many connections", "example.jp", "sender", "速さ"),
        (550, "5.2.1", "Mailbox disabled", "example.jp", "address", "使えなく"),
        (454, "", "something else", "example.jp", "nobody", "いまは受け取れない"),
        (599, "", "something else", "example.jp", "receiver", "断りました"),
        (0, "", "", "example.jp", "nobody", "届いたかもしれません"),
        (0, "", "the server takes at most 10 bytes, the mail has 20", "example.jp", "letter", "大きさ"),
        (0, "", "Unsendable: header_injection", "example.jp", "letter", "作れませんでした"),
    ],
)
def test_an_answer_is_told_in_plain_words(
    code: int, enhanced: str, text: str, domain: str, fault: str, words: str
) -> None:
    told = explain(code, enhanced, text, domain)
    assert told.whose_fault == fault
    assert words in told.text
    assert told.next_step.endswith("。")


def test_only_the_address_is_ever_blamed_for_being_wrong() -> None:
    """A block of our own server must never read as if the person's address were wrong."""
    for text in ("blocked using blocklist", "SPF check failed", "relay access denied", "sender address rejected"):
        assert explain(550, "5.7.1", text, "example.jp").whose_fault == "sender"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0秒"), (45, "45秒"), (60, "1分"), (372, "6分12秒"), (3600, "1時間"), (7824, "2時間10分")],
)
def test_spans_are_told_as_people_tell_them(seconds: int, words: str) -> None:
    assert labels.span(seconds) == words


def test_hours_that_cross_midnight_say_so() -> None:
    assert labels.hours_text(time(20), time(8)) == "20:00〜翌8:00"
    assert labels.hours_text(time(8, 30), time(20)) == "8:30〜20:00"


def test_b02_tells_how_many_to_take_off_and_into_how_many_parts() -> None:
    assert labels.over_limit(1248, 1000) == (
        "送信件数(1,248件)が、1回の送信上限件数(1,000件)を超えています。宛先を 248件以上減らすか、2回に分けてください。"
    )


@pytest.mark.parametrize(
    ("what", "data", "words"),
    [
        ("burst_finished", {"burst": 6, "count": 100}, "6回目の 100通を送りました。休止します"),
        ("burst_started", {"burst": 7}, "7回目を開始しました"),
        ("paused", {"cause": "failures"}, "一時停止しました(失敗の割合が設定を超えたため)"),
        ("burst_finished", {}, "送りました。休止します"),
    ],
)
def test_events_are_told_in_words(what: str, data: dict[str, object], words: str) -> None:
    assert labels.event_text(what, data) == words
    assert labels.event_text("approved", {}, "佐藤 美咲") == "佐藤 美咲 送信を指示しました"
