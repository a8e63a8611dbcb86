"""Reading mail: what was written comes back, what others write wrong is still read, and nothing ever raises."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fumibako.mime.compose import Attachment, Composer, Mailbox, Sheet
from fumibako.mime.encodings import Charset
from fumibako.mime.read import CHARSETS as READ_AS
from fumibako.mime.read import Problem, attachment_at, read
from fumibako.mime.reading.file_names import shown_name

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
        (b"From: a@example.jp, b@example.net", Problem.SEVERAL_SENDERS),
        (b"From: People: a@example.jp, b@example.net;", Problem.SEVERAL_SENDERS),
        (b"From: evil@example.net (boss@example.com)", Problem.SENDER_NAME_IS_AN_ADDRESS),
        (b"From: =?utf-8?B?Ym9zc0BleGFtcGxlLmNvbQ==?= <evil@example.net>", Problem.SENDER_NAME_IS_AN_ADDRESS),
        ("From: boss＠example.com <evil@example.net>".encode(), Problem.SENDER_NAME_IS_AN_ADDRESS),
        ("From: bo\u200bss <evil@example.net>".encode(), Problem.HIDDEN_CHARACTERS),
        ("From: \u2066boss <evil@example.net>".encode(), Problem.HIDDEN_CHARACTERS),
    ],
)
def test_x14_what_misleads_about_the_sender_is_told(field: bytes, problem: Problem) -> None:
    assert problem in read(field + b"\r\n\r\ntext").problems


def test_x14_an_emoji_that_is_held_together_hides_nothing() -> None:
    assert read("From: a@example.jp\r\nSubject: 👨\u200d👩\u200d👧\r\n\r\n".encode()).problems == ()


def test_x14_a_name_of_10_kb_is_cut_and_the_address_is_not() -> None:
    sender = read(b'From: "' + b"a" * 10_000 + b'" <evil@example.net>\r\n\r\n').from_
    assert len(sender.name) <= 4_000
    assert sender.address == "evil@example.net"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\win.ini", "win.ini"),
        ("/etc/passwd", "passwd"),
        ("C:\\a\\b.pdf", "b.pdf"),
        ("\\\\host\\share\\b.pdf", "b.pdf"),
        ("a\x00b.pdf", "ab.pdf"),
        ("a\r\nb.pdf", "a b.pdf"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("a\u200bb.pdf", "ab.pdf"),
        ("か\u3099.pdf", "が.pdf"),
        ("..", ""),
        ("/", ""),
        ("a" * 300 + ".pdf", "a" * 251 + ".pdf"),
    ],
)
def test_x18_the_name_of_a_file_is_text_to_show_and_never_a_path(given: str, shown: str) -> None:
    assert shown_name(given) == shown


def in_latin_1(subject: bytes, text: bytes) -> bytes:
    """A Japanese mail that says it is Western, so short that nothing proves the contrary."""
    word = b"=?iso-8859-1?B?" + base64.b64encode(subject) + b"?="
    return (
        b"Subject: " + word + b"\r\nFrom: a@example.jp\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n" + text
    )


def test_a_charset_that_a_person_chose_is_used_for_all_that_named_the_same_wrong_one() -> None:
    raw = in_latin_1("会議".encode("cp932"), "資料".encode("cp932"))
    assert read(raw).text != "資料"
    mail = read(raw, "shift_jis")
    assert (mail.subject, mail.text, mail.charset) == ("会議", "資料", "shift_jis")


def test_a_charset_that_a_person_chose_leaves_alone_what_named_another_one() -> None:
    raw = in_latin_1("会議".encode("cp932"), "資料".encode("cp932")).replace(
        b"Subject: =?iso-8859-1?B?" + base64.b64encode("会議".encode("cp932")),
        b"Subject: =?utf-8?B?" + base64.b64encode("会議".encode()),
    )
    assert read(raw, "shift_jis").subject == "会議"


@pytest.mark.parametrize("charset", [*READ_AS, "unicode_escape", "nonsense", ""])
def test_no_choice_of_a_charset_makes_it_raise(charset: str) -> None:
    mail = read(in_latin_1(bytes(range(256)), bytes(range(256))), charset)
    assert mail.from_.address == "a@example.jp"


PICTURES = (
    b"Content-Type: multipart/related; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n"
    b"<img src=cid:shown%40example.jp>\r\n--x\r\nContent-Type: image/png\r\nContent-ID: <shown@example.jp>\r\n"
    b"Content-Disposition: attachment; filename=shown.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n"
    b"--x\r\nContent-Type: image/png; name=other.png\r\nContent-ID: <other@example.jp>\r\n\r\nx\r\n--x--\r\n"
)


def test_a_picture_is_inline_when_the_page_shows_it_and_a_file_otherwise() -> None:
    found = [(one.name, one.content_id, one.is_inline) for one in read(PICTURES).attachments]
    assert found == [("shown.png", "shown@example.jp", True), ("other.png", "other@example.jp", False)]


def test_one_file_can_be_had_by_its_place() -> None:
    first = attachment_at(PICTURES, 0)
    assert first is not None
    assert (first.raw(), first.size) == (b"\x89PNG", 4)
    assert attachment_at(PICTURES, 2) is None
    assert attachment_at(PICTURES, -1) is None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    part = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" + raw + b"\r\n--x--"
    jis = b"Subject: =?iso-2022-jp?B?" + raw + b"?=\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + raw
    for mail in (raw, part, jis):
        assert "\n" not in read(mail).subject
