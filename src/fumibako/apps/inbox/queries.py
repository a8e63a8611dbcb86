"""Facts about received mail: what an operator may see, the lists, and how receiving stands. Never writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, Literal

from django.db import connection
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.queries import usable_accounts
from fumibako.apps.office.models import Operator

from .models import BounceReport, MailPerson, Presence, ReceivedMail
from .search import FIELDS, Field, Mails, beyond, only_with

View = Literal["open", "mine", "waiting", "done", "all", "bounces", "unreadable"]
VIEWS: tuple[View, ...] = ("open", "mine", "waiting", "done", "all", "bounces", "unreadable")
PAGE_SIZE = 50
# fmt: off
LISTED = (
    "number", "at", "sort_key", "is_read", "kind", "reading", "from_name", "from_address", "subject", "snippet",
    "replied_at", "attachment_count", "account__name", "assignee__username", "assignee__display_name", "job__number",
)
# fmt: on
"""What a list shows of a mail; the letter of a send alone is larger than all of it."""
LONG = ("mail__text", "mail__references", "delivery__values", "delivery__job__body", "delivery__job__sheet")
"""What no list of error mails shows, and what is longer than all the rest."""
PRESENT_FOR = timedelta(seconds=30)
STEP = 1_000
"""Mails of a view among which words are looked for first."""
FIRST_STEP, LARGEST_STEP = 150, 8_000
"""Error mails that are looked at together."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """抽出条件 of メール受信; what is empty is no condition."""

    view: View = "all"
    account_ids: Sequence[int] = ()
    received_from: date | None = None
    received_to: date | None = None
    words: str = ""
    """Anywhere in sender, recipients, subject and text."""
    sender: str = ""
    recipients: str = ""
    subject: str = ""
    body: str = ""
    kind: str = ""
    is_unread_only: bool = False
    is_linked: bool | None = None
    has_attachment: bool | None = None
    assignee_id: int | None = None
    job_number: int | None = None
    recipient_id: int | None = None
    number: int | None = None
    span: tuple[int | None, int | None] = (None, None)
    """Sort keys: from the first on and before the second. One page's part of the list, no condition of a person's."""

    @property
    def has_words(self) -> bool:
        """Whether the search table is asked."""
        return any((self.words, self.sender, self.recipients, self.subject, self.body))

    @property
    def is_narrow(self) -> bool:
        """Whether the view holds few of all mails."""
        return self.view not in ("all", "done")


@dataclass(frozen=True, slots=True)
class Counts:
    """Mails per view that want something: 未処理 ones, and of these the error mails, unreadable and unread ones."""

    open: int
    mine: int
    waiting: int
    bounces: int
    unreadable: int
    unread: int


def visible_mails(operator: Operator | None) -> Mails:
    """Every mail this operator may see: of accounts with 参照 permission, not deleted. None sees all."""
    mails = ReceivedMail.objects.filter(deleted_at=None)
    if operator is None or operator.is_administrator:
        return mails
    return mails.filter(account__in=list(usable_accounts(operator, "view").values_list("pk", flat=True)))


def mail_numbered(operator: Operator | None, number: int) -> ReceivedMail | None:
    """The mail with this 受信管理NO, None when there is none that this operator may see."""
    return visible_mails(operator).select_related("account", "assignee", "job").filter(number=number).first()


def search(operator: Operator | None, conditions: Conditions) -> Mails:
    """メール受信: newest first. Go on after a page with `page_after`."""
    mails = _in_view(_seen_by(operator, conditions), conditions.view, operator)
    mails = mails.filter(_by_columns(conditions), _by_links(conditions)).defer("text", "references")
    asked: tuple[tuple[str, tuple[Field, ...]], ...] = (
        (conditions.words, FIELDS),
        (conditions.sender, ("sender",)),
        (conditions.recipients, ("recipients",)),
        (conditions.subject, ("subject",)),
        (conditions.body, ("body",)),
    )
    first, end = conditions.span
    mails = mails.filter(sort_key__gte=first) if first else mails
    mails = mails.filter(sort_key__lt=end) if end else mails
    return only_with(mails.order_by("-sort_key"), asked, is_narrow=conditions.is_narrow, span=conditions.span)


def spans_of(
    operator: Operator | None, conditions: Conditions, after: int | None
) -> Sequence[tuple[int | None, int | None]]:
    """In which parts, newest first, the list is looked through until a page is full.

    Words are looked for among all mails of a part at once: where few mails are wanted, the newest of these come first,
    and what the words find in all the years before mostly need not be known.
    """
    if not (conditions.has_words and conditions.is_narrow):
        return [(None, after)]
    view = _in_view(ReceivedMail.objects.order_by("-sort_key"), conditions.view, operator)
    view = view.filter(sort_key__lt=after) if after else view
    middle = view.values_list("sort_key", flat=True)[STEP : STEP + 1]
    return [(key, after) for key in middle] + [(None, key) for key in middle] or [(None, after)]


def page_after(mails: Mails, sort_key: int | None = None, size: int = PAGE_SIZE) -> list[ReceivedMail]:
    """The next `size` mails after the one with `sort_key` (None = from the newest); never counts, never skips."""
    rest = mails if sort_key is None else beyond(mails, sort_key, is_older=True)
    return list(rest.select_related("account", "assignee", "job").only(*LISTED)[:size])


def _seen_by(operator: Operator | None, conditions: Conditions) -> Mails:
    """Visible mails of the accounts asked for.

    The sum keeps the database from beginning with all mails of an account and asking the search table about each.
    """
    mails = ReceivedMail.objects.filter(deleted_at=None)
    column = "account_id"
    if conditions.has_words:
        mails, column = mails.alias(of_account=F("account_id") + 0), "of_account"
    if conditions.account_ids:
        mails = mails.filter(**{f"{column}__in": list(conditions.account_ids)})
    if operator is None or operator.is_administrator:
        return mails
    return mails.filter(**{f"{column}__in": list(usable_accounts(operator, "view").values_list("pk", flat=True))})


def _in_view(mails: Mails, view: View, operator: Operator | None) -> Mails:
    match view:
        case "open":
            return mails.filter(work=ReceivedMail.Work.OPEN)
        case "mine":
            return mails.filter(assignee=operator).exclude(work=ReceivedMail.Work.DONE)
        case "waiting":
            return mails.filter(work=ReceivedMail.Work.WAITING)
        case "done":
            return mails.filter(work=ReceivedMail.Work.DONE)
        case "bounces":
            return mails.filter(kind=ReceivedMail.Kind.BOUNCE)
        case "unreadable":
            return mails.filter(kind=ReceivedMail.Kind.UNREADABLE)
        case _:
            return mails


def _by_columns(conditions: Conditions) -> Q:
    equal = {
        "kind": conditions.kind or None,
        "is_read": False if conditions.is_unread_only else None,
        "assignee": conditions.assignee_id,
        "number": conditions.number,
        "fetched_at__gte": conditions.received_from and _midnight(conditions.received_from),
        "fetched_at__lt": conditions.received_to and _midnight(conditions.received_to + timedelta(days=1)),
    }
    wanted = Q(**{name: value for name, value in equal.items() if value is not None})
    if conditions.has_attachment is not None:
        wanted &= Q(attachment_count__gt=0) if conditions.has_attachment else Q(attachment_count=0)
    return wanted


def _by_links(conditions: Conditions) -> Q:
    wanted = Q()
    links = MailPerson.objects.filter(mail=OuterRef("pk"))
    if conditions.job_number is not None:
        wanted &= Q(job__number=conditions.job_number)
    if conditions.is_linked is not None:
        wanted &= Q(Exists(links)) if conditions.is_linked else ~Q(Exists(links))
    if conditions.recipient_id is not None:
        wanted &= Q(Exists(links.filter(recipient=conditions.recipient_id)))
    return wanted


def to_do(operator: Operator | None) -> Mails:
    """Every mail that is not 処理済み and may be seen, in no order.

    Said in the words of the index `mail_to_do`, which alone answers every count of these: a pass over the rows would
    read everything that was ever received.
    """
    return visible_mails(operator).order_by().exclude(work=ReceivedMail.Work.DONE)


def number(statement: str, values: Sequence[Any] = ()) -> int:
    """The one number that a statement asks for."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        (found,) = cursor.fetchone()
    return int(found)


