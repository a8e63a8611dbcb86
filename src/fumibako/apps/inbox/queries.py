"""Facts about received mail: what an operator may see, the lists, and how receiving stands. Never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.queries import usable_accounts
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import Recipient

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
PRESENT_FOR = timedelta(seconds=30)


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
    return only_with(mails.order_by("-sort_key"), asked, is_narrow=conditions.view not in ("all", "done"))


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
    if any((conditions.words, conditions.sender, conditions.recipients, conditions.subject, conditions.body)):
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


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def counts(operator: Operator) -> Counts:
    """How many mails each view holds."""
    is_open = Q(work=ReceivedMail.Work.OPEN)
    found = to_do(operator).aggregate(
        open=Count("pk", filter=is_open),
        mine=Count("pk", filter=Q(assignee=operator)),
        waiting=Count("pk", filter=~is_open),
        bounces=Count("pk", filter=is_open & Q(kind=ReceivedMail.Kind.BOUNCE)),
        unreadable=Count("pk", filter=is_open & Q(kind=ReceivedMail.Kind.UNREADABLE)),
        unread=Count("pk", filter=is_open & Q(is_read=False)),
    )
    return Counts(**found)


def neighbours(mails: Mails, mail: ReceivedMail) -> tuple[ReceivedMail | None, ReceivedMail | None]:
    """The mail before (newer) and after (older) this one in a list."""
    newer, older = (list(beyond(mails, mail.sort_key, is_older=is_older)[:1]) for is_older in (False, True))
    return newer[0] if newer else None, older[0] if older else None


def conversation_of(operator: Operator | None, mail: ReceivedMail) -> Mails:
    """The mails of one conversation, by header links, oldest first."""
    if not mail.thread:
        return visible_mails(operator).filter(pk=mail.pk)
    return visible_mails(operator).filter(thread=mail.thread).order_by("sort_key")


def mails_of_person(recipient: Recipient, operator: Operator | None = None) -> Mails:
    """The mails linked to a person that `operator` may see, newest first."""
    linked = MailPerson.objects.filter(recipient=recipient).values("mail_id")
    return visible_mails(operator).filter(pk__in=linked).order_by("-sort_key")


def present_others(mail: ReceivedMail, operator: Operator, now: datetime | None = None) -> list[Presence]:
    """Who else has the mail open: seen within 30 seconds."""
    since = (now or timezone.now()) - PRESENT_FOR
    others = Presence.objects.filter(mail=mail, seen_at__gt=since).exclude(operator=operator)
    return list(others.select_related("operator").order_by("-is_writing", "seen_at"))


def present_in(mails: Sequence[ReceivedMail], operator: Operator, now: datetime | None = None) -> dict[int, str]:
    """Mail id → name of somebody else who has it open, for a whole list in one query."""
    since = (now or timezone.now()) - PRESENT_FOR
    found = Presence.objects.filter(mail__in=[mail.pk for mail in mails], seen_at__gt=since).exclude(operator=operator)
    return {one.mail_id: str(one.operator) for one in found.select_related("operator").order_by("seen_at")}


def bounce_list(operator: Operator | None) -> QuerySet[BounceReport, BounceReport]:
    """エラーメール: every report this operator may see, newest first."""
    reports = BounceReport.objects.filter(mail__deleted_at=None)
    if operator is not None and not operator.is_administrator:
        accounts = list(usable_accounts(operator, "view").values_list("pk", flat=True))
        reports = reports.filter(mail__account__in=accounts)
    chosen = reports.select_related("mail__account", "delivery__job", "party_address__recipient")
    return chosen.order_by("-mail__sort_key", "position")


def unmatched_bounces(operator: Operator | None) -> QuerySet[BounceReport, BounceReport]:
    """未確認の不達 and reports about no delivery of ours, until a person settles them."""
    return bounce_list(operator).filter(
        effect__in=[BounceReport.Effect.UNMATCHED, BounceReport.Effect.UNVERIFIED], settled_at=None
    )


def bounces_of_person(recipient: Recipient, operator: Operator | None = None) -> QuerySet[BounceReport, BounceReport]:
    """The error mails about a person's addresses or mails."""
    of_person = Q(party_address__recipient=recipient) | Q(delivery__recipient=recipient)
    return bounce_list(operator).filter(of_person)


def receiving_accounts(operator: Operator | None) -> QuerySet[MailAccount]:
    """The accounts whose receiving this operator may see and ask for, 表示しない left out."""
    accounts = MailAccount.objects.all() if operator is None else usable_accounts(operator, "view")
    return accounts.filter(receive_enabled=True, visible=True).exclude(pop_host="")
