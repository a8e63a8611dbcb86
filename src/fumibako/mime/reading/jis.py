"""ISO-2022-JP as it is really written: RFC 1468 and everything the world's mailers added to it.

Besides ASCII and JIS X 0208: NEC's and IBM's characters (CP50220), half-width kana by ESC ( I, by SO/SI and by the
eighth bit, JIS X 0212, JIS X 0213, the phone carriers' pictograms, J-PHONE web codes, escapes without their ESC.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from typing import Final

from fumibako.mime.reading.pictograms import GETA, Carrier, of_jis, of_shift_jis, of_webcode, shift_jis_of

_SETS: Final[dict[bytes, str]] = {
    **dict.fromkeys((b"\x1b(B", b"\x1b(J", b"\x1b(H"), "ascii"),
    **dict.fromkeys((b"\x1b(I", b"\x0e"), "kana"),
    **dict.fromkeys((b"\x1b$@", b"\x1b$B", b"\x1b$(@", b"\x1b$(B"), "kanji"),
    **dict.fromkeys((b"\x1b$(O", b"\x1b$(Q"), "x0213"),
    b"\x1b$(P": "x0213-2",
    b"\x1b$(D": "x0212",
}
_SHIFT: Final = re.compile(
    rb"\x1b\([BJHI]|\x1b\$[@B]|\x1b\$\([@BDOPQ]|\x1b&@|\x1b\$[GEFOPQ][!-z]{1,200}(?:\x0f|(?=[\x1b\r\n])|\Z)|[\x0e\x0f\r\n]"
)
_MARK: Final = re.compile(rb"\x1b\$[@B]|\x1b\$\([@BDOPQ]|\x1b\(I|\x1b\$[GEFOPQ][!-z]{1,200}\x0f")
_BARE_IN: Final = re.compile(rb"\$[@B]")
_BARE_OUT: Final = re.compile(rb"\([BJ]")
_HIGH: Final = re.compile(rb"[\x80-\xff]+")
_LONE: Final = re.compile(rb"[!-~]{2}|[^!-~]+|[!-~]")


def is_marked(raw: bytes) -> bool:
    """True when the bytes switch character sets as only ISO-2022-JP does, whatever the label says."""
    return b"\x1b" in raw and _MARK.search(raw) is not None


def with_escapes(raw: bytes) -> bytes:
    """Bytes labelled ISO-2022-JP whose ESC some gateway dropped (`$B…(B`), with them put back."""
    if b"\x1b" in raw or b"$" not in raw:
        return raw
    return b"\n".join(_with_escapes(line) for line in raw.split(b"\n"))


def _with_escapes(line: bytes) -> bytes:
    pieces: list[bytes] = []
    at = 0
    opening = _BARE_IN.search(line)
    while opening is not None:
        start = opening.start()
        # Pairs lie between the two, so the way back stands at an even distance.
        closing = next((one for one in _BARE_OUT.finditer(line, start + 4) if (one.start() - start) % 2 == 0), None)
        if closing is None or not line[start : closing.end()].isascii():
            break
        end = closing.start()
        pieces += [line[at:start], b"\x1b", line[start:end], b"\x1b", closing.group()]
        at = closing.end()
        opening = _BARE_IN.search(line, at)
    return b"".join((*pieces, line[at:]))


def decode_jis(raw: bytes, carrier: Carrier, decode_high: Callable[[bytes], str] | None = None) -> str:
    """The text; what has no character becomes U+FFFD. `decode_high` reads runs of 8-bit bytes outside kanji.

    Every line begins in ASCII (RFC 1468): a forgotten way back costs one line, not the rest of the mail.
    """
    pieces: list[str] = []
    state, before_shift_out, at = "ascii", "ascii", 0
    for match in _SHIFT.finditer(raw):
        if match.start() > at:
            pieces.append(_run(raw[at : match.start()], state, carrier, decode_high))
        at, token = match.end(), match.group()
        if token in (b"\r", b"\n"):
            pieces.append(token.decode("ascii"))
            state = "ascii"
        elif token == b"\x0f":
            state = before_shift_out
        elif token in _SETS:
            before_shift_out = (state if state != "kana" else before_shift_out) if token == b"\x0e" else "ascii"
            state = _SETS[token]
        elif token != b"\x1b&@":
            pieces.append(of_webcode(chr(token[2]), token[3:].rstrip(b"\x0f").decode("ascii")))
    pieces.append(_run(raw[at:], state, carrier, decode_high))
    return "".join(pieces)


def _run(raw: bytes, state: str, carrier: Carrier, decode_high: Callable[[bytes], str] | None) -> str:
    if state == "ascii":
        return _ascii(raw, decode_high)
    if state == "kana":
        return "".join(chr((byte & 0x7F) + 0xFF40) if 0x21 <= byte & 0x7F <= 0x5F else chr(byte & 0x7F) for byte in raw)
    try:
        if state == "kanji" and raw.isascii():
            return _plain_kanji(raw)
    except UnicodeDecodeError:
        pass
    pair = _PAIRS[state]
    return "".join(_token(token, pair, carrier) for token in _LONE.findall(bytes(byte & 0x7F for byte in raw)))


def _plain_kanji(raw: bytes) -> str:
    """JIS X 0208 with the vendors' rows, by way of Microsoft's EUC. Raises UnicodeDecodeError for all else."""
    shifted = bytearray()
    if len(raw) % 2 or not raw.translate(None, _PRINTABLE) == b"":
        raise UnicodeDecodeError("jis", raw, 0, 1, "not only pairs")
    for first, second in zip(raw[::2], raw[1::2], strict=True):
        if 0x75 <= first <= 0x7C:
            raise UnicodeDecodeError("jis", raw, 0, 1, "rows of vendors")
        shifted += bytes(shift_jis_of(first, second))
    return shifted.decode("cp932")


_PRINTABLE: Final = bytes(range(0x21, 0x7F))


def _token(token: bytes, pair: Callable[[int, int, Carrier], str], carrier: Carrier) -> str:
    if len(token) == 2 and 0x21 <= token[0] <= 0x7E:
        return pair(token[0], token[1], carrier)
    return token.decode("ascii") if token.isspace() or not token.strip(b"\x00- ") else "\ufffd"


def kanji_pair(first: int, second: int, carrier: Carrier) -> str:
    """One pair of JIS X 0208 with the vendors' rows; 〓 for a pictogram without a character, U+FFFD for nothing."""
    picture = of_jis(first, second, carrier)
    if picture is not None and picture != GETA:
        return picture
    try:
        return bytes(shift_jis_of(first, second)).decode("cp932")
    except UnicodeDecodeError:
        return picture or _by_euc(bytes((first | 0x80, second | 0x80)))


