"""The three charsets a mail account can write in, and which characters of a text one of them cannot carry.

The repertoire is the one that every reader agrees on, so that nothing is shown differently from what was written:

* ISO-2022-JP: ASCII and JIS X 0208 (RFC 1468). No half-width kana, no ①㈱髙, no JIS X 0201 Roman.
* Shift_JIS: the same and half-width kana. ①㈱髙 have bytes in Microsoft's superset (CP932), which Windows, Gmail and
  iPhone read under this label, but strict readers and several old phones do not. A mail that needs them goes as UTF-8,
  which all of them read.

Seven characters of JIS X 0208 have two Unicode spellings each: Windows types `～` U+FF5E where others type `〜` U+301C.
Both are one character in these charsets and are written as it: nothing is lost, the reader's system picks its spelling.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

Charset = Literal["utf-8", "iso-2022-jp", "shift_jis"]

LABELS: Final[dict[Charset, str]] = {"utf-8": "UTF-8", "iso-2022-jp": "ISO-2022-JP", "shift_jis": "Shift_JIS"}
"""The name as it is written into the mail."""

_CODECS: Final[dict[Charset, str]] = {"utf-8": "utf-8", "iso-2022-jp": "iso2022_jp", "shift_jis": "shift_jis"}

TWINS: Final = (
    ("\uff5e", "\u301c"),  # ～ 〜
    ("\uff0d", "\u2212"),  # － −
    ("\u2225", "\u2016"),  # ∥ ‖
    ("\uffe0", "\u00a2"),  # ￠ ¢
    ("\uffe1", "\u00a3"),  # ￡ £
    ("\uffe2", "\u00ac"),  # ￢ ¬
    ("\u2014", "\u2015"),  # — ―
)
"""(Windows' spelling, the spelling of the JIS tables): each pair is one code in JIS X 0208."""

# The codecs would write ¥ and ‾ as JIS X 0201 Roman, which most readers show as \ and ~; ESC, SO and SI would be read
# as a change of character set.
_NEVER_IN_JIS: Final = ("\u00a5", "\u203e", "\x1b", "\x0e", "\x0f")


class DoesNotFit(ValueError):
    """The charset has no code for a character of this text."""

    def __init__(self, charset: Charset) -> None:
        super().__init__(charset)
        self.charset = charset


@dataclass(frozen=True, slots=True)
class Misfit:
    """A character the charset cannot carry, and where it stands (both counted from 1, in characters).

    `suggestion` is what could be written instead: "" means that it can be left out unnoticed, None that nothing comes
    near. `char` is more than one code point where they belong together (ｶﾞ, a letter with its variation selector).
    `field` is the part of the mail it was found in, when the caller knows it.
    """

    char: str
    suggestion: str | None
    line: int
    column: int
    field: str = ""


def encode(text: str, charset: Charset) -> bytes:
    """The text in the charset, ISO-2022-JP always back in ASCII before every line end and at the end of the text.

    Raises DoesNotFit. In UTF-8 only half a surrogate pair does not fit.
    """
    if charset != "utf-8":
        for char in _NEVER_IN_JIS:
            if char in text:
                raise DoesNotFit(charset)
        for spelling, code in TWINS:
            text = text.replace(spelling, code)
    try:
        return text.encode(_CODECS[charset])
    except UnicodeEncodeError:
        raise DoesNotFit(charset) from None


def fits(text: str, charset: Charset) -> bool:
    """True when the charset can carry the whole text."""
    try:
        encode(text, charset)
    except DoesNotFit:
        return False
    return True


def misfits(text: str, charset: Charset, *, limit: int = 200) -> tuple[Misfit, ...]:
    """The characters of `text` that the charset cannot carry, in order, at most `limit` of them."""
    if fits(text, charset):
        return ()
    found: list[Misfit] = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if fits(line, charset):
            continue
        for column, cluster in _clusters(line):
            if not fits(cluster, charset):
                found.append(Misfit(cluster, suggestion_for(cluster, charset), number, column))
                if len(found) == limit:
                    return tuple(found)
    return tuple(found)


def with_suggestions(text: str, charset: Charset) -> str:
    """The text with every misfit replaced by its suggestion; what has none stays."""
    if fits(text, charset):
        return text
    parts: list[str] = []
    for _, cluster in _clusters(text):
        suggestion = None if fits(cluster, charset) else suggestion_for(cluster, charset)
        parts.append(cluster if suggestion is None else suggestion)
    return "".join(parts)


def suggestion_for(cluster: str, charset: Charset) -> str | None:
    """What could stand in place of a character that does not fit, itself sure to fit; None when nothing comes near."""
    base = cluster.rstrip("".join(c for c in cluster[1:] if _is_selector(c)))
    if base != cluster and fits(base, charset):
        return base
    candidates = (
        REPLACEMENTS.get(base),
        unicodedata.normalize("NFC", base),
        unicodedata.normalize("NFKC", base),
        _without_marks(base),
    )
    for candidate in candidates:
        if candidate is not None and (candidate or base in REPLACEMENTS) and fits(candidate, charset):
            return candidate
    return None


def _without_marks(text: str) -> str:
    """é → e; Japanese voicing marks stay, since か is not a spelling of が."""
    letters = unicodedata.normalize("NFKD", text)
    return "".join(c for c in letters if not ("\u0300" <= c <= "\u036f"))


def _is_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _belongs_to_the_one_before(char: str, before: str) -> bool:
    if char in "\uff9e\uff9f":  # half-width voicing marks
        return "\uff66" <= before <= "\uff9d"
    return _is_selector(char) or char == "\u200d" or before == "\u200d" or unicodedata.combining(char) != 0


def _clusters(line: str) -> list[tuple[int, str]]:
    """(column, characters that belong together): the smallest pieces that may be replaced as one."""
    clusters: list[tuple[int, str]] = []
    for column, char in enumerate(line, start=1):
        if clusters and _belongs_to_the_one_before(char, clusters[-1][1][-1]):
            start, before = clusters[-1]
            clusters[-1] = (start, before + char)
        else:
            clusters.append((column, char))
    return clusters


def _circled() -> dict[str, str]:
    numbers = {chr(0x2460 + n): f"({n + 1})" for n in range(20)} | {chr(0x3251 + n): f"({n + 21})" for n in range(15)}
    numbers |= {chr(0x2776 + n): f"({n + 1})" for n in range(10)}
    positions = {sign: f"({plain})" for sign, plain in zip("㊤㊥㊦㊧㊨㊞㊙㊗", "上中下左右印秘祝", strict=True)}
    return numbers | positions


# Forms of a kanji outside JIS X 0208, and under each the one people write when they have to do without it.
_KANJI_FORMS = (
    "髙﨑𠮷德濵瀨增寬靑黑淸郞鄕閒賴橫緖薰說內吳巢絕脫悅銳敎步每涉姬桒圡噓剝"
    "頰𠮟塡槗𣘺冝尙卽旣晚曆歷瘦硏綠緣虛鷗驒曻昻淚戶戾黃𡈽"
    "栁蔣麵啞繫蟬擊俠軀簞禱醬蠟鹼屛幷彥產强靍"
)
_KANJI_PLAIN = (
    "高崎吉徳浜瀬増寛青黒清郎郷間頼横緒薫説内呉巣絶脱悦鋭教歩毎渉姫桑土嘘剥"
    "頬叱填橋橋宜尚即既晩暦歴痩研緑縁虚鴎騨昇昂涙戸戻黄土"
    "柳蒋麺唖繋蝉撃侠躯箪祷醤蝋鹸屏并彦産強鶴"
)

REPLACEMENTS: Final[dict[str, str]] = (
    _circled()
    | dict(zip(_KANJI_FORMS, _KANJI_PLAIN, strict=True))
    | {"㈱": "(株)", "㈲": "(有)", "㈹": "(代)", "㍿": "株式会社", "№": "No.", "℡": "TEL", "㋿": "令和"}
    | {"¥": "￥", "‾": "￣", "￤": "|", "¦": "|", "–": "-", "•": "・", "·": "・", "∑": "Σ", "ゔ": "ヴ"}
    | {"©": "(C)", "®": "(R)", "™": "(TM)", "€": "ユーロ", "✓": "レ", "✔": "レ", "☐": "□", "✕": "×", "✖": "×"}
    | {"⇨": "→", "➡": "→", "➔": "→", "▶": "→", "◀": "←", "☎": "TEL", "☏": "TEL", "✉": "メール", "〝": "“", "〟": "”"}
    | {"\u00a0": " ", "\u2002": " ", "\u2003": "\u3000", "\u2009": " ", "\u2028": "\n", "\u2029": "\n", "\u0085": "\n"}
    | dict.fromkeys(("\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\ufeff", "\u00ad"), "")
)
"""The one table of what to write instead. Half-width kana, ㎡, ㌔ and the like follow from Unicode's own tables."""
