"""What a server's lists come to: which mails may be asked for, and what is wrong with the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from fumibako.protocol.pop3.blocks import Fault, ListReply
from fumibako.services.collecting.terms import Listed, ListFlaw

_FLAW_OF = {Fault.NUMBER: ListFlaw.BAD_NUMBER, Fault.WORD: ListFlaw.BAD_UIDL, Fault.LINE: ListFlaw.BAD_LINE}
_LONGEST_SIZE = 15


def sizes_of(reply: ListReply | None) -> dict[int, int]:
    """Return what LIST says, number → bytes. Sizes order and compare; nothing is allocated by them."""
    if reply is None or not reply.is_positive:
        return {}
    return {number: int(word) for number, word in reply.entries if word.isdigit() and len(word) <= _LONGEST_SIZE}


def listing_of(uids: ListReply, sizes: Mapping[int, int], message_count: int) -> tuple[list[Listed], set[ListFlaw]]:
    """Return the mails that have a usable number and uid, oldest first, and the flaws of the list."""
    flaws = {_FLAW_OF[fault] for fault in uids.faults}
    uid_of: dict[int, str] = {}
    disputed: set[int] = set()
    for number, word in uids.entries:
        if number == 0:
            flaws.add(ListFlaw.BAD_NUMBER)
        elif not word:
            flaws.add(ListFlaw.BAD_UIDL)
        elif number in uid_of:
            flaws.add(ListFlaw.DUPLICATE_NUMBER)
            if uid_of[number] != word.decode("ascii"):
                disputed.add(number)
        else:
            uid_of[number] = word.decode("ascii")
    for number in disputed:
        del uid_of[number]
    if len(uid_of) < message_count:
        flaws.add(ListFlaw.COUNT_DIFFERS)
    return listed_of(uid_of, sizes), flaws


def listed_of(uid_of: Mapping[int, str], sizes: Mapping[int, int]) -> list[Listed]:
    """Return the mails in the order of their numbers, those that share a uid marked."""
    counts = Counter(uid_of.values()) if len(set(uid_of.values())) < len(uid_of) else None
    return [
        Listed(number, uid, sizes.get(number, 0), counts is not None and counts[uid] > 1)
        for number, uid in sorted(uid_of.items())
    ]


def is_same_list(before: Sequence[Listed], uids: ListReply, without: frozenset[int] = frozenset()) -> bool:
    """Whether every number but those in `without` still means the same uid, and no other old number is there.

    Mails that came meanwhile have higher numbers than any before.
    """
    if not uids.is_positive:
        return False
    last = before[-1].number if before else 0
    now = {number: word for number, word in uids.entries if number <= last}
    return now == {mail.number: mail.uidl.encode("ascii") for mail in before if mail.number not in without}
