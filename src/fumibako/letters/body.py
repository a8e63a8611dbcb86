"""Putting a mail's text together: the merged text, a blank line, the signature, and what follows it."""

from __future__ import annotations


def joined_body(text: str, *blocks: str) -> str:
    """The text and each block that is not empty (signature, opt-out text), one blank line between them."""
    parts = [text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")]
    parts += [block.replace("\r\n", "\n").replace("\r", "\n").strip("\n") for block in blocks]
    return "\n\n".join(part for position, part in enumerate(parts) if part or position == 0) + "\n"
