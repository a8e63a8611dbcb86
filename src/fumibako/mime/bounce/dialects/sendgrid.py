"""SendGrid: reports close to RFC 3464, with an action and a date of its own making."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words

DIALECT: Final = Dialect(
    name="sendgrid",
    marks=words(r"^This is an automatically generated message from SendGrid"),
    headers=(header("Return-Path", r"@(?:[\w.-]+\.)?sendgrid\.(?:net|info)\b"),),
)
