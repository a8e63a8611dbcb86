"""The pieces in which mails are searched: Latin letters and digits in threes, everything else in twos.

Japanese has no spaces, and 東京 is shorter than the pieces that databases cut by themselves. After NFKC, case folding
and one spelling for names like 髙橋, any part of a word of any length is found, in the order in which it stands.
"""

from __future__ import annotations

import re
import unicodedata
from operator import add
from typing import Final

MOST_CHARACTERS: Final = 60_000
"""Of one text: what stands further down in a mail is not found."""
ALIKE: Final = str.maketrans("髙﨑德濵濱邊邉齋齊斎嶋嶌槗𠮷眞澤廣國櫻渡曻", "高崎徳浜浜辺辺斉斉斉島島橋吉真沢広国桜渡昇")
"""Ways of writing one name: whoever searches 高橋 means 髙橋 too."""
_ALIKE: Final = re.compile(f"[{''.join(map(chr, ALIKE))}]")
_RUN: Final = re.compile(r"[0-9a-z]+|[^\W\x00-\x7f]+")


def grams_of(text: str) -> list[str]:
    """Every gram of a text, in order, with the short ends of each run."""
    grams: list[str] = []
    for run in runs_of(text[:MOST_CHARACTERS]):
        grams += cut(run)
    return grams


def plain(text: str) -> str:
    """The runs of a text, a space between two: a part of it holds what a phrase of the same grams would find."""
    return " ".join(runs_of(text[:MOST_CHARACTERS]))


def runs_of(text: str) -> list[str]:
    """Letters and digits that stand together, Latin apart from the rest."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    # Most texts name nobody who is written in two ways.
    return _RUN.findall(plain.translate(ALIKE) if _ALIKE.search(plain) else plain)


def size_of(run: str) -> int:
    """How many letters a gram of this run has."""
    return 3 if run[0].isascii() else 2


def cut(run: str) -> list[str]:
    """The grams of one run, one beginning at each letter."""
    if not run[0].isascii():
        return [*map(add, run, run[1:]), run[-1]]
    return [run[start : start + 3] for start in range(len(run))]
