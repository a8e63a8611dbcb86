"""The name of an attached file, from wherever the mail gives it, as text to show: never a path, never two lines."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from fumibako.mime.reading.structure import Part
from fumibako.mime.reading.words import Context, header_text

NAME_CHARACTERS: Final = 255

_INVISIBLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_SPACES: Final = re.compile(r"[ \t\r\n]+")


def file_name_of(part: Part, context: Context) -> str:
    """`filename` of Content-Disposition, else `name` of Content-Type, else the subject of an enclosed mail, else ""."""
    name = part.disposition.get("filename") or part.disposition.get("name") or part.parameters.get("name")
    name = name or part.parameters.get("filename")
    if not name and part.type == "message/rfc822" and part.children:
        subject = header_text(part.children[0].fields.first("Subject"), context)
        name = f"{subject.replace('/', '／')}.eml" if subject else ""
    return shown_name(name)


def shown_name(name: str) -> str:
    """The last piece of a path, without characters that hide or turn the rest (X18); the ending survives cutting."""
    visible = _INVISIBLE.sub("", _SPACES.sub(" ", name)).strip()
    last = re.split(r"[/\\]", visible.rstrip("/\\"))[-1] if visible.strip("/\\.") else ""
    plain = unicodedata.normalize("NFC", last).strip()
    if len(plain) <= NAME_CHARACTERS:
        return plain
    stem, dot, ending = plain.rpartition(".")
    if dot and len(ending) <= 10:
        return stem[: NAME_CHARACTERS - len(ending) - 1] + dot + ending
    return plain[:NAME_CHARACTERS]
