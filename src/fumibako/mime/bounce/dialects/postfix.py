"""Postfix, and mail systems that kept its wording: `<address>: host mx said: 550 … (in reply to RCPT TO command)`."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, words

DIALECT: Final = Dialect(
    name="postfix",
    marks=words(
        r"^\s*This is the (?:mail system|Postfix program|\S+ program|\S+ (?:mail )?(?:system|program)) at host ",
        r"^I'm sorry to have to inform you that (?:your message|the message returned)",
        r"^\s+The (?:Postfix program|mail system|Postfix on \S+ program)\s*$",
    ),
)
