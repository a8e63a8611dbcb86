"""Facts about people: who matches a search, what their letters say, what happened to their addresses. Never writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from fumibako.mime.addresses import address_key

from . import labels
from .models import AddressEvent, Client, OptOut, PartyAddress, Recipient
from .rules import kana_of, one_line
from .sheets import chunks

# Searching -----------------------------------------------------------------------------------------------------------

SORTS: dict[str, tuple[str, ...]] = {
    "number": ("number",),
    "kana": ("kana", "number"),
    "department": ("staff__department__sort_order", "staff__department__code", "number"),
    "employment": ("staff__employment", "number"),
    "company": ("client_contact__client__kana", "number"),
    "applied_on": ("applicant__applied_on", "number"),
    "status": ("applicant__status", "number"),
}


def find(kind: str, conditions: Mapping[str, str]) -> QuerySet[Recipient]:
    """People of one kind who meet every condition; an empty or unknown condition asks for nothing.

    Conditions: name_kana (words, each in name, kana or company), number (part), department (code), employment, dealing,
    status, client (得意先NO or NO-枝番), mail_state (send, do_not, cannot, opt_out, none), error_count_min, tag,
    address, hidden ("1" = the hidden ones instead), sort (a key of SORTS, "-" before it for descending). Ordered by
    number unless sorted.
    """
    found = Recipient.objects.filter(kind=kind, is_hidden=conditions.get("hidden") == "1")
    for word in one_line(conditions.get("name_kana", "")).split(" "):
        found = found.filter(_name_has(kind, word)) if word else found
    for key, lookup in _LOOKUPS.items():
        value = one_line(conditions.get(key, ""))
        found = found.filter(**{lookup: value}) if value else found
    found = _by_client(found, one_line(conditions.get("client", "")))
    found = _by_mail(found, conditions)
    return found.order_by(*order_of(conditions.get("sort", "")))


_LOOKUPS = {
    "number": "number__icontains",
    "department": "staff__department__code",
    "employment": "staff__employment",
    "dealing": "client_contact__client__dealing",
    "status": "applicant__status",
    "tag": "tags__icontains",
}


def order_of(sort: str) -> tuple[str, ...]:
    """Columns to order by for one word of SORTS ("-kana" = descending)."""
    columns = SORTS.get(sort.removeprefix("-"), SORTS["number"])
    return tuple(f"-{column}" for column in columns) if sort.startswith("-") else columns


def _name_has(kind: str, word: str) -> Q:
    kana = kana_of(word)
    named = Q(family_name__icontains=word) | Q(given_name__icontains=word) | Q(kana__icontains=kana)
    if kind == Recipient.Kind.CLIENT:
        named |= Q(client_contact__client__company_name__icontains=word)
        named |= Q(client_contact__client__kana__icontains=kana)
    return named


def _by_client(found: QuerySet[Recipient], wanted: str) -> QuerySet[Recipient]:
    if not wanted:
        return found
    number, _, branch = wanted.partition("-")
    found = found.filter(client_contact__client__number=number.zfill(6))
    return found.filter(client_contact__client__branch=branch.zfill(3)) if branch else found


def _by_mail(found: QuerySet[Recipient], conditions: Mapping[str, str]) -> QuerySet[Recipient]:
    addresses = PartyAddress.objects.filter(recipient=OuterRef("pk"))
    state = conditions.get("mail_state", "")
    stopped = OptOut.objects.filter(lifted_at=None).values("address_key")
    if state in labels.FLAG:
        meeting = addresses.filter(flag=state)
        found = found.filter(Exists(meeting.exclude(address_key__in=stopped) if state == "send" else meeting))
    elif state == "opt_out":
        found = found.filter(Exists(addresses.filter(address_key__in=stopped)))
    elif state == "none":
        found = found.filter(~Exists(addresses))
    least = conditions.get("error_count_min", "")
    if least.isascii() and least.isdigit():
        found = found.filter(Exists(addresses.filter(error_count__gte=min(int(least), 30_000))))
    address = one_line(conditions.get("address", ""))
    return found.filter(Exists(addresses.filter(address__icontains=address))) if address else found


def with_particulars(found: QuerySet[Recipient]) -> QuerySet[Recipient]:
    """The same people with all that a list shows of them, in two queries however many they are."""
    related = ("staff__department", "client_contact__client", "applicant")
    return found.select_related(*related).prefetch_related("addresses")


def find_clients(conditions: Mapping[str, str]) -> QuerySet[Client]:
    """Companies by name_kana (words), number (part), dealing; for choosing one and for the neighbours ◀▶."""
    found = Client.objects.all()
    for word in one_line(conditions.get("name_kana", "")).split(" "):
        if word:
            found = found.filter(Q(company_name__icontains=word) | Q(kana__icontains=kana_of(word)))
    if number := one_line(conditions.get("number", "")):
        found = found.filter(number__icontains=number)
    if dealing := conditions.get("dealing", ""):
        found = found.filter(dealing=dealing)
    return found


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Numbers before and after one record; "" at either end."""

    before: str
    after: str


