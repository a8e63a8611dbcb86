"""Sheets into rows: one person or two hundred thousand by the same few statements. Called only inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from fumibako.apps.office.models import Department, Operator
from fumibako.mime.addresses import address_key

from .models import AddressEvent, Applicant, Client, ClientContact, PartyAddress, Recipient, Staff
from .rules import CANNOT, DO_NOT, SEND, SLOTS, Sheet, day_of, moment_of
from .sheets import chunks

BATCH = 500


@dataclass(slots=True)
class Item:
    """One person to store: the whole sheet, and the row and sheet that stand for it now (None and {} when new)."""

    sheet: Sheet
    recipient: Recipient | None
    before: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Why:
    """Who changes what for which reason; `cause` is AddressEvent's word for a changed flag.

    `is_restoring` puts flags and error counts back exactly as the sheets say.
    """

    actor_name: str
    cause: str = "by_hand"
    reason: str = ""
    is_restoring: bool = False


def write_people(kind: str, items: Sequence[Item], why: Why, *, company: Client | None = None) -> list[Recipient]:
    """Store the items and return their rows in the same order. Every touched person's version is raised.

    Client contacts bring their company along in their sheets, unless all of them belong to one stored `company`.
    """
    clients: dict[tuple[str, str], Client] = {}
    if company is not None:
        clients = {(company.number, company.branch): company}
    elif kind == Recipient.Kind.CLIENT:
        clients = _write_companies(items, why)
    people = [_recipient(kind, item, why) for item in items]
    _store(Recipient, people, [item.recipient is None for item in items])
    _write_particulars(kind, items, people, clients)
    _write_addresses(items, people, why)
    return people


def number_of(kind: str, sheet: Mapping[str, str]) -> str:
    """A person's number as one text: 001245, 000123-000-01, A0412."""
    if kind == Recipient.Kind.CLIENT:
        return f"{sheet['client_number']}-{sheet['branch']}-{sheet['contact_no']}"
    return sheet["number"]


def _recipient(kind: str, item: Item, why: Why) -> Recipient:
    person = item.recipient or Recipient(kind=kind, number=number_of(kind, item.sheet), version=0)
    for key in ("family_name", "given_name", "kana", "tags", "note"):
        setattr(person, key, item.sheet.get(key, ""))
    person.is_hidden = bool(item.sheet.get("is_hidden"))
    person.version += 1
    person.changed_by = why.actor_name
    person.changed_at = timezone.now()
    return person


def _store(model: type[Any], rows: Sequence[Any], are_new: Sequence[bool]) -> None:
    """Insert the new rows, update the others in every column but the key."""
    new = [row for row, is_new in zip(rows, are_new, strict=True) if is_new]
    old = [row for row, is_new in zip(rows, are_new, strict=True) if not is_new]
    model.objects.bulk_create(new, batch_size=BATCH)
    names = [column.name for column in model._meta.concrete_fields if not column.primary_key]
    if old:
        model.objects.bulk_update(old, names, batch_size=BATCH)


def _write_companies(items: Sequence[Item], why: Why) -> dict[tuple[str, str], Client]:
    """Every company named, made or brought up to date; a later row of a file wins over an earlier one."""
    keys = {(item.sheet["client_number"], item.sheet["branch"]) for item in items}
    clients = clients_by_key(keys)
    are_new = {key: key not in clients for key in keys}
    users = dict(Operator.objects.values_list("username", "pk"))
    for item in items:
        key = (item.sheet["client_number"], item.sheet["branch"])
        client = clients.setdefault(key, Client(number=key[0], branch=key[1], version=0))
        fill_company(client, item.sheet, users)
    for client in clients.values():
        client.version += 1
        client.changed_by = why.actor_name
        client.changed_at = timezone.now()
    _store(Client, list(clients.values()), [are_new[key] for key in clients])
    return clients


def clients_by_key(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Client]:
    """The stored companies with these numbers and branches."""
    wanted = set(keys)
    numbers = sorted({number for number, _ in wanted})
    found: dict[tuple[str, str], Client] = {}
    for start in range(0, len(numbers), BATCH):
        for client in Client.objects.filter(number__in=numbers[start : start + BATCH]):
            if (client.number, client.branch) in wanted:
                found[client.number, client.branch] = client
    return found


def fill_company(client: Client, sheet: Mapping[str, str], users: Mapping[str, int]) -> None:
    """Take the company's items over from a sheet, without storing them."""
    client.company_name = sheet.get("company_name", "")
    client.kana = sheet.get("company_kana", "")
    client.operator_id = users.get(sheet.get("operator", ""))
    client.dealing = sheet.get("dealing") or Client.Dealing.ACTIVE
    client.phone = sheet.get("company_phone", "")
    client.note = sheet.get("company_note", "")


def _write_particulars(
    kind: str, items: Sequence[Item], people: Sequence[Recipient], clients: Mapping[tuple[str, str], Client]
) -> None:
    are_new = [item.recipient is None for item in items]
    pairs = list(zip(items, people, strict=True))
    if kind == Recipient.Kind.STAFF:
        departments = dict(Department.objects.values_list("code", "pk"))
        _store(Staff, [_staff(person, item.sheet, departments) for item, person in pairs], are_new)
    elif kind == Recipient.Kind.CLIENT:
        rows = [
            _contact(person, item.sheet, clients[item.sheet["client_number"], item.sheet["branch"]])
            for item, person in pairs
        ]
        _store(ClientContact, rows, are_new)
    else:
        _store(Applicant, [_applicant(person, item.sheet) for item, person in pairs], are_new)


