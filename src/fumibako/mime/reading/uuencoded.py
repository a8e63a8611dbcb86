"""Files that programs before MIME wrote into the text of a mail: `begin 644 name`, lines of letters, `end`."""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.reading.fields import Fields
from fumibako.mime.reading.parameters import Parameterised
from fumibako.mime.reading.structure import Part

FILES: Final = 100

_BEGIN: Final = re.compile(r"^begin [0-7]{3,4} ([^\n]{1,255})\n(?=[!-`][ -`]{1,90}\n|`?\n?end\n)", re.M)
_END: Final = re.compile(r"^end[ \t]{0,8}(?:\n|\Z)", re.M)
_LINE: Final = re.compile(r"[ -`]{0,90}")


def without_uuencoded(text: str) -> tuple[str, tuple[Part, ...]]:
    """(the text around the files, the files as parts). What only looks like a file stays text."""
    pieces: list[str] = []
    files: list[Part] = []
    at = 0
    begin = _BEGIN.search(text)
    while begin is not None and len(files) < FILES:
        end = _END.search(text, begin.end())
        if end is None:
            break
        lines = text[begin.end() : end.start()]
        if all(_LINE.fullmatch(line) for line in lines.split("\n")):
            pieces.append(text[at : begin.start()])
            files.append(_file(begin.group(1).strip(), lines))
            at = end.end()
        begin = _BEGIN.search(text, end.end())
    return "".join((*pieces, text[at:])), tuple(files)


def _file(name: str, lines: str) -> Part:
    raw = lines.encode("ascii")
    named = Parameterised("attachment", {"filename": name})
    return Part(raw, Fields(), 0, len(raw), "application/octet-stream", Parameterised(""), named, "uuencode")
