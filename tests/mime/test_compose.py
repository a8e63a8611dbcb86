"""Composing one personal mail: what is in it, what never is, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from email import message_from_bytes
from email.policy import default as strict_reader

import pytest

from fumibako.mime.compose import (
    Attachment,
    Composer,
    HeaderInjection,
    Mailbox,
    Reason,
    Unsendable,
    new_message_id,
)
from fumibako.mime.encodings import Charset
from fumibako.mime.preview import show
from tests.mime.mails import BOUNDARY, FROM, MESSAGE_ID, NOON, TO, compose, head_of, header_names, sheet

CHARSETS: tuple[Charset, ...] = ("utf-8", "iso-2022-jp", "shift_jis")


def test_the_golden_octets_of_an_utf_8_mail() -> None:
    assert compose(sheet(reply_to="reply@example.co.jp")).raw == (
        b"Date: Wed, 01 Apr 2026 12:00:00 +0900\r\n"
        b"From: =?UTF-8?B?5qCq5byP5Lya56S+44G144G/44Gw44GT?= <info@example.co.jp>\r\n"
        b"To: =?UTF-8?B?6KaL5pysIOiKseWtkA==?= <hanako@example.ne.jp>\r\n"
        b"Reply-To: reply@example.co.jp\r\n"
        b"Subject: =?UTF-8?B?44GU5qGI5YaF?=\r\n"
        b"Message-ID: <d.17.3f9a@example.co.jp>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=UTF-8\r\n"
        b"Content-Transfer-Encoding: base64\r\n"
        b"\r\n"
        b"5pys5paH44Gn44GZ44CCDQo=\r\n"
    )


def test_the_golden_octets_of_an_iso_2022_jp_mail() -> None:
    assert compose(sheet("iso-2022-jp")).raw == (
        b"Date: Wed, 01 Apr 2026 12:00:00 +0900\r\n"
        b"From: =?ISO-2022-JP?B?GyRCM3Q8MDJxPFIkVSRfJFAkMxsoQg==?=\r\n"
        b" <info@example.co.jp>\r\n"
        b"To: =?ISO-2022-JP?B?GyRCOCtLXBsoQiAbJEIyVjtSGyhC?= <hanako@example.ne.jp>\r\n"
        b"Subject: =?ISO-2022-JP?B?GyRCJDQwRkZiGyhC?=\r\n"
        b"Message-ID: <d.17.3f9a@example.co.jp>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=ISO-2022-JP\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"\x1b$BK\\J8$G$9!#\x1b(B\r\n"
    )


def test_the_golden_octets_of_a_shift_jis_mail_with_a_file() -> None:
    paper = sheet("shift_jis", attachments=(Attachment("勤務表.pdf", "application/pdf", b"%PDF"),))
    assert compose(paper).raw == (
        b"Date: Wed, 01 Apr 2026 12:00:00 +0900\r\n"
        b"From: =?Shift_JIS?B?ipSOronvjtCC04Ldgs6CsQ==?= <info@example.co.jp>\r\n"
        b"To: =?Shift_JIS?B?jKmWeyCJ1I5x?= <hanako@example.ne.jp>\r\n"
        b"Subject: =?Shift_JIS?B?grKIxJPg?=\r\n"
        b"Message-ID: <d.17.3f9a@example.co.jp>\r\n"
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="=_fumibako_3f9a17"\r\n'
        b"\r\n"
        b"--=_fumibako_3f9a17\r\n"
        b"Content-Type: text/plain; charset=Shift_JIS\r\n"
        b"Content-Transfer-Encoding: base64\r\n"
        b"\r\n"
        b"lnuVtoLFgreBQg0K\r\n"
        b"\r\n"
        b"--=_fumibako_3f9a17\r\n"
        b"Content-Type: application/pdf;\r\n"
        b' name="=?Shift_JIS?B?i86WsZVcLnBkZg==?="\r\n'
        b"Content-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment;\r\n"
        b" filename*=Shift_JIS''%8B%CE%96%B1%95%5C.pdf\r\n"
        b"\r\n"
        b"JVBERg==\r\n"
        b"--=_fumibako_3f9a17--\r\n"
    )


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_strict_reader_finds_nothing_wrong_and_everything_in_its_place(charset: Charset) -> None:
    paper = sheet(
        charset,
        reply_to="reply@example.co.jp",
        cc=(Mailbox("控え, 係", "cc@example.co.jp"), Mailbox('Ann "A" O\'Neil', '"x..y"@docomo.ne.jp')),
        attachments=(
            Attachment(
                "勤務表の見本(2026年4月・とても長い名前のついたファイル)その1.xlsx",
                "application/zip",
                bytes(range(256)) * 9,
            ),
            Attachment('plain "name".txt', "text/plain; charset=utf-8", "あ".encode()),
        ),
        extra_headers=(
            ("List-Unsubscribe", "<https://example.co.jp/stop/abc>, <mailto:stop@example.co.jp?subject=abc>"),
        ),
    )
    raw = compose(paper, subject="【重要】来週のご案内と、その次の週のご案内です。" * 3, text="一行目\n二行目").raw
    read = message_from_bytes(raw, policy=strict_reader)
    assert [part.defects for part in read.walk()] == [[]] * 4
    assert [header.defects for header in read.values() if hasattr(header, "defects")] == [()] * 10
    assert read["Subject"] == "【重要】来週のご案内と、その次の週のご案内です。" * 3
    assert [(one.display_name, one.addr_spec) for one in read["From"].addresses] == [(FROM.name, FROM.address)]
    assert [(one.display_name, one.addr_spec) for one in read["To"].addresses] == [(TO.name, TO.address)]
    assert [one.display_name for one in read["Cc"].addresses] == ["控え, 係", 'Ann "A" O\'Neil']
    text, first, second = read.iter_parts()
    assert text.get_content().splitlines() == ["一行目", "二行目"]
    assert first.get_filename() == "勤務表の見本(2026年4月・とても長い名前のついたファイル)その1.xlsx"
    assert first.get_content() == bytes(range(256)) * 9
    assert (second.get_filename(), second.get_content()) == ('plain "name".txt', "あ")


def test_example_18_without_the_recipients_name_the_address_stands_alone() -> None:
    raw = compose(sheet(), to=Mailbox("", "a@example.jp")).raw
    assert "To: a@example.jp" in head_of(raw)


def test_example_18_with_the_recipients_name_it_is_encoded() -> None:
    raw = compose(sheet(), to=Mailbox("見本 花子", "a@example.jp")).raw
    assert "To: =?UTF-8?B?6KaL5pysIOiKseWtkA==?= <a@example.jp>" in head_of(raw)


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize(
    "name", ["株式会社, 山田", "Yamada, Inc.", "a@b <c@d>", "(株); 花子: x", '"', "\\", "=?UTF-8?B?44GC?="]
)
def test_example_18_a_name_with_a_comma_stays_one_address(name: str, charset: Charset) -> None:
    raw = compose(sheet(charset), to=Mailbox(name, "a@example.jp")).raw
    read = message_from_bytes(raw, policy=strict_reader)
    assert [(one.display_name, one.addr_spec) for one in read["To"].addresses] == [(name, "a@example.jp")]
    assert show(raw).to == (Mailbox(name, "a@example.jp"),)


def test_an_empty_sender_name_gives_the_bare_address() -> None:
    assert "From: info@example.jp" in head_of(compose(sheet(from_=Mailbox("", "info@example.jp"))).raw)


def test_example_08_header_and_envelope_carry_the_same_quoted_form() -> None:
    raw = compose(sheet(), to=Mailbox("", "abc..d@docomo.ne.jp")).raw
    assert 'To: "abc..d"@docomo.ne.jp' in head_of(raw)


def test_example_20_circled_digits_send_the_whole_mail_as_utf_8_and_say_so() -> None:
    mail = compose(sheet("iso-2022-jp"), text="①㈱髙の件\n")
    assert mail.charset == "utf-8"
    assert [(one.char, one.field, one.line, one.column) for one in mail.misfits] == [
        ("①", "text", 1, 1),
        ("㈱", "text", 1, 2),
        ("髙", "text", 1, 3),
    ]
    assert b"ISO-2022-JP" not in mail.raw
    assert show(mail.raw).text == "①㈱髙の件\n"


@pytest.mark.parametrize("part", ["to", "subject", "text"])
def test_example_20_one_misfit_in_any_personal_part_is_enough(part: str) -> None:
    values = {"to": "髙橋 見本", "subject": "①のご案内", "text": "髙い\n"}
    mail = Composer(sheet("iso-2022-jp")).compose(
        to=replace(TO, name=values["to"] if part == "to" else "見本"),
        subject=values["subject"] if part == "subject" else "ご案内",
        text=values["text"] if part == "text" else "本文",
        message_id=MESSAGE_ID,
        date=NOON,
        boundary=BOUNDARY,
    )
    assert (mail.charset, {one.field for one in mail.misfits}) == ("utf-8", {part})
    assert b"ISO-2022-JP" not in mail.raw


def test_example_20_a_misfit_in_the_common_parts_sends_every_mail_as_utf_8() -> None:
    mail = compose(sheet("shift_jis", from_=Mailbox("㈱ふみばこ", "info@example.jp")), text="普通の本文\n")
    assert (mail.charset, [(one.char, one.field) for one in mail.misfits]) == ("utf-8", [("㈱", "from")])
    named = compose(sheet("iso-2022-jp", attachments=(Attachment("①.pdf", "application/pdf", b""),)))
    assert (named.charset, named.misfits[0].field) == ("utf-8", "attachment")


def test_one_persons_misfit_changes_nothing_for_the_next_person() -> None:
    composer = Composer(sheet("iso-2022-jp"))

    def mail_to(name: str) -> str:
        to = Mailbox(name, "a@example.jp")
        mail = composer.compose(to=to, subject="件名", text="本文", message_id=MESSAGE_ID, date=NOON, boundary=BOUNDARY)
        return mail.charset

    assert [mail_to("山田"), mail_to("髙橋"), mail_to("山田")] == ["iso-2022-jp", "utf-8", "iso-2022-jp"]


def test_emoji_travel_in_utf_8() -> None:
    mail = compose(sheet(), subject="😀 お知らせ 👨\u200d👩\u200d👧" * 5, text="😀\n")
    assert show(mail.raw).subject == "😀 お知らせ 👨\u200d👩\u200d👧" * 5
    assert mail.misfits == ()


def test_the_same_input_gives_the_same_octets_whatever_zone_the_clock_is_told_in() -> None:
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    composer = Composer(sheet())
    raws = {
        composer.compose(to=TO, subject="件名", text="本文", message_id=MESSAGE_ID, date=date, boundary=BOUNDARY).raw
        for date in (NOON, tokyo)
    }
    assert len(raws) == 1


def test_a_date_without_an_offset_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="offset"):
        Composer(sheet()).compose(
            to=TO,
            subject="x",
            text="x",
            message_id=MESSAGE_ID,
            date=NOON.replace(tzinfo=None),
            boundary=BOUNDARY,
        )


def test_the_size_is_the_number_of_octets() -> None:
    mail = compose(sheet())
    assert mail.size == len(mail.raw)


def test_an_ascii_mail_stays_readable() -> None:
    raw = compose(sheet(from_=Mailbox("Fumibako", "info@example.jp")), subject="Hello there", text="Hi,\nbye").raw
    assert b"Subject: Hello there\r\n" in raw
    assert raw.endswith(b"Content-Transfer-Encoding: 7bit\r\n\r\nHi,\r\nbye\r\n")


@pytest.mark.parametrize(
    "name", ["Bcc", "bcc", "Resent-Bcc", "To", "Subject", "From", "Content-Type", "MIME-Version", "Received"]
)
def test_a_header_that_is_not_the_callers_is_refused(name: str) -> None:
    with pytest.raises(Unsendable) as refusal:
        compose(sheet(), extra_headers=((name, "x@example.jp"),))
    assert refusal.value.kind is Reason.FORBIDDEN_HEADER
    with pytest.raises(Unsendable):
        Composer(sheet(extra_headers=((name, "x@example.jp"),)))


@pytest.mark.parametrize("name", ["", "X Y", "X:", "X\r\nBcc", "件名", "x" * 51])
def test_a_name_that_is_no_header_name_is_refused(name: str) -> None:
    with pytest.raises(Unsendable):
        compose(sheet(), extra_headers=((name, "x"),))


def test_extra_headers_of_sheet_and_mail_are_written_and_folded_at_spaces_only() -> None:
    links = "<https://example.co.jp/stop/" + "a" * 60 + ">, <mailto:stop@example.co.jp?subject=abc>"
    raw = compose(sheet(extra_headers=(("List-Unsubscribe", links),)), extra_headers=(("X-Job", "17"),)).raw
    assert header_names(raw).count("List-Unsubscribe") == 1
    assert show(raw).headers[4:7] == (("Message-ID", MESSAGE_ID), ("List-Unsubscribe", links), ("X-Job", "17"))


def test_no_mail_carries_bcc_or_user_agent() -> None:
    names = {name.lower() for name in header_names(compose(sheet(cc=(TO,), reply_to="r@example.jp")).raw)}
    assert not names & {"bcc", "user-agent", "x-mailer", "sender"}


@pytest.mark.parametrize(
    "address", ["", "taro", "太郎@example.jp", "a@b@example.jp", "<a@example.jp>", "a b@example.jp"]
)
def test_s35_an_address_that_cannot_be_written_in_seven_bits_is_held_with_its_reason(address: str) -> None:
    with pytest.raises(Unsendable) as refusal:
        compose(sheet(), to=Mailbox("", address))
    assert (refusal.value.kind, refusal.value.field) == (Reason.BAD_ADDRESS, "to")
    assert refusal.value.detail != ""


@pytest.mark.parametrize(
    "message_id", ["", "a@b.jp", "<a@b.jp", "<a b@c.jp>", "<a@b.jp>\r\nBcc: x", "<あ@b.jp>", "<a>"]
)
def test_a_message_id_that_is_none_is_refused(message_id: str) -> None:
    with pytest.raises(Unsendable) as refusal:
        Composer(sheet()).compose(to=TO, subject="x", text="x", message_id=message_id, date=NOON, boundary=BOUNDARY)
    assert refusal.value.kind is Reason.BAD_MESSAGE_ID


def test_a_boundary_that_is_none_is_refused() -> None:
    with pytest.raises(Unsendable) as refusal:
        compose(sheet(), boundary='x"\r\nBcc: a@example.jp')
    assert refusal.value.kind is Reason.BAD_BOUNDARY


def test_new_message_ids_are_plain_functions_of_token_and_domain() -> None:
    assert new_message_id("d.17.3f9a", "example.co.jp") == "<d.17.3f9a@example.co.jp>"
    assert new_message_id("d.17", "日本語.jp") == "<d.17@xn--wgv71a119e.jp>"
    for token, domain in (
        ("", "example.jp"),
        ("a b", "example.jp"),
        ("a@b", "example.jp"),
        ("a", "nowhere"),
        ("a\n", "x.jp"),
    ):
        with pytest.raises(Unsendable):
            new_message_id(token, domain)


def test_a_mail_as_attachment_goes_as_a_plain_file() -> None:
    raw = compose(sheet(attachments=(Attachment("a.eml", "message/rfc822", b"Subject: x\r\n\r\nx"),))).raw
    assert [(one.name, one.content_type) for one in show(raw).attachments] == [("a.eml", "application/octet-stream")]


@pytest.mark.parametrize("kind", ["", "text", "text/plain\r\nBcc: x", "テキスト/plain", 'text/plain; name="x"'])
def test_a_content_type_that_is_none_becomes_a_plain_file(kind: str) -> None:
    raw = compose(sheet(attachments=(Attachment("a.bin", kind, b"x"),))).raw
    assert show(raw).attachments[0].content_type == "application/octet-stream"


def test_half_a_surrogate_pair_is_not_text() -> None:
    for values in ({"text": "a\ud83d"}, {"subject": "a\ud83d"}, {"to": Mailbox("\ud83d", "a@example.jp")}):
        for charset in CHARSETS:
            with pytest.raises(Unsendable) as refusal:
                compose(sheet(charset), **values)
            assert refusal.value.kind is Reason.NOT_TEXT


def test_a_header_value_of_100_kilobytes_is_refused() -> None:
    with pytest.raises(Unsendable) as refusal:
        compose(sheet(), subject="あ" * 100_000)
    assert (refusal.value.kind, refusal.value.field) == (Reason.TOO_LONG, "subject")


def test_header_injection_is_one_kind_of_unsendable() -> None:
    with pytest.raises(Unsendable) as refusal:
        compose(sheet(), subject="a\nBcc: x@example.jp")
    assert isinstance(refusal.value, HeaderInjection)
    assert "x@example.jp" not in str(refusal.value)
