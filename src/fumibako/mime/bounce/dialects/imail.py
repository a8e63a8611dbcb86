"""IMail and SMTP32 (Ipswitch): one line per recipient, the reason in front of the address."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, words

DIALECT: Final = Dialect(
    name="imail",
    marks=words(
        r"^(?:Unknown (?:user|host)|User mailbox exceeds allowed size|Invalid final delivery "
        r"userid|undeliverable to|Delivery failed \d+ attempts)\s?:? ?\S+@",
        r"^Body of message generated response:",
    ),
    hint="userunknown",
)
