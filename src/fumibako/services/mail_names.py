"""File names that a person can read and every system takes: Windows' rules, and the tricks of hostile subjects."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

MOST_CHARACTERS = 120
MOST_BYTES = 240
"""Linux counts a name in bytes (255), and three of them make one Japanese letter."""
SUFFIX = ".eml"

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\s]+')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\..*)?", re.IGNORECASE)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control characters, and what turns the reading direction or cannot be seen: `photo‮gpj.exe` must not look so."""


def file_name_of(number: int, at: datetime, subject: str) -> str:
    """Return a name such as `20261124-173105_面談の件_00004821.eml`: at most 120 characters, unique by `number`."""
    head, tail = f"{at:%Y%m%d-%H%M%S}", f"{number:08d}{SUFFIX}"
    room = len(head) + len(tail) + 2
    middle = clean_part(subject, MOST_CHARACTERS - room, MOST_BYTES - room)
    return f"{head}_{middle}_{tail}" if middle else f"{head}_{tail}"


def clean_part(text: str, most_characters: int = MOST_CHARACTERS, most_bytes: int = MOST_BYTES) -> str:
    """Return `text` as one name without a path in it, "" when nothing is left. Cutting splits no character."""
    seen = "".join(letter for letter in unicodedata.normalize("NFC", text) if not _is_unseen(letter))
    part = _strip(_FORBIDDEN.sub("_", seen))[:most_characters]
    part = _strip(part.encode("utf-8")[:most_bytes].decode("utf-8", "ignore"))
    return f"_{part}"[:most_characters] if _RESERVED.fullmatch(part) else part


def _is_unseen(letter: str) -> bool:
    return unicodedata.category(letter) in _UNSEEN and letter not in "\t\n\r"


def _strip(part: str) -> str:
    """Windows drops dots and spaces at the end, and a dot in front hides a file elsewhere."""
    return part.strip("._ ")
