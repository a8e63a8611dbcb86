"""What a mail holds that no row keeps: its HTML, its pictures and files, read again by a limited child process."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import Http404

from fumibako.apps.inbox.models import MailAttachment, ReceivedMail
from fumibako.apps.inbox.reader.pool import POOL, Answer, Request

from .frame import PICTURE_OCTETS, PICTURE_TYPES, Picture

HEADER_CHARACTERS: Final = 64 * 1024
MOST_PICTURES: Final = 50


class BytesLost(Http404):
    """The file of a mail is not where it was put, or is too much for its reader."""


def raw_of(mail: ReceivedMail) -> bytes:
    """The bytes as they came. Raises BytesLost, which is a 404 where nothing else can be shown."""
    try:
        return bytes((settings.DATA.mail / mail.raw_path).read_bytes())
    except OSError as trouble:
        raise BytesLost("保存したメールのファイルが見つかりません。") from trouble


def header_of(mail: ReceivedMail) -> str:
    """The header block as it came, for 原文; bytes that are no ASCII are shown as \\x…."""
    head = raw_of(mail)[: HEADER_CHARACTERS * 2].replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    return head.decode("ascii", "backslashreplace")[:HEADER_CHARACTERS]


def html_of(mail: ReceivedMail) -> str:
    """The sender's HTML, decoded and nothing else. Raises BytesLost."""
    return _ask(mail, [Request(_path(mail), "page", mail.charset_override)])[0].html


def file_of(mail: ReceivedMail, position: int) -> bytes:
    """The bytes of one file. Raises BytesLost."""
    return _ask(mail, [Request(_path(mail), "attachment", position=position)])[0].raw


def pictures_of(mail: ReceivedMail) -> dict[str, Picture]:
    """Content-ID → picture that came with the mail; what is odd or too much is left out. Raises BytesLost."""
    rows = drawable(mail)
    answers = _ask(mail, [Request(_path(mail), "attachment", position=row.position) for row in rows])
    return {row.content_id: (row.content_type, answer.raw) for row, answer in zip(rows, answers, strict=True)}


def drawable(mail: ReceivedMail) -> list[MailAttachment]:
    """The pictures that the frame may show in their place, as long as they fit."""
    rows = mail.attachments.filter(is_saved=True, content_type__in=PICTURE_TYPES).exclude(content_id="")
    left, found = PICTURE_OCTETS, []
    for row in rows[:MOST_PICTURES]:
        left -= row.size
        if left < 0:
            break
        found.append(row)
    return found


def _path(mail: ReceivedMail) -> str:
    return str(settings.DATA.mail / mail.raw_path)


def _ask(mail: ReceivedMail, requests: list[Request]) -> list[Answer]:
    if not requests:
        return []
    with POOL.reader() as reader:
        answers = reader.ask(requests)
    failed = next((answer.failed for answer in answers if answer.failed), "")
    if failed:
        words = (
            "保存したメールのファイルが見つかりません。"
            if failed == "file"
            else "メールが大きいか複雑すぎて読み取れません。"
        )
        raise BytesLost(words)
    return answers