def _staff(person: Recipient, sheet: Mapping[str, str], departments: Mapping[str, int]) -> Staff:
    return Staff(
        recipient=person,
        department_id=departments.get(sheet.get("department", "")),
        employment=sheet.get("employment") or Staff.Employment.WAITING,
        phone=sheet.get("phone", ""),
        registered_on=_day(sheet.get("registered_on", "")),
        left_on=_day(sheet.get("left_on", "")),
    )


def _contact(person: Recipient, sheet: Mapping[str, str], client: Client) -> ClientContact:
    return ClientContact(
        recipient=person,
        client=client,
        section=sheet.get("section", ""),
        title=sheet.get("title", ""),
        phone=sheet.get("phone", ""),
        sort_order=int(sheet.get("sort_order") or 0),
    )


def _applicant(person: Recipient, sheet: Mapping[str, str]) -> Applicant:
    return Applicant(
        recipient=person,
        applied_on=_day(sheet.get("applied_on", "")),
        media=sheet.get("media", ""),
        interview_at=_moment(sheet.get("interview_at", "")),
        interview_place=sheet.get("interview_place", ""),
        interviewer=sheet.get("interviewer", ""),
        status=sheet.get("status") or Applicant.Status.APPLIED,
        impression=sheet.get("impression", ""),
    )


def _day(text: str) -> date | None:
    return day_of(text) if text else None


def _moment(text: str) -> datetime | None:
    at = moment_of(text) if text else None
    return timezone.make_aware(at) if at else None


# Addresses ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Changes:
    new: list[PartyAddress]
    changed: list[PartyAddress]
    gone: list[int]
    events: list[AddressEvent]


def _write_addresses(items: Sequence[Item], people: Sequence[Recipient], why: Why) -> None:
    stored: dict[int, dict[int, PartyAddress]] = {}
    for part in chunks(person.pk for person, item in zip(people, items, strict=True) if item.recipient is not None):
        for address in PartyAddress.objects.filter(recipient__in=part):
            stored.setdefault(address.recipient_id, {})[address.slot] = address
    changes = _Changes([], [], [], [])
    for item, person in zip(items, people, strict=True):
        _write_pair(person, item.sheet, stored.get(person.pk, {}), why, changes)
    for part in chunks(changes.gone):
        PartyAddress.objects.filter(pk__in=part).delete()
    PartyAddress.objects.bulk_create(changes.new, batch_size=BATCH)
    columns = ["address", "address_key", "flag", "flag_reason", "flag_changed_at", "error_count"]
    PartyAddress.objects.bulk_update(changes.changed, columns, batch_size=BATCH)
    AddressEvent.objects.bulk_create(changes.events, batch_size=BATCH)


def _write_pair(
    person: Recipient, sheet: Mapping[str, str], stored: Mapping[int, PartyAddress], why: Why, changes: _Changes
) -> None:
    # What is known of a mailbox moves with it when the two addresses change places.
    known = {row.address_key: (row.flag, row.error_count, row.flag_reason) for row in stored.values()}
    for slot in SLOTS:
        text, row = sheet.get(f"address{slot}", ""), stored.get(slot)
        if not text:
            changes.gone += [row.pk] if row else []
            continue
        wanted = sheet.get(f"flag{slot}") or (row.flag if row else SEND)
        reason = sheet.get(f"flag_reason{slot}", "")
        if row is None:
            row = PartyAddress(recipient=person, slot=slot, flag=SEND)
            changes.new.append(row)
        else:
            changes.changed.append(row)
        count = int(sheet.get(f"error_count{slot}") or 0)
        if why.is_restoring and row.address_key == address_key(text) and row.error_count > count:
            # It has failed since: putting the person back must not forget that.
            count, wanted, reason = row.error_count, row.flag, row.flag_reason
        _write_one(row, text, (wanted, reason), known, why, changes.events)
        row.error_count = count if why.is_restoring else row.error_count


def _write_one(
    row: PartyAddress,
    text: str,
    asked: tuple[str, str],
    known: Mapping[str, tuple[str, int, str]],
    why: Why,
    events: list[AddressEvent],
) -> None:
    flag, reason = asked
    key, cause = address_key(text), why.cause
    old_flag, old_reason, is_other_mailbox = row.flag, row.flag_reason, key != row.address_key
    if is_other_mailbox:
        moved_flag, row.error_count, moved_reason = known.get(key, ("", 0, ""))
        if flag == old_flag and (moved_flag or old_flag == CANNOT) and not why.is_restoring:
            flag, reason = moved_flag or SEND, moved_reason
        if row.pk is not None:
            cause = "edited"
    elif old_flag == CANNOT and flag != CANNOT and why.cause == "by_hand":
        cause, row.error_count = "restored", 0
    row.address, row.address_key, row.flag = text, key, flag
    row.flag_reason = _reason(flag, reason, old_reason, why)
    if flag != old_flag:
        row.flag_changed_at = timezone.now()
    if flag != old_flag or (is_other_mailbox and row.pk is not None):
        events.append(
            AddressEvent(
                address=row,
                cause=cause,
                error_count=row.error_count,
                flag=flag,
                actor_name=why.actor_name,
                reason=row.flag_reason or why.reason,
            )
        )


def _reason(flag: str, reason: str, old_reason: str, why: Why) -> str:
    if reason or why.is_restoring:
        return reason
    return (old_reason or why.reason) if flag in (CANNOT, DO_NOT) else ""
