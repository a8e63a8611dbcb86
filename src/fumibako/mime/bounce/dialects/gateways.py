"""Filters that answer in their own name: Barracuda, Mimecast, MailMarshal, Symantec, McAfee and others."""

from __future__ import annotations

from typing import Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words

DIALECT: Final = Dialect(
    name="gateways",
    marks=words(
        r"was blocked by our Spam (?:&|and) Virus Firewall",
        r"^This is a delivery failure notification message indicating that",
        r"^Could not be delivered because of\s*$",
        r"^This is the mail delivery agent at (?:Symantec|messagelabs)",
        r"^Your message could not be sent\.\s*$",
        r"^Unable to deliver message to: <",
        r"^The message WAS NOT relayed to:",
        r"^Included is a copy of the message header:\s*$",
        r"^-{3,} The following addresses had delivery (?:problems|errors)",
        r"McAfee (?:Messaging|Web|Email|SaaS)",
    ),
    headers=(
        header(
            "Subject", r"^\*\*Message you sent blocked by our|^\[Postmaster\] (?:Email|Message) (?:Delivery|rejected)"
        ),
    ),
)
