"""Where a mail comes from, as far as it matters for reading it: the phone carrier, and the charset of its text."""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.reading.charsets import WESTERN, known_charset
from fumibako.mime.reading.fields import Fields
from fumibako.mime.reading.pictograms import Carrier

_DOMAINS: Final = (
    (Carrier.DOCOMO, re.compile(rb"[@.\s(](?:docomo|mopera)\.(?:ne|net)(?:\.jp)?\b", re.I)),
    (Carrier.AU, re.compile(rb"[@.\s(](?:ezweb\.ne\.jp|au\.com|ido\.ne\.jp|tu-ka\.ne\.jp|uqmobile\.jp)\b", re.I)),
    (
        Carrier.SOFTBANK,
        re.compile(
            rb"[@.\s(](?:softbank\.(?:ne\.)?jp|vodafone\.ne\.jp|jp-[a-z]\.ne\.jp|disney\.ne\.jp|ymobile\.ne\.jp)", re.I
        ),
    ),
)
_TELLING: Final = ("From", "Message-ID", "Return-Path", "Sender", "Received")
_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,40})", re.I)
_LOOKED_AT: Final = 64 * 1024


def carrier_of(fields: Fields) -> Carrier:
    """The carrier whose phone or gateway wrote the mail, from its sender's side only."""
    for name in _TELLING:
        for value in fields.values(name)[-8:]:
            # A Received field also names the receiving side, after "by".
            sender_side = re.split(rb"\bby\b", value[:2000])[0] if name == "Received" else value[:2000]
            for carrier, domain in _DOMAINS:
                if domain.search(b" " + sender_side):
                    return carrier
    return Carrier.UNKNOWN


def charset_for_bare_bytes(raw: bytes) -> str:
    """What raw 8-bit header bytes may be in: the first charset the mail names that can tell its own bytes apart."""
    for match in _CHARSET.finditer(raw, 0, _LOOKED_AT):
        label = match.group(1).decode("ascii")
        charset = known_charset(label)
        if charset and charset not in WESTERN and charset not in ("utf-8", "iso-2022-jp"):
            return label
    return ""
