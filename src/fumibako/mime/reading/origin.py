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
_WORDS: Final = (
    *(b"docomo", b"mopera", b"ezweb", b"au.com", b"ido.ne", b"tu-ka", b"uqmobile"),
    *(b"softbank", b"vodafone", b"jp-", b"disney", b"ymobile"),
)
"""Every one of these domains holds one of these."""
_TELLING: Final = ("From", "Message-ID", "Return-Path", "Sender", "Received")
_BY: Final = re.compile(rb"\bby\b")
_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,40})", re.I)
_LOOKED_AT: Final = 64 * 1024


def carrier_of(fields: Fields) -> Carrier:
    """The carrier whose phone or gateway wrote the mail, from its sender's side only."""
    sides = [
        # A Received field also names the receiving side, after "by".
        _BY.split(value[:2000], 1)[0] if name == "Received" else value[:2000]
        for name in _TELLING
        for value in fields.values(name)[-8:]
    ]
    # Hardly any mail comes from a phone.
    together = b"\n".join(sides).lower()
    if not any(word in together for word in _WORDS):
        return Carrier.UNKNOWN
    for side in sides:
        for carrier, domain in _DOMAINS:
            if domain.search(b" " + side):
                return carrier
    return Carrier.UNKNOWN


def charset_for_bare_bytes(raw: bytes) -> str:
    """What raw 8-bit header bytes may be in: the first charset the mail names that can tell its own bytes apart."""
    lowered = raw[:_LOOKED_AT].lower()
    at = lowered.find(b"charset")
    while at >= 0:
        match = _CHARSET.match(raw, at, _LOOKED_AT)
        at = lowered.find(b"charset", match.end() if match else at + 1)
        if match is None:
            continue
        label = match.group(1).decode("ascii")
        charset = known_charset(label)
        if charset and charset not in WESTERN and charset not in ("utf-8", "iso-2022-jp"):
            return label
    return ""