def neighbours_of(kind: str, number: str) -> Neighbours:
    """The records beside one, in the order of their numbers (◀ ▶)."""
    people = Recipient.objects.filter(kind=kind)
    before = people.filter(number__lt=number).order_by("-number").values_list("number", flat=True).first()
    after = people.filter(number__gt=number).order_by("number").values_list("number", flat=True).first()
    return Neighbours(before or "", after or "")


def neighbours_of_client(client: Client) -> Neighbours:
    """The companies beside one, as NO-枝番."""
    earlier = Q(number__lt=client.number) | Q(number=client.number, branch__lt=client.branch)
    later = Q(number__gt=client.number) | Q(number=client.number, branch__gt=client.branch)
    before = Client.objects.filter(earlier).order_by("-number", "-branch").first()
    after = Client.objects.filter(later).order_by("number", "branch").first()
    return Neighbours(client_number(before) if before else "", client_number(after) if after else "")


def client_number(client: Client) -> str:
    """得意先NO-枝番 as it is shown."""
    return f"{client.number}-{client.branch}"


def next_number(kind: str) -> str:
    """The number a new record of this kind is offered: one above the highest."""
    if kind == Recipient.Kind.STAFF:
        return _above(Recipient.objects.filter(kind=kind).aggregate(top=Max("number"))["top"] or "", "000001")
    if kind == Recipient.Kind.CLIENT:
        return _above(Client.objects.aggregate(top=Max("number"))["top"] or "", "000001")
    numbers = Recipient.objects.filter(kind=kind, number__regex=r"^A[0-9]{4,}$")
    return _above(numbers.aggregate(top=Max("number"))["top"] or "", "A0001")


def _above(top: str, first: str) -> str:
    """The number after `top` in the form of `first`; "" when all are used up and a person has to choose a free one."""
    head = first[0] if first[0].isalpha() else ""
    digits = top.removeprefix(head)
    if not digits.isdigit():
        return first
    following = str(int(digits) + 1).zfill(len(first) - len(head))
    return "" if not head and len(following) > len(first) else head + following


# What letters say ----------------------------------------------------------------------------------------------------


