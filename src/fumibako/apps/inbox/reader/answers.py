"""回答 as the first lines of a reply suggest it: 可, 不可, ○, ×, or the number of a choice. Only ever 推定."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LINES: Final = 6
"""Lines with words in them; further down people write their names and reasons."""
LONGEST: Final = 40

_QUOTE: Final = re.compile(
    r"^\s*(?:[>|＞]|On .{5,100}wrote:|-{3,}|_{5,}|\d{4}[年/-]\d{1,2}[月/-]\d{1,2}.{0,60}[:：]\s*$)"
)
"""From here on it is no longer the writer who speaks."""
_NO: Final = "不可|できません|出来ません|行けません|伺えません|辞退|見送|欠席|不参加|難しい|お断り|厳しい|NG"
_YES: Final = "^可|(?<!不)可能|(?<!不)可です|(?<!不)可$|(?:でき|出来|行け|伺え)ます|承知|了解|出席|参加|希望し|OK"
_ANSWERS: Final = (
    ("no", re.compile(_NO, re.IGNORECASE)),
    ("cross", re.compile(r"^[×✕✖✗xX]+[。.!]?$|:\s*[×✕✖✗]")),
    ("circle", re.compile(r"^[○◯〇⭕◎]+[。.!]?$|:\s*[○◯〇⭕◎]")),
    ("yes", re.compile(_YES, re.IGNORECASE)),
)
_NUMBER: Final = re.compile(r"^(?:第?\s*)?([1-9]\d?)\s*(?:番|案|を希望|希望|です|で(?:お願い|す)|。|$)")


def answer_in(text: str) -> str:
    """Return "yes", "no", "circle", "cross" or a number; "" when the first lines say none of these, or several."""
    found = {said for line in _first_lines(text) if (said := _answer_of(line))}
    return found.pop() if len(found) == 1 else ""


def _first_lines(text: str) -> list[str]:
    lines = []
    for line in text[:4_000].splitlines():
        if _QUOTE.match(line):
            break
        plain = unicodedata.normalize("NFKC", line).strip()
        if plain:
            lines.append(plain)
        if len(lines) == LINES:
            break
    return lines


def _answer_of(line: str) -> str:
    if len(line) > LONGEST or line.endswith(("か", "か。", "?")):
        return ""
    for answer, pattern in _ANSWERS:
        if pattern.search(line):
            return answer
    number = _NUMBER.match(line)
    return number.group(1) if number else ""
