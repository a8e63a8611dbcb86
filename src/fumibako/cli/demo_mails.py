"""The mails of the sample office: people for `practice.letters`, raw bytes in mailboxes, and what was done since.

Only `deliver` knows mailboxes; everything after it is the product's own receiving, reading, linking and judging.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from fumibako.apps.inbox.actions import add_note, assign, mark_read, set_work
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.sending.models import Delivery
from fumibako.practice import PracticeServer
from fumibako.practice.letters import Facts, Letter, letters, message_id, raw_letter
from fumibako.practice.people import ACCEPTING, behaviour_of

DOMAIN = "example.jp"
NOBODY = ("見本 太郎", "mihon@letters.example")
"""Who writes where the office has too few people."""


@dataclass(frozen=True, slots=True)
class Posted:
    """One letter and the facts it was written with."""

    letter: Letter
    facts: Facts


class People:
    """People by the words of the tables: "staff:3" is the third of the staff who simply accept mail."""

    def __init__(self) -> None:
        self._found: dict[str, list[PartyAddress]] = {}

    def addresses(self, kind: str) -> list[PartyAddress]:
        """First addresses of everybody of one kind who may be mailed and behaves, in the order of their numbers."""
        if kind not in self._found:
            rows = PartyAddress.objects.filter(recipient__kind=kind, slot=1, flag=PartyAddress.Flag.SEND, error_count=0)
            if kind == Recipient.Kind.STAFF:
                rows = rows.filter(recipient__staff__employment="working")
            plain = [row for row in rows.select_related("recipient").order_by("recipient__number") if is_plain(row)]
            self._found[kind] = plain
        return self._found[kind]

    def person(self, word: str) -> Recipient | None:
        """Who is meant by "client:2"; None for nobody."""
        kind, _, place = word.partition(":")
        known = self.addresses(kind)[int(place) - 1 :][:1] if place.isdigit() else []
        return known[0].recipient if known else None

    def writer(self, letter: Letter) -> tuple[str, str]:
        """Name and address in From."""
        kind, _, place = letter.sender.partition(":")
        if place.isdigit():
            known = self.addresses(kind)[int(place) - 1 :][:1]
            return (known[0].recipient.name, known[0].address) if known else NOBODY
        name, _, address = letter.sender.removesuffix(">").partition(" <")
        return (name, address) if address else NOBODY


def is_plain(row: PartyAddress) -> bool:
    """Whether the practice server lets this person simply accept, at an address as it should be."""
    return behaviour_of(row.address) is ACCEPTING and ".." not in row.address and ".@" not in row.address


def written(now: datetime, round_of: Sequence[Delivery]) -> list[Posted]:
    """Every letter with its facts; those about a mail of the round are left out where there is none."""
    people, found = People(), []
    for serial, letter in enumerate(letters(), start=1):
        if letter.about > len(round_of):
            continue
        row = round_of[letter.about - 1] if letter.about else None
        places = {"address": row.wire_address, "message_id": row.message_id} if row else {}
        name, address = people.writer(letter)
        at = (row.sent_at or now) if row else moment_of(letter.at, now)
        found.append(Posted(letter, Facts(name, address, f"{letter.to}@{DOMAIN}", at, serial, places)))
    return found


def moment_of(words: str, now: datetime) -> datetime:
    """ "-2 18:40" = two days ago at 18:40, "-0 09:12" = today; what would still be to come was a day earlier."""
    days, _, clock = words.partition(" ")
    hour, minute = (int(part) for part in clock.split(":"))
    today = timezone.localtime(now)
    at = today.replace(hour=hour, minute=minute, second=0, microsecond=0) - timedelta(days=-int(days))
    return at if at < today else at - timedelta(days=1)


def deliver(server: PracticeServer, mails: Sequence[Posted]) -> None:
    """Put the raw bytes into the mailboxes, oldest first; one that lies there already is left alone."""
    for one in sorted(mails, key=lambda mail: mail.facts.at):
        raw = raw_letter(one.letter, one.facts)
        if raw not in server.mails_of(one.facts.to_address):
            server.lay_in(one.facts.to_address, raw)


def work_on(mails: Sequence[Posted], colleague: Operator, keeper: Operator) -> None:
    """What the office has done so far: read, answered by telephone, noted, given to somebody."""
    for one in mails:
        letter = one.letter
        mail = ReceivedMail.objects.filter(message_id=message_id(one.facts)).select_related("account").first()
        if mail is None or not (letter.work or letter.mine or letter.note):
            continue
        if letter.mine:
            assign(colleague, mail, keeper)
        elif letter.work == ReceivedMail.Work.WAITING:
            assign(colleague, mail, colleague)
        if letter.note:
            add_note(colleague, mail, letter.note)
        if letter.work:
            mark_read(colleague, mail)
            set_work(colleague, mail, letter.work)
