"""Courier: RFC 3464 reports whose text quotes the session below each address."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words

DIALECT: Final = Dialect(
    name="courier",
    marks=words(
        r"^running the Courier mail server",
        r"^\s+UNDELIVERABLE MAIL\s*$",
        r"^Your message to the following recipients cannot be delivered:",
    ),
    headers=(header("Subject", r"^NOTICE: mail delivery status\.$"),),
)
