"""Bytes to text: the declared charset first, then its Microsoft superset, escape sequences, UTF-8, and the best guess.

Only the codecs of this table are ever used. Python would also offer `unicode_escape`, `punycode`, `idna`, `undefined`
and several that are no charsets at all to whoever writes them into a label.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from fumibako.mime.reading.guessing import best_guess, is_really_euc, is_really_japanese, looks_like_utf8
from fumibako.mime.reading.jis import decode_euc_jp, decode_jis, decode_shift_jis, is_marked, with_escapes
from fumibako.mime.reading.pictograms import PRIVATE_USE, Carrier, with_emoji, with_webcodes

_SUPERSETS: Final[dict[str, str]] = {
    **dict.fromkeys(
        ["utf8", "utf8mb4", "utf8bom", "cputf8", "unicode11utf8", "csutf8", "65001", "cp65001", "utf8mac", "cesu8"],
        "utf-8",
    ),
    **dict.fromkeys(
        [
            "shiftjis",
            "sjis",
            "xsjis",
            "xshiftjis",
            "mskanji",
            "windows31j",
            "cswindows31j",
            "csshiftjis",
            "cp932",
            "ms932",
            "windows932",
            "932",
            "cp943",
            "ibm943",
            "ibm932",
            "shiftjisx0213",
            "shiftjis2004",
            "sjiswin",
            "macjapanese",
            "xmacjapanese",
            "shitjis",
            "shiftjs",
            "sjisopen",
            "shiftjisimodeemoji",
            "sjisdocomo",
            "sjissoftbank",
            "sjiskddi",
        ],
        "shift_jis",
    ),
    **dict.fromkeys(
        [
            "eucjp",
            "xeucjp",
            "xeuc",
            "euc",
            "ujis",
            "cseucpkdfmtjapanese",
            "eucjpms",
            "eucjpwin",
            "cp51932",
            "51932",
            "cp20932",
            "eucjpx0213",
            "eucjis2004",
            "extendedunixcodepackedformatforjapanese",
            "eucjpopen",
        ],
        "euc-jp",
    ),
    **dict.fromkeys(
        [
            "iso2022jp",
            "iso2022jp1",
            "iso2022jp2",
            "iso2022jp3",
            "iso2022jp2004",
            "iso2022jpms",
            "iso2022jpext",
            "csiso2022jp",
            "csiso2022jp2",
            "jis",
            "jis7",
            "jis8",
            "xjis",
            "iso2022",
            "iso2022jpmobile",
            "iso2022jpkddi",
            "cp50220",
            "cp50221",
            "cp50222",
            "50220",
            "50221",
            "50222",
            "isojp",
            "isoir87",
            "jisx0208",
            "iso2022jpjis",
            "jisencoding",
            "csjisencoding",
        ],
        "iso-2022-jp",
    ),
    **dict.fromkeys(
        [
            "usascii",
            "ascii",
            "ansix341968",
            "ansix341986",
            "iso646us",
            "us",
            "isoir6",
            "cp367",
            "ibm367",
            "646",
            "csascii",
        ],
        "",
    ),
    **dict.fromkeys(
        [
            "iso88591",
            "latin1",
            "iso885911987",
            "l1",
            "isoir100",
            "windows1252",
            "cp1252",
            "1252",
            "ansi",
            "xansi",
            "ibm819",
            "cp819",
            "88591",
            "win1252",
            "iso8859",
            "isolatin1",
            "csisolatin1",
            "western",
            "westerneuropean",
            "xuserdefined",
        ],
        "cp1252",
    ),
    **dict.fromkeys(["iso88599", "latin5", "l5", "windows1254", "cp1254", "isoir148"], "cp1254"),
    **dict.fromkeys(["iso88598", "iso88598i", "iso88598e", "hebrew", "visual", "logical", "csiso88598i"], "iso8859_8"),
    **dict.fromkeys(["iso885911", "tis620", "windows874", "cp874", "tis6200"], "cp874"),
    **dict.fromkeys(
        [
            "gb2312",
            "gbk",
            "gb18030",
            "euccn",
            "xeuccn",
            "cp936",
            "ms936",
            "windows936",
            "xgbk",
            "gb231280",
            "csgb2312",
            "chinese",
            "hzgb18030",
            "gb",
        ],
        "gb18030",
    ),
    **dict.fromkeys(
        [
            "euckr",
            "ksc56011987",
            "ksc56011989",
            "ksc5601",
            "cp949",
            "ms949",
            "windows949",
            "uhc",
            "xwindows949",
            "korean",
            "kscs56011987",
            "cseuckr",
            "ksc5601x",
            "xeuckr",
            "isoir149",
        ],
        "cp949",
    ),
    **dict.fromkeys(
        ["big5", "big5hkscs", "cp950", "xxbig5", "xbig5", "csbig5", "big5eten", "ms950", "bigfive"], "big5hkscs"
    ),
    **dict.fromkeys(["hzgb2312", "hz"], "hz"),
    **dict.fromkeys(["iso2022kr", "csiso2022kr"], "iso2022_kr"),
    **dict.fromkeys(["johab", "cp1361", "ksc56011992"], "johab"),
    **dict.fromkeys(["utf7", "unicode11utf7", "csunicode11utf7", "unicode20utf7"], "utf-7"),
    **dict.fromkeys(["utf16", "unicode", "ucs2", "csunicode", "iso10646ucs2"], "utf-16"),
    **{"utf16le": "utf-16-le", "utf16be": "utf-16-be", "utf32": "utf-32", "utf32le": "utf-32-le"},
    **{"utf32be": "utf-32-be", "koi8r": "koi8_r", "koi8": "koi8_r", "koi8u": "koi8_u", "koi8ru": "koi8_u"},
    **{"macintosh": "mac_roman", "macroman": "mac_roman", "mac": "mac_roman", "xmacroman": "mac_roman"},
    **{"xmaccyrillic": "mac_cyrillic", "maccyrillic": "mac_cyrillic", "tcvn": "cp1258", "kz1048": "kz1048"},
    **{"ptcp154": "ptcp154", "koi8t": "koi8_t", "xmacce": "mac_latin2", "xmacturkish": "mac_turkish"},
    **{f"iso8859{n}": f"iso8859_{n}" for n in (2, 3, 4, 5, 6, 7, 10, 13, 14, 15, 16)},
    **{"latin2": "iso8859_2", "latin3": "iso8859_3", "latin4": "iso8859_4", "latin6": "iso8859_10"},
    **{"latin9": "iso8859_15", "latin10": "iso8859_16", "cyrillic": "iso8859_5", "greek": "iso8859_7"},
    **{"arabic": "iso8859_6", "iso88596i": "iso8859_6", "iso88596e": "iso8859_6", "asmo708": "iso8859_6"},
    **{f"{family}{n}": f"cp{n}" for family in ("windows", "cp", "win", "xcp") for n in range(1250, 1259) if n != 1252},
    **{
        f"{family}{n}": f"cp{n}"
        for family in ("cp", "ibm", "dos", "oem")
        for n in (437, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869, 1125, 720)
    },
}
"""Label without punctuation → what it is read as. "" means that the label says nothing about 8-bit bytes."""

WESTERN: Final = frozenset(("cp1252", "cp1254", "iso8859_15", "mac_roman"))
"""Under these labels a mailer that knew no better sent everything."""
_ASCII_BASED: Final = re.compile(
    r"utf-8|shift_jis|euc-jp|iso-2022-jp|cp\d+|iso8859_\d+|gb18030|big5hkscs|mac_\w+|koi8_\w|"
)
_PUNCTUATION: Final = re.compile(r"[^a-z0-9]")
_YEAR: Final = re.compile(r"^(iso8859\d{1,2})(?:1\d{3})$")


@dataclass(frozen=True, slots=True)
class Decoded:
    """`charset` is what the bytes were read as; `is_guess` when that was not what the label said."""

    text: str
    charset: str
    is_guess: bool = False


@lru_cache(maxsize=64)
def known_charset(label: str) -> str | None:
    """The charset a label stands for, "" for plain ASCII, None when no charset of ours has this name."""
    name = label.strip().strip("\"'").lower().partition("*")[0]
    plain = _PUNCTUATION.sub("", name[:60])
    plain = plain.removeprefix("charset")
    for form in (plain, _YEAR.sub(r"\1", plain), plain.removeprefix("x"), plain.removeprefix("cs")):
        if form in _SUPERSETS:
            return _SUPERSETS[form]
    return None


def decode(raw: bytes, label: str = "", *, carrier: Carrier = Carrier.UNKNOWN, fallback: str = "") -> Decoded:
    """The text of `raw`. `label` is what its own mail says; `fallback` is tried before guessing when it says nothing.

    Never raises; what cannot be read is U+FFFD.
    """
    charset = known_charset(label) if label else ""
    if charset and _ASCII_BASED.fullmatch(charset) is None:
        return _foreign(raw, charset, carrier)
    if charset == "iso-2022-jp":
        raw = with_escapes(raw)
    if is_marked(raw) and (charset == "iso-2022-jp" or not _has_many_high(raw)):
        return Decoded(decode_jis(raw, carrier, _high_reader(carrier)), "iso-2022-jp", charset != "iso-2022-jp")
    if raw.isascii():
        # SO … SI means half-width kana only where nothing but ISO-2022-JP was promised.
        text = decode_jis(raw, carrier) if charset == "iso-2022-jp" else raw.decode("ascii")
        return Decoded(text, charset or "us-ascii")
    found = _of_high_bytes(raw, charset or "", carrier, known_charset(fallback) or "")
    return replace(found, text=with_webcodes(found.text)) if b"\x1b$" in raw else found


def decode_as(raw: bytes, label: str, carrier: Carrier = Carrier.UNKNOWN) -> Decoded:
    """The text of `raw` in the charset that a person chose, whatever speaks against it; an unknown one is no choice."""
    charset = known_charset(label)
    if not charset:
        return decode(raw, carrier=carrier)
    if charset == "iso-2022-jp":
        return Decoded(decode_jis(with_escapes(raw), carrier, _high_reader(carrier)), charset)
    return Decoded(with_emoji(_loosely(raw, charset, carrier).removeprefix("\ufeff"), carrier), charset)


def _has_many_high(raw: bytes) -> bool:
    return len(raw.translate(None, bytes(range(0x80)))) * 4 > len(raw)


def _high_reader(carrier: Carrier) -> Callable[[bytes], str]:
    def read(raw: bytes) -> str:
        return _guessed(raw, carrier, prefer_kana=True).text

    return read


def _foreign(raw: bytes, charset: str, carrier: Carrier) -> Decoded:
    if charset.startswith("utf-16") and _is_not_utf16(raw):
        return decode(raw, "", carrier=carrier)
    if charset in ("utf-16", "utf-32"):
        charset = _with_byte_order(raw, charset)
    try:
        return Decoded(raw.decode(charset), charset)
    except UnicodeError:
        pass
    if looks_like_utf8(raw) and not raw.isascii():
        return Decoded(raw.decode("utf-8"), "utf-8", True)
    return Decoded(_replaced(raw, charset), charset)


def _is_not_utf16(raw: bytes) -> bool:
    """UTF-16 in the header of a mail that is plainly one byte per character: a database's idea of "Unicode"."""
    return b"\x00" not in raw and not raw.startswith((b"\xff\xfe", b"\xfe\xff")) and looks_like_utf8(raw)


