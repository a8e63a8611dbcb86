"""Oracle (Sun) Messaging Server, as iCloud's older hosts: a block of fields per recipient in plain words."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words

DIALECT: Final = Dialect(
    name="messaging_server",
    marks=words(r"^This report relates to a message you sent with the following header fields:"),
    headers=(header("Subject", r"^Delivery Notification: "), header("Content-Type", r'boundary="?Boundary_\(ID_')),
)
