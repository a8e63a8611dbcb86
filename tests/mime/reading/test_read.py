"""Reading mail: what was written comes back, what others write wrong is still read, and nothing ever raises."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fumibako.mime.compose import Attachment, Composer, Mailbox, Sheet
from fumibako.mime.encodings import Charset
from fumibako.mime.read import Problem, read

CHARSETS: tuple[Charset, ...] = ("utf-8", "iso-2022-jp", "shift_jis")
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=80)


def written(charset: Charset, subject: str, text: str, name: str = "髙橋 直子", file_name: str = "") -> bytes:
    files = (Attachment(file_name, "application/pdf", b"%PDF-1.4"),) if file_name else ()
    sheet = Sheet(Mailbox("見本スタッフ 東京本社", "staff@example.jp"), "", (), charset, files)
    composed = Composer(sheet).compose(
        to=Mailbox(name, "naoko@example.jp"),
        subject=subject,
        text=text,
        message_id="<fb.1.1.abc@example.jp>",
        date=NOW,
        boundary="=_fb_0123456789abcdef",
    )
    return composed.raw


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_mail_of_ours_comes_back_whole(charset: Charset) -> None:
    mail = read(
        written(
            charset,
            "【12月度】シフト提出のお願い",
            "お世話になっております。\n\n提出してください。",
            file_name="提出表(12月).pdf",
        )
    )
    assert mail.subject == "【12月度】シフト提出のお願い"
    assert (mail.from_.name, mail.from_.address) == ("見本スタッフ 東京本社", "staff@example.jp")
    assert (mail.to[0].name, mail.to[0].address) == ("髙橋 直子", "naoko@example.jp")
    assert mail.text.rstrip() == "お世話になっております。\n\n提出してください。"
    assert [attachment.name for attachment in mail.attachments] == ["提出表(12月).pdf"]
    assert (mail.message_id, mail.sent_at) == ("<fb.1.1.abc@example.jp>", NOW)
    assert mail.problems == ()


@settings(max_examples=60, deadline=None)
@given(charset=st.sampled_from(CHARSETS), subject=PRINTABLE, text=PRINTABLE)
def test_whatever_can_be_typed_comes_back(charset: Charset, subject: str, text: str) -> None:
    mail = read(written(charset, subject, text))
    assert mail.subject.split() == subject.split()
    assert mail.text.split() == text.split()


def with_text(raw: bytes, charset: str) -> bytes:
    return b"From: a@example.jp\r\nContent-Type: text/plain" + charset.encode() + b"\r\n\r\n" + raw


@pytest.mark.parametrize(
    ("raw", "charset"),
    [
        ("①㈱髙﨑です".encode("cp932"), "; charset=Shift_JIS"),
        (b"\x1b$B-!\x1b(B\x1b$B-j\x1b(B", "; charset=ISO-2022-JP"),
        ("日本語の本文です。よろしくお願いします。".encode("euc_jp"), ""),
        ("日本語の本文です。よろしくお願いします。".encode("cp932"), "; charset=us-ascii"),
        ("日本語の本文です。".encode("iso-2022-jp"), ""),
        ("日本語の本文です。".encode(), "; charset=iso-8859-1"),
    ],
    ids=["cp932 as Shift_JIS", "NEC row 13", "EUC unsaid", "CP932 as ASCII", "JIS unsaid", "UTF-8 as Latin-1"],
)
def test_a_charset_that_is_wrong_or_missing_is_found_out(raw: bytes, charset: str) -> None:
    text = read(with_text(raw, charset)).text.strip()
    assert text in ("①㈱髙﨑です", "①㈱", "日本語の本文です。よろしくお願いします。", "日本語の本文です。")
    assert "\ufffd" not in text


def test_a_character_split_over_two_encoded_words_is_read() -> None:
    octets = "見本".encode()
    words = " ".join(f"=?UTF-8?B?{base64.b64encode(half).decode()}?=" for half in (octets[:4], octets[4:]))
    assert read(f"Subject: {words}\r\n\r\n".encode()).subject == "見本"


def test_a_raw_japanese_subject_is_read() -> None:
    assert read(b"Subject: " + "面接の件".encode("iso-2022-jp") + b"\r\n\r\n").subject == "面接の件"
    assert read(b"Subject: " + "面接の件です".encode("cp932") + b"\r\n\r\n").subject == "面接の件です"


def test_html_only_becomes_text() -> None:
    raw = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>one</p><ul><li>two</ul><script>alert(1)</script>"
    mail = read(raw)
    assert mail.text.split() == ["one", "・two"]
    assert "script" in mail.html


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        (b"From: a@example.jp\r\nFrom: b@example.jp", Problem.SEVERAL_SENDERS),
        (b'From: "boss@example.com" <evil@example.net>', Problem.SENDER_NAME_IS_AN_ADDRESS),
        ("From: a@example.jp\r\nSubject: gpj.\u202eexe".encode(), Problem.HIDDEN_CHARACTERS),
        (b"To: a@example.jp", Problem.NO_SENDER),
    ],
)
def test_x14_what_misleads_about_the_sender_is_told(field: bytes, problem: Problem) -> None:
    assert problem in read(field + b"\r\n\r\ntext").problems


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    part = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" + raw + b"\r\n--x--"
    jis = b"Subject: =?iso-2022-jp?B?" + raw + b"?=\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + raw
    for mail in (raw, part, jis):
        assert "\n" not in read(mail).subject
