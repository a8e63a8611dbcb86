"""Whom and what mails are about: persons by address, our deliveries by Message-ID, conversations by header links.

Asked for a whole batch of mails at once, in a fixed number of queries.
"""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db.models import Q

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.recipients.models import PartyAddress
from fumibako.apps.sending.models import Delivery
from fumibako.delivery.states import State
from fumibako.mime.addresses import address_key

from .models import BounceReport, MailPerson, MailReply, ReceivedMail
from .reader.facts import OUR_ID

GUESSED_WITHIN = timedelta(days=7)
"""How long after a mail an error mail without any proof may still be about it."""
PER_QUERY = 100
Facts = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Person:
    """One owner of an address."""

    recipient_id: int
    address_id: int
    adopted_as_id: int | None


@dataclass(frozen=True, slots=True)
class Proof:
    """A delivery of ours that a mail names with the token which only its receiver knows."""

    delivery: Delivery
    match: BounceReport.Match


@dataclass(slots=True)
class Surroundings:
    """What the database knows about everything that a batch of mails names."""

    own_keys: frozenset[str]
    people: dict[str, list[Person]] = field(default_factory=dict)
    by_id: dict[str, Delivery] = field(default_factory=dict)
    by_place: dict[tuple[int, int], Delivery] = field(default_factory=dict)
    threads: dict[str, str] = field(default_factory=dict)

    def proof_of(self, ids: Iterable[str]) -> Proof | None:
        """The first of `ids` that is really one of ours: its token is that of the row it names."""
        for message_id in ids:
            if (row := self.by_id.get(message_id)) is not None:
                return Proof(row, BounceReport.Match.MESSAGE_ID)
            named = OUR_ID.fullmatch(message_id)
            row = self.by_place.get((int(named.group(1)), int(named.group(2)))) if named else None
            if named and row is not None and hmac.compare_digest(_token_of(row.message_id), named.group(3)):
                return Proof(row, BounceReport.Match.TOKEN)
        return None

    def persons_of(self, facts: Facts, thread: str) -> dict[int, str]:
        """Recipient id → place (from, to, cc); who is in several counts as the first of these."""
        found: dict[int, str] = {}
        places = (("from", [facts["from_key"]]), ("to", facts["to_keys"]), ("cc", facts["cc_keys"]))
        for role, keys in places:
            for key in keys:
                if key and key not in self.own_keys:
                    for recipient_id in self._owners_of(key, thread):
                        found.setdefault(recipient_id, role)
        return found

    def thread_of(self, facts: Facts) -> str:
        """The Message-ID that the conversation began with."""
        links = [one for one in (facts["in_reply_to"], *reversed(facts["references"])) if one]
        for link in links:
            if link in self.threads:
                return self.threads[link]
        first = facts["references"][0] if facts["references"] else ""
        return first or facts["in_reply_to"] or facts["message_id"]

    def _owners_of(self, key: str, thread: str) -> list[int]:
        owners = self.people.get(key, [])
        ids = list(dict.fromkeys(one.recipient_id for one in owners))
        # Who was adopted is one person with two rows: the mail goes to the one that is in use.
        ids = [one for one in ids if not any(o.recipient_id == one and o.adopted_as_id in ids for o in owners)]
        if len(ids) > 1 and thread:
            chosen = MailPerson.objects.filter(mail__thread=thread, recipient__in=ids, is_by_hand=True)
            decided = set(chosen.values_list("recipient_id", flat=True))
            ids = [one for one in ids if one in decided] or ids
        return ids


def surroundings_of(batch: Sequence[Facts]) -> Surroundings:
    """Look up everything that these mails name."""
    found = Surroundings(own_keys())
    keys = {key for facts in batch for key in (facts["from_key"], *facts["to_keys"], *facts["cc_keys"])}
    keys |= {failure["address_key"] for facts in batch for failure in facts["failures"]}
    found.people = _people(keys - {""})
    _find_deliveries(found, {one for facts in batch for one in (*facts["our_ids"], *facts["our_links"])})
    _find_threads(found, {one for facts in batch for one in (facts["in_reply_to"], *facts["references"])} - {""})
    return found


def own_keys() -> frozenset[str]:
    """The addresses of our own accounts: never persons."""
    mine = MailAccount.objects.values_list("from_address", "reply_to", "user_id")
    return frozenset(address_key(address) for row in mine for address in row if "@" in address)


def guess_of(address: str, at: datetime) -> Delivery | None:
    """The latest mail to this address in the week before an error mail that proves nothing."""
    if not address:
        return None
    wanted = Delivery.objects.filter(
        address_key=address,
        state__in=[State.SENT.value, State.UNKNOWN.value, State.BOUNCED.value],
        changed_at__gte=at - GUESSED_WITHIN,
    )
    return wanted.filter(dated_at__lte=at + timedelta(minutes=10)).order_by("-id").first()


def join_threads(mails: Sequence[ReceivedMail]) -> None:
    """Bring answers that were read before the mail they answer into its conversation."""
    roots = {mail.message_id: mail.thread for mail in mails if mail.message_id and mail.thread != mail.message_id}
    early = ReceivedMail.objects.filter(thread__in=list(roots)).values_list("thread", flat=True)
    for message_id in set(early.order_by()):
        ReceivedMail.objects.filter(thread=message_id).update(thread=roots[message_id])


def _people(keys: set[str]) -> dict[str, list[Person]]:
    found: dict[str, list[Person]] = defaultdict(list)
    for chunk in _chunks(keys):
        rows = PartyAddress.objects.filter(address_key__in=chunk).order_by("recipient_id", "slot")
        for key, recipient_id, pk, adopted_as_id in rows.values_list(
            "address_key", "recipient_id", "pk", "recipient__adopted_as_id"
        ):
            found[key].append(Person(recipient_id, pk, adopted_as_id))
    return dict(found)


def _find_deliveries(found: Surroundings, ids: set[str]) -> None:
    rows = Delivery.objects.select_related("job", "party_address")
    for chunk in _chunks(ids):
        found.by_id |= {row.message_id: row for row in rows.filter(message_id__in=chunk)}
    # A relay may have written another domain into the Message-ID: the token still names the row.
    named = [OUR_ID.fullmatch(one) for one in ids if one not in found.by_id]
    places = {(int(one.group(1)), int(one.group(2))) for one in named if one}
    for chunk_of_places in _chunks(places):
        wanted = reduce(or_, (Q(job__number=number, seq=seq) for number, seq in chunk_of_places))
        found.by_place |= {(row.job.number, row.seq): row for row in rows.filter(wanted)}


def _find_threads(found: Surroundings, ids: set[str]) -> None:
    for chunk in _chunks(ids):
        known = ReceivedMail.objects.filter(message_id__in=chunk).exclude(thread="")
        found.threads |= dict(known.values_list("message_id", "thread"))
        answers = MailReply.objects.filter(job__deliveries__message_id__in=chunk).exclude(mail__thread="")
        found.threads |= dict(answers.values_list("job__deliveries__message_id", "mail__thread"))


def _token_of(message_id: str) -> str:
    return message_id.partition("@")[0].rpartition(".")[2]


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = list(items)
    for first in range(0, len(rest), PER_QUERY):
        yield rest[first : first + PER_QUERY]
