"""Which charset 8-bit bytes without a trustworthy label are in: each candidate's reading is scored by how Japanese,
or how Western, it would be.

The scores say how often a kind of character is written, not whether it exists: 斎藤 in EUC-JP is also four half-width
kana in Shift_JIS and four Western signs in Windows-1252, but nobody writes those.
"""

from __future__ import annotations

import re
from typing import Final

_SAMPLE: Final = 20_000
_HIGH_RUN: Final = re.compile(rb"[\x80-\xff]+")
_NON_ASCII: Final = re.compile(r"[^\x00-\x7f]")
_ASCII: Final = bytes(range(0x80))
# In Shift_JIS these would be rare kanji of one row, one after the other.
_ONLY_EUC_KANA: Final = re.compile(rb"(?:\x8e[\xa1-\xdf]){3,}")
_LETTER: Final = frozenset(range(0x41, 0x5B)) | frozenset(range(0x61, 0x7B))


def looks_like_utf8(raw: bytes) -> bool:
    """True for strict UTF-8. A character cut at the very end is forgiven in long texts."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def best_guess(raw: bytes, *, prefer_kana: bool = False) -> str:
    """ "utf-8", "shift_jis", "euc-jp" or "cp1252". `prefer_kana` is for 8-bit runs inside ISO-2022-JP."""
    sample = raw[:_SAMPLE]
    if _ONLY_EUC_KANA.fullmatch(sample.translate(None, _ASCII)):
        return "euc-jp"
    scores = {
        "utf-8": _score_utf8(raw),
        "euc-jp": _score_japanese(sample, "euc_jis_2004", 0.0),
        "shift_jis": _score_japanese(sample, "cp932", 4.6 if prefer_kana else 1.6),
        "cp1252": 0.1 if prefer_kana else _score_western(sample),
    }
    return max(scores, key=lambda name: scores[name])


def is_really_japanese(raw: bytes) -> bool:
    """True when bytes labelled as Western are Japanese beyond doubt: several kana, and next to nothing Western."""
    sample = raw[:_SAMPLE]
    for codec in ("euc_jis_2004", "cp932"):
        text = _decoded(sample, codec)
        kana = _kana_in(text)
        others = sum(1 for char in text if char > "\x7f")
        japanese, western = _score_japanese(sample, codec, 0.0), _score_western(sample)
        if kana >= 3 and kana * 10 >= others and japanese > max(western, 3.0):
            return True
        if kana == 2 and japanese > max(western * 3, 4.0):
            return True
    return False


def is_really_euc(raw: bytes) -> bool:
    """True when bytes labelled as Shift_JIS, and possible in it, are EUC-JP beyond doubt.

    As Shift_JIS they would be half-width kana and rare kanji in no order; as EUC-JP they are words with kana in them.
    """
    sample = raw[:_SAMPLE]
    text = _decoded(sample, "euc_jis_2004")
    if _kana_in(text) < 2:
        return False
    return _score_japanese(sample, "cp932", 1.6) < 2.2 and _score_japanese(sample, "euc_jis_2004", 0.0) > 3.5


def _kana_in(text: str) -> int:
    return sum(1 for char in text if "ぁ" <= char <= "ヶ")


def _decoded(sample: bytes, codec: str) -> str:
    try:
        return sample.decode(codec)
    except UnicodeDecodeError as problem:
        # A sample may end inside a character.
        return sample[: problem.start].decode(codec) if len(sample) == _SAMPLE and problem.start > _SAMPLE - 4 else ""


def _score_utf8(raw: bytes) -> float:
    return 9.0 if looks_like_utf8(raw) else -1.0


def _score_japanese(sample: bytes, codec: str, half_width: float) -> float:
    """Points per high byte. Bytes that are not the codec's cost; many of them rule it out."""
    text = sample.decode(codec, "replace")
    points, weight = 0.0, 0
    for char in _NON_ASCII.findall(text):
        width, worth = _worth(char, half_width)
        points += worth
        weight += width
    if codec == "euc_jis_2004":
        # Three-byte and kana codes are rare; what is left after pairs is not EUC at all.
        points -= 6.0 * text.count("\ufffd")
    return points / weight if weight else -1.0


def _worth(char: str, half_width: float) -> tuple[int, float]:
    """(bytes, points for all of them) of a character in Shift_JIS or EUC-JP."""
    if char == "\ufffd":
        return 1, -12.0
    if "\uff61" <= char <= "\uff9f":
        return 1, half_width
    if "ぁ" <= char <= "ん" or "ァ" <= char <= "ヶ" or char in "、。ー・「」！？（）　～：":
        return 2, 10.0
    if "一" <= char <= "龠":
        return 2, _worth_of_kanji(char)
    if "\ue000" <= char <= "\uf8ff":
        return 2, 3.0
    if "０" <= char <= "ｚ":
        return 2, 8.0
    return 2, 4.0 if char in _COMMON_SIGNS else 1.0


_COMMON_SIGNS: Final = frozenset("【】『』〒〜…★☆◆◇■□●○◎※→←↑↓①②③④⑤⑥⑦⑧⑨⑩㈱㈲℡№々〆〇“”’‘－−－─━│┃＋×＝／＆％＠＃￥")


def _worth_of_kanji(char: str) -> float:
    """Level 1 of JIS X 0208 (rows 16 to 47) is what people write; level 2 is mostly what wrong guesses consist of."""
    try:
        row = char.encode("euc_jp")[0]
    except UnicodeEncodeError:
        return 1.0
    return 8.0 if 0xB0 <= row <= 0xCF else 2.0


_WESTERN_SIGNS: Final = frozenset((0x80, 0x85, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x99, 0xA0, 0xA3, 0xA9, 0xAB,
                                   0xAE, 0xB0, 0xB7, 0xBB))  # fmt: skip


def _score_western(sample: bytes) -> float:
    """Points per high byte: letters stand among ASCII letters and alone or in twos, signs among spaces."""
    points, total = 0.0, 0
    for match in _HIGH_RUN.finditer(sample):
        run = match.group()
        before = sample[match.start() - 1] if match.start() else 0x20
        after = sample[match.end()] if match.end() < len(sample) else 0x20
        touches = (before in _LETTER) + (after in _LETTER)
        total += len(run)
        points += sum(_worth_western(byte, len(run), touches) for byte in run)
    return points / total if total else 0.0


def _worth_western(byte: int, length: int, touches: int) -> float:
    if byte >= 0xC0:
        if length <= 2:
            return (1.5, 4.5, 6.0)[touches]
        return 1.2
    if byte in _WESTERN_SIGNS and length <= 2:
        # A bullet stands before a space, not before a letter.
        return 0.5 if byte == 0x95 and length == 2 else 4.0
    return 0.5 if byte >= 0xA0 else 0.2
