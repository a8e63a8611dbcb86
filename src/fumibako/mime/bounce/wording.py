"""Words of mail systems made comparable: without addresses, links, codes and line ends a reason's words stand out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

LONGEST: Final = 4_000
"""Characters of one recipient's words that are judged."""

_LOCAL: Final = r"(?:\"(?:[^\"\\\n]|\\.){1,120}\"|[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,120})"
_DOMAIN: Final = r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,60}\])"
ADDRESS: Final = rf"(?<![A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.@-]){_LOCAL}@{_DOMAIN}"
"""An address in prose: ASCII only, because Japanese words stand right beside it without a space."""
_ADDRESS: Final = re.compile(ADDRESS)
_ANGLE: Final = re.compile(rf"<\s*({_LOCAL}@{_DOMAIN})\s*>")
# RFC 6531, where nothing else can be meant: alone in a field.
_INTERNATIONAL: Final = re.compile(r"[^\s<>\"'(),:;@\[\]]{1,120}@[^\s<>\"'(),:;@\[\]]{1,252}")
_LINK: Final = re.compile(r"<?\bhttps?://[^\s<>\"']{1,500}>?", re.I)
_AND_CODE: Final = re.compile(r"(?<![\d.])#?\b[245]\d\d(?:[- ]+[#']{0,2}[245]\.\d{1,3}\.\d{1,3}\b)?(?=[- :;,.]|$)")
_STATUS: Final = re.compile(r"\(?#?\b[245]\.\d{1,3}\.\d{1,3}\b\)?")
_SPACE: Final = re.compile(r"\s+")
# X.400 gateways and links: `dda:SMTP=a@example.jp`, `mailto:a@example.jp`.
_PREFIX: Final = re.compile(r"^(?:(?:smtp|mailto|rfc822)=)?['=]*", re.I)
# Who was spoken to, as Postfix and Exim name it before the answer.
_HOST: Final = re.compile(
    r"\b(?:host|server):? \S{1,255}? ?[\[(][0-9A-Fa-f:.]{3,60}[\])](?::\d{1,5})?:?(?: said:| "
    r"failed with:)?|\bhost: \S{1,255}",
    re.I,
)
# The name of a client as Postfix writes it may sound like anything: `<mail.spam.example[::1]>:`.
_CLIENT: Final = re.compile(r"<?\b[A-Za-z0-9_.-]{1,255}\[[0-9A-Fa-f:.]{3,60}\]>?")
_IN_BRACKETS: Final = re.compile(r"\[[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){2,10}\]")
# Cisco's mail gateways name the status in words before they quote the answer.
_OWN_NAME: Final = re.compile(r"\b[45]\.\d\.\d{1,2} - [A-Za-z() ,/]{3,60} (?=(?:\d{3}-?)?')")
# Postfix's prefix says nothing when more follows.
_PREFACE: Final = re.compile(r"\brecipient address rejected: (?!access denied)(?=\S+ ?\S*)", re.I)

_QUOTES: Final = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u3000": " ", "\xa0": " "})


def address_in(text: str) -> str:
    """The first address of a text, "" when there is none; one in angle brackets comes first."""
    text = text[:2_000]
    whole = text.strip().strip("<>")
    if not whole.isascii() and _INTERNATIONAL.fullmatch(whole):
        return whole
    match = _ANGLE.search(text)
    if match is not None:
        return _trimmed(match.group(1))
    match = _ADDRESS.search(text)
    return _trimmed(match.group()) if match is not None else ""


def addresses_in(text: str, limit: int = 200) -> list[str]:
    """Every address of a text, in order, each once."""
    found: dict[str, None] = {}
    for match in _ADDRESS.finditer(text):
        found.setdefault(_trimmed(match.group()))
        if len(found) >= limit:
            break
    return list(found)


def _trimmed(address: str) -> str:
    local, _, domain = address.rpartition("@")
    if not local.startswith('"'):
        local = _PREFIX.sub("", local)
    return f"{local}@{domain.strip('.-')}"


@lru_cache(maxsize=16)
def plain(text: str) -> str:
    """Lower-case words in one line. Addresses become `@`, links, codes and statuses go."""
    text = _SPACE.sub(" ", text[: LONGEST * 2].translate(_QUOTES))
    text = _LINK.sub(" ", text)
    text = _HOST.sub(" ", _OWN_NAME.sub(" ", text))
    text = _IN_BRACKETS.sub("[]", _CLIENT.sub("[]", text))
    text = _ADDRESS.sub(" @ ", _ANGLE.sub(" @ ", text))
    text = _STATUS.sub(" ", _AND_CODE.sub(" ", text))
    text = _SPACE.sub(" ", text).strip().lower()[:LONGEST]
    return _PREFACE.sub("", text)


def printable(text: str, limit: int) -> str:
    """One line for people: no control characters, at most `limit` characters."""
    shown = "".join(char if char.isprintable() else " " for char in text[: limit * 4])
    return _SPACE.sub(" ", shown).strip()[:limit]