def _with_byte_order(raw: bytes, charset: str) -> str:
    """UTF-16 without a mark is big-endian (RFC 2781 §4.3), unless it makes far more sense the other way round."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return charset
    readings = {f"{charset}-{order}": raw[:2000].decode(f"{charset}-{order}", "replace") for order in ("be", "le")}
    usual = {name: sum(1 for char in text if _is_usual(char)) for name, text in readings.items()}
    return f"{charset}-le" if usual[f"{charset}-le"] > usual[f"{charset}-be"] else f"{charset}-be"


def _is_usual(char: str) -> bool:
    return "\x09" <= char <= "\x7e" or "\u3000" <= char <= "\u30ff" or "\u4e00" <= char <= "\u9fff"


def _replaced(raw: bytes, charset: str) -> str:
    try:
        return raw.decode(charset, "replace")
    except UnicodeError:
        return raw.decode("ascii", "replace")


def _of_high_bytes(raw: bytes, charset: str, carrier: Carrier, fallback: str) -> Decoded:
    """8-bit bytes under an ASCII-based label or none."""
    if charset != "utf-8" and looks_like_utf8(raw) and not _fits_better(raw, charset, carrier):
        return Decoded(with_emoji(raw.decode("utf-8").removeprefix("\ufeff"), carrier), "utf-8", charset != "")
    if (charset in WESTERN and is_really_japanese(raw)) or (charset == "shift_jis" and is_really_euc(raw)):
        return _guessed(raw, carrier)
    for candidate in (charset, fallback):
        if candidate and candidate != "iso-2022-jp":
            text = _strictly(raw, candidate, carrier)
            if text is not None:
                return Decoded(text, candidate, candidate != charset)
    if charset == "utf-8" and _is_mostly_utf8(raw):
        return Decoded(with_emoji(raw.decode("utf-8", "replace"), carrier), "utf-8")
    guess = _guessed(raw, carrier)
    if charset and charset != "iso-2022-jp" and guess.charset == "cp1252" and charset != "utf-8":
        return Decoded(_loosely(raw, charset, carrier), charset)
    return guess


def _fits_better(raw: bytes, charset: str, carrier: Carrier) -> bool:
    """True when a short run is valid UTF-8 by chance only: the declared Japanese charset reads it as Japanese."""
    if charset not in ("shift_jis", "euc-jp", "gb18030", "cp949", "big5hkscs"):
        return False
    text = _strictly(raw, charset, carrier)
    as_utf8 = [char for char in raw.decode("utf-8") if char > "\x7f"]
    eastern = sum(1 for char in as_utf8 if "\u3000" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef")
    return text is not None and "\ufffd" not in text and eastern * 2 < len(as_utf8)


def _strictly(raw: bytes, charset: str, carrier: Carrier) -> str | None:
    """The text, or None when the bytes are not this charset's."""
    if charset == "shift_jis":
        text = decode_shift_jis(raw, carrier)
    elif charset == "euc-jp":
        text = decode_euc_jp(raw, carrier)
    else:
        try:
            text = raw.decode(charset)
        except UnicodeDecodeError:
            return _western_with_holes(raw, charset)
        if charset == "utf-8" and PRIVATE_USE.search(text):
            text = with_emoji(text, carrier)
        return text.removeprefix("\ufeff")
    damage = text.count("\ufffd")
    return text if damage == 0 or (damage <= 2 and damage * 50 < len(raw)) else None


def _western_with_holes(raw: bytes, charset: str) -> str | None:
    """Windows-1252 leaves five codes free; software that calls it Latin-1 fills them with C1 controls."""
    return raw.decode(charset, "replace") if charset in WESTERN else None


def _is_mostly_utf8(raw: bytes) -> bool:
    text = raw.decode("utf-8", "replace")
    damage = text.count("\ufffd")
    # Three octets in a row that are UTF-8 by chance are rare; two are not.
    certain = sum(1 for char in text if char >= "\u0800") - damage
    return damage <= certain or damage * 4 <= sum(1 for char in text if char > "\x7f")


def _loosely(raw: bytes, charset: str, carrier: Carrier) -> str:
    if charset == "shift_jis":
        return decode_shift_jis(raw, carrier)
    if charset == "euc-jp":
        return decode_euc_jp(raw, carrier)
    return _replaced(raw, charset)


def _guessed(raw: bytes, carrier: Carrier, *, prefer_kana: bool = False) -> Decoded:
    charset = best_guess(raw, prefer_kana=prefer_kana)
    return Decoded(_loosely(raw, charset, carrier), charset, True)
