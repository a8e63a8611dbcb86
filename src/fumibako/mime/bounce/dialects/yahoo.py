"""Yahoo! Mail: a sentence of regret, then `<address>:` and the answer, at times with the command in brackets."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words

DIALECT: Final = Dialect(
    name="yahoo",
    marks=words(
        r"^Sorry, we were unable to deliver your message to the following address",
        r"^Message from\s+yahoo\.(?:com|co\.jp)\b",
        r"^Unable to deliver message to the following address\(es\)",
    ),
    headers=(header("From", r"mailer-daemon@yahoo\.(?:com|co\.jp)"),),
)
