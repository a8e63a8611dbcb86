"""Facts about contact records: who may see which, what a search finds, what is to be done next. Never writes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from fumibako.apps.accounts.queries import usable_accounts
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.inbox.queries import number
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import Recipient
from fumibako.apps.recipients.queries import one_person_of
from fumibako.apps.recipients.rules import day_of, kana_of, one_line

from .models import HIGHEST_BRANCH, HIGHEST_NUMBER, ContactRecord
from .people import person_at

KEYS = (
    "since",
    "until",
    "category1",
    "category2",
    "category3",
    "status1",
    "status2",
    "operator",
    "department",
    "party_kind",
    "party",
    "person",
    "subject",
    "body",
    "next_since",
    "next_until",
    "from_mail",
    "mail",
)
"""Conditions of a search, in the order in which the screen asks for them."""
SORTS: dict[str, tuple[str, str]] = {"at": ("contacted_at", "id"), "number": ("number", "branch")}
_RELATED = (
    "recipient__client_contact__client",
    "recipient__staff__department",
    "category1",
    "category2",
    "category3",
    "status1",
    "status2",
    "next_category",
    "department",
    "mail",
)


def visible(operator: Operator | None) -> QuerySet[ContactRecord]:
    """The records this operator may see: all but those of mails of accounts that are closed to them (SPEC §0 fact 7).

    Whoever is 対応者 of a record sees it in any case. None is whoever owns the command line.
    """
    records = ContactRecord.objects.all()
    if operator is None or operator.is_administrator:
        return records
    open_accounts = usable_accounts(operator, "view").values("pk")
    return records.filter(Q(mail__isnull=True) | Q(mail__account__in=open_accounts) | Q(operator=operator))


def search(operator: Operator | None, conditions: Mapping[str, str]) -> QuerySet[ContactRecord]:
    """Records that meet every condition of `KEYS`, newest first; an empty or unknown one asks for nothing.

    since, until, next_since, next_until: days. category1–3, status1–2: ids. operator: 利用者ID. department: code.
    party_kind: staff, client, applicant or none. party: words of name, company or number. person: "staff:001245".
    from_mail: yes or no. mail: 受信管理NO.
    """
    found = visible(operator).select_related(*_RELATED)
    found = _by_days(found, conditions)
    for key, lookup in _EXACT.items():
        value = conditions.get(key, "").strip()
        found = found.filter(**{lookup: value}) if value and _fits(lookup, value) else found
    for key, columns in _WORDS.items():
        for word in one_line(conditions.get(key, "")).split(" "):
            found = found.filter(_any(columns, word)) if word else found
    return _by_party(found, conditions)


_EXACT = {
    "category1": "category1_id",
    "category2": "category2_id",
    "category3": "category3_id",
    "status1": "status1_id",
    "status2": "status2_id",
    "operator": "operator__username",
    "department": "department__code",
    "mail": "mail__number",
}
_WORDS = {"subject": ("subject",), "body": ("body", "response")}


def _fits(lookup: str, value: str) -> bool:
    return not lookup.endswith(("_id", "mail__number")) or (value.isascii() and value.isdigit() and len(value) < 19)


def _any(columns: Sequence[str], word: str) -> Q:
    found = Q()
    for column in columns:
        found |= Q(**{f"{column}__icontains": word})
    return found


def _by_days(found: QuerySet[ContactRecord], conditions: Mapping[str, str]) -> QuerySet[ContactRecord]:
    since, until = day_of(conditions.get("since", "")), day_of(conditions.get("until", ""))
    if since:
        found = found.filter(contacted_at__gte=midnight(since))
    if until and until < date.max:
        found = found.filter(contacted_at__lt=midnight(until + timedelta(days=1)))
    next_since, next_until = day_of(conditions.get("next_since", "")), day_of(conditions.get("next_until", ""))
    if next_since:
        found = found.filter(next_on__gte=next_since)
    return found.filter(next_on__lte=next_until) if next_until else found


def _by_party(found: QuerySet[ContactRecord], conditions: Mapping[str, str]) -> QuerySet[ContactRecord]:
    kind = conditions.get("party_kind", "")
    if kind == "none":
        found = found.filter(recipient__isnull=True)
    elif kind in Recipient.Kind.values:
        found = found.filter(recipient__kind=kind)
    for word in one_line(conditions.get("party", "")).split(" "):
        found = found.filter(_party_has(word)) if word else found
    named = conditions.get("person", "")
    if named:
        person = person_at(*named.partition(":")[::2])
        found = found.filter(recipient__in=one_person_of(person)) if person else found.none()
    if conditions.get("from_mail") in ("yes", "no"):
        found = found.filter(mail__isnull=conditions["from_mail"] == "no")
    return found


def _party_has(word: str) -> Q:
    kana = kana_of(word)
    return (
        Q(recipient__family_name__icontains=word)
        | Q(recipient__given_name__icontains=word)
        | Q(recipient__kana__icontains=kana)
        | Q(recipient__number__icontains=word)
        | Q(recipient__client_contact__client__company_name__icontains=word)
        | Q(party__icontains=word)
    )


def midnight(day: date) -> datetime:
    """The first moment of a day in the office's time zone."""
    return timezone.make_aware(datetime.combine(day, time()))