def _by_euc(raw: bytes) -> str:
    try:
        return raw.decode("euc_jis_2004")
    except UnicodeDecodeError:
        return "\ufffd"


def x0212_pair(first: int, second: int) -> str:
    """One pair of the supplementary kanji (JIS X 0212), IBM's in rows 83 and 84 included (eucJP-ms)."""
    raw = bytes((0x8F, first | 0x80, second | 0x80))
    try:
        return raw.decode("euc_jp")
    except UnicodeDecodeError:
        return _by_euc(raw)


_PAIRS: Final[dict[str, Callable[[int, int, Carrier], str]]] = {
    "kanji": kanji_pair,
    "x0213": lambda first, second, _: _by_euc(bytes((first | 0x80, second | 0x80))),
    "x0213-2": lambda first, second, _: _by_euc(bytes((0x8F, first | 0x80, second | 0x80))),
    "x0212": lambda first, second, _: x0212_pair(first, second),
}


def _ascii(raw: bytes, decode_high: Callable[[bytes], str] | None) -> str:
    if raw.isascii():
        return raw.decode("ascii")
    if decode_high is not None:
        return decode_high(raw)
    return _HIGH.sub(lambda match: _kana_or_mark(match.group()), raw).decode("utf-8")


def _kana_or_mark(raw: bytes) -> bytes:
    return "".join(chr(byte + 0xFEC0) if 0xA1 <= byte <= 0xDF else "\ufffd" for byte in raw).encode()


_SJIS_UNIT: Final = re.compile(rb"[\x00-\x7f]+|[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]|[\xa1-\xdf]+|.", re.S)


def decode_shift_jis(raw: bytes, carrier: Carrier) -> str:
    """Shift_JIS in Microsoft's superset, with pictograms and JIS X 0213; U+FFFD for what is nothing."""
    if not (carrier is Carrier.SOFTBANK and b"\xfb" in raw):
        plain = _wholly(raw, "cp932")
        if plain is not None:
            return plain
    out = StringIO()
    for match in _SJIS_UNIT.finditer(raw):
        out.write(_sjis_unit(match.group(), carrier))
    return out.getvalue()


def _wholly(raw: bytes, codec: str) -> str | None:
    """The text where nothing in it needs a closer look: no pictogram, no control character, no damage."""
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        return None
    return text if _DOUBTFUL.search(text) is None else None


_DOUBTFUL: Final = re.compile("[\x80-\x9f\ue000-\uf8ff]")


def _sjis_unit(unit: bytes, carrier: Carrier) -> str:
    if len(unit) == 2 and unit[0] >= 0x81 and not 0xA1 <= unit[0] <= 0xDF:
        if unit[0] >= 0xF0:
            picture = of_shift_jis(unit[0] << 8 | unit[1], carrier)
            if picture is not None:
                return picture
        if carrier is Carrier.AU and unit[0] in (0xEB, 0xEC):
            return of_shift_jis((unit[0] + 0x0B) << 8 | unit[1], carrier) or GETA
        return _first_of(unit, "cp932", "shift_jis_2004")
    return _first_of(unit, "cp932")


def _first_of(raw: bytes, *codecs: str) -> str:
    for codec in codecs:
        try:
            text = raw.decode(codec)
        except UnicodeDecodeError:
            continue
        if not ("\x80" <= text[0] <= "\x9f" or "\uf8f0" <= text[0] <= "\uf8ff"):
            return text
    return "\ufffd"


_EUC_UNIT: Final = re.compile(
    rb"[\x00-\x7f]+|\x8e[\xa1-\xdf]|\x8f[\xa1-\xfe][\xa1-\xfe]|[\xa1-\xfe][\xa1-\xfe]|.", re.S
)


def decode_euc_jp(raw: bytes, carrier: Carrier) -> str:
    """EUC-JP in Microsoft's superset (CP51932, eucJP-ms), with JIS X 0212 and 0213; U+FFFD for what is nothing."""
    out = StringIO()
    for match in _EUC_UNIT.finditer(raw):
        out.write(_euc_unit(match.group(), carrier))
    return out.getvalue()


def _euc_unit(unit: bytes, carrier: Carrier) -> str:
    if unit[0] < 0x80:
        return unit.decode("ascii")
    if unit[0] == 0x8E and len(unit) == 2:
        return chr(unit[1] + 0xFEC0)
    if len(unit) == 3:
        return x0212_pair(unit[1] & 0x7F, unit[2] & 0x7F)
    if len(unit) == 2:
        return kanji_pair(unit[0] & 0x7F, unit[1] & 0x7F, carrier)
    return "\ufffd"
