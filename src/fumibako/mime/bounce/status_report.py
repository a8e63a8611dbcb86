"""Delivery status reports (RFC 3464, RFC 6533): the fields per recipient, in every state of repair they arrive in."""

from __future__ import annotations

import binascii
import re
from typing import Final

from fumibako.mime.bounce.report import RECIPIENTS, Found
from fumibako.mime.bounce.wording import address_in

_FIELD: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]{2,60})[ \t]*:[ \t]*(.*)")
_BLANK: Final = re.compile(r"\n[ \t]*\n")
_NEXT_PART: Final = re.compile(r"^--\S[^\n]{0,200}\n(?:Content-[A-Za-z-]+:)", re.M | re.I)
_STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=\s]{40,}")
_ACTIONS: Final = {
    "failed": "failed",
    "failure": "failed",
    "fail": "failed",
    "failed-permanent": "failed",
    "undeliverable": "failed",
    "error": "failed",
    "hardfail": "failed",
    "softfail": "failed",
    "expired": "failed",
    "delayed": "delayed",
    "deferred": "delayed",
    "delay": "delayed",
    "delivered": "delivered",
    "deliverable": "delivered",
    "relayed": "relayed",
    "expanded": "expanded",
}
_MTA: Final = re.compile(r"(?:[A-Za-z0-9-]+[ \t]*;)?[ \t]*([^\s;()]+)")

_CATEGORIES: Final = {
    "bad-mailbox": "userunknown",
    "inactive-mailbox": "suspend",
    "quota-issues": "mailboxfull",
    "bad-domain": "hostunknown",
    "spam-related": "spamdetected",
    "spam-block": "spamdetected",
    "virus-related": "virusdetected",
    "content-related": "contenterror",
    "policy-related": "policyviolation",
    "relaying-issues": "norelaying",
    "routing-errors": "networkerror",
    "no-answer-from-host": "networkerror",
    "bad-connection": "networkerror",
    "bad-configuration": "systemerror",
    "protocol-errors": "syntaxerror",
    "invalid-sender": "rejected",
    "message-expired": "expired",
}
"""PowerMTA's own classes, from its X-PowerMTA-BounceCategory field."""

Block = list[tuple[str, str]]


def read_status(text: str) -> list[Found]:
    """One value per recipient, in order. Nothing raises; what is no field is a continuation of the one before."""
    following = _NEXT_PART.search(text)
    blocks = _blocks(text[: following.start()] if following else text)
    found: list[Found] = []
    for block in blocks:
        for recipient in _recipients(block):
            one = _found(recipient)
            if one is not None and len(found) < RECIPIENTS:
                found.append(one)
    return found


def reporter(text: str) -> str:
    """The Reporting-MTA, lower case, or ""."""
    for block in _blocks(text[:4_000])[:3]:
        for name, value in block:
            if name == "reporting-mta":
                match = _MTA.match(value)
                return match.group(1).lower() if match else ""
    return ""


def _blocks(text: str) -> list[Block]:
    blocks: list[Block] = []
    for piece in _BLANK.split(text.strip("\n"))[: RECIPIENTS * 3]:
        fields = _fields(piece)
        if fields and fields[0][0] == "content-transfer-encoding":
            fields = [pair for pair in fields if not pair[0].startswith("content-")]
        if not fields and _BASE64.fullmatch(piece):
            # A filter encoded a block and left its encoding's name where the fields were.
            fields = _fields(_unbase64(piece))
        if fields:
            blocks.append(fields)
    return blocks


def _unbase64(piece: str) -> str:
    letters = "".join(piece.split())
    try:
        return binascii.a2b_base64(letters[: len(letters) // 4 * 4]).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _fields(piece: str) -> Block:
    fields: Block = []
    for line in piece.split("\n"):
        match = _FIELD.match(line)
        if match is not None and line[0] not in " \t":
            fields.append((match.group(1).lower(), match.group(2).strip()))
        elif fields and line.strip():
            name, value = fields[-1]
            joint = "" if _is_cut_word(value, line) else " "
            fields[-1] = (name, f"{value}{joint}{line.strip()}"[:8_000])
    return fields


def _is_cut_word(value: str, line: str) -> bool:
    """Domino folds inside words: at exactly the same column, before a lower-case letter."""
    return value[:8].lower() == "x-notes;" and line[:1] == " " and line[1:2].islower() and value[-1:].isalpha()


def _recipients(block: Block) -> list[dict[str, str]]:
    """The fields of each recipient in a block; several recipients may have run together."""
    found: list[dict[str, str]] = []
    current: dict[str, str] = {}
    for name, value in block:
        is_next = name in current and name in ("final-recipient", "original-recipient", "action")
        if is_next and "final-recipient" in current:
            found.append(current)
            current = {}
        current.setdefault(name, value)
    found.append(current)
    return [one for one in found if "final-recipient" in one or "original-recipient" in one]


def _found(fields: dict[str, str]) -> Found | None:
    address = ""
    for name in ("final-recipient", "original-recipient", "x-actual-recipient", "original-rcpt-to"):
        value = fields.get(name, "")
        typed, separator, rest = value.partition(";")
        address = address or address_in(rest if separator and "@" not in typed else value)
    pipe = "" if address else fields.get("final-recipient", "")
    kind, separator, words = fields.get("diagnostic-code", "").partition(";")
    if not separator or " " in kind.strip() or len(kind) > 40:
        kind, words = "", fields.get("diagnostic-code", "")
    status = _STATUS.search(fields.get("status", ""))
    host = _MTA.match(fields.get("remote-mta", ""))
    if not words.strip() and status is not None:
        # Some say it in a comment: `Status: 5.1.1 (user unknown)`.
        words = fields["status"][status.end() :].strip(" ()")
    action = fields.get("action", "").split(";")[0].split("(")[0].strip().lower()
    return Found(
        address=address,
        words=words.strip(),
        around=pipe,
        action=_ACTIONS.get(action, "failed" if status is None or status.group(1)[0] != "2" else "delivered"),
        status=status.group(1) if status else "",
        kind_of_words=kind.strip().lower(),
        host=host.group(1).lower() if host else "",
        hint=_CATEGORIES.get(fields.get("x-powermta-bouncecategory", "").lower(), ""),
        is_answer=bool(words.strip()),
    )
