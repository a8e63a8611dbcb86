"""What the server says it can do, in its answer to EHLO (RFC 5321 §4.1.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

from fumibako.protocol.smtp.replies import Reply


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The extensions we use. `size_limit` is in bytes, 0 for none stated (RFC 1870)."""

    has_starttls: bool = False
    has_pipelining: bool = False
    has_8bitmime: bool = False
    has_smtputf8: bool = False
    has_enhanced_codes: bool = False
    has_size: bool = False
    size_limit: int = 0
    mechanisms: tuple[str, ...] = ()


def capabilities_of(reply: Reply) -> Capabilities:
    """Read the answer to EHLO. Lines we do not know, or cannot read, offer nothing."""
    words: dict[str, list[str]] = {}
    for line in reply.lines[1:]:
        # Old servers write "AUTH=LOGIN PLAIN", often beside the right form.
        name, *arguments = line.decode("ascii", "replace").upper().replace("AUTH=", "AUTH ", 1).split() or [""]
        words.setdefault(name, []).extend(arguments)
    sizes = words.get("SIZE", [])
    return Capabilities(
        has_starttls="STARTTLS" in words,
        has_pipelining="PIPELINING" in words,
        has_8bitmime="8BITMIME" in words,
        has_smtputf8="SMTPUTF8" in words,
        has_enhanced_codes="ENHANCEDSTATUSCODES" in words,
        has_size="SIZE" in words,
        size_limit=int(sizes[0]) if sizes and sizes[0].isdecimal() and len(sizes[0]) <= 20 else 0,
        mechanisms=tuple(dict.fromkeys(words.get("AUTH", []))),
    )
