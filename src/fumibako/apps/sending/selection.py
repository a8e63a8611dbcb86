"""宛先: the addresses of a draft, each judged anew against the account that would send and the flags of this moment.

Reasons, in the order they are looked for: no_address, cannot, opt_out, do_not, unticked, bad_address, duplicate.
One mail per address and job: of two equal addresses the first in the list gets it (H04).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.recipients.models import OptOut, PartyAddress, Recipient
from fumibako.apps.recipients.rules import exclusion_of
from fumibako.apps.sending.models import BulkSend, DraftAddress, RemovedRecipient
from fumibako.mime.addresses import is_everyday, judge

CHUNK = 2000
"""Addresses in hand at once."""
SHARED_IN_HAND = 10_000
"""Addresses of more than one person that are remembered; beyond them the list itself is asked again."""
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
    position: int
    is_opted_out: bool
    """配信停止 is in force for the address."""
    is_shared: bool
    """Somebody else has the same address, or this person has it twice."""

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
    "position",
    "is_opted_out",
    "is_shared",
)


class Judged(NamedTuple):
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


def _judge(candidate: Candidate, options: Options) -> Judged:
    """The verdict on one address by itself: whether an equal one has the mail already is another question."""
    address = candidate.address
    if not address:
        return Judged(candidate, "no_address", False)
    refused = exclusion_of(
        candidate.flag or "",
        candidate.kind,
        allow_do_not_send=options.allow_do_not_send,
        is_opted_out=bool(candidate.is_opted_out),
    )
    if refused:
        return Judged(candidate, refused, False)
    if not candidate.is_ticked:
        is_unwanted = candidate.flag == PartyAddress.Flag.DO_NOT
        return Judged(candidate, "do_not" if is_unwanted else "unticked", True)
    if is_everyday(address):
        return Judged(candidate, "", True, address)
    verdict = judge(address, allow_non_rfc=options.allow_non_rfc)
    if not verdict.is_accepted:
        return Judged(candidate, "bad_address", False)
    return Judged(candidate, "", True, verdict.wire)


def _listed(job: BulkSend) -> QuerySet[DraftAddress, DraftAddress]:
    return DraftAddress.objects.filter(job=job)


def _candidates(listed: QuerySet[DraftAddress, DraftAddress]) -> Iterator[Candidate]:
    key = OuterRef("address__address_key")
    asked = listed.annotate(
        is_opted_out=Exists(OptOut.objects.filter(lifted_at=None, address_key=key)),
        is_shared=Exists(PartyAddress.objects.filter(address_key=key).exclude(pk=OuterRef("address_id"))),
    )
    rows = asked.order_by("position", "address__slot", "id").values_list(*COLUMNS)
    return map(Candidate._make, rows.iterator(chunk_size=CHUNK))


def judged_rows(job: BulkSend) -> list[Judged]:
    """The draft's list judged for its present account and the flags of this moment."""
    return list(JudgedRows(job))


@dataclass(frozen=True, slots=True)
class JudgedRows:
    """The same, read anew each time it is gone through and never held as a whole, however long the list is."""

    job: BulkSend
    at_once: int = CHUNK
    shared_in_hand: int = SHARED_IN_HAND

    def __iter__(self) -> Iterator[Judged]:
        options = options_of(self.job.account)
        taken = _Taken(self.job, options, self.shared_in_hand)
        candidates = _candidates(_listed(self.job))
        while chunk := list(islice(candidates, self.at_once)):
            taken.look_back([one for one in chunk if one.is_shared])
            for candidate in chunk:
                judged = _judge(candidate, options)
                is_repeated = candidate.is_shared and not judged.reason and not taken.add(candidate)
                yield Judged(candidate, "duplicate", True) if is_repeated else judged


class _Taken:
    """Which shared addresses have their mail already. Nothing is remembered of an address that only one person has.

    Not all of them are kept in hand: those that were let go are looked for in the list, judged once more by the same
    rule, so that the first of equal addresses gets the mail however many there are.
    """

    def __init__(self, job: BulkSend, options: Options, at_most: int) -> None:
        self._job = job
        self._options = options
        self._at_most = at_most
        self._keys: set[str | None] = set()
        self._has_let_go = False

    def add(self, candidate: Candidate) -> bool:
        """Give the mail to this one. False when an equal address has it."""
        if candidate.address_key in self._keys:
            return False
        self._keys.add(candidate.address_key)
        return True

    def look_back(self, shared: Sequence[Candidate]) -> None:
        """Be ready to answer for these, which come next."""
        if len(self._keys) > self._at_most:
            self._keys.clear()
            self._has_let_go = True
        unknown = [one for one in shared if one.address_key not in self._keys]
        if self._has_let_go and unknown:
            self._keys.update(self._mailed_before(unknown[0], {str(one.address_key) for one in unknown}))

    def _mailed_before(self, first: Candidate, keys: Collection[str]) -> Iterator[str | None]:
        equal = PartyAddress.objects.filter(address_key__in=keys)
        earlier = Q(position__lt=first.position) | Q(position=first.position, address__slot__lt=first.slot)
        earlier |= Q(position=first.position, address__slot=first.slot, id__lt=first.draft_id)
        for candidate in _candidates(_listed(self._job).filter(earlier, address__in=equal.values("pk"))):
            if _judge(candidate, self._options).will_be_sent:
                yield candidate.address_key


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


def counts_of(job: BulkSend, *, up_to: int | None = None) -> SelectionCounts:
    """Persons, mails and exclusions of a draft, as if it were sent now. Counting may end at the mail number `up_to`."""
    tally = Tally()
    for _ in tally.passing(JudgedRows(job)):
        if tally.mail_count == up_to:
            break
    return tally.counts(job.account)


class Tally:
    """Adds up judged rows as they go by. The addresses of one person follow one another in every list."""

    def __init__(self) -> None:
        self.mail_count = 0
        self._row_count = 0
        self._lifted_count = 0
        self._two_mail_count = 0
        self._by_kind: Counter[str] = Counter()
        self._mailed: Counter[str] = Counter()
        self._listed: Counter[str] = Counter()
        self._excluded: Counter[str] = Counter()
        self._person: int | None = None
        self._mails_of_person = 0

    def passing(self, rows: Iterable[Judged]) -> Iterator[Judged]:
        """The same rows, counted."""
        for judged in rows:
            self._take(judged)
            yield judged

    def _take(self, judged: Judged) -> None:
        candidate = judged.candidate
        self._row_count += 1
        if candidate.recipient_id != self._person:
            self._person, self._mails_of_person = candidate.recipient_id, 0
            self._listed[candidate.kind] += 1
        if judged.reason:
            self._excluded[judged.reason] += 1
            return
        self.mail_count += 1
        self._by_kind[candidate.kind] += 1
        self._lifted_count += judged.lifts_do_not_send
        self._mails_of_person += 1
        if self._mails_of_person == 1:
            self._mailed[candidate.kind] += 1
        elif self._mails_of_person == 2:
            self._two_mail_count += 1

    def counts(self, account: MailAccount | None) -> SelectionCounts:
        """What went by until now, and the limit of the account that would send."""
        return SelectionCounts(
            person_count=sum(self._mailed.values()),
            mail_count=self.mail_count,
            two_mail_person_count=self._two_mail_count,
            by_kind=dict(self._by_kind),
            persons_by_kind=dict(self._mailed),
            excluded_count=sum(self._excluded.values()),
            excluded_by_reason=dict(self._excluded),
            lifted_count=self._lifted_count,
            limit=account.max_per_job if account else None,
            row_count=self._row_count,
            persons_by_list=dict(self._listed),
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
