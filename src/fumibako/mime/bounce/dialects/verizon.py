"""Verizon's gateways to phones (vtext.com, vzwpix.com): the recipient stands among the details of the message."""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words
from fumibako.mime.bounce.notice import Notice
from fumibako.mime.bounce.report import Found
from fumibako.mime.bounce.wording import ADDRESS, address_in

_TO: Final = re.compile(rf"^[ \t]*(?:RCPT TO|To): *<?({ADDRESS})", re.M | re.I)


def _read(notice: Notice, own: str) -> list[Found]:
    return [Found(address_in(match.group(1)), own, own) for match in [_TO.search(notice.words)] if match]


DIALECT: Final = Dialect(
    name="verizon",
    marks=words(
        r"^\s*Message could not be delivered to mobile\.", r"^Error: (?:Invalid user address|No valid recipients)"
    ),
    headers=(header("From", r"@(?:[\w.-]+\.)?(?:vtext|vzwpix)\.com\b"),),
    hint="userunknown",
    read=_read,
)