# One record ----------------------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"(\d{1,9})(?:\s*-\s*(\d{1,3}))?")


def number_in(text: str) -> tuple[int, int] | None:
    """「000000123-001」, 「123-1」 or 「123」 as number and branch."""
    match = _NUMBER.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None or not 1 <= int(match[1]) <= HIGHEST_NUMBER or int(match[2] or 0) > HIGHEST_BRANCH:
        return None
    return int(match[1]), int(match[2] or 0)


def record_called(operator: Operator | None, text: str) -> ContactRecord | None:
    """The record with this 連絡NO, when there is one that the operator may see."""
    asked = number_in(text)
    if asked is None:
        return None
    found = visible(operator).select_related(*_RELATED, "operator").filter(number=asked[0], branch=asked[1])
    return found.first()


def neighbours(operator: Operator | None, record: ContactRecord) -> tuple[str, str]:
    """連絡NO before and after, by number (◀ ▶); "" at either end."""
    known = visible(operator)
    earlier = Q(number__lt=record.number) | Q(number=record.number, branch__lt=record.branch)
    later = Q(number__gt=record.number) | Q(number=record.number, branch__gt=record.branch)
    before = known.filter(earlier).order_by("-number", "-branch").first()
    after = known.filter(later).order_by("number", "branch").first()
    return (before.full_number if before else "", after.full_number if after else "")


def branches_of(operator: Operator | None, record: ContactRecord) -> list[ContactRecord]:
    """The other records with the same 連絡NO, in the order of their 枝番."""
    others = visible(operator).filter(number=record.number).exclude(pk=record.pk)
    return list(others.select_related("status1").order_by("branch"))


def last_chosen(operator: Operator) -> dict[str, int | None]:
    """連絡区分1–3 that this operator last wrote a record with."""
    last = ContactRecord.objects.filter(operator=operator, mail__isnull=True, category1__isnull=False)
    row = last.order_by("-id").first()
    return {f"category{level}": getattr(row, f"category{level}_id", None) for level in (1, 2, 3)}


def records_of_person(operator: Operator | None, recipient: Recipient) -> QuerySet[ContactRecord]:
    """連絡記録 of everybody this person is or was, newest first."""
    return visible(operator).select_related(*_RELATED).filter(recipient__in=one_person_of(recipient))


def records_of_mail(mail: ReceivedMail) -> list[ContactRecord]:
    """What became of a mail: its records, in their order."""
    return list(ContactRecord.objects.filter(mail=mail).select_related(*_RELATED).order_by("number", "branch"))


# 次回対応 ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FollowUps:
    """What is to be done next, by group of `labels.GROUPS`, each in the order of its days."""

    groups: dict[str, list[ContactRecord]]
    is_cut: bool
    """There are more days in the last group than a page can hold."""

    @property
    def count(self) -> int:
        """How many are listed."""
        return sum(len(rows) for rows in self.groups.values())


MOST_FOLLOW_UPS = 500
DUE = (
    "SELECT COUNT(*) FROM contacts_contactrecord "
    "WHERE next_on IS NOT NULL AND next_done_at IS NULL AND operator_id = %s AND next_on <= %s"
)
"""The same as `to_follow_up`, whose own records an operator may see in any case; on every page."""


def to_follow_up(operator: Operator, *, is_everybody: bool = False) -> QuerySet[ContactRecord]:
    """Records whose 次回対応日 is set and not ticked: the operator's own, or everybody's."""
    found = visible(operator).filter(next_on__isnull=False, next_done_at__isnull=True)
    return found if is_everybody else found.filter(operator=operator)


def follow_ups(operator: Operator, today: date, *, is_everybody: bool = False) -> FollowUps:
    """次回対応 in its four groups; 今週 ends on Sunday."""
    rows = to_follow_up(operator, is_everybody=is_everybody).select_related(*_RELATED).order_by("next_on", "id")
    found: dict[str, list[ContactRecord]] = {"overdue": [], "today": [], "week": [], "later": []}
    listed = list(rows[: MOST_FOLLOW_UPS + 1])
    for record in listed[:MOST_FOLLOW_UPS]:
        if record.next_on is not None:
            found[group_of(record.next_on, today)].append(record)
    return FollowUps(found, len(listed) > MOST_FOLLOW_UPS)


def group_of(day: date, today: date) -> str:
    """overdue, today, week or later."""
    if day <= today:
        return "today" if day == today else "overdue"
    sunday = today + timedelta(days=6 - today.weekday())
    return "week" if day <= sunday else "later"


def follow_up_counts(operator: Operator, today: date) -> dict[str, int]:
    """How many of the operator's own are overdue and due today, in one query."""
    due = to_follow_up(operator).filter(next_on__lte=today)
    counted = due.aggregate(
        today=Count("pk", filter=Q(next_on=today)), overdue=Count("pk", filter=Q(next_on__lt=today))
    )
    return {"today": counted["today"], "overdue": counted["overdue"]}


def due_count(operator: Operator) -> int:
    """次回対応 of today and before: the number in the menu."""
    return number(DUE, (operator.pk, timezone.localdate().isoformat()))
