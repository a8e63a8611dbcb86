"""Pieces of SMTP inside prose: reply codes, enhanced statuses, the command that was refused, the server's lines."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_KEPT: Final = 16
"""Texts whose results are kept: what was said about all recipients is asked again for each of a thousand."""

_STATUS: Final = re.compile(r"(?<![\d.])([45]\.[0-7]\.\d{1,3})(?![.\d])")
# A reply code stands before a status, or before the words of the answer, and not inside a number or an address.
_CODE_BEFORE_STATUS: Final = re.compile(
    r"(?<![\w.@/:-])([45][0-57]\d)[- ]{1,4}[#'(\[]{0,3}[45]\.[0-7]\.\d{1,3}(?![.\d])"
)
_CODE_AT_START: Final = re.compile(
    r"^\W{0,20}(?:(?:smtp|esmtp|lmtp)\s*;\s*)?\W{0,6}([45][0-57]\d)(?=[- :;,]|\s*$)", re.I | re.M
)
_CODE_AFTER_WORD: Final = re.compile(
    r"(?:said|replied|reply|returned|response|responded|reason|error|code|answer(?:ed)?|server|status|message|smtp|"
    r"received|because|with|diagnostic[- ]code|respuesta|dijo|antwort|fehler|réponse|erreur|エラー|応答|コード)"
    r"[^\n\d]{0,60}?[\s:;'\"(#\[<>=*-]([45][0-57]\d)(?=[- :;,.)'\"\]]|$)",
    re.I,
)
_CODE_ANYWHERE: Final = re.compile(r"(?<![\w.@/:,+-])([45][0-57]\d)(?=(?:-| ?:)?\s{0,8}['A-Za-z<\[(\"#:>])")

_COMMANDS: Final = (
    (re.compile(r"\bin reply to (?:the )?end of data\b|\bend of data command\b", re.I), "DATA"),
    (re.compile(r"\bin reply to (?:the )?(MAIL|RCPT|DATA|HELO|EHLO|STARTTLS|AUTH|VRFY|BDAT)\b", re.I), ""),
    (re.compile(r"\b(?:after|following|sending|during|with|to|for)\s+(?:the |our |a )?(?:smtp )?(MAIL FROM|"
        r"RCPT TO|RCPT|DATA|HELO|EHLO|STARTTLS|MAIL|AUTH)\b", re.I), ""),
    (re.compile(r"\bafter (?:the )?end of (?:data|message)\b|\bfailed after i sent the message\b", re.I), "DATA"),
    (re.compile(r"\bdid not like our (?:final )?(MAIL FROM|RCPT TO|DATA|HELO|EHLO|STARTTLS)\b", re.I), ""),
    (re.compile(r"\bafter initial connection\b|\bgreeting\b.{0,40}\b(?:refused|failed)|\bdid not like our "
        r"greeting", re.I), "CONN"),
    (re.compile(r"\bdoes not like recipient\b|\brejected recipient\b|\brecipient was rejected\b", re.I), "RCPT"),
    (re.compile(r"\bsender was rejected\b|\brejected mail from\b|\bdoes not like sender\b", re.I), "MAIL"),
    (re.compile(r"\((DATA|RCPT|MAIL|HELO|EHLO)\)", re.I), ""),
    (re.compile(r"^\s*(?:sent\W{1,8})?(?:>>>|<<<|C:|-->)\s*(MAIL FROM|RCPT TO|DATA|HELO|EHLO|STARTTLS|MAIL|"
        r"RCPT)\b", re.I | re.M), ""),
    (re.compile(r"^-+ ?SMTP command\s*\n\s*(MAIL|RCPT|DATA|HELO|EHLO)\b", re.I | re.M), ""),
    (re.compile(r"\[(RCPT|MAIL|DATA|HELO|EHLO)_(?:TO|FROM|FINAL)?\]", re.I), ""),
    (re.compile(r"\bsmtp:(RCPT|MAIL|DATA|HELO|EHLO)\b", re.I), ""),
)  # fmt: skip
_ANSWER: Final = re.compile(
    r"(?:\bsaid|\breplied|\bresponded(?: as follows| with)?|\breturned(?: was)?|\bresponse "
    r"(?:from the remote server )?was|\berror message(?: below)?|\breceived|server message|"
    r"\bfailed with|\breason|応答|エラー内容)"
    r"\s{0,3}[:>]{0,3}\s{0,4}[\['\"]?\s{0,2}([45]\d\d[ -][^\x00]{3,3000})",
    re.I,
)
_SENT: Final = re.compile(
    r"^\s*(?:sent\W{1,8})?>>>\s*(MAIL|RCPT|DATA|HELO|EHLO|STARTTLS)\b|^\s*Sent\s+<<<\s*(MAIL|RCPT|DATA|HELO|EHLO)", re.I
)
_GOT: Final = re.compile(r"^\s*(?:<<<|Received\s+>>>|-->)\s*([2345]\d\d.*)", re.I)


def statuses_in(text: str) -> list[str]:
    """Every 4.x.x and 5.x.x of a text, in order."""
    return _STATUS.findall(text[:20_000])


@lru_cache(maxsize=_KEPT)
def best_status(text: str) -> str:
    """The status the text is about: one that says something before one that ends in .0.0; the first of equals."""
    found = statuses_in(text)
    telling = [status for status in found if not status.endswith(".0.0")]
    return next(iter(telling or found), "")


@lru_cache(maxsize=_KEPT)
def code_in(text: str) -> int:
    """The SMTP code the text quotes, or 0. One before an enhanced status is the surest."""
    text = text[:20_000]
    for pattern in (_CODE_BEFORE_STATUS, _CODE_AT_START, _CODE_AFTER_WORD, _CODE_ANYWHERE):
        match = pattern.search(text)
        if match is not None:
            return int(match.group(1))
    return 0


@lru_cache(maxsize=_KEPT)
def command_in(text: str) -> str:
    """The command that was refused: CONN, HELO, MAIL, RCPT, DATA, STARTTLS, AUTH or ""."""
    text = text[:20_000]
    first: tuple[int, str] | None = None
    for pattern, fixed in _COMMANDS:
        match = pattern.search(text)
        if match is not None and (first is None or match.start() < first[0]):
            first = (match.start(), fixed or match.group(1))
    return named_command(first[1]) if first else ""


def answer_in(text: str) -> str:
    """The server's answer where the text introduces one (`said: …`, `responded: […]`), or ""."""
    match = _ANSWER.search(text[:20_000])
    return match.group(1).strip() if match is not None else ""


def named_command(word: str) -> str:
    """`rcpt to` → RCPT, EHLO → HELO."""
    name = word.upper().split()[0]
    return {"EHLO": "HELO", "VRFY": "RCPT", "BDAT": "DATA"}.get(name, name)


@lru_cache(maxsize=_KEPT)
def answers_in(transcript: str) -> tuple[tuple[str, str], ...]:
    """(command, answer) of each refusal in a transcript of `>>>` and `<<<` lines, continuation lines joined."""
    found: list[tuple[str, str]] = []
    command = ""
    is_open = False
    for line in transcript.split("\n")[:2_000]:
        sent, got = _SENT.match(line), _GOT.match(line)
        if sent is not None:
            command, is_open = named_command(sent.group(1) or sent.group(2)), False
        elif got is not None and got.group(1)[0] in "45":
            answer = got.group(1).strip()
            if is_open:
                found[-1] = (found[-1][0], f"{found[-1][1]} {answer}")
            else:
                found.append((command, answer))
            is_open = answer[3:4] == "-"
    return tuple(found)
