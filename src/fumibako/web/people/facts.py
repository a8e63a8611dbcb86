"""What stands beside a record: why an address gets no mail, and the mails of late."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fumibako.apps.office.queries import office
from fumibako.apps.recipients import labels, queries
from fumibako.apps.recipients.models import AddressEvent, OptOut, PartyAddress, Recipient
from fumibako.apps.recipients.rules import is_unusual
from fumibako.apps.sending.explain import explain
from fumibako.apps.sending.labels import delivery_state_text
from fumibako.apps.sending.queries import mails_to

ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
"""RFC 3463: servers write it before their words."""

STATE_KINDS = {
    "sent": ("ok", "circle-check"),
    "failed": ("bad", "circle-x"),
    "bounced": ("bad", "mail-x"),
    "unknown": ("warn", "circle-help"),
}


@dataclass(slots=True)
class Happening:
    """One line of an address's story: in plain words, what the server said, and what to do."""

    at: datetime
    words: str
    count_words: str
    meaning: str
    next_step: str
    raw: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Why:
    """The card 「なぜ送れないか」 of one address."""

    address: PartyAddress
    state: str
    rule: str
    opt_out: OptOut | None
    opt_out_source: str
    happenings: tuple[Happening, ...]

    @property
    def is_stopped(self) -> bool:
        """送れない: the card offers to bring it back."""
        return self.address.flag == PartyAddress.Flag.CANNOT or self.address.error_count > 0


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to this person."""

    at: datetime | None
    subject: str
    number: int
    address: str
    state: str
    kind: str
    icon: str


@dataclass(frozen=True, slots=True)
class Slot:
    """What the form says beside one address: its error count, notes, and people who have the same."""

    error_count: int
    is_unusual: bool
    others: tuple[str, ...]


def why_of(people: Sequence[Recipient]) -> list[Why]:
    """One card for every address that is not simply mailed."""
    addresses = PartyAddress.objects.filter(recipient__in=people).select_related("recipient")
    found = []
    for address in addresses:
        stopped = queries.opt_out_of(address.address)
        if address.flag != PartyAddress.Flag.SEND or address.error_count or stopped:
            found.append(_card(address, stopped))
    return found


def _card(address: PartyAddress, stopped: OptOut | None) -> Why:
    threshold = office().bounce_threshold
    rule = (
        f"エラーが {threshold}回になると「送れない」にする設定です。"
        if threshold
        else "エラーの回数では「送れない」にしない設定です。"
    )
    happenings = [_happening(event, address.address) for event in address.events.all()[:6]]
    for older in [one for one in happenings if one.next_step][1:]:
        # What to do is said once, at the newest answer.
        older.next_step = ""
    return Why(
        address=address,
        state=labels.FLAG[address.flag],
        rule=rule if address.error_count or address.flag == PartyAddress.Flag.CANNOT else "",
        opt_out=stopped,
        opt_out_source=labels.OPT_OUT_SOURCE.get(stopped.source, stopped.source) if stopped else "",
        happenings=tuple(happenings),
    )


def _happening(event: AddressEvent, address: str) -> Happening:
    is_answer = event.cause in ("refused", "bounced") and event.code
    enhanced = ENHANCED.match(event.text)
    domain = address.rpartition("@")[2]
    told = explain(event.code, enhanced.group() if enhanced else "", event.text, domain) if is_answer else None
    return Happening(
        at=event.at,
        words=labels.CAUSE.get(event.cause, event.cause),
        count_words=f"{event.error_count}回目" if event.cause in ("refused", "bounced") else "",
        meaning=told.text if told else "",
        next_step=told.next_step if told else "",
        raw=f"{event.code} {event.text}".strip() if is_answer else "",
        by=event.actor_name,
        reason="" if event.cause == "threshold" else event.reason,
    )


def mails_of(ids: Sequence[int], limit: int) -> list[Mail]:
    """Mails to these people, newest first."""
    found = []
    for row in mails_to(ids, limit):
        kind, icon = STATE_KINDS.get(row.state, ("", "clock"))
        words = delivery_state_text(row.state)
        found.append(
            Mail(row.sent_at or row.changed_at, row.job.subject, row.job.number, row.address, words, kind, icon)
        )
    return found


def slots_of(person: Recipient | None) -> dict[int, Slot]:
    """What to say beside each of a person's two addresses."""
    found = {1: Slot(0, False, ()), 2: Slot(0, False, ())}
    for address in person.addresses.all() if person else ():
        others = tuple(f"{one.name}({one.number})" for one in queries.others_with(address))
        found[address.slot] = Slot(address.error_count, is_unusual(address.address), others)
    return found
