"""実際に届くメール: one person's mail, shown from the bytes that will be (or were) sent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fumibako.apps.sending.build import Built, JobComposer, Moment, build_all, composer_of, sheet_of
from fumibako.apps.sending.errors import Problem, Refused
from fumibako.apps.sending.inspection.labels import NO_ACCOUNT, unbuilt
from fumibako.apps.sending.labels import NOT_IN_LIST
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.apps.sending.selection import Judged, judged_rows
from fumibako.letters.merge import Mark, Rendered
from fumibako.mime.compose import Composed
from fumibako.mime.encodings import Misfit
from fumibako.mime.preview import Preview as Shown
from fumibako.mime.preview import show


@dataclass(frozen=True, slots=True)
class Preview:
    """A mail as its receiver will see it. `marks` tell where values were put in: `where` "subject" counts in
    `shown.subject`, "text" in `shown.text`, which the letter begins and the signature ends."""

    shown: Shown
    marks: tuple[Mark, ...]
    empty_fields: tuple[str, ...]
    misfits: tuple[Misfit, ...]
    raw: bytes
    sha256: str
    recipient_id: int | None
    name: str
    kind: str
    number: str
    address_id: int | None
    position: int
    """Among the mails, from 1."""
    mail_count: int
    previous_address_id: int | None = None
    next_address_id: int | None = None


def preview(job: BulkSend, address_id: int | None = None, *, now: datetime) -> Preview:
    """The mail that this address of a draft would get (the first one's without `address_id`).

    Raises Refused when nobody is to be mailed, LetterRefused for a letter with mistakes, AttachmentMissing, Unsendable.
    """
    if job.account is None:
        raise Refused([Problem("account", "V02", NO_ACCOUNT[0])])
    rows = judged_rows(job)
    mailed = [place for place, judged in enumerate(rows) if judged.will_be_sent]
    chosen = [place for place in mailed if address_id in (None, rows[place].candidate.address_id)]
    if not chosen:
        raise Refused([Problem("recipients", "", NOT_IN_LIST)])
    place = chosen[0]
    built = _build_one(job, rows, place, now)
    if built.composed is None or built.rendered is None:
        kind = f"{built.refusal.kind}:{built.refusal.field}" if built.refusal else ""
        raise Refused([Problem("recipients", "", unbuilt(kind, 1)[0])])
    return _preview(
        built.row,
        built.rendered,
        built.composed,
        [rows[at].candidate.address_id for at in mailed],
        mailed.index(place),
    )


def _build_one(job: BulkSend, rows: Sequence[Judged], place: int, now: datetime) -> Built:
    assert job.account is not None
    sheet = sheet_of(job, job.account)
    composer = JobComposer(sheet)
    moment = Moment(now, job.created_by_name)
    return next(build_all(job, sheet, composer, [rows[place]], moment, first_seq=place + 1))


def preview_of(delivery: Delivery, composer: JobComposer | None = None) -> Preview:
    """The very mail of a frozen row. Raises AttachmentMissing when its files are gone."""
    composer = composer or composer_of(delivery.job)
    rendered = composer.render(delivery.values)
    return _preview(delivery, rendered, composer.compose(delivery, rendered), [], 0)


def _preview(
    row: Delivery,
    rendered: Rendered,
    composed: Composed,
    order: Sequence[int | None],
    at: int,
) -> Preview:
    return Preview(
        shown=show(composed.raw),
        marks=rendered.marks,
        empty_fields=rendered.empty_fields,
        misfits=composed.misfits,
        raw=composed.raw,
        sha256=hashlib.sha256(composed.raw).hexdigest(),
        recipient_id=row.recipient_id,
        name=row.party_name,
        kind=row.party_kind,
        number=row.party_number,
        address_id=row.party_address_id,
        position=at + 1 if order else row.seq,
        mail_count=len(order) or row.job.selected_count,
        previous_address_id=order[at - 1] if order and at else None,
        next_address_id=order[at + 1] if at + 1 < len(order) else None,
    )