def seen_by(operator: Operator, column: str) -> str:
    """The rule of `visible_mails` as a condition on a column that holds accounts."""
    if operator.is_administrator:
        return "TRUE"
    ids = usable_accounts(operator, "view").values_list("pk", flat=True)
    return f"{column} IN ({', '.join(str(int(pk)) for pk in ids) or 'NULL'})"


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


TO_DO = (
    "SELECT work, kind, is_read, assignee_id, COUNT(*) FROM inbox_receivedmail "
    "WHERE NOT (work = 'done') AND deleted_at IS NULL AND {seen} GROUP BY work, kind, is_read, assignee_id"
)
"""In the order of the columns of `mail_to_do`, from which it is answered."""


def counts(operator: Operator) -> Counts:
    """How many mails each view holds."""
    with connection.cursor() as cursor:
        cursor.execute(TO_DO.format(seen=seen_by(operator, "account_id")))
        groups = cursor.fetchall()
    to_do = [(count, work == "open", kind, bool(is_read), pk) for work, kind, is_read, pk, count in groups]
    open_ones = [(count, kind, is_read) for count, is_open, kind, is_read, _ in to_do if is_open]
    return Counts(
        open=sum(count for count, _, _ in open_ones),
        mine=sum(count for count, _, _, _, pk in to_do if pk == operator.pk),
        waiting=sum(count for count, is_open, _, _, _ in to_do if not is_open),
        bounces=sum(count for count, kind, _ in open_ones if kind == ReceivedMail.Kind.BOUNCE),
        unreadable=sum(count for count, kind, _ in open_ones if kind == ReceivedMail.Kind.UNREADABLE),
        unread=sum(count for count, _, is_read in open_ones if not is_read),
    )


