"""Why a mail failed: one word of docs/bounces.md for what a mail system said about one recipient.

The order: what single systems write in their own way, then the general words, then the enhanced status, then wider
words, then the vague statuses, then the command that was refused, then what the dialect stands for.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from fumibako.mime.bounce.dialogue import answer_in, answers_in, statuses_in
from fumibako.mime.bounce.phrases import Lazy, lazily
from fumibako.mime.bounce.provider_words import PROVIDER_WORDS, VENDOR_HOSTS, VENDOR_WORDS
from fumibako.mime.bounce.reason_names import NAMES
from fumibako.mime.bounce.reason_words import WORDS
from fumibako.mime.bounce.reason_words_abroad import ABROAD
from fumibako.mime.bounce.reason_words_first import FIRST
from fumibako.mime.bounce.reason_words_later import LATER
from fumibako.mime.bounce.report import Found
from fumibako.mime.bounce.status_reasons import is_vendors_own, of_status, of_vague_status
from fumibako.mime.bounce.wording import LONGEST, plain

REASONS: Final = (
    "authfailure", "badreputation", "blocked", "contenterror", "exceedlimit", "expired", "failedstarttls", "filtered",
    "hasmoved", "hostunknown", "mailboxfull", "mailererror", "mesgtoobig", "networkerror", "norelaying", "notaccept",
    "notcompliantrfc", "onhold", "policyviolation", "rejected", "requireptr", "securityerror", "spamdetected",
    "speeding", "suppressed", "suspend", "syntaxerror", "systemerror", "systemfull", "toomanyconn", "undefined",
    "userunknown", "virusdetected",
)  # fmt: skip
"""The vocabulary, told word by word in docs/bounces.md."""

_ALWAYS_HARD: Final = frozenset(("userunknown", "hostunknown", "hasmoved"))
_ADDRESS_STATUS: Final = frozenset(("1.0", "1.1", "1.3", "1.5", "1.10", "1.351", "4.1"))
"""Statuses under which "user unknown" means what it says, whatever was refused."""

_KEPT: Final = 16
"""Texts whose results are kept: what was said about all recipients is asked again for each of a thousand."""
_BEFORE_ANY_COMMAND: Final = frozenset(
    ("badreputation", "toomanyconn", "speeding", "networkerror", "expired", "systemerror", "failedstarttls")
)
"""Who is refused before anything was said is refused for who it is, whatever the words; these say more."""
_WEAKER_THAN_VENDORS: Final = frozenset(("networkerror", "expired", "rejected", "blocked", "securityerror"))


def reason_of(found: Found, command: str) -> str:
    """The reason, never "". `command` is the SMTP command that was refused, or ""."""
    if command == "STARTTLS" and found.action == "failed":
        # Whatever was said: it was said to the wish for encryption.
        return "failedstarttls"
    said = f"{found.kind_of_words}; {found.words}" if found.kind_of_words else found.words
    near = _near_texts(said if found.words.strip() else "", found)
    around = [found.around] if found.around.strip() else []
    reason = (
        next((one for text in near if (one := _of_text(text, found, command, True))), "")
        or _of_status(found, said)
        or _of_wider_words(near, found, command, True)
        or next((one for text in around if (one := _of_text(text, found, command, False))), "")
        or found.hint
        or _of_wider_words(around, found, command, False)
        or _of_circumstances(found, command)
    )
    return "blocked" if command == "CONN" and reason not in _BEFORE_ANY_COMMAND else reason


def _of_wider_words(texts: list[str], found: Found, command: str, is_near: bool) -> str:
    for text in texts:
        words = plain(text)
        reason = _worded(words, False)
        if reason == "userunknown":
            return _unknown_or_filtered(found, command, is_near)
        if reason == "securityerror" and command == "MAIL" and "access denied" in words:
            # Nothing but the sender had been named.
            return "rejected"
        if reason:
            return reason
    return ""


def _near_texts(said: str, found: Found) -> list[str]:
    """What was said about this recipient, the server's own answer first."""
    if found.is_answer:
        said = _whole_answer(found) or said
        return [said] if said.strip() else []
    answer = answer_in(found.words)
    return [text for text in (answer, said) if text.strip()]


