"""Pictograms of the Japanese phone carriers before Unicode had emoji: Shift_JIS codes, JIS rows, private-use letters.

The three carriers used the same codes for different pictures, so the carrier a mail came from decides first; a code
that only one of them used needs no hint. A known code without a Unicode character (company logos) becomes 〓, the mark
the carriers themselves showed in place of each other's pictures.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from fumibako.mime.reading.pictogram_table import AU, DOCOMO, SOFTBANK

GETA: Final = "〓"
PRIVATE_USE: Final = re.compile("[\ue000-\uf8ff\U000fe000-\U000feea0]")


class Carrier(StrEnum):
    """Whose pictograms a mail may carry."""

    UNKNOWN = ""
    DOCOMO = "docomo"
    AU = "au"
    SOFTBANK = "softbank"


# The digits on keys. Unicode's own spelling begins with the plain digit, which searching, counting and number links
# would take for one.
_KEYS: Final = {f"{key}\u20e3": sign for key, sign in zip("1234567890#", "❶❷❸❹❺❻❼❽❾⓿＃", strict=True)}


def _codes(runs: tuple[tuple[int, str], ...]) -> dict[int, str]:
    return {first + place: _KEYS.get(sign, sign) for first, signs in runs for place, sign in enumerate(signs.split())}


_BY_CODE: Final = {
    Carrier.DOCOMO: _codes(DOCOMO),
    Carrier.AU: _codes(AU),
    Carrier.SOFTBANK: _codes(SOFTBANK),
}
# Lead bytes each carrier used, so that a code without a character is still seen as a picture.
_LEADS: Final = {
    Carrier.DOCOMO: frozenset((0xF8, 0xF9)),
    Carrier.AU: frozenset((0xF3, 0xF4, 0xF6, 0xF7)),
    Carrier.SOFTBANK: frozenset((0xF7, 0xF9, 0xFB)),
}
# Where nothing tells the carrier: docomo, with half of all phones, then SoftBank, whose phones wrote Shift_JIS to other
# systems, where those of au wrote ISO-2022-JP.
_ANY: Final = (Carrier.DOCOMO, Carrier.SOFTBANK, Carrier.AU)

# (first code point, last, Shift_JIS code of the first, per carrier). Pages of 94 or fewer signs; 0x7F is skipped.
_DOCOMO_PAGES: Final = ((0xE63E, 0xE69B, 0xF89F), (0xE69C, 0xE6DA, 0xF940), (0xE6DB, 0xE757, 0xF980))
_SOFTBANK_PAGES: Final = (
    *((0xE001, 0xE03E, 0xF941), (0xE03F, 0xE05A, 0xF980), (0xE101, 0xE13E, 0xF741), (0xE13F, 0xE15A, 0xF780)),
    *((0xE201, 0xE25A, 0xF7A1), (0xE301, 0xE35A, 0xF9A1), (0xE401, 0xE43E, 0xFB41), (0xE43F, 0xE45A, 0xFB80)),
    (0xE501, 0xE55A, 0xFBA1),
)
_AU_PAGES: Final = (
    *((0xE468, 0xE4A6, 0xF640), (0xE4A7, 0xE523, 0xF680), (0xE524, 0xE562, 0xF740), (0xE563, 0xE5B4, 0xF780)),
    *((0xE5B5, 0xE5CC, 0xF7E5), (0xE5CD, 0xE5DF, 0xF340), (0xEA80, 0xEAAB, 0xF353), (0xEAAC, 0xEAFA, 0xF380)),
    *((0xEAFB, 0xEB0D, 0xF7D2), (0xEB0E, 0xEB3B, 0xF3CF), (0xEB3C, 0xEB7A, 0xF440), (0xEB7B, 0xEB8E, 0xF480)),
)
_PAGES: Final = {
    Carrier.DOCOMO: _DOCOMO_PAGES,
    Carrier.AU: _AU_PAGES,
    Carrier.SOFTBANK: _SOFTBANK_PAGES,
}
_WEBCODE_PAGES: Final = {"G": 0xE000, "E": 0xE100, "F": 0xE200, "O": 0xE300, "P": 0xE400, "Q": 0xE500}


def _rank(carrier: Carrier) -> tuple[Carrier, ...]:
    return _ANY if carrier is Carrier.UNKNOWN else (carrier, *(other for other in _ANY if other is not carrier))


def of_shift_jis(code: int, carrier: Carrier) -> str | None:
    """The sign for a two-byte Shift_JIS code, 〓 for a picture without a character, None when it is no picture.

    SoftBank's lead byte FB is also used by IBM's kanji, so it counts only when the mail is known to be theirs.
    """
    if code >> 8 == 0xFB:
        return _BY_CODE[carrier].get(code) if carrier is Carrier.SOFTBANK else None
    ranked = _rank(carrier)
    for one in ranked:
        sign = _BY_CODE[one].get(code)
        if sign is not None:
            return sign
    return GETA if any(code >> 8 in _LEADS[one] for one in ranked) else None


def of_jis(first: int, second: int, carrier: Carrier) -> str | None:
    """The sign for a pair in rows 85 to 92 of the JIS plane, where the mail gateways put au's pictures.

    Rows 89 to 92 also hold NEC's kanji, so those count only when the mail is known to be au's.
    """
    is_free = 0x75 <= first <= 0x78
    if not (is_free or (carrier is Carrier.AU and 0x79 <= first <= 0x7C)):
        return None
    lead, trail = shift_jis_of(first, second)
    code = ((lead + (0x0B if is_free else 0x06)) << 8) | trail
    return _BY_CODE[Carrier.AU].get(code, GETA)


def shift_jis_of(first: int, second: int) -> tuple[int, int]:
    """The Shift_JIS bytes of a pair 0x21-0x7E of the JIS plane."""
    lead = ((first - 0x21) >> 1) + 0x81
    trail = second + (0x1F if first & 1 else 0x7E)
    return lead + (0x40 if lead > 0x9F else 0), trail + (1 if first & 1 and trail >= 0x7F else 0)


def of_webcode(page: str, codes: str) -> str:
    """The signs of a J-PHONE web code: ESC $, a page letter, printable letters, SI."""
    return "".join(of_private_use(chr(_WEBCODE_PAGES[page] + ord(code) - 0x20), Carrier.SOFTBANK) for code in codes)


_WEBCODE: Final = re.compile(r"\x1b\$([GEFOPQ])([!-z]{1,200})(?:\x0f|(?=[\x1b\r\n])|\Z)")


def with_webcodes(text: str) -> str:
    """The text with its J-PHONE web codes as signs; they stand among characters of every charset."""
    return _WEBCODE.sub(lambda match: of_webcode(match.group(1), match.group(2)), text)


def of_private_use(char: str, carrier: Carrier) -> str:
    """The sign for a private-use character that a carrier or an old phone wrote; others stay what they are."""
    code = ord(char)
    if code >= 0xFE000:
        return GETA
    for one in _rank(carrier):
        for first, last, shift_jis in _PAGES[one]:
            if first <= code <= last:
                return _BY_CODE[one].get(shift_jis + code - first, GETA)
    return char


def with_emoji(text: str, carrier: Carrier) -> str:
    """The text with every private-use pictogram as Unicode emoji."""
    return PRIVATE_USE.sub(lambda match: of_private_use(match.group(), carrier), text)


_REFERENCE: Final = re.compile(r"&#(?:[xX]([0-9a-fA-F]{4,6})|([0-9]{5,7}));")


def with_emoji_in_page(page: str, carrier: Carrier) -> str:
    """HTML with its pictograms as Unicode emoji, also those written as references.

    Phones of docomo knew two kinds of references: `&#xE63E;` to the character, `&#63647;` to the Shift_JIS code.
    """
    return with_emoji(_REFERENCE.sub(lambda match: _referred(match, carrier), page), carrier)


def _referred(match: re.Match[str], carrier: Carrier) -> str:
    code = int(match.group(1), 16) if match.group(1) else int(match.group(2))
    if match.group(2) and carrier is Carrier.DOCOMO and 0xF89F <= code <= 0xF9FC:
        return of_shift_jis(code, carrier) or match.group()
    return of_private_use(chr(code), carrier) if 0xE000 <= code <= 0xF8FF else match.group()