def merge_values(recipient_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """差込項目 of each person under their Japanese names (letters.fields), in one query per 5,000 people.

    Without メールアドレス, 本日, 送信者名 and 担当者名, which belong to the job and not to the person.
    """
    found: dict[int, dict[str, str]] = {}
    for part in chunks(recipient_ids):
        for row in Recipient.objects.filter(pk__in=part).values_list(*_MERGE_COLUMNS):
            found[row[0]] = _merge_values_of(dict(zip(_MERGE_COLUMNS, row, strict=True)))
    return found


_MERGE_COLUMNS = (
    "pk",
    "kind",
    "number",
    "family_name",
    "given_name",
    "kana",
    "staff__department__name",
    "staff__employment",
    "client_contact__client__number",
    "client_contact__client__branch",
    "client_contact__client__company_name",
    "client_contact__section",
    "client_contact__title",
    "applicant__applied_on",
    "applicant__interview_at",
    "applicant__interview_place",
    "applicant__status",
)


def _merge_values_of(row: Mapping[str, Any]) -> dict[str, str]:
    values = {
        "氏名": f"{row['family_name']} {row['given_name']}".strip(),
        "姓": row["family_name"],
        "名": row["given_name"],
        "カナ": row["kana"],
    }
    if row["kind"] == Recipient.Kind.STAFF:
        values["スタッフNO"] = row["number"]
        values["所属部門"] = row["staff__department__name"] or ""
        values["就業ステータス"] = labels.EMPLOYMENT[row["staff__employment"]]
    elif row["kind"] == Recipient.Kind.CLIENT:
        values["得意先NO"] = f"{row['client_contact__client__number']}-{row['client_contact__client__branch']}"
        values["得意先名"] = row["client_contact__client__company_name"]
        values["部署"] = row["client_contact__section"]
        values["役職"] = row["client_contact__title"]
    else:
        values["応募者NO"] = row["number"]
        values["応募日"] = _day(row["applicant__applied_on"])
        values["面接日時"] = _moment(row["applicant__interview_at"])
        values["面接会場"] = row["applicant__interview_place"]
        values["採用ステータス"] = labels.STATUS[row["applicant__status"]]
    return values


def _day(day: date | None) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def _moment(at: datetime | None) -> str:
    local = timezone.localtime(at) if at else None
    return f"{_day(local)} {local:%H:%M}" if local else ""


# Addresses -----------------------------------------------------------------------------------------------------------


def opted_out_keys(keys: Iterable[str]) -> set[str]:
    """Which of these address keys (mime.addresses.address_key) are under 配信停止 now."""
    found: set[str] = set()
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), 5_000):
        part = wanted[start : start + 5_000]
        active = OptOut.objects.filter(lifted_at=None, address_key__in=part)
        found.update(active.values_list("address_key", flat=True))
    return found


def opt_out_of(address: str) -> OptOut | None:
    """The opt-out in force for this address."""
    return OptOut.objects.filter(lifted_at=None, address_key=address_key(address)).first()


def others_with(address: PartyAddress) -> list[Recipient]:
    """Other people who have the same address, at most five."""
    same = Recipient.objects.filter(addresses__address_key=address.address_key).exclude(pk=address.recipient_id)
    return list(same.distinct().order_by("kind", "number")[:5])


def timeline(recipient_ids: Sequence[int]) -> list[AddressEvent]:
    """What happened to these people's addresses, newest first, at most 200 (「なぜ送れないか」)."""
    events = AddressEvent.objects.filter(address__recipient__in=recipient_ids).select_related("address")
    return list(events.order_by("-at", "-id")[:200])


def one_person_of(recipient: Recipient) -> list[int]:
    """Ids of everyone this person is or was: a staff member's history shows the applicant they came from."""
    ids = [recipient.pk, *recipient.adopted_from.values_list("pk", flat=True)]
    return [*ids, recipient.adopted_as_id] if recipient.adopted_as_id else ids


def history_count(recipient_ids: Sequence[int]) -> int:
    """How many mails and records of other parts point to these people: rows that outlive a person keep their link."""
    return sum(rows.filter(**{f"{column}__in": recipient_ids}).count() for rows, column in _histories())


def with_history(recipient_ids: Iterable[int]) -> set[int]:
    """Those of these people to whom mails or records of other parts point."""
    found: set[int] = set()
    for part in chunks(recipient_ids):
        for rows, column in _histories():
            found.update(rows.filter(**{f"{column}__in": part}).values_list(column, flat=True))
    return found


def _histories() -> Iterator[tuple[QuerySet[Any], str]]:
    for relation in Recipient._meta.related_objects:
        model = relation.related_model
        # A relation with a name of its own is one that a person's page shows; drafts and the like have none.
        if model._meta.app_label != "recipients":
            yield model._default_manager.all(), relation.field.name
