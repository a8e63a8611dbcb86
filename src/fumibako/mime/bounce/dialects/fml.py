"""fml, the Japanese mailing list manager: refusals to people who are no members, and loops it found."""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words
from fumibako.mime.bounce.notice import Notice
from fumibako.mime.bounce.report import Found
from fumibako.mime.bounce.wording import address_in

_LOOP: Final = re.compile(r"duplicated message-id|loop|duplication", re.I)
_LIST: Final = re.compile(r"<[^<>\s]{1,200}@[^<>\s]{1,200}>")


def _read(notice: Notice, own: str) -> list[Found]:
    match = _LIST.search(own[:4_000])
    if match is None:
        return []
    is_loop = _LOOP.search(f"{notice.header('Subject')} {own[:2_000]}") is not None
    return [Found(address_in(match.group()), own, hint="systemerror" if is_loop else "rejected")]


DIALECT: Final = Dialect(
    name="fml",
    marks=words(r"^You are not a member of this mailing list", r"^Duplicated Message-ID in <"),
    headers=(header("X-MLServer", r"^fml\b"),),
    is_proof=True,
    hint="rejected",
    read=_read,
)
