"""The mails that are fetched: ordinary, Japanese, about 2 KB, each from somebody else."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

SENDERS = ("髙橋 花子", "田中 一郎", "佐藤 美咲", "鈴木 健", "渡邉 直子", "伊藤 翔", "山﨑 薫", "小林 誠")
PLACES = ("東京", "大阪", "名古屋", "福岡", "札幌", "仙台", "横浜", "広島")
TOPICS = ("勤務表の提出", "面談の日程", "請求書の送付", "交通費の精算", "契約の更新", "お休みの連絡")
BEGUN_AT = datetime(2026, 4, 1, tzinfo=UTC)
PARAGRAPH = "いつもお世話になっております。{place}支店の{name}です。{topic}についてご連絡いたします。"
BODY = """{name}様

{paragraph}
来月{day}日の午後に伺う予定でおりますが、ご都合はいかがでしょうか。お手数ですが、今週中にお返事をいただけますと幸いです。

1. 日時: {day}日 14時から16時
2. 場所: {place}駅前の見本ビル 3階 会議室{room}
3. 持ち物: 身分証明書、印鑑、{topic}の書類

{paragraph}
先日お送りした{topic}の件では、早速のご対応をいただき、誠にありがとうございました。
当日は受付で {room}{number} とお伝えください。

なお、管理番号は {number} です。ご不明な点がございましたら、お気軽にお問い合わせください。
ご確認のほど、よろしくお願いいたします。

{name}
見本スタッフ株式会社 {place}支店
"""


def words_of(number: int) -> dict[str, str]:
    """What one mail is about; the same for the same number."""
    return {
        "name": SENDERS[number % len(SENDERS)],
        "place": PLACES[number * 7 % len(PLACES)],
        "topic": TOPICS[number * 5 % len(TOPICS)],
        "day": str(number % 28 + 1),
        "room": "ABCDEFG"[number % 7],
        "number": f"{number:07}",
    }


def address_of(number: int) -> str:
    """The sender of one mail."""
    return f"p{number:07}@sender{number % 50}.example"


def text_of(number: int) -> str:
    """The text of one mail."""
    words = words_of(number)
    return BODY.format(paragraph=PARAGRAPH.format(**words), **words)


def subject_of(number: int) -> str:
    """The subject of one mail."""
    return "{topic}について({place} {number})".format(**words_of(number))


def letter(number: int) -> bytes:
    """One mail: UTF-8 in base64, with the headers that a mail has behind two servers."""
    at = f"{BEGUN_AT + timedelta(minutes=number):%a, %d %b %Y %H:%M:%S +0000}"
    content = base64.encodebytes(text_of(number).replace("\n", "\r\n").encode()).replace(b"\n", b"\r\n")
    head = [
        "Return-Path: <" + address_of(number) + ">",
        "Received: from out.sender.example (out.sender.example [192.0.2.7])",
        f"\tby mx.example.jp (Postfix) with ESMTPS id {number:012X}; {at}",
        f"Date: {at}",
        f"From: {_word(words_of(number)['name'])} <{address_of(number)}>",
        f"To: {_word('見本スタッフ 受付')} <desk@example.jp>",
        f"Subject: {_word(subject_of(number))}",
        f"Message-ID: <{number:012x}.bench@sender{number % 50}.example>",
        "MIME-Version: 1.0",
        'Content-Type: text/plain; charset="UTF-8"',
        "Content-Transfer-Encoding: base64",
        "X-Mailer: Sample Mailer 4.2",
    ]
    return "\r\n".join(head).encode("ascii") + b"\r\n\r\n" + content


def letters(count: int) -> Iterator[bytes]:
    """Many mails, one after the other."""
    return (letter(number) for number in range(1, count + 1))


def _word(text: str) -> str:
    return f"=?UTF-8?B?{base64.b64encode(text.encode()).decode()}?="
