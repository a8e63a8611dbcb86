"""Gmail and Google Workspace, also for Google Groups: the answer of the other server stands after a fixed sentence.

Older notices name in brackets where in the session it failed: `(state 14)` is RCPT, 17 and 18 are after the text.
"""

from __future__ import annotations

import re
from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words
from fumibako.mime.bounce.notice import Notice
from fumibako.mime.bounce.recipients import failed_recipients
from fumibako.mime.bounce.report import Found

_STATE: Final = re.compile(r"\(state (\d{1,2})\)")
_COMMANDS: Final = {
    "8": "AUTH",
    "9": "MAIL",
    "12": "MAIL",
    "13": "MAIL",
    "14": "RCPT",
    "15": "DATA",
    "17": "DATA",
    "18": "DATA",
}
_ANSWER: Final = re.compile(
    r"(?:The error that the other server returned was|The response(?: from the remote server)? was)\s*:\s*(.{3,3000})",
    re.S,
)

_NOT_FOUND: Final = re.compile(r"^\*\* Address not found \*\*", re.M)


def _read(notice: Notice, own: str) -> list[Found]:
    found = failed_recipients(own, notice.header("X-Failed-Recipients"), set())
    answer, state = _ANSWER.search(own), _STATE.search(own)
    command = _COMMANDS.get(state.group(1), "") if state else ""
    for one in found:
        one.command = command
        if answer is not None and len(found) == 1:
            one.words, one.is_answer = answer.group(1), True
        if command == "DATA":
            one.hint = "filtered"
        elif answer is None and _NOT_FOUND.search(own):
            one.hint = "userunknown"
    return found


DIALECT: Final = Dialect(
    name="gmail",
    marks=words(
        r"^Technical details of (?:permanent|temporary) failure",
        r"^\*\* (?:Address not found|Message (?:not delivered|blocked|too large)|Delivery incomplete)",
        r"groups\.google\.com/support",
    ),
    headers=(header("From", r"mailer-daemon@(?:googlemail|google|gmail)\.com"),),
    read=_read,
)
