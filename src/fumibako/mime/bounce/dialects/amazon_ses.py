"""Amazon SES: reports by mail follow RFC 3464; notifications through SNS are JSON in the text of a mail."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from fumibako.mime.bounce.dialects.dialect import Dialect, header, words
from fumibako.mime.bounce.notice import Notice
from fumibako.mime.bounce.report import RECIPIENTS, Found

_FOLD: Final = re.compile(r"!?\n ?")
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_LONGEST: Final = 200_000


def _read(notice: Notice, own: str) -> list[Found]:
    """The recipients of a notification; none when the text is no JSON of this kind."""
    told = _notification(own)
    bounce = told.get("bounce")
    if isinstance(bounce, dict):
        return [_bounced(one, bounce) for one in _listed(bounce.get("bouncedRecipients"))]
    delayed = told.get("deliveryDelay")
    if isinstance(delayed, dict):
        return [_bounced(one, delayed, "delayed") for one in _listed(delayed.get("delayedRecipients"))]
    delivery = told.get("delivery")
    if isinstance(delivery, dict):
        names = delivery.get("recipients")
        return [Found(str(name), action="delivered") for name in names[:RECIPIENTS]] if isinstance(names, list) else []
    return []


def _listed(value: object) -> list[dict[str, Any]]:
    return [one for one in value[:RECIPIENTS] if isinstance(one, dict)] if isinstance(value, list) else []


def _notification(own: str) -> dict[str, Any]:
    """The notification itself, out of the envelope SNS may put around it and in spite of lines a relay broke."""
    text = own[own.find("{") : own.rfind("}") + 1][:_LONGEST]
    for candidate in (text, _FOLD.sub("", text)):
        told = _loaded(candidate)
        inner = told.get("Message")
        if isinstance(inner, str):
            told = _loaded(inner) or _loaded(_FOLD.sub("", inner))
        if told:
            return told
    return {}


def _loaded(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _bounced(one: dict[str, Any], bounce: dict[str, Any], action: str = "failed") -> Found:
    said = str(one.get("diagnosticCode") or "")
    kind, separator, answer = said.partition(";")
    status = _STATUS.fullmatch(str(one.get("status") or ""))
    return Found(
        address=str(one.get("emailAddress") or ""),
        words=(answer if separator else said).strip(),
        action=action,
        status=status.group() if status else "",
        kind_of_words=kind.strip().lower() if separator else "",
        hint=_SUBTYPES.get(str(bounce.get("bounceSubType") or "").lower(), ""),
        is_answer=bool(said),
    )


_SUBTYPES: Final = {
    "noemail": "userunknown",
    "suppressed": "suppressed",
    "onaccountsuppressionlist": "suppressed",
    "mailboxfull": "mailboxfull",
    "messagetoolarge": "mesgtoobig",
    "contentrejected": "contenterror",
    "attachmentrejected": "contenterror",
    "spamdetected": "spamdetected",
}

DIALECT: Final = Dialect(
    name="amazon_ses",
    marks=words(
        r'"notificationType\\?"\s*:\s*\\?"(?:Bounce|Delivery|DeliveryDelay)',
        r'"eventType\\?"\s*:\s*\\?"(?:Bounce|Delivery|DeliveryDelay)',
    ),
    headers=(header("From", r"@(?:[\w.-]+\.)?(?:amazonses\.com|sns\.amazonaws\.com)\b"),),
    is_proof=True,
    read=_read,
)
