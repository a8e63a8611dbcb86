"""HCL (Lotus) Domino and the older Notes gateway: `was not delivered to: … because:`, or reasons between dashes."""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words
from fumibako.mime.bounce.notice import Notice
from fumibako.mime.bounce.recipients import failed_recipients
from fumibako.mime.bounce.report import Found

_REASONS: Final = re.compile(r"^-{3,} Failure Reasons\s+-{3,}\s*\n(.{0,4000}?)(?=^-{3,}|\Z)", re.M | re.S)

# Its own directory is where it looked: nobody hides behind this answer.
_UNLISTED: Final = re.compile(r"not listed in|リストにありません", re.I)


def _read(notice: Notice, own: str) -> list[Found]:
    """The Notes gateway puts the reason above the address; everywhere else the general reader is right."""
    match = _REASONS.search(own)
    if match is None:
        return []
    found = failed_recipients(match.group(1), "", set())
    for one in found:
        one.words = match.group(1).replace(one.address, " ").strip()
        one.hint = "userunknown" if _UNLISTED.search(one.words) else ""
    return found


DIALECT: Final = Dialect(
    name="domino",
    marks=words(
        r"^-{3,} Failure Reasons\s+-{3,}",
        r"^\s*was not delivered to:\s*$",
        r"not listed in (?:public )?(?:Name & Address Book|Domino Directory)",
    ),
    headers=(header("Subject", r"^DELIVERY FAILURE: "),),
    read=_read,
)
