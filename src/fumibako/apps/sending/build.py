"""From a job and its rows to bytes: what all mails share is frozen as a sheet, what is one person's in the row.

The same two always give the same bytes, so a preview, the check, the first try and every resend are one mail (P6).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.db.models.base import ModelState
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.recipients.queries import merge_values
from fumibako.apps.sending.files import read_kept_file
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.apps.sending.selection import Candidate, Judged
from fumibako.delivery.states import State
from fumibako.letters.body import joined_body
from fumibako.letters.merge import LetterRefused, ParsedLetter, Rendered, as_written, parse
from fumibako.mime.addresses import address_key, judge
from fumibako.mime.compose import Attachment, Composed, Composer, Mailbox, Sheet, new_message_id
from fumibako.mime.unsendable import Reason, Unsendable

TEST_SUBJECT = "【テスト】"

PEOPLE_PER_QUERY = 1000
ID_OCTETS = 12


def sheet_of(job: BulkSend, account: MailAccount) -> dict[str, Any]:
    """What every mail of the draft would share, as plain data for `BulkSend.sheet`."""
    return {
        "subject": job.subject,
        "body": job.body,
        "signature": account.signature,
        "from_name": account.from_name,
        "from_address": account.from_address,
        "reply_to": account.reply_to,
        "cc": addresses_in(account.cc),
        "bcc": addresses_in(account.bcc),
        "charset": account.charset,
        "include_recipient_name": account.include_recipient_name,
        "allow_do_not_send": account.allow_do_not_send,
        "attachments": [
            {"name": one.name, "content_type": one.content_type, "size": one.size, "sha256": one.sha256}
            for one in job.attachments.all()
        ],
    }


def addresses_in(text: str) -> list[str]:
    """The addresses of a CC or BCC item, however they are separated."""
    for separator in ",;、，；\n\t":
        text = text.replace(separator, " ")
    return list(dict.fromkeys(text.split()))


class Frozen(Protocol):
    """What a mail needs of its row."""

    @property
    def values(self) -> Mapping[str, str]:
        """Merge values."""

    @property
    def party_name(self) -> str:
        """氏名."""

    @property
    def wire_address(self) -> str:
        """What RCPT carries."""

    @property
    def message_id(self) -> str:
        """Without angle brackets."""

    @property
    def dated_at(self) -> datetime | None:
        """None for a row that was never frozen."""

    @property
    def boundary(self) -> str:
        """Between the parts."""


class JobComposer:
    """Composes the mails of one job from its sheet. Files are read once, when it is built.

    Raises AttachmentMissing (a file is gone or changed), LetterRefused (the letter has mistakes) or Unsendable (the
    sender's own address cannot be used).
    """

    def __init__(self, sheet: Mapping[str, Any], *, read_file: Callable[[str, str], bytes] = read_kept_file) -> None:
        read = as_written if sheet.get("is_as_written") else parse
        self.letter: ParsedLetter = read(sheet["subject"], sheet["body"])
        self._signature = sheet["signature"]
        self._has_names = sheet["include_recipient_name"]
        files = tuple(
            Attachment(one["name"], one["content_type"], read_file(one["sha256"], one["name"]))
            for one in sheet["attachments"]
        )
        self.sheet = Sheet(
            from_=Mailbox(sheet["from_name"], sheet["from_address"]),
            reply_to=sheet["reply_to"],
            cc=tuple(Mailbox("", address) for address in sheet["cc"]),
            charset=sheet["charset"],
            attachments=files,
            extra_headers=tuple((name, value) for name, value in sheet.get("extra_headers", ())),
        )
        self._composer = Composer(self.sheet)
        ending = self.letter.ending
        self._letter_ending = ending if ending.strip("\n") else ""
        self._ending = joined_body(ending, self._signature) if self._letter_ending else ""
        """What all mails end in, the signature included: encoded once."""
        self.envelope_sender = wire_of(sheet["from_address"], "from")
        """What MAIL FROM carries."""
        self.copies = (
            *(wire_of(address, "cc") for address in sheet["cc"]),
            *(wire_of(address, "bcc") for address in sheet["bcc"]),
        )
        """What further RCPT TO lines carry: CC and BCC."""

    def render(self, values: Mapping[str, str]) -> Rendered:
        """Subject and text of one person, without the signature."""
        return self.letter.render(values)

    def compose(self, row: Frozen, rendered: Rendered | None = None) -> Composed:
        """The mail of one row; the same bytes every time. Raises Unsendable."""
        if row.dated_at is None:
            raise ValueError("a row without a date was never frozen")
        subject, text = (rendered.subject, rendered.text) if rendered else self.letter.words(row.values)
        ending = self._ending
        if ending and text.endswith(self._letter_ending):
            text = text[: -len(self._letter_ending)]
        else:
            text, ending = joined_body(text, self._signature), ""
        return self._composer.compose(
            to=Mailbox(row.party_name if self._has_names else "", row.wire_address),
            subject=subject,
            text=text,
            message_id=f"<{row.message_id}>",
            date=row.dated_at,
            boundary=row.boundary,
            ending=ending,
        )


def composer_of(job: BulkSend) -> JobComposer:
    """The composer of an approved job."""
    return JobComposer(job.sheet)


def wire_of(address: str, field: str) -> str:
    """An address of our own account as it goes on the wire. Raises Unsendable naming the field."""
    verdict = judge(address, allow_non_rfc=True)
    if not verdict.is_accepted:
        raise Unsendable(Reason.BAD_ADDRESS, field, verdict.problem or "")
    return verdict.wire


class Built(NamedTuple):
    """One row of the job to be, not stored yet. `composed` and `rendered` are missing where no mail is sent, and
    `refusal` says why a mail that should be sent could not be built."""

    judged: Judged
    row: Delivery
    rendered: Rendered | None = None
    composed: Composed | None = None
    refusal: Unsendable | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """When and by whom a job is put together: 本日, 担当者名 and the Date header come from here."""

    dated_at: datetime
    operator_name: str


def common_values(sheet: Mapping[str, Any], moment: Moment) -> dict[str, str]:
    """Merge values that are the same for everybody."""
    today = timezone.localdate(moment.dated_at)
    return {
        "本日": f"{today.year}年{today.month}月{today.day}日",
        "送信者名": sheet["from_name"],
        "担当者名": moment.operator_name,
    }


def build_all(
    job: BulkSend,
    sheet: Mapping[str, Any],
    composer: JobComposer,
    rows: Iterable[Judged],
    moment: Moment,
    *,
    first_seq: int = 1,
) -> Iterator[Built]:
    """Build every mail of a draft, one at a time, in the order of its list; exclusions come along without a mail."""
    identities, blank = Identities(job, sheet), _Blank(job, moment)
    people = _People(composer.letter.fields_used, common_values(sheet, moment))
    numbered = enumerate(rows, start=first_seq)
    while chunk := list(islice(numbered, PEOPLE_PER_QUERY)):
        people.look_up([judged.candidate.recipient_id for _, judged in chunk if judged.will_be_sent])
        for seq, judged in chunk:
            row = blank.row(judged, seq)
            if judged.will_be_sent:
                row.values = people.values_for(judged.candidate)
                identities.give(row, moment.dated_at)
                yield _built(composer, judged, row)
            else:
                yield Built(judged, row)


TOLD_BY_LIST: dict[str, Callable[[Candidate], str]] = {
    "氏名": lambda one: one.name,
    "姓": lambda one: one.family_name,
    "名": lambda one: one.given_name,
    "メールアドレス": lambda one: one.address or "",
}
"""Merge values that need no further look at the person: the same words as in `merge_values`."""


class _People:
    """The merge values that a letter uses, person by person."""

    def __init__(self, fields_used: tuple[str, ...], common: Mapping[str, str]) -> None:
        self._fields = [(name, TOLD_BY_LIST.get(name)) for name in fields_used]
        self._common = dict(common)
        self._is_told_by_list = set(fields_used) <= {*common, *TOLD_BY_LIST}
        self._personal: dict[int, dict[str, str]] = {}

    def look_up(self, recipient_ids: Iterable[int]) -> None:
        """Fetch what the letter needs of these people, unless the list tells all of it."""
        if not self._is_told_by_list:
            self._personal = merge_values(list(set(recipient_ids)))

    def values_for(self, one: Candidate) -> dict[str, str]:
        """In the order of the letter; what this person lacks is empty."""
        others = self._personal.get(one.recipient_id, {}) | self._common
        return {name: tell(one) if tell else others.get(name, "") for name, tell in self._fields}


class _Blank:
    """Makes the rows of one job from one that Django made, as unpickling does: what all rows have in common is not
    checked and set anew, column by column, for every mail."""

    def __init__(self, job: BulkSend, moment: Moment) -> None:
        model = Delivery(job=job, account=job.account, changed_at=moment.dated_at)
        self._columns = {field.attname: getattr(model, field.attname) for field in Delivery._meta.concrete_fields}

    def row(self, judged: Judged, seq: int) -> Delivery:
        """The row of one address, planned or with the reason why it gets no mail."""
        candidate = judged.candidate
        row = Delivery.__new__(Delivery)
        row.__dict__.update(
            self._columns,
            _state=ModelState(),
            seq=seq,
            recipient_id=candidate.recipient_id,
            party_address_id=candidate.address_id,
            party_kind=candidate.kind,
            party_number=candidate.number,
            party_name=candidate.name,
            address=candidate.address or "",
            address_key=candidate.address_key or "",
            wire_address=judged.wire,
            state=State.SUPPRESSED if judged.reason else State.PLANNED,
            exclusion=judged.reason,
            values={},
        )
        return row


def _built(composer: JobComposer, judged: Judged, row: Delivery) -> Built:
    try:
        rendered = composer.render(row.values)
        composed = composer.compose(row, rendered)
    except Unsendable as refusal:
        return Built(judged, row, refusal=refusal)
    except LetterRefused:
        # The letter itself was read without a mistake: only its length with these values is left to refuse.
        return Built(judged, row, refusal=Unsendable(Reason.TOO_LONG, "text"))
    seal(row, composed)
    return Built(judged, row, rendered, composed)


def seal(row: Delivery, composed: Composed) -> None:
    """Write onto the row what proves its bytes."""
    row.raw_sha256 = hashlib.sha256(composed.raw).hexdigest()
    row.size = composed.size
    row.charset = composed.charset


def test_row(
    job: BulkSend, sheet: Mapping[str, Any], to_address: str, name: str, values: dict[str, str], dated_at: datetime
) -> Delivery:
    """The one row of a test job: somebody's data, addressed to the person who tests. It belongs to no recipient."""
    row = Delivery(
        job=job,
        account=job.account,
        seq=1,
        party_kind="",
        party_number="",
        party_name=name[:120],
        address=to_address,
        address_key=address_key(to_address),
        wire_address=wire_of(to_address, "to"),
        state=State.PLANNED,
        values=values,
        changed_at=dated_at,
    )
    Identities(job, sheet).give(row, dated_at)
    return row


class Identities:
    """Gives every row of a job the Message-ID, Date and boundary it keeps for ever.

    The Message-ID's left side carries the job, the row and a keyed token: an error mail that names it can be matched,
    and nobody else can make one up.
    """

    def __init__(self, job: BulkSend, sheet: Mapping[str, Any]) -> None:
        self._prefix = f"fb.{job.number}"
        self._seed = f"{job.idempotency_key}:{job.number}"
        self._domain = sheet["from_address"].rpartition("@")[2]
        self._key = hashlib.sha256(b"fumibako message ids" + settings.MASTER_KEY).digest()

    def give(self, row: Delivery, dated_at: datetime) -> None:
        """Set message_id, dated_at and boundary. Raises Unsendable when the sender's domain cannot stand in one."""
        digest = hmac.digest(self._key, f"{self._seed}:{row.seq}".encode("ascii"), "sha256").hex()
        token, rest = digest[: 2 * ID_OCTETS], digest[2 * ID_OCTETS : 4 * ID_OCTETS]
        row.message_id = new_message_id(f"{self._prefix}.{row.seq}.{token}", self._domain)[1:-1]
        row.boundary = f"=_fb_{rest}"
        row.dated_at = dated_at.replace(microsecond=0)


def exclusions(rows: Iterable[Judged]) -> list[Judged]:
    """The rows that get no mail, for the list of 送信しない宛先."""
    return [judged for judged in rows if judged.reason]