def neighbours(mails: Mails, mail: ReceivedMail) -> tuple[ReceivedMail | None, ReceivedMail | None]:
    """The mail before (newer) and after (older) this one in a list."""
    newer, older = (list(beyond(mails, mail.sort_key, is_older=is_older)[:1]) for is_older in (False, True))
    return newer[0] if newer else None, older[0] if older else None


def conversation_of(operator: Operator | None, mail: ReceivedMail) -> Mails:
    """The mails of one conversation, by header links, oldest first."""
    if not mail.thread:
        return visible_mails(operator).filter(pk=mail.pk)
    return visible_mails(operator).filter(thread=mail.thread).order_by("sort_key")


def present_others(mail: ReceivedMail, operator: Operator, now: datetime | None = None) -> list[Presence]:
    """Who else has the mail open: seen within 30 seconds."""
    since = (now or timezone.now()) - PRESENT_FOR
    others = Presence.objects.filter(mail=mail, seen_at__gt=since).exclude(operator=operator)
    return list(others.select_related("operator").order_by("-is_writing", "seen_at"))


def present_in(mails: Sequence[ReceivedMail], operator: Operator, now: datetime | None = None) -> dict[int, str]:
    """Mail id → name of somebody else who has it open, for a whole list in one query."""
    since = (now or timezone.now()) - PRESENT_FOR
    found = Presence.objects.filter(mail__in=[mail.pk for mail in mails], seen_at__gt=since).exclude(operator=operator)
    names = found.order_by("seen_at").values_list("mail_id", "operator__display_name", "operator__username")
    return {mail_id: name or username for mail_id, name, username in names}


