"""宛先: the addresses of a draft, each judged anew against the account that would send and the flags of this moment.

Reasons, in the order they are looked for: no_address, cannot, opt_out, do_not, unticked, bad_address, duplicate.
One mail per address and job: of two equal addresses the first in the list gets it (H04).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import NamedTuple

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.recipients.queries import opted_out_keys
from fumibako.apps.recipients.rules import exclusion_of
from fumibako.apps.sending.models import BulkSend, DraftAddress, RemovedRecipient
from fumibako.mime.addresses import judge

CHUNK = 2000
"""Addresses in hand at once."""
PAGE_SIZE = 50
"""Persons on one page of the list."""


class Candidate(NamedTuple):
    """One address of one person in a draft's list, as stored."""

    draft_id: int
    recipient_id: int
    kind: str
    number: str
    family_name: str
    given_name: str
    address_id: int | None
    slot: int | None
    address: str | None
    address_key: str | None
    flag: str | None
    error_count: int | None
    is_ticked: bool

    @property
    def name(self) -> str:
        """氏名."""
        return f"{self.family_name} {self.given_name}".strip()


COLUMNS = (
    "id",
    "recipient_id",
    "recipient__kind",
    "recipient__number",
    "recipient__family_name",
    "recipient__given_name",
    "address_id",
    "address__slot",
    "address__address",
    "address__address_key",
    "address__flag",
    "address__error_count",
    "is_ticked",
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate and the verdict. `reason` "" = gets a mail; `wire` is then what RCPT TO will carry."""

    candidate: Candidate
    reason: str
    is_tickable: bool
    wire: str = ""

    @property
    def will_be_sent(self) -> bool:
        """True when this address gets a mail."""
        return not self.reason

    @property
    def lifts_do_not_send(self) -> bool:
        """True when this mail goes to a 送らない address because account option ⑨ allows it (C11)."""
        return not self.reason and self.candidate.flag == PartyAddress.Flag.DO_NOT


@dataclass(frozen=True, slots=True)
class Options:
    """What the account lets through: options ⑧ and ⑨. Without an account the careful side of each."""

    allow_non_rfc: bool = True
    allow_do_not_send: bool = False


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person of the list with one or two addresses."""

    recipient_id: int
    kind: str
    number: str
    name: str
    addresses: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class RowsPage:
    """One page of persons."""

    rows: tuple[PersonRow, ...]
    page: int
    page_count: int
    person_count: int


@dataclass(frozen=True, slots=True)
class SelectionCounts:
    """The footer of step 2. `person_count` counts persons who get at least one mail."""

    person_count: int
    mail_count: int
    two_mail_person_count: int
    by_kind: dict[str, int]
    """Mails per kind of person."""
    persons_by_kind: dict[str, int]
    excluded_count: int
    excluded_by_reason: dict[str, int]
    lifted_count: int
    """Mails to 送らない addresses by option ⑨."""
    limit: int | None
    row_count: int
    """Every address in the list, excluded ones too."""
    persons_by_list: dict[str, int] = field(default_factory=dict)
    """Persons in the list per kind, whether mailed or not."""

    @property
    def is_over_limit(self) -> bool:
        """True when the account's 1回の送信上限件数 is exceeded (SPEC §0 fact 1: addresses, not people)."""
        return self.limit is not None and self.mail_count > self.limit


def options_of(account: MailAccount | None) -> Options:
    """The two options of an account."""
    if account is None:
        return Options()
    return Options(account.allow_non_rfc, account.allow_do_not_send)


def judge_all(
    candidates: Iterable[Candidate], options: Options, opted_out: set[str], taken: set[str] | None = None
) -> Iterator[Judged]:
    """Judge every address in the order of the list. `taken` are the keys that have their mail already."""
    taken = set() if taken is None else taken
    for candidate in candidates:
        judged = _judge(candidate, options, opted_out)
        if judged.will_be_sent:
            key = candidate.address_key or ""
            if key in taken:
                judged = Judged(candidate, "duplicate", True)
            taken.add(key)
        yield judged


def _judge(candidate: Candidate, options: Options, opted_out: set[str]) -> Judged:
    if not candidate.address:
        return Judged(candidate, "no_address", False)
    refused = exclusion_of(
        candidate.flag or "",
        candidate.kind,
        allow_do_not_send=options.allow_do_not_send,
        is_opted_out=candidate.address_key in opted_out,
    )
    if refused:
        return Judged(candidate, refused, False)
    if not candidate.is_ticked:
        is_unwanted = candidate.flag == PartyAddress.Flag.DO_NOT
        return Judged(candidate, "do_not" if is_unwanted else "unticked", True)
    verdict = judge(candidate.address, allow_non_rfc=options.allow_non_rfc)
    if not verdict.is_accepted:
        return Judged(candidate, "bad_address", False)
    return Judged(candidate, "", True, verdict.wire)


def candidates_of(job: BulkSend) -> list[Candidate]:
    """The draft's list as stored, in its order: one query."""
    return list(_candidates(job))


def _candidates(job: BulkSend) -> Iterator[Candidate]:
    rows = DraftAddress.objects.filter(job=job).order_by("position", "address__slot", "id").values_list(*COLUMNS)
    return (Candidate(*row) for row in rows.iterator(chunk_size=CHUNK))


def judged_rows(job: BulkSend) -> list[Judged]:
    """The draft's list judged for its present account and the flags of this moment."""
    return list(JudgedRows(job))


@dataclass(frozen=True, slots=True)
class JudgedRows:
    """The same, read anew each time it is gone through and never held as a whole, however long the list is."""

    job: BulkSend

    def __iter__(self) -> Iterator[Judged]:
        options, taken = options_of(self.job.account), set[str]()
        candidates = _candidates(self.job)
        while chunk := list(islice(candidates, CHUNK)):
            opted_out = opted_out_keys([one.address_key for one in chunk if one.address_key])
            yield from judge_all(chunk, options, opted_out, taken)


def rows_of(job: BulkSend, page: int = 1, *, reason: str | None = None) -> RowsPage:
    """One page of the list, by person. With `reason` only the persons with an address left out for it ("" = mailed)."""
    people = _by_person(judged_rows(job))
    if reason is not None:
        people = [one for one in people if any(judged.reason == reason for judged in one.addresses)]
    page_count = max(1, -(-len(people) // PAGE_SIZE))
    page = min(max(1, page), page_count)
    shown = people[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    return RowsPage(tuple(shown), page, page_count, len(people))


def _by_person(rows: Sequence[Judged]) -> list[PersonRow]:
    people = []
    for recipient_id, group in groupby(rows, key=lambda judged: judged.candidate.recipient_id):
        addresses = tuple(group)
        first = addresses[0].candidate
        people.append(PersonRow(recipient_id, first.kind, first.number, first.name, addresses))
    return people


def counts_of(job: BulkSend) -> SelectionCounts:
    """Persons, mails and exclusions of a draft, as if it were sent now."""
    return count(JudgedRows(job), job.account.max_per_job if job.account else None)


def count(rows: Iterable[Judged], limit: int | None) -> SelectionCounts:
    """Add up judged rows."""
    mails: Counter[int] = Counter()
    kinds: dict[int, str] = {}
    by_kind: Counter[str] = Counter()
    excluded: Counter[str] = Counter()
    lifted = 0
    row_count = 0
    for judged in rows:
        row_count += 1
        candidate = judged.candidate
        kinds[candidate.recipient_id] = candidate.kind
        if judged.reason:
            excluded[judged.reason] += 1
            continue
        mails[candidate.recipient_id] += 1
        by_kind[candidate.kind] += 1
        lifted += judged.lifts_do_not_send
    return SelectionCounts(
        person_count=len(mails),
        mail_count=sum(mails.values()),
        two_mail_person_count=sum(1 for number in mails.values() if number > 1),
        by_kind=dict(by_kind),
        persons_by_kind=dict(Counter(kinds[recipient_id] for recipient_id in mails)),
        excluded_count=sum(excluded.values()),
        excluded_by_reason=dict(excluded),
        lifted_count=lifted,
        limit=limit,
        row_count=row_count,
        persons_by_list=dict(Counter(kinds.values())),
    )


def has_people(job: BulkSend) -> bool:
    """True when anybody is in the draft's list, mailed or not."""
    return DraftAddress.objects.filter(job=job).exists()


def listed_among(job: BulkSend, recipient_ids: Iterable[int]) -> set[int]:
    """Which of these people are in the draft's list already."""
    rows = DraftAddress.objects.filter(job=job, recipient__in=list(recipient_ids))
    return set(rows.values_list("recipient_id", flat=True))


def removed_people(job: BulkSend) -> list[Recipient]:
    """外した人: taken off by hand, not brought back by a search."""
    removed = RemovedRecipient.objects.filter(job=job).values("recipient_id")
    return list(Recipient.objects.filter(pk__in=removed).order_by("kind", "number"))
