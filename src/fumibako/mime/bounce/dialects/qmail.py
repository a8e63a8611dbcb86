"""qmail-send and its relatives: `<address>:` at the head of a paragraph that ends in a status such as (#5.1.1)."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, words

DIALECT: Final = Dialect(
    name="qmail",
    marks=words(
        r"^Hi\. (?:This|The) is the (?:qmail-send|\S+) program(?: at)? ",
        r"^Hi\. This is the qmail",
        r"^I'm afraid I wasn't able to deliver your message to the following address",
        r"^--- Below this line is (?:a copy of the message|the (?:mail|message) header|the original bounce)",
    ),
)
