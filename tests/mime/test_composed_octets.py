"""What is true of the octets of every mail, whatever people write into it."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.header import decode_header

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fumibako.mime.addresses import judge
from fumibako.mime.compose import Attachment, Composed, HeaderInjection, Mailbox, Unsendable
from fumibako.mime.encodings import Charset, misfits
from fumibako.mime.preview import show
from tests.mime.mails import BOUNDARY, compose, head_of, header_names, sheet
from tests.mime.texts import canonical, text_in, with_plain_lines

CHARSETS: tuple[Charset, ...] = ("utf-8", "iso-2022-jp", "shift_jis")
charsets = st.sampled_from(CHARSETS)
POISON = [
    "\r\nBcc: x@example.jp",
    "\nBcc: x@example.jp",
    "\r",
    "\n Bcc: x@example.jp",
    "\x00",
    "\u2028",
    "\u2029",
    "\x85",
]
POISON += ["\x0b", "\x0c", "\x1c", "\x1b", "\x7f"]
SMUGGLED = ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r", "\r\n.\r\n", "\r\n\x00.\r\n", "\n.\nMAIL FROM:<x@example.jp>\r\n"]
NASTY_LINES = st.sampled_from(
    [
        ".",
        "..",
        "",
        "From x",
        "あ" * 700,
        "a" * 3000,
        "a b " * 400,
        "--" + BOUNDARY,
        "\x00",
        "\x0c",
        "\t",
        " ",
        "=41",
        "-- ",
    ]
)
LINE_ENDS = st.sampled_from(["\r\n", "\n", "\r"])


@st.composite
def bodies(draw: st.DrawFn, charset: Charset) -> str:
    """A text of ordinary and nasty lines, each ended in its own way, the last one perhaps not at all."""
    lines = draw(st.lists(text_in(charset, max_size=30) | NASTY_LINES, max_size=8))
    text = "".join(line + draw(LINE_ENDS) for line in lines)
    return text + draw(st.sampled_from(["", "おわり", "end"]))


def sent_or_refused(charset: Charset, subject: str, text: str) -> Composed | Unsendable:
    """The mail, or why there is none."""
    try:
        return compose(sheet(charset), text=text, subject=subject)
    except Unsendable as refusal:
        return refusal


def assert_safe_on_the_wire(raw: bytes) -> None:
    """Seven bits, CRLF only, no line over 998 octets, ended by CRLF, no NUL, nothing that dot-stuffing could miss."""
    assert raw.isascii()
    assert b"\x00" not in raw
    assert raw.replace(b"\r\n", b"").count(b"\r") == raw.replace(b"\r\n", b"").count(b"\n") == 0
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.endswith(b"\r\n")
    assert not re.search(rb"^\.", raw, re.MULTILINE)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), charset=charsets, has_file=st.booleans())
def test_s36_the_body_received_is_the_body_written_and_the_wire_is_clean(
    data: st.DataObject, charset: Charset, has_file: bool
) -> None:
    text = data.draw(bodies(charset))
    files = (Attachment("a.bin", "application/zip", b"\r\n.\r\n" * 30),) if has_file else ()
    mail = compose(sheet(charset, attachments=files), text=text)
    assert_safe_on_the_wire(mail.raw)
    assert mail.charset == charset
    assert with_plain_lines(show(mail.raw).text) == canonical(with_plain_lines(text), charset)
    read = message_from_bytes(mail.raw)
    parts = [part for part in read.walk() if not part.is_multipart()]
    assert [part.get_payload(decode=True) for part in parts[1:]] == [b"\r\n.\r\n" * 30] * has_file


@settings(max_examples=200, deadline=None)
@given(data=st.data(), charset=charsets)
@example(data=None, charset="iso-2022-jp").via("the longest header we accept")
def test_subject_names_and_file_names_come_back_as_they_were(data: st.DataObject | None, charset: Charset) -> None:
    texts = [data.draw(text_in(charset)) if data else "あa" * 120 for _ in range(4)]
    subject, to_name, from_name, file_name = texts
    paper = sheet(
        charset,
        from_=Mailbox(from_name, "info@example.jp"),
        attachments=(Attachment(file_name, "application/pdf", b"x"),),
    )
    mail = compose(paper, subject=subject, to=Mailbox(to_name, "a@example.jp"))
    assert (mail.charset, mail.misfits) == (charset, ())
    assert_safe_on_the_wire(mail.raw)
    seen = show(mail.raw)
    assert seen.subject == canonical(subject, charset)
    assert seen.to == (Mailbox(canonical(to_name.strip(), charset), "a@example.jp"),)
    assert seen.from_ == Mailbox(canonical(from_name.strip(), charset), "info@example.jp")
    assert seen.attachments[0].name == canonical(file_name.strip(), charset)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), charset=charsets)
def test_no_encoded_word_is_cut_inside_a_character_and_no_line_is_too_long(
    data: st.DataObject, charset: Charset
) -> None:
    subject = data.draw(text_in(charset, max_size=300))
    name = data.draw(text_in(charset, max_size=100))
    lines = head_of(compose(sheet(charset), subject=subject, to=Mailbox(name, "a@example.jp")).raw)
    assert max(map(len, lines)) <= 76
    for line in lines:
        for word in re.findall(r"=\?[^?]+\?B\?[^?]*\?=", line):
            assert len(word) <= 75
            ((raw, label),) = decode_header(word)
            assert isinstance(raw, bytes)
            assert isinstance(label, str)
            assert raw.decode(label)
            assert label != "iso-2022-jp" or raw.rfind(b"\x1b(B") == raw.rfind(b"\x1b") or b"\x1b" not in raw


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=80), subject=st.text(max_size=30), charset=charsets)
def test_any_text_at_all_is_either_sent_whole_or_refused_with_a_reason(
    text: str, subject: str, charset: Charset
) -> None:
    mail = sent_or_refused(charset, subject, text)
    if isinstance(mail, Unsendable):
        assert mail.field in ("subject", "text")
        return
    assert_safe_on_the_wire(mail.raw)
    assert with_plain_lines(show(mail.raw).text) == canonical(with_plain_lines(text), mail.charset)
    if charset != "utf-8":
        assert (mail.charset == charset) == (not misfits(text, charset) and not misfits(subject, charset))


@settings(max_examples=200, deadline=None)
@given(local=st.text("ab.-_+", min_size=1, max_size=20), charset=charsets)
def test_header_and_envelope_agree_about_every_address(local: str, charset: Charset) -> None:
    verdict = judge(f"{local}@docomo.ne.jp", allow_non_rfc=True)
    assert verdict.is_accepted
    to = Mailbox("花子", f"{local}@docomo.ne.jp")
    assert show(compose(sheet(charset), to=to).raw).to == (Mailbox("花子", verdict.wire),)


@pytest.mark.parametrize("poison", POISON)
@pytest.mark.parametrize("place", ["subject", "to", "from", "cc", "attachment", "x-note"])
@pytest.mark.parametrize("charset", CHARSETS)
def test_x11_a_line_break_never_gets_into_a_header(place: str, poison: str, charset: Charset) -> None:
    def value(field: str) -> str:
        return f"件名{poison}つづき" if field == place else "無害"

    with pytest.raises(HeaderInjection) as refusal:
        compose(
            sheet(
                charset,
                from_=Mailbox(value("from"), "info@example.jp"),
                cc=(Mailbox(value("cc"), "cc@example.jp"),),
                attachments=(Attachment(value("attachment") + ".pdf", "application/pdf", b""),),
            ),
            to=Mailbox(value("to"), "a@example.jp"),
            subject=value("subject"),
            extra_headers=(("X-Note", value("x-note")),),
        )
    assert refusal.value.field == place


@pytest.mark.parametrize("poison", ["\r\nBcc: x@example.jp", "\n", "\x00", "\u2028"])
def test_x11_a_line_break_in_an_address_is_header_injection_too(poison: str) -> None:
    for paper, to in (
        (sheet(), f"a{poison}@example.jp"),
        (sheet(from_=Mailbox("", f"a@example.jp{poison}")), "a@example.jp"),
        (sheet(reply_to=f"a@example.jp{poison}"), "a@example.jp"),
        (sheet(cc=(Mailbox("", f"a@example.jp{poison}"),)), "a@example.jp"),
    ):
        with pytest.raises(Unsendable):
            compose(paper, to=Mailbox("", to))


@pytest.mark.parametrize("charset", CHARSETS)
def test_x11_an_encoded_line_break_stays_letters_and_signs(charset: Charset) -> None:
    trick = "=?UTF-8?B?DQpCY2M6IHhAZXhhbXBsZS5qcA==?="
    raw = compose(
        sheet(charset), subject=trick, to=Mailbox(trick, "a@example.jp"), extra_headers=(("X-Note", trick),)
    ).raw
    seen = show(raw)
    assert (seen.subject, seen.to[0].name, dict(seen.headers)["X-Note"]) == (trick, trick, trick)


def test_x11_the_set_of_headers_is_the_intended_one() -> None:
    names = header_names(compose(sheet(), subject="Bcc: x@example.jp", text="Bcc: x@example.jp\n\nCc: y").raw)
    assert names == [
        *("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")
    ]


@pytest.mark.parametrize("smuggled", SMUGGLED)
@pytest.mark.parametrize("charset", CHARSETS)
def test_x12_no_end_of_mail_can_be_smuggled_in_the_text(smuggled: str, charset: Charset) -> None:
    for text in (f"本文{smuggled}つづき", f"text{smuggled}more", smuggled):
        raw = compose(sheet(charset), text=text).raw
        assert_safe_on_the_wire(raw)
        assert with_plain_lines(show(raw).text) == with_plain_lines(text)


def test_s36_a_japanese_paragraph_without_line_ends_is_sent_whole() -> None:
    text = "あ" * 20_000
    raw = compose(sheet("iso-2022-jp"), text=text).raw
    assert_safe_on_the_wire(raw)
    assert show(raw).text == text + "\n"


@pytest.mark.parametrize("length", [990, 991, 998, 999, 5000])
def test_s36_lines_near_the_limit_arrive_unbroken(length: int) -> None:
    raw = compose(sheet(), text="a" * length + "\nb").raw
    assert_safe_on_the_wire(raw)
    assert show(raw).text == "a" * length + "\nb\n"


@pytest.mark.parametrize("charset", CHARSETS)
def test_s36_our_own_boundary_in_the_text_ends_nothing(charset: Charset) -> None:
    files = (Attachment("a.bin", "application/zip", b"x"),)
    text = f"one\n--{BOUNDARY}\n--{BOUNDARY}--\ntwo\n"
    seen = show(compose(sheet(charset, attachments=files), text=text).raw)
    assert (seen.text, len(seen.attachments)) == (text, 1)


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("length", range(1, 60))
def test_the_lines_that_carry_a_file_name_are_folded_and_it_comes_back(length: int, charset: Charset) -> None:
    name = ("勤務a表" * 20)[:length] + ".pdf"
    raw = compose(sheet(charset, attachments=(Attachment(name, "application/pdf", b"x"),))).raw
    assert max(map(len, raw.split(b"\r\n"))) <= 76
    assert show(raw).attachments[0].name == name


ENDINGS = (
    "様\n\nいつもお世話になっております。\n明日は10時です。\n",
    "様\nplain\nand more, all of it ASCII.\n",
    "\n.の前\nFrom: 見本\n",
    "様\n.\nFrom here on\nつづき\n",
    f"様\n--{BOUNDARY}\nつづき\n",
    "様\n" + "長い行" * 200 + "\nつづき\n",
    "様、①は機種依存です。\nつづき\n",
    "様\r\nつづき\r\n",
    "様\nつづきに行末がない",
    "一行だけ\n",
    "短\n\n",
    "\n",
)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), charset=st.sampled_from(CHARSETS), ending=st.sampled_from(ENDINGS), has_file=st.booleans())
def test_an_ending_encoded_once_gives_the_octets_of_the_whole_text(
    data: st.DataObject, charset: Charset, ending: str, has_file: bool
) -> None:
    beginning = data.draw(
        text_in(charset, max_size=80, extra="\n.") | st.sampled_from(["", "見本 花子", "a" * 57, "①"])
    )
    paper = sheet(charset, attachments=(Attachment("a.bin", "application/zip", b"x"),) if has_file else ())
    assert compose(paper, text=beginning, ending=ending) == compose(paper, text=beginning + ending)
