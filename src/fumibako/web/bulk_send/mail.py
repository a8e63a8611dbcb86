"""実際に届くメール: one mail of a draft or a job as its receiver will see it, taken from its very bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from fumibako.apps.office.problems import Refused
from fumibako.apps.recipients.labels import KIND
from fumibako.apps.sending.errors import AttachmentMissing
from fumibako.apps.sending.inspection import Sample as Suspicion
from fumibako.apps.sending.inspection import labels as inspection_labels
from fumibako.apps.sending.models import BulkSend
from fumibako.apps.sending.preview import Preview, preview
from fumibako.letters.merge import LetterRefused, Mark
from fumibako.mime.unsendable import Unsendable

WHYS = {
    "empty": "値が空の人",
    "fallback": "UTF-8で送る人",
    "lifted": "「送らない」の人",
    "long_name": "長い名前",
    "first": "最初の人",
}
WARNED = frozenset({"empty", "fallback", "lifted"})
SPEC = re.compile(r"(?P<why>[a-z_]{1,12})\.(?P<kind>[a-z]{1,12})\.(?P<address>[0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `is_merged` when a person's value was put in."""

    text: str
    is_merged: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One mail, ready for `bulk_send/mail.html`."""

    sender: str
    to_name: str
    to_address: str
    headers: tuple[tuple[str, str], ...]
    subject: tuple[Piece, ...]
    body: tuple[Piece, ...]
    attachments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """One person chosen by suspicion."""

    label: str
    css: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """The card with one mail, its neighbours and the chips; without a mail, `why_none` says why."""

    mail: Shown | None
    why_none: str = ""
    address_id: int = 0
    position: int = 0
    total: int = 0
    previous_url: str = ""
    next_url: str = ""
    chips: tuple[Chip, ...] = ()


def chip_specs(suspicions: Sequence[Suspicion]) -> list[str]:
    """The persons worth a look as words for an address, so that turning the page needs no second 点検."""
    order = ["kind", *WHYS]
    chosen = sorted(suspicions, key=lambda one: order.index(one.why))
    return [f"{one.why}.{one.kind}.{one.address_id}" for one in chosen]


def sample_of(job: BulkSend, *, address_id: int | None, step: str, specs: Sequence[str] = ()) -> Sample:
    """The card for one address of a draft; the first suspicious one, or simply the first, when none is named."""
    known = [match for match in map(SPEC.fullmatch, specs) if match]
    if address_id is None and known:
        address_id = int(known[0]["address"])
    try:
        found = preview(job, address_id, now=timezone.now())
    except Refused as refusal:
        return Sample(None, refusal.problems[0].text)
    except LetterRefused as refusal:
        one = refusal.problems[0]
        return Sample(None, inspection_labels.letter_problem(one.kind, one.field, one.line, one.where))
    except AttachmentMissing as missing:
        return Sample(None, inspection_labels.missing_file(missing.name)[0])
    except Unsendable as refusal:
        return Sample(None, inspection_labels.unusable_sender(refusal.field)[0])
    address = reverse(f"bulk_send:{step}", args=[job.number])

    def url(other: int | None) -> str:
        pairs = [("address", str(other)), *(("chip", match[0]) for match in known)]
        return f"{address}?{urlencode(pairs)}" if other is not None else ""

    return Sample(
        shown(found),
        address_id=found.address_id or 0,
        position=found.position,
        total=found.mail_count,
        previous_url=url(found.previous_address_id),
        next_url=url(found.next_address_id),
        chips=tuple(_chip(match, found.address_id, url(int(match["address"]))) for match in known),
    )


def _chip(match: re.Match[str], current: int | None, url: str) -> Chip:
    why = match["why"]
    label = KIND.get(match["kind"], "") if why == "kind" else WHYS.get(why, "")
    return Chip(label, "w" if why in WARNED else "", url, int(match["address"]) == current)


def shown(mail: Preview) -> Shown:
    """A preview as the template wants it."""
    letter = mail.shown
    receiver = letter.to[0] if letter.to else letter.from_
    headers = [("CC", "、".join(one.address for one in letter.cc))] if letter.cc else []
    if letter.reply_to:
        headers.append(("返信先", letter.reply_to))
    return Shown(
        sender=f"{letter.from_.name} <{letter.from_.address}>".strip(),
        to_name=receiver.name,
        to_address=receiver.address,
        headers=tuple(headers),
        subject=pieces(letter.subject, [mark for mark in mail.marks if mark.where == "subject"]),
        body=pieces(letter.text, [mark for mark in mail.marks if mark.where == "text"]),
        attachments=tuple(one.name for one in letter.attachments),
    )


def pieces(text: str, marks: Sequence[Mark]) -> tuple[Piece, ...]:
    """Cut a text at the places where values were put in; joined again the pieces are the text."""
    found = []
    at = 0
    for mark in sorted(marks):
        if mark.start > at:
            found.append(Piece(text[at : mark.start], False))
        if mark.end > max(mark.start, at):
            found.append(Piece(text[max(mark.start, at) : mark.end], True))
        at = max(at, mark.end)
    if text[at:]:
        found.append(Piece(text[at:], False))
    return tuple(found)
