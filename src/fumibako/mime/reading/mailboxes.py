"""Address fields: names and addresses, in one pass over the text whatever stands in it.

Not a checker: `fumibako.mime.addresses` says whether an address makes sense. Here `moderator` is an address too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from fumibako.mime.headers import Mailbox
from fumibako.mime.reading.words import Context, decode_words, raw_text

ADDRESSES: Final = 1_000
SHORT_OCTETS: Final = 1_000
"""A field of so much is remembered: one mail's is read several times, and our own address stands in all of them."""

_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.){0,1000}"|=\?[^?\s]{0,60}\?(?:[BbQq]\?[^?\s<>]{0,4000}|[Qq]\?[^?<>"]{0,200})\?=|[^\s"<>(),;:\[\]=\\]+|\[[^\]\s]{0,100}\]|\s+|.',
    re.S,
)
_NAME_CHARACTERS: Final = 4_000
# `山田 <a@example.jp>` that a program encoded or quoted as one text, against RFC 2047 §5.
_ENCODED: Final = re.compile(r"([^<>@]*)<?([^\s<>@\"]{1,64}@[^\s<>@\"]{1,255})>?\Z")
_SPACED: Final = re.compile(r"[^\s@]+@[^\s@.]+(?:\s*\.\s*[^\s@.]+)+")
_PAIR: Final = re.compile(r"\\(.)", re.S)
_SPACE: Final = re.compile(r"[ \t\r\n]+")
_FRAMED: Final = re.compile(r"\s*(['\"])(.+)\1\s*\Z", re.S)


class _Reader:
    """Collects one mailbox after another from tokens."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.found: list[Mailbox] = []
        self.words: list[str] = []
        self.comments: list[str] = []
        self.angle: list[str] | None = None
        self.address: str | None = None
        self.has_at = False
        self.is_cut = False

    def end(self) -> None:
        """A comma, a semicolon or the end of the field."""
        if self.angle is not None:
            self.address, self.angle = "".join(self.angle), None
        mailbox = self._mailbox()
        if mailbox is not None:
            if len(self.found) < ADDRESSES:
                self.found.append(mailbox)
            else:
                self.is_cut = True
        self.words, self.comments, self.address, self.has_at = [], [], None, False

    def _mailbox(self) -> Mailbox | None:
        name = "".join(self.words).strip()[:_NAME_CHARACTERS]
        comment = "".join(self.comments).strip()[:_NAME_CHARACTERS]
        if self.address is not None and (self.address or "@" not in name):
            return Mailbox(self._shown(name or comment), _bare(self.address))
        if not name:
            return None
        address, rest = _address_in(name)
        if address:
            return Mailbox(self._shown(rest or comment), address)
        wholly_framed = _ENCODED.match(self._shown(name)) if "=?" in name or name.startswith('"') else None
        if wholly_framed is not None:
            return Mailbox(self._shown(wholly_framed.group(1)), wholly_framed.group(2))
        return (
            Mailbox(self._shown(comment), _bare(name))
            if " " not in name and "=?" not in name
            else Mailbox(self._shown(name), "")
        )

    def _shown(self, name: str) -> str:
        shown = _SPACE.sub(" ", decode_words(_unquoted(name), self.context)).strip()
        # Outlook writes 'a@example.jp' where it has no name.
        framed = _FRAMED.match(shown)
        return framed.group(2).strip() if framed else shown


def read_mailboxes(raw: bytes, context: Context) -> tuple[tuple[Mailbox, ...], bool]:
    """(the mailboxes of a field, at most 1,000; whether there were more). Groups give their members."""
    if not raw:
        return (), False
    return _read_short(raw, context) if len(raw) <= SHORT_OCTETS else _read(raw, context)


def _read(raw: bytes, context: Context) -> tuple[tuple[Mailbox, ...], bool]:
    reader = _Reader(context)
    depth = 0
    for match in _TOKEN.finditer(raw_text(raw, context)):
        token = match.group()
        if depth or (token == "(" and reader.angle is None):
            depth += (token == "(") - (token == ")")
            if depth and not (token == "(" and depth == 1):
                reader.comments.append(token)
        elif reader.angle is not None:
            _inside_angle(reader, token)
        else:
            _outside(reader, token)
        if reader.is_cut:
            break
    reader.end()
    return tuple(reader.found), reader.is_cut


_read_short = lru_cache(maxsize=64)(_read)


def _inside_angle(reader: _Reader, token: str) -> None:
    if token == ">":
        reader.address, reader.angle = "".join(reader.angle or []), None
    elif token == "<":
        # `<<a@example.jp>>`, or a name in angle brackets before the address in its own.
        reader.words += reader.angle or []
        reader.angle = []
    elif token == "," and reader.angle and "@" in reader.angle[-1] and not reader.angle[0].startswith("@"):
        reader.end()
    elif reader.angle is not None and not token.isspace():
        reader.angle.append(token)


def _outside(reader: _Reader, token: str) -> None:
    if token in ",;":
        reader.end()
    elif token == "<":
        reader.angle = []
    elif token == ":" and reader.address is None and not reader.has_at:
        reader.words, reader.comments = [], []
    elif token == ">":
        return
    elif reader.address is None:
        reader.words.append(token)
        reader.has_at = reader.has_at or "@" in token


def _unquoted(name: str) -> str:
    """The name without the quotation marks around its quoted parts."""
    return re.sub(r'"((?:[^"\\]|\\.)*)"', lambda match: _PAIR.sub(r"\1", match.group(1)), name)


def _bare(address: str) -> str:
    """The address without route, `mailto:` and space."""
    plain = "".join(address.split())
    if plain.startswith("@") and ":" in plain:
        plain = plain.partition(":")[2]
    if plain[:7].lower() == "mailto:":
        plain = plain[7:]
    return plain.strip("<>")


def _address_in(text: str) -> tuple[str, str]:
    """(the address among unquoted words without angle brackets, the words around it)."""
    if "@" not in text or (text.startswith('"') and text.find('"', 1) == len(text) - 1):
        return "", ""
    if text.startswith('"') and '"@' in text:
        joined = "".join(text.split())
        return (joined, "") if joined.count("@") == 1 or joined.rpartition('"')[2].startswith("@") else ("", "")
    if _SPACED.fullmatch(text):
        # RFC 5322 §4.4 still knows spaces around the dots of a domain.
        return "".join(text.split()), ""
    words = text.split()
    places = [place for place, word in enumerate(words) if "@" in word]
    if len(words) > 1 and len(places) == 1 and words[places[0]].strip("@") == "":
        return "".join(words), ""
    place = places[0]
    return words[place], " ".join(words[:place] + words[place + 1 :])