def _whole_answer(found: Found) -> str:
    """The answer as the transcript has it, where the report only kept its first line."""
    beginning = found.words[:40].strip().lower()
    answers = (answer for _, answer in answers_in(found.around))
    return next((answer for answer in answers if len(beginning) > 8 and answer.lower().startswith(beginning)), "")


def is_hard(reason: str, permanent: bool | None) -> bool:
    """Whether the address itself is at fault. A domain that takes no mail is believed only when it says so for good."""
    return reason in _ALWAYS_HARD or (reason == "notaccept" and permanent is True)


def vendor_of(host: str, text: str) -> str:
    """Whose server refused: google, microsoft, yahoo …, or ""."""
    for vendor, pattern in VENDOR_HOSTS:
        if host and _compiled(pattern).search(host):
            return vendor
    return _vendor_in(text[:LONGEST].lower())


@lru_cache(maxsize=_KEPT)
def _vendor_in(text: str) -> str:
    return next((vendor for vendor, pattern in VENDOR_WORDS if _compiled(pattern).search(text)), "")


def _of_text(text: str, found: Found, command: str, is_near: bool) -> str:
    provided = _provided(text[: LONGEST * 2])
    if provided:
        return provided
    reason = _worded(plain(text), True)
    if found.kind_of_words == "x-unix" and reason not in ("mailboxfull", "systemfull"):
        return "mailererror"
    if reason == "userunknown" and command == "DATA" and vendor_of(found.host, "") == "docomo":
        return "rejected"
    if reason == "syntaxerror" and found.status[2:] == "1.3":
        # "Bad destination mailbox address syntax": the address, not the command.
        return "userunknown"
    telling = _of_status(found, text)
    if telling and reason in _WEAKER_THAN_VENDORS and (vendor_of(found.host, text) or is_vendors_own(found.status)):
        return telling
    return _unknown_or_filtered(found, command, is_near) if reason == "userunknown" else reason


def _of_status(found: Found, text: str) -> str:
    if found.status[:1] not in ("4", "5"):
        return ""
    return of_status(found.status, vendor_of(found.host, text) or vendor_of("", found.around))


@lru_cache(maxsize=_KEPT)
def _provided(text: str) -> str:
    raw = " ".join(text.lower().split())
    return next((reason for _, pattern, reason in PROVIDER_WORDS if _compiled(pattern).search(raw)), "")


@lru_cache(maxsize=_KEPT)
def _worded(words: str, is_first: bool) -> str:
    return next((reason for reason, pattern in _patterns(is_first) if pattern.search(words)), "")


@cache
def _patterns(is_first: bool) -> tuple[tuple[str, Lazy], ...]:
    table = WORDS if is_first else LATER
    # Words of other languages go with the last and widest entry of their reason.
    last = {reason: place for place, (reason, _) in enumerate(table)}
    taken = set() if is_first else {reason for reason, _ in WORDS}
    found = [(reason, lazily(phrases, NAMES)) for reason, phrases in FIRST] if is_first else []
    for place, (reason, phrases) in enumerate(table):
        others = ABROAD.get(reason, ()) if last[reason] == place and reason not in taken else ()
        found.append((reason, lazily(phrases + others, NAMES)))
    return tuple(found)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _unknown_or_filtered(found: Found, command: str, is_near: bool) -> str:
    """ "User unknown" after the text was handed over comes from a filter that hides who is there (phone carriers)."""
    statuses = {found.status[2:], *(status[2:] for status in statuses_in(found.words))}
    if statuses & _ADDRESS_STATUS or command == "RCPT" or found.hint == "userunknown":
        return "userunknown"
    return "filtered" if is_near else "userunknown"


def _of_circumstances(found: Found, command: str) -> str:
    vague = of_vague_status(found.status)
    if vague:
        return vague
    by_command = {"HELO": "blocked", "MAIL": "rejected", "AUTH": "securityerror", "STARTTLS": "failedstarttls"}
    if command in by_command:
        return by_command[command]
    if 500 <= found.code <= 504:
        return "syntaxerror"
    if found.kind_of_words in ("x-unix", "x-postfix"):
        # A program or Postfix itself failed, in words of its own.
        return "mailererror"
    if found.action == "delayed":
        return "expired"
    return "onhold" if found.words.strip() or found.around.strip() or found.code else "undefined"
