"""AOL: screen names without a domain below a sentence that ends in a colon."""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header
from fumibako.mime.bounce.notice import Notice
from fumibako.mime.bounce.report import RECIPIENTS, Found

_NAMES: Final = re.compile(r"could not be delivered[^:]{0,300}:\s*\n((?:[ \t]*[\w. -]{3,60}\n?)+)", re.I)


def _read(notice: Notice, own: str) -> list[Found]:
    match = _NAMES.search(own[:20_000])
    if match is None:
        return []
    names = [line.replace(" ", "") for line in match.group(1).split("\n") if line.strip()]
    return [Found(f"{name.lower()}@aol.com", around=own) for name in names[:RECIPIENTS]]


DIALECT: Final = Dialect(name="aol", headers=(header("From", r"mailer-daemon@aol\.com"),), read=_read)
