"""Letters that outsiders write to the office: tables in the TOML files beside this one, and how they become raw mails.

A table `letter` says `to` whom (local part), `from` whom ("staff:3", or a name and address), `at` when ("-2 18:40": two
days ago), in which `charset`, and what: `subject`, `text`, `html`, `files`; or the whole mail as `raw` with places for
what the office has sent, `about` which person of the round. `work`, `mine` and `note` say what the office did with it.
Bytes are written here without a mail library, as in `practice.replies`.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import tomllib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fumibako.practice.replies import date_of

FOLDER = Path(__file__).parent
DOMAIN = "letters.example"
CODECS = {"utf-8": "utf-8", "iso-2022-jp": "iso2022_jp", "shift_jis": "cp932"}
HALF_WIDTH = "iso2022_jp_ext"
"""ISO-2022-JP with the half-width kana that it does not have, as phones wrote it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One table, in the words of the TOML files."""

    to: str
    at: str
    subject: str = ""
    sender: str = ""
    charset: str = "utf-8"
    half_width: bool = False
    text: str = ""
    html: str = ""
    files: tuple[Mapping[str, str], ...] = ()
    headers: tuple[str, ...] = ()
    raw: str = ""
    about: int = 0
    work: str = ""
    mine: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is not in the table: the addresses, the moment, a serial number, and what `raw` has places for."""

    sender_name: str
    sender_address: str
    to_address: str
    at: datetime
    serial: int
    places: Mapping[str, str] = field(default_factory=dict)


def letters() -> list[Letter]:
    """Every letter there is, in the order of the files."""
    return [_letter(table) for path in sorted(FOLDER.glob("*.toml")) for table in _tables(path)]


def message_id(facts: Facts) -> str:
    """The Message-ID, the same in every run."""
    return f"{facts.serial:04d}.{hashlib.sha256(facts.sender_address.encode()).hexdigest()[:12]}@{DOMAIN}"


def raw_letter(letter: Letter, facts: Facts) -> bytes:
    """The letter as it comes over the line."""
    if letter.raw:
        words = {"date": date_of(facts.at), "serial": str(facts.serial), **facts.places}
        text = letter.raw.lstrip("\n")
        for name, value in words.items():
            text = text.replace(f"{{{name}}}", value)
        return _lines(text).encode(CODECS[letter.charset])
    head = [
        f"Return-Path: <{facts.sender_address}>",
        f"From: {_word(letter, facts.sender_name)} <{facts.sender_address}>",
        f"To: <{facts.to_address}>",
        f"Subject: {_word(letter, letter.subject)}",
        f"Date: {date_of(facts.at)}",
        f"Message-ID: <{message_id(facts)}>",
        *letter.headers,
        "MIME-Version: 1.0",
    ]
    return _joined(head) + _body(letter, facts)


def _letter(table: dict[str, Any]) -> Letter:
    words: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}
    return Letter(sender=words.pop("from", ""), **words)


def _tables(path: Path) -> list[dict[str, Any]]:
    tables: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["letter"]
    return tables


def _body(letter: Letter, facts: Facts) -> bytes:
    texts = [_text(letter, "plain", letter.text)] if letter.text else []
    texts += [_text(letter, "html", letter.html)] if letter.html else []
    found = texts[0] if len(texts) == 1 else _multipart("alternative", texts, facts)
    if letter.files:
        is_related = any("cid" in file for file in letter.files)
        found = _multipart("related" if is_related else "mixed", [found, *map(_file, letter.files)], facts)
    return found


def _text(letter: Letter, kind: str, text: str) -> bytes:
    raw = _lines(text.lstrip("\n")).encode(_codec(letter))
    head = [f"Content-Type: text/{kind}; charset={letter.charset.upper()}"]
    if letter.charset == "iso-2022-jp":
        return _joined([*head, "Content-Transfer-Encoding: 7bit", ""]) + raw
    return _joined([*head, "Content-Transfer-Encoding: base64", ""]) + _base64(raw)


def _file(file: Mapping[str, str]) -> bytes:
    kind, name = file["kind"], file["name"]
    content_type = {"pdf": "application/pdf", "png": "image/png", "csv": "text/csv"}[kind]
    disposition = "inline" if "cid" in file else "attachment"
    # Half of the world writes RFC 2231, the other half an encoded word where none may stand.
    named = f"filename*=UTF-8''{quote(name)}" if kind != "png" else f'filename="{_encoded(name.encode(), "UTF-8")}"'
    head = [
        f"Content-Type: {content_type}",
        f"Content-Disposition: {disposition};\r\n {named}",
        "Content-Transfer-Encoding: base64",
        *([f"Content-ID: <{file['cid']}>"] if "cid" in file else []),
        "",
    ]
    return _joined(head) + _base64(_CONTENTS[kind]())


def _multipart(kind: str, parts: list[bytes], facts: Facts) -> bytes:
    boundary = f"={kind}-{facts.serial:04d}="
    line = f"--{boundary}\r\n".encode()
    head = _joined([f'Content-Type: multipart/{kind}; boundary="{boundary}"', ""])
    return head + b"".join(line + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()


def _codec(letter: Letter) -> str:
    return HALF_WIDTH if letter.half_width else CODECS[letter.charset]


def _word(letter: Letter, text: str) -> str:
    """A header's text as encoded words of a few characters each (RFC 2047 §2), folded."""
    codec = _codec(letter)
    try:
        text.encode(codec)
        charset = letter.charset.upper()
    except UnicodeEncodeError:  # a name that the letter's charset does not have
        codec, charset = "utf-8", "UTF-8"
    parts = [text[start : start + 10] for start in range(0, len(text), 10)]
    return "\r\n ".join(_encoded(part.encode(codec), charset) for part in parts)


def _encoded(raw: bytes, charset: str) -> str:
    return f"=?{charset}?B?{base64.b64encode(raw).decode()}?="


def _base64(raw: bytes) -> bytes:
    return base64.encodebytes(raw).replace(b"\n", b"\r\n")


def _lines(text: str) -> str:
    return text.replace("\n", "\r\n")


def _joined(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def _pdf() -> bytes:
    """One blank A4 page."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    ]
    found, starts = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        starts.append(len(found))
        found += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    end = b"trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(found)
    return found + b"xref\n0 4\n0000000000 65535 f \n" + table + end


def _png() -> bytes:
    """A light square with a darker one in it, 160 by 120."""
    rows = b"".join(
        b"\0" + b"".join(b"\x5b\x8c\xd6" if 40 <= x < 120 and 30 <= y < 90 else b"\xe8\xef\xf8" for x in range(160))
        for y in range(120)
    )
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 160, 120, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _csv() -> bytes:
    """A table as Excel in Japan saves it."""
    return "氏名,日数,残業\r\n見本 一郎,20,24.5\r\n見本 次郎,19,3.0\r\n".encode("cp932")


_CONTENTS: dict[str, Callable[[], bytes]] = {"pdf": _pdf, "png": _png, "csv": _csv}
