"""sendmail, version 8 and its ancestor 5: a list of addresses, then the transcript of the session they failed in.

Version 5 has no list: whoever is named in a refusal of the transcript is a recipient.
"""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, words
from fumibako.mime.bounce.dialogue import code_in, named_command
from fumibako.mime.bounce.notice import Notice
from fumibako.mime.bounce.recipients import failed_recipients
from fumibako.mime.bounce.report import RECIPIENTS, Found
from fumibako.mime.bounce.wording import ADDRESS, address_in

_LIST: Final = re.compile(
    r"^[ \t]*-{3,} The following addresses had (?:[a-z-]+ )*(?:errors|problems) -{3,}", re.I | re.M
)
_TRANSCRIPT: Final = re.compile(r"^[ \t]*-{3,} ?Transcript of session follows", re.I | re.M)
_SENT: Final = re.compile(r"^[ \t]*>>> ?(MAIL|RCPT|DATA|HELO|EHLO|STARTTLS)\b", re.I)
_ANSWER: Final = re.compile(r"^[ \t]*<<< ?([45]\d\d.*)", re.I)
_TALKING: Final = re.compile(r"^[ \t.]*while talking to ", re.I)
_VERDICT: Final = re.compile(
    rf"^[ \t]*(?:[45]\d\d[ -](?:[45]\.\d{{1,3}}\.\d{{1,3}} )?)?<?({ADDRESS})>?\.\.\. ?(.*)", re.I
)
_REASON: Final = re.compile(r"\(reason:[ \t]*(.{1,2000}?)\)[ \t]*$", re.I | re.M | re.S)

# What sendmail closes every refused session with: it says nothing.
_CLOSING: Final = re.compile(r"^Service unavailable\s*$", re.I)


def _read(notice: Notice, own: str) -> list[Found]:
    """The listed addresses with their reasons, or whoever the transcript refuses."""
    start = _TRANSCRIPT.search(own)
    if _LIST.search(own):
        listed = own[: start.start()] if start else own
        found = failed_recipients(listed, "", set())
        for one in found:
            reason = _REASON.search(one.words)
            one.words = reason.group(1) if reason else _words_about(one.address, own)
            one.around = own
        return found
    return _refused(own[start.end() :], own) if start else []


def _words_about(address: str, own: str) -> str:
    """What the transcript says about a listed address that has no reason beside it."""
    verdicts = [one for one in _refused(own, own) if one.address.lower() == address.lower()]
    return verdicts[0].words if verdicts else ""


def _refused(transcript: str, own: str) -> list[Found]:
    found: dict[str, Found] = {}
    command = answer = ""
    for line in transcript.split("\n")[:3_000]:
        sent, got, verdict = _SENT.match(line), _ANSWER.match(line), _VERDICT.match(line)
        if _TALKING.match(line):
            command = answer = ""
        elif sent is not None:
            command = named_command(sent.group(1))
        elif got is not None:
            answer = f"{answer} {got.group(1)}" if answer[3:4] == "-" else got.group(1)
        elif verdict is not None and len(found) < RECIPIENTS:
            address = address_in(verdict.group(1))
            said = answer or _CLOSING.sub("", verdict.group(2))
            one = Found(address, said, own, command=command, code=code_in(said) or code_in(line), is_answer=True)
            found.setdefault(address.lower(), one)
            answer = ""
    return list(found.values())


DIALECT: Final = Dialect(
    name="sendmail",
    marks=words(
        r"^[ \t]*-{3,} ?Transcript of session follows",
        r"^[ \t]*-{3,} The following addresses had (?:[a-z-]+ )*(?:errors|problems) -{3,}",
    ),
    read=_read,
)
