"""Mails and pages that cost more than they look: each is made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable

MULTIPART = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"


def _text(charset: str, body: bytes, more: str = "") -> bytes:
    return f"Content-Type: text/plain; charset={charset}\r\n{more}\r\n".encode() + body


def _nested(levels: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(levels)
    )


def _named(value: bytes) -> bytes:
    return b"Content-Type: text/plain;" + value + b"\r\n\r\n"


def _subject(value: bytes) -> bytes:
    return b"Subject: " + value + b"\r\n\r\ntext"


def _people(value: bytes) -> bytes:
    return b"To: " + value + b"\r\n\r\ntext"


def _encoded(encoding: str, body: bytes, kind: str = "text/plain") -> bytes:
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body


def _pages_in_parts(count: int, page: bytes) -> bytes:
    return MULTIPART + (b"--x\r\nContent-Type: text/html\r\n\r\n" + page + b"\r\n") * count


MAILS: dict[str, Callable[[], bytes]] = {
    "341 KB of addresses": lambda: _people(b"a@example.jp, " * 24_400),
    "341 KB of quoted names": lambda: _people(b'"a, b" <a@example.jp>, ' * 15_000),
    "341 KB of at signs": lambda: _people(b"@" * 341_000),
    "250 KB of quotation marks": lambda: _people(b'"' * 250_000),
    "900 parentheses": lambda: b"From: " + b"(" * 900 + b"\r\n\r\n",
    "100,000 parentheses": lambda: _people(b"(" * 100_000),
    "100,000 parts": lambda: MULTIPART + b"--x\r\n\r\na\r\n" * 100_000,
    "100,000 alternatives": lambda: (
        b"Content-Type: multipart/alternative; boundary=x\r\n\r\n" + b"--x\r\n\r\na" * 100_000
    ),
    "5,000 levels": lambda: _nested(5_000),
    "5,000 levels with one boundary": lambda: (MULTIPART + b"--x\r\n") * 5_000,
    "49 levels and boundaries that are none": lambda: _nested(49) + b"\n--z" * 3_000_000,
    "5,000 enclosed mails": lambda: b"Content-Type: message/rfc822\r\n\r\n" * 5_000 + b"a" * 5_000_000,
    "100,000 fields": lambda: b"".join(b"X-H%d: y\r\n" % number for number in range(100_000)) + b"\r\n",
    "100,000 lines that are no fields": lambda: b"From: a\r\n" + b"junk line\r\nTo: x\r\n" * 50_000 + b"\r\n",
    "a million folds": lambda: b"Subject: a\r\n" + b" b\r\n" * 1_000_000 + b"\r\n",
    "a 10 MB header line": lambda: _subject(b"x" * 10_000_000),
    "a 10 MB address": lambda: _people(b"<" * 10_000_000),
    "2,000 name pieces": lambda: _named(b"".join(b" name*%d=x;" % number for number in range(2_000))),
    "2,000 encoded name pieces": lambda: _named(b"".join(b" name*%d*=%%e3;" % number for number in range(2_000))),
    "100,000 parameters": lambda: _named(b"a;" * 100_000),
    "parameters that never begin": lambda: b"Content-Type: text/plain name" + b" name" * 40_000 + b"\r\n\r\n",
    "20,000 words": lambda: _subject(b"=?utf-8?B?YQ==?= " * 20_000),
    "20,000 words that never end": lambda: _subject(b"=?utf-8?B?" * 20_000),
    "20,000 question marks in a word": lambda: _subject(b"=?utf-8?Q?=3D?=" + b"?=3D" * 20_000),
    "base64 without end": lambda: _encoded("base64", b"QUFB" * 5_000_000),
    "a file of base64 without end": lambda: _encoded("base64", b"QUFB" * 10_000_000, "application/pdf"),
    "base64 of padding": lambda: _encoded("base64", b"Q=" * 3_000_000),
    "6 MB of spaces in quoted-printable": lambda: _encoded("quoted-printable", b" " * 6_000_000),
    "10 MB of equals signs": lambda: _encoded("quoted-printable", b"=" * 10_000_000),
    "uuencoded lines that promise much": lambda: _encoded("x-uuencode", b"begin 644 a\n" + b"M\n" * 3_000_000),
    "a million beginnings of files": lambda: _text("utf-8", b"begin 644 a\nM\n" * 400_000),
    "2 million escapes": lambda: _text("iso-2022-jp", b"\x1b$B" * 2_000_000),
    "2 million escapes without ESC": lambda: _text("iso-2022-jp", b"$B" * 3_000_000),
    "kanji without end": lambda: _text("iso-2022-jp", b"\x1b$B" + b'$"' * 3_000_000),
    "pictograms without end": lambda: _text("shift_jis", b"\xf8\x9f" * 3_000_000),
    "bytes in no charset": lambda: _text("us-ascii", bytes(range(128, 256)) * 47_000),
    "flowed lines": lambda: _text("utf-8; format=flowed", b"> a \r\n" * 1_000_000),
    "1,000 pages": lambda: _pages_in_parts(1_000, b"<p>a</p>" * 700),
    "an open tag of 1 MB": lambda: b"Content-Type: text/html\r\n\r\n" + b"<a " * 333_000,
    "1 MB of less-than signs": lambda: b"Content-Type: text/html\r\n\r\n" + b"<" * 1_000_000,
    "100,000 nested tags": lambda: b"Content-Type: text/html\r\n\r\n" + b"<div>" * 100_000,
    "10 MB in a TNEF file": lambda: b"Content-Type: application/ms-tnef\r\n\r\n" + b"\x00" * 10_000_000,
}

PAGES: dict[str, Callable[[], str]] = {
    "1 MB of less-than signs": lambda: "word " + "<" * 999_000,
    "1 MB of tags that never end": lambda: "word " + "<a" * 499_000,
    "100,000 nested tags": lambda: "<div>" * 100_000 + "word",
    "100,000 tags nested behind false ends": lambda: "word" + "<div></span>" * 80_000,
    "100,000 ends of what never began": lambda: "word" + "<b></p>" * 100_000,
    "80,000 nested formats": lambda: "word" + "<b><i>" * 80_000,
    "400 colours and 50,000 paragraphs": lambda: (
        "word" + "".join(f"<font color=#{number:06x}>" for number in range(400)) + "<p>x</p>" * 50_000
    ),
    "50,000 tables": lambda: "word" + "<table>x" * 50_000,
    "100,000 drawings": lambda: "word" + "<svg>" * 100_000,
    "100,000 templates": lambda: "word" + "<template>" * 100_000,
    "100,000 scripts": lambda: "word" + "<script>" * 100_000,
    "100,000 forms": lambda: "word" + "<button>" * 100_000,
    "250,000 comments": lambda: "word" + "<!--" * 249_000,
    "1 MB of ampersands": lambda: "word" + "&" * 999_000,
    "500,000 broken references": lambda: "word" + "&#" * 499_000,
    "250,000 attributes": lambda: "word<a " + "a=b " * 249_000 + ">",
    "one attribute of 1 MB": lambda: 'word<p style="' + "a:b;" * 249_000 + '">',
    "a picture of 900 KB in the page": lambda: '<img src="data:image/png;base64,' + "A" * 900_000 + '">word',
    "100 styles full of comments": lambda: ('<p style="' + "/*" * 4_900 + '">word') * 100,
    "60,000 pictures": lambda: "word" + "<img src=cid:a>" * 60_000,
    "200,000 list items": lambda: "word" + "<li>" * 200_000,
}
