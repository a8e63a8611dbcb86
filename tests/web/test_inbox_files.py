"""Names of attached files and of senders: what a stranger wrote becomes something that is safe to see and to save."""

from __future__ import annotations

import pytest

from fumibako.apps.inbox.models import MailAttachment
from fumibako.mime.read import read
from fumibako.web.inbox.files import danger_of, disposition, download_name, safe_type, shown_file, size_words
from fumibako.web.inbox.plain import pieces_of
from fumibako.web.inbox.sender import controls_shown, odd_shape, visible, warnings_of
from tests.web.inbox_scene import letter

RIGHT_TO_LEFT = "\u202e"
NAMES = {
    "../../etc/passwd": "passwd",
    "..\\..\\win.ini": "win.ini",
    "/etc/shadow": "shadow",
    "C:\\Windows\\x.dll": "x.dll",
    "\\\\host\\share\\a.txt": "a.txt",
    "a%2Fb%5Cc.txt": "a_b_c.txt",
    "a\x00b.txt": "a_b.txt",
    "a\r\nSet-Cookie: x=1.txt": "a__Set-Cookie_ x=1.txt",
    "CON": "_CON",
    "nul.txt": "_nul.txt",
    "COM¹.pdf": "_COM¹.pdf",
    "LPT1.pdf": "_LPT1.pdf",
    "a.txt:b": "a.txt_b",
    f"gp{RIGHT_TO_LEFT}gpj.exe": "gpgpj.exe",
    "a\u200bb.txt": "ab.txt",
    "か\u3099.txt": "が.txt",
    "-rf.txt": "_-rf.txt",
    "~$lock.docx": "_~$lock.docx",
    "desktop.ini": "_desktop.ini",
    "名簿.xlsx. . ": "名簿.xlsx",
    "...": "添付1",
    "": "添付1",
}


@pytest.mark.parametrize("name", NAMES)
def test_x18_a_name_to_save_under_is_one_visible_piece(name: str) -> None:
    cleaned = download_name(name, "添付1")
    assert cleaned == NAMES[name]
    assert not set(cleaned) & set('/\\:*?"<>|\x00\r\n')


def test_x18_long_names_keep_their_ending_and_fit_every_file_system() -> None:
    for name in ("名" * 300 + ".xlsx", "a" * 300 + ".pdf", "x" * 300):
        cleaned = download_name(name, "添付1")
        assert len(cleaned.encode()) <= 200
        assert cleaned.endswith(name[-4:])


def test_x18_the_header_line_stays_one_line_and_saves() -> None:
    header = disposition(download_name('a"\r\nX: y;名簿.xlsx', "f"))
    assert header.startswith("attachment; ")
    assert header.isascii()
    assert not set(header) & set("\r\n")


@pytest.mark.parametrize(
    "name",
    ["a.exe", "a.html", "a.svg", "請求書.pdf.js", "a.xlsm", "a.lnk", "a.url", "a.library-ms", "a.scf", "a.HTA. "],
)
def test_x18_what_may_act_is_called_dangerous_and_has_no_type_of_its_own(name: str) -> None:
    assert danger_of(name, "application/pdf")
    assert safe_type("application/pdf", name) == "application/octet-stream"


def test_x18_a_dangerous_type_under_a_harmless_name_is_octets() -> None:
    assert safe_type("text/html", "a.txt") == "application/octet-stream"
    assert danger_of("a.txt", "text/html")
    assert safe_type("image/png", "a.png") == "image/png"
    assert not danger_of("a.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def test_a_file_is_told_in_words_and_size_and_whether_it_was_kept() -> None:
    kept = MailAttachment(position=0, name="シフト.xlsx", content_type="application/x", size=18 * 1024, is_saved=True)
    assert shown_file(kept, "/f/").words == "Excel 18KB ・ 保存してから開きます"
    lost = MailAttachment(position=1, name="", content_type="application/pdf", size=3, is_saved=False)
    shown = shown_file(lost, "/f/")
    assert (shown.name, shown.url) == ("名前のない添付2", "")
    assert "保存していません" in shown.words
    assert size_words(3 * 1024 * 1024) == "3.0MB"


ANOTHER = "差出人名と実際のアドレスが違います。"
SPOOFS = {
    "an address as name": ('"info@bank.example" <x@evil.example>', ANOTHER),
    "an encoded address as name": ("=?utf-8?b?aW5mb0BiYW5rLmV4YW1wbGU=?= <x@evil.example>", ANOTHER),
    "bidi controls": ("=?utf-8?b?4oCubGl2ZQ==?= <x@evil.example>", "見えない文字"),
    "zero width": ("=?utf-8?b?YeKAi2I=?= <x@evil.example>", "見えない文字"),
    "punycode": ("PayPal <x@xn--aypal-uye.example>", "xn--"),
    "mixed scripts": ("=?utf-8?q?Pay?= <x@p\u0430ypal.example>", "違う国の文字"),
    "cyrillic alone": ("Shop <x@\u0440\u0430\u0443.example>", "違う国の文字"),
    "nobody": ("", "差出人がありません。"),
    "empty brackets": ("A <>", "差出人がありません。"),
    "group": ("undisclosed-recipients:;", "差出人がありません。"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOOFS)
def test_x14_a_sender_who_looks_like_another_gets_a_warning(name: str) -> None:
    sender, words = SPOOFS[name]
    raw = f"From: {sender}\r\nSubject: a\r\n\r\nb\r\n".encode()
    mail = read(raw)
    told = warnings_of(mail.problems, mail.from_.name, mail.from_.address)
    assert words in "".join(one.strong for one in told), (mail.from_, mail.problems)


def test_x14_two_from_fields_and_another_place_for_answers_are_told() -> None:
    two = read(b"From: a@example.jp\r\nFrom: b@evil.example\r\nSubject: a\r\n\r\nb\r\n")
    told = warnings_of(two.problems, two.from_.name, two.from_.address, ["c@elsewhere.example"])
    words = "".join(one.strong for one in told)
    assert "差出人が複数書かれています。" in words
    assert "返信先が差出人と違います。" in words


def test_x14_a_namesake_with_another_address_is_told() -> None:
    told = warnings_of((), "山田 太郎", "x@evil.example", namesake="山田 太郎")
    assert told[0].strong == "差出人名と実際のアドレスが違います。"


def test_x14_an_ordinary_sender_has_no_warning() -> None:
    mail = read(letter("本文"))
    assert warnings_of(mail.problems, mail.from_.name, mail.from_.address, ["yamada.t@example.jp"]) == []
    assert odd_shape("日本語.example") == ""


def test_x14_controls_are_made_visible_and_long_names_are_cut() -> None:
    assert controls_shown(f"a{RIGHT_TO_LEFT}b") == "a␣b"
    assert len(visible("名" * 10_000)) < 100


def test_links_in_text_hold_nothing_but_an_address() -> None:
    text = 'x https://a.example/?q="><script>alert(1)</script> と https://b.example/。\n> javascript:alert(1)\n'
    pieces = pieces_of(text)
    assert "".join(piece.text for piece in pieces) == text
    assert [piece.url for piece in pieces if piece.url] == ["https://a.example/?q=", "https://b.example/"]
    assert [piece.text for piece in pieces if piece.is_quote] == ["> javascript:alert(1)\n"]