def bounce_list(operator: Operator | None) -> QuerySet[BounceReport, BounceReport]:
    """エラーメール: every report this operator may see, newest first."""
    reports = BounceReport.objects.filter(mail__deleted_at=None)
    if operator is not None and not operator.is_administrator:
        accounts = list(usable_accounts(operator, "view").values_list("pk", flat=True))
        reports = reports.filter(mail__account__in=accounts)
    chosen = reports.select_related("mail__account", "delivery__job", "party_address__recipient").defer(*LONG)
    return chosen.order_by("-mail__sort_key", "position")


def unmatched_bounces(operator: Operator | None) -> QuerySet[BounceReport, BounceReport]:
    """未確認の不達 and reports about no delivery of ours, until a person settles them."""
    return bounce_list(operator).filter(
        effect__in=[BounceReport.Effect.UNMATCHED, BounceReport.Effect.UNVERIFIED], settled_at=None
    )


def bounces_about(recipient_ids: Sequence[int], operator: Operator | None) -> QuerySet[BounceReport, BounceReport]:
    """The error mails about the addresses or mails of several people, newest first."""
    # Two questions with an index each; asked as one, in the order of the mails, they are a pass over all of these.
    by_address = BounceReport.objects.filter(party_address__recipient__in=recipient_ids).order_by().values_list("pk")
    by_delivery = BounceReport.objects.filter(delivery__recipient__in=recipient_ids).order_by().values_list("pk")
    return bounce_list(operator).filter(pk__in=[pk for (pk,) in by_address.union(by_delivery)])


@dataclass(frozen=True, slots=True)
class Failing:
    """One address that error mails are about: how many, and the sort key of the newest."""

    address_key: str
    count: int
    last: int


def failing_addresses(
    reports: QuerySet[BounceReport, BounceReport], size: int, after: int | None = None
) -> list[Failing]:
    """The addresses of `reports` by their newest error mail; `after` is the sort key where the page before ended.

    Goes down from the newest error mail in ever larger steps, until a page is full: to group all reports takes longer
    the more years there are.
    """
    groups = reports.order_by().values_list("address_key").annotate(count=Count("pk"), last=Max("mail__sort_key"))
    found: list[Failing] = []
    keys = _failing_keys(reports, after)
    while len(found) < size and (some := list(islice(keys, size))):
        fresh = [Failing(*row) for row in groups.filter(address_key__in=some)]
        # Whoever failed after the end of the page before stands on an earlier page.
        found += sorted((one for one in fresh if after is None or one.last < after), key=lambda one: -one.last)
    return found[:size]


def _failing_keys(reports: QuerySet[BounceReport, BounceReport], after: int | None) -> Iterator[str]:
    """Every address once, by the newest error mail before `after`."""
    mails = ReceivedMail.objects.filter(kind=ReceivedMail.Kind.BOUNCE, deleted_at=None).order_by("-sort_key")
    rows = reports.order_by().values_list("mail_id", "address_key")
    lowest, step, seen = after, FIRST_STEP, set[str]()
    while True:
        below = mails if lowest is None else mails.filter(sort_key__lt=lowest)
        found = dict(below.values_list("pk", "sort_key")[:step])
        if not found:
            return
        for _, key in sorted(rows.filter(mail__in=list(found)), key=lambda row: -found[row[0]]):
            if key not in seen:
                seen.add(key)
                yield key
        lowest, step = min(found.values()), min(step * 2, LARGEST_STEP)


def receiving_accounts(operator: Operator | None) -> QuerySet[MailAccount]:
    """The accounts whose receiving this operator may see and ask for, 表示しない left out."""
    accounts = MailAccount.objects.all() if operator is None else usable_accounts(operator, "view")
    return accounts.filter(receive_enabled=True, visible=True).exclude(pop_host="")
