"""Which mail addresses we agree to write to, and the exact form each one takes on the wire.

Wider than RFC 5321 where real mailboxes are: phone carriers of the 2000s handed out local parts such as `abc..d` and
`a.`, which reach their owner when the local part is quoted. Narrower where an accepted form is nearly always a typing
error: comments, address literals, single-label domains, and quoted local parts with spaces, brackets or escapes in
them, which half the world's software reads wrongly. A local part is never rewritten, only quoted.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

LOCAL_OCTETS = 64
"""RFC 5321 §4.5.3.1.1."""
ADDRESS_OCTETS = 254
"""RFC 5321 §4.5.3.1.3 allows a path of 256 octets, two of which are the angle brackets."""

NOWHERE = frozenset(("invalid", "localhost", "onion"))
"""Top-level names that no public mail server can ever have (RFC 6761 §6.3 and §6.4, RFC 7686 §2)."""

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_DOT_ATOM = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_DOTTED = re.compile(rf"(?:{_ATEXT}|\.)+")
_QUOTED = re.compile(r'"[!#-;=?-\[\]-~]+"')
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_TOP_LABEL = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z])")
_EVERYDAY = re.compile(
    rf"(?=.{{,{ADDRESS_OCTETS}}}\Z)(?=[^@]{{,{LOCAL_OCTETS}}}@){_ATEXT}+(?:\.{_ATEXT}+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9]|-(?!-)){,62}(?<!-)\.)+"
    rf"(?!(?i:{'|'.join(sorted(NOWHERE))})\Z)[A-Za-z]{{2,63}}"
)


class AddressProblem(StrEnum):
    """Why an address was not accepted."""

    EMPTY = "empty"
    NO_AT = "no_at"
    SEVERAL_AT = "several_at"
    """Two addresses in one field, or an @ too many."""
    NO_LOCAL = "no_local"
    NO_DOMAIN = "no_domain"
    CONTROL_CHARACTER = "control_character"
    """CR, LF, NUL, U+2028 and their like: never a typing error worth guessing at."""
    SPACE = "space"
    NON_ASCII_LOCAL = "non_ascii_local"
    """Needs SMTPUTF8, which the ways to Japanese mailboxes do not offer."""
    BAD_LOCAL = "bad_local"
    BAD_DOMAIN = "bad_domain"
    TOO_LONG = "too_long"
    NON_RFC = "non_rfc"
    """Would be accepted, quoted, if the account allowed addresses outside the RFC."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What we think of one address.

    `wire` is what stands between the angle brackets of RCPT and in the To header alike; empty unless accepted.
    `is_quoted_by_us` tells that the local part broke the dot-atom rule (RFC 5321 §4.1.2) and got quotes.
    """

    is_accepted: bool
    wire: str = ""
    problem: AddressProblem | None = None
    is_quoted_by_us: bool = False


def judge(address: str, *, allow_non_rfc: bool) -> Verdict:
    """Decide whether mail may be sent to `address`, exactly as it stands: see `tidy` for cleaning what people type."""
    if is_everyday(address):
        return Verdict(True, address)
    if not address:
        return _refuse(AddressProblem.EMPTY)
    if any(_is_control(char) for char in address):
        return _refuse(AddressProblem.CONTROL_CHARACTER)
    local, at, domain = address.rpartition("@")
    problem = _problem_of_parts(local, at, domain)
    if problem is not None:
        return _refuse(problem)
    wire_domain = domain_on_the_wire(domain)
    if wire_domain is None:
        return _refuse(AddressProblem.BAD_DOMAIN)
    return _verdict(local, wire_domain, allow_non_rfc)


def is_everyday(address: str) -> bool:
    """True for the everyday address, accepted as it stands: bulk sending does not pay for the rare ones."""
    return _EVERYDAY.fullmatch(address) is not None


def _refuse(problem: AddressProblem) -> Verdict:
    return Verdict(False, problem=problem)


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")


def _problem_of_parts(local: str, at: str, domain: str) -> AddressProblem | None:
    if not at:
        return AddressProblem.NO_AT
    if not local:
        return AddressProblem.NO_LOCAL
    if not domain:
        return AddressProblem.NO_DOMAIN
    if " " in domain:
        return AddressProblem.SPACE
    return _problem_of_local(local)


def _problem_of_local(local: str) -> AddressProblem | None:
    if not local.isascii():
        return AddressProblem.NON_ASCII_LOCAL
    if _DOTTED.fullmatch(local) or _QUOTED.fullmatch(local):
        return AddressProblem.TOO_LONG if len(local) > LOCAL_OCTETS else None
    if "@" in local:
        return AddressProblem.SEVERAL_AT
    return AddressProblem.SPACE if " " in local else AddressProblem.BAD_LOCAL


def _verdict(local: str, domain: str, allow_non_rfc: bool) -> Verdict:
    needs_quotes = not (_DOT_ATOM.fullmatch(local) or local.startswith('"'))
    if needs_quotes and not allow_non_rfc:
        return _refuse(AddressProblem.NON_RFC)
    wire = f'"{local}"@{domain}' if needs_quotes else f"{local}@{domain}"
    if len(wire) > ADDRESS_OCTETS:
        return _refuse(AddressProblem.TOO_LONG)
    return Verdict(True, wire, is_quoted_by_us=needs_quotes)


@lru_cache(maxsize=1024)
def domain_on_the_wire(domain: str) -> str | None:
    """The domain in ASCII, internationalised labels as `xn--` (RFC 5890), or None when it cannot be a mail domain.

    A mail domain has two labels or more, each made of letters, digits and inner hyphens, and its last label starts and
    ends with a letter (which is true of every top-level domain, `xn--` ones included).
    """
    labels = domain.split(".") if domain.isascii() else [_ascii_label(label) for label in domain.split(".")]
    if len(labels) < 2 or not all(_is_label(label) for label in labels) or labels[-1].lower() in NOWHERE:
        return None
    return ".".join(labels) if _TOP_LABEL.fullmatch(labels[-1]) else None


def _is_label(label: str) -> bool:
    if not _LABEL.fullmatch(label):
        return False
    if label[2:4] != "--":
        return True
    # RFC 5890 §2.3.1: two hyphens in this place are reserved; only xn-- has been given a meaning.
    return label[:4].lower() == "xn--" and _decodes(label[4:])


def _decodes(punycode: str) -> bool:
    try:
        return bool(punycode.encode("ascii").decode("punycode"))
    except UnicodeError:
        return False


def _ascii_label(label: str) -> str:
    """One label as ASCII, or "" when a character in it may not stand in a domain (after RFC 5892, RFC 5895).

    Not the stdlib "idna" codec: that one follows the rules of 2003, under which `ß` silently becomes another domain.
    """
    if label.isascii():
        return label
    plain = unicodedata.normalize("NFKC", "".join(char.lower() for char in label))
    if plain.isascii():
        return plain
    if unicodedata.category(plain[0]).startswith("M") or not all(_may_stand_in_label(char) for char in plain):
        return ""
    directions = {unicodedata.bidirectional(char) for char in plain}
    if directions & {"R", "AL"} and "L" in directions:
        # RFC 5893 §2: such a label is read differently by everybody.
        return ""
    return "xn--" + plain.encode("punycode").decode("ascii")


def _may_stand_in_label(char: str) -> bool:
    return char in "-・〇" or unicodedata.category(char) in ("Ll", "Lo", "Lm", "Mn", "Mc", "Nd")


_AS_TYPED = str.maketrans(
    {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    | {"\u3000": " ", "\u00a0": " ", "。": ".", "｡": ".", "〜": "~", "−": "-", "‐": "-", "\u2011": "-", "–": "-"}
    | dict.fromkeys("\u200b\u200e\u200f\u2060\ufeff", "")
)


def tidy(text: str) -> str:
    """What somebody typed or pasted, made ready for `judge`: full-width letters, spaces around, `mailto:`, `<…>`.

    `山田 <a@example.jp>` gives the address in the brackets. Nothing is guessed: what is odd stays odd.
    """
    plain = text.translate(_AS_TYPED).strip()
    if plain.endswith(">") and plain.count("<") == 1:
        name, _, inside = plain[:-1].partition("<")
        plain = plain if "@" in name else inside.strip()
    if plain[:7].lower() == "mailto:":
        plain = plain[7:].partition("?")[0]
    return plain.strip()


def address_key(address: str) -> str:
    """A form for comparing: equal for two spellings of one mailbox. Never for sending.

    Lower case, quotes removed where they change nothing, domain in ASCII. An address that makes no sense is compared as
    it stands.
    """
    cleaned = tidy(address)
    local, at, domain = cleaned.rpartition("@")
    if not at:
        return cleaned.lower()
    if _QUOTED.fullmatch(local):
        local = local[1:-1] if _DOTTED.fullmatch(local[1:-1]) else local
    return f"{local}@{domain_on_the_wire(domain) or domain}".lower()
