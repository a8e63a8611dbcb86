"""What the screens of received mail show beside a mail: counts for every page, whom a list names, the answer board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.queries import usable_accounts
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import Recipient
from fumibako.apps.sending.models import BulkSend
from fumibako.delivery.states import State
from fumibako.mime.addresses import address_key

from .models import FetchRequest, MailPerson, MailReply, ReceivedMail, Reception
from .queries import number, seen_by, to_do

MOST_FOUND = 20
STOPPED_FOR = timedelta(days=7)
MOST_LOOKED_AT = 2_000
"""Error mails of a week that the menu's number is made from; of more than these the newest."""
TOLD_FOR = timedelta(seconds=60)
OPEN = "SELECT COUNT(*) FROM inbox_receivedmail WHERE NOT (work = 'done') AND work = 'open' AND deleted_at IS NULL"
"""Said in the words of the index `mail_to_do`. The counts of every page are whole statements: to build one by the ORM
takes ten times as long as to answer it."""
UNMATCHED = (
    "SELECT COUNT(*) FROM inbox_bouncereport r JOIN inbox_receivedmail m ON m.id = r.mail_id "
    "WHERE r.effect IN ('unmatched', 'unverified') AND r.settled_at IS NULL AND m.deleted_at IS NULL"
)
"""The same as `queries.unmatched_bounces`."""
STOPPED = (
    "SELECT COUNT(DISTINCT a.recipient_id) FROM (SELECT id, account_id, deleted_at FROM inbox_receivedmail "
    "WHERE kind = 'bounce' AND fetched_at > %s ORDER BY fetched_at DESC LIMIT %s) m "
    "CROSS JOIN inbox_bouncereport r JOIN recipients_partyaddress a ON a.id = r.party_address_id "
    "WHERE r.mail_id = m.id AND r.effect = 'counted' AND a.flag = 'cannot' AND m.deleted_at IS NULL"
)
"""Begins with the error mails of the week; asked the other way round it is a pass over every report there is."""
# fmt: off
NAMED = (
    "mail_id", "recipient__kind", "recipient__family_name", "recipient__given_name",
    "recipient__client_contact__client__company_name",
)
# fmt: on
"""What a list says of a person."""
NOT_MAILED = (State.SUPPRESSED.value, State.CANCELLED.value, State.PLANNED.value)


@dataclass(frozen=True, slots=True)
class Answers:
    """この送信への返信, in persons."""

    job: BulkSend
    answered: int
    bounced: int
    silent: int


@dataclass(frozen=True, slots=True)
class Receiving:
    """How receiving stands over several accounts: the last success, the next run, and what is down since when."""

    last_at: datetime | None
    next_at: datetime | None
    is_running: bool
    downs: tuple[tuple[MailAccount, datetime], ...]


def has_inbox(operator: Operator) -> bool:
    """Whether any account's mail may be seen: without one, メール受信 is not in the menu."""
    return operator.is_administrator or usable_accounts(operator, "view").exists()


def open_count(operator: Operator) -> int:
    """未処理, for the menu of every page."""
    return number(f"{OPEN} AND {seen_by(operator, 'account_id')}")


def mine_count(operator: Operator) -> int:
    """未処理 with this operator as 担当."""
    return to_do(operator).filter(work=ReceivedMail.Work.OPEN, assignee=operator).count()


def error_count(operator: Operator) -> int:
    """Error mails that wait for a person: reports that fit no send, and people who became 送れない by one this week."""
    since = connection.ops.adapt_datetimefield_value(timezone.now() - STOPPED_FOR)
    seen = seen_by(operator, "m.account_id")
    return number(f"SELECT ({UNMATCHED} AND {seen}) + ({STOPPED} AND {seen})", (since, MOST_LOOKED_AT))


def receiving_of(accounts: Sequence[MailAccount]) -> Receiving:
    """What the function bar and the strip above the list say."""
    by_id = {account.pk: account for account in accounts}
    receptions = list(Reception.objects.filter(account__in=list(by_id)))
    timed = [one for one in receptions if by_id[one.account_id].fetch_interval_minutes and one.stopped_at is None]
    successes = [one.last_success_at for one in receptions if one.last_success_at]
    nexts = [one.next_at for one in timed if one.next_at]
    downs = [(by_id[one.account_id], one.failing_since_at or one.stopped_at) for one in receptions]
    return Receiving(
        last_at=max(successes, default=None),
        next_at=min(nexts, default=None),
        is_running=FetchRequest.objects.filter(account__in=accounts, run=None).exists(),
        downs=tuple((account, since) for account, since in downs if since is not None),
    )


def results_for(operator: Operator, now: datetime) -> list[tuple[str, str, int]]:
    """What came of [受信] that this operator pressed a moment ago: account, trouble (a stable word) and mails."""
    own = FetchRequest.objects.filter(operator=operator, run__finished_at__gt=now - TOLD_FOR)
    told = own.order_by("account__account_no")
    return list(told.values_list("account__name", "run__trouble_kind", "run__stored_count"))


def senders_of(mails: Sequence[ReceivedMail]) -> dict[int, MailPerson]:
    """Mail id → the person it is from, for a whole list in one query."""
    links = MailPerson.objects.filter(mail__in=[mail.pk for mail in mails], role=MailPerson.Role.FROM)
    chosen = links.select_related("recipient__client_contact__client").order_by("is_by_hand", "id")
    return {link.mail_id: link for link in chosen.only(*NAMED)}


def answers_of(job: BulkSend) -> Answers:
    """How many of those mailed answered, were not reached, or have not answered yet."""
    rows = job.deliveries.exclude(state__in=NOT_MAILED)
    mailed = rows.count()
    bounced = rows.filter(state=State.BOUNCED.value).count()
    ordinary = ReceivedMail.objects.filter(job=job, kind=ReceivedMail.Kind.ORDINARY, deleted_at=None).order_by()
    answered = ordinary.values("from_key").distinct().count()
    return Answers(job, answered, bounced, max(0, mailed - bounced - answered))


def owners_of(address: str) -> list[Recipient]:
    """Everybody on the lists who has this address."""
    key = address_key(address) if address else ""
    found = _with_company(Recipient.objects.filter(addresses__address_key=key)) if key else Recipient.objects.none()
    return list(found.distinct()[:MOST_FOUND])


def namesake_of(name: str, address: str) -> Recipient | None:
    """Somebody on the lists who is called like the sender but has other addresses."""
    plain = "".join(name.split())
    parts = name.split()
    if len(plain) < 3 or len(parts) != 2:
        return None
    people = Recipient.objects.filter(family_name=parts[0], given_name=parts[1], addresses__isnull=False)
    return people.exclude(addresses__address_key=address_key(address)).first()


def assignable_operators(account: MailAccount) -> list[Operator]:
    """Who may be 担当 of a mail of this account."""
    people = Operator.objects.filter(is_active=True).order_by("id")
    allowed = Q(is_administrator=True) | Q(account_permissions__account=account, account_permissions__may_view=True)
    return list(people.filter(allowed).distinct())


def reply_held(operator: Operator, now: datetime) -> MailReply | None:
    """The newest answer of this operator that can still be taken back."""
    own = MailReply.objects.filter(job__created_by=operator, taken_back_at=None, job__cancelled_at=None)
    waiting = own.filter(job__release_at__gt=now, job__first_sent_at=None)
    return waiting.select_related("job", "mail").order_by("-at").first()


def _with_company(people: QuerySet[Recipient]) -> QuerySet[Recipient]:
    return people.select_related("client_contact__client").prefetch_related("addresses").order_by("kind", "number")
