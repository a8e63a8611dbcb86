"""Who behaves how: the last word of an address's local part decides, by the table `BEHAVIOURS` and nothing else.

`sato.hanako.unknown@example.jp` and `sato+unknown@example.jp` do not exist; `sato.hanako@example.jp` just accepts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class AfterDot(StrEnum):
    """What happens once the final dot of a mail to this person has been read."""

    KEEP = "keep"
    """The mail is in the mailbox, 250."""
    ANSWER = "answer"
    """Kept, and a Japanese answer comes back."""
    VACATION = "vacation"
    """Kept, and an automatic reply comes back."""
    BOUNCE = "bounce"
    """250, and an error mail (RFC 3464) comes back instead."""
    DROP = "drop"
    """Kept, but the line is cut before the 250: the sender cannot know."""
    LOSE = "lose"
    """Not kept, and the line is cut before the 250: the sender cannot know."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one kind of person answers.

    `refusal` is the reply to RCPT ("" = accepted). A greylisted person refuses with it until the sender has waited.
    `diagnosis` is the remote server's sentence inside an error mail.
    """

    refusal: str = ""
    is_greylisted: bool = False
    is_slow: bool = False
    after_dot: AfterDot = AfterDot.KEEP
    diagnosis: str = ""


def bouncing(diagnosis: str) -> Behaviour:
    """Accepts, then sends an error mail with the sentence that this kind of server writes."""
    return Behaviour(after_dot=AfterDot.BOUNCE, diagnosis=diagnosis)


ACCEPTING = Behaviour()

BEHAVIOURS: dict[str, Behaviour] = {
    "unknown": Behaviour(refusal="550 5.1.1 <{address}>: Recipient address rejected: User unknown in local table"),
    "docomo": Behaviour(refusal="550 Unknown user {address}"),
    "refuse": Behaviour(refusal="550 5.7.1 <{address}>: Recipient refuses mail from this sender"),
    "quota": Behaviour(refusal="552 5.2.2 <{address}>: Mailbox is full, message refused"),
    "full": Behaviour(refusal="452 4.2.2 <{address}>: Mailbox is over quota, try again later"),
    "later": Behaviour(refusal="451 4.7.1 <{address}>: Greylisted, please try again later", is_greylisted=True),
    "slow": Behaviour(is_slow=True),
    "answer": Behaviour(after_dot=AfterDot.ANSWER),
    "vacation": Behaviour(after_dot=AfterDot.VACATION),
    "bounce": bouncing("550 5.1.1 <{address}>: User unknown in virtual mailbox table"),
    "bounce-full": bouncing("552 5.2.2 <{address}>: Mailbox over quota"),
    "bounce-docomo": bouncing("550 Unknown user {address}"),
    "bounce-au": bouncing("550 <{address}>: User unknown"),
    "bounce-gmail": bouncing("550 5.1.1 The email account that you tried to reach does not exist."),
    "bounce-m365": bouncing("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {address} not found"),
    "drop": Behaviour(after_dot=AfterDot.DROP),
    "lost": Behaviour(after_dot=AfterDot.LOSE),
}
"""Last word of the local part → behaviour. Whoever has another word accepts."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Spans of practice time in seconds. Practice runs faster than life: greylisting lasts 20 s, not 5 minutes."""

    greylist_seconds: float = 20.0
    slow_seconds: float = 3.0
    bounce_seconds: float = 4.0
    answer_seconds: tuple[float, float] = (5.0, 20.0)
    """The quickest and the slowest answer."""


AT_ONCE = Delays(greylist_seconds=0.0, slow_seconds=0.0, bounce_seconds=0.0, answer_seconds=(0.0, 0.0))


def behaviour_of(address: str) -> Behaviour:
    """Reads the table for one address, as written in RCPT TO."""
    local = address.rpartition("@")[0].strip('"').lower()
    return BEHAVIOURS.get(re.split(r"[.+]", local)[-1], ACCEPTING)
