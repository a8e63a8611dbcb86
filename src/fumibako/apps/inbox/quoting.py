"""What an answer starts with: the subject with its mark, 署名, and the text that is answered or passed on."""

from __future__ import annotations

import re
from typing import Final

from django.utils import timezone

from .models import ReceivedMail

MOST_CHARACTERS: Final = 50_000
"""Of quoted text; the whole mail stays where it is."""
_ANSWERED: Final = re.compile(r"\s*re\s*[:：]", re.IGNORECASE)
_PASSED_ON: Final = re.compile(r"\s*(?:fwd?|転送)\s*[:：]", re.IGNORECASE)


def first_words(mail: ReceivedMail, *, is_forward: bool) -> tuple[str, str]:
    """Return subject and body for the form of 返信 or 転送."""
    mark, known = ("Fwd: ", _PASSED_ON) if is_forward else ("Re: ", _ANSWERED)
    subject = mail.subject if known.match(mail.subject) else mark + mail.subject
    signature = mail.account.signature.strip("\n")
    below = _passed_on(mail) if is_forward else _answered(mail)
    return subject[:500], "\n\n".join(["\n", *([signature] if signature else []), below])


def _answered(mail: ReceivedMail) -> str:
    at = timezone.localtime(mail.at)
    sender = f"{mail.from_name} <{mail.from_address}>" if mail.from_name else mail.from_address
    lines = "\n".join(f"> {line}".rstrip() for line in mail.text[:MOST_CHARACTERS].splitlines())
    return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M} {sender}:\n{lines}\n"


def _passed_on(mail: ReceivedMail) -> str:
    sender = f"{mail.from_name} <{mail.from_address}>" if mail.from_name else mail.from_address
    head = [
        "-------- 転送するメール --------",
        f"差出人: {sender}",
        f"日時: {timezone.localtime(mail.at):%Y/%m/%d %H:%M}",
        f"件名: {mail.subject}",
        f"宛先: {mail.to_text[:1000]}",
    ]
    return "\n".join([*head, "", mail.text[:MOST_CHARACTERS]])
