"""People as flat sheets: what is stored, in the very form in which it is read, compared, exported and put back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils import timezone

from fumibako.apps.office.models import Department, Operator

from .models import Applicant, Client, ClientContact, PartyAddress, Recipient, Staff
from .rules import SLOTS, Directory, Sheet

CHUNK = 5_000
"""Ids per query: below SQLite's limit of 32,766 variables."""


def chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    """The ids in lists of at most CHUNK."""
    wanted = list(ids)
    for start in range(0, len(wanted), CHUNK):
        yield wanted[start : start + CHUNK]


def directory() -> Directory:
    """Every name and code under which a department or an operator may be given. An ambiguous name stands for none."""
    departments = _by_name((d.name, d.code) for d in Department.objects.all())
    departments |= {code: code for code in Department.objects.values_list("code", flat=True)}
    operators = _by_name((o.display_name, o.username) for o in Operator.objects.all())
    operators |= {name: name for name in Operator.objects.values_list("username", flat=True)}
    return Directory(departments, operators)


def _by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    ambiguous: set[str] = set()
    for name, code in pairs:
        ambiguous |= {name} if name in found else set()
        found[name] = code
    return {name: code for name, code in found.items() if name and name not in ambiguous}


def sheets_of(kind: str, ids: Iterable[int]) -> dict[int, Sheet]:
    """The sheets of these people of one kind, in the given order, in a few queries for any number of them."""
    found: dict[int, Sheet] = {}
    for part in chunks(ids):
        people = Recipient.objects.filter(kind=kind, pk__in=part).select_related(*_RELATED[kind])
        for person in people.prefetch_related("addresses"):
            found[person.pk] = sheet_of(person)
    return found


_RELATED: dict[str, tuple[str, ...]] = {
    Recipient.Kind.STAFF: ("staff__department",),
    Recipient.Kind.CLIENT: ("client_contact__client__operator",),
    Recipient.Kind.APPLICANT: ("applicant",),
}


def sheet_of(person: Recipient) -> Sheet:
    """One person's sheet; every key is present."""
    sheet: Sheet
    if person.kind == Recipient.Kind.STAFF:
        sheet = {"number": person.number, **_staff(person.staff)}
    elif person.kind == Recipient.Kind.CLIENT:
        contact = person.client_contact
        sheet = {
            "contact_no": person.number.rpartition("-")[2],
            **company_sheet_of(contact.client),
            **_contact(contact),
        }
    else:
        sheet = {"number": person.number, **_applicant(person.applicant)}
    for key in ("family_name", "given_name", "kana", "tags", "note"):
        sheet[key] = getattr(person, key)
    sheet["is_hidden"] = "1" if person.is_hidden else ""
    addresses = {address.slot: address for address in person.addresses.all()}
    for slot in SLOTS:
        sheet |= _address(slot, addresses.get(slot))
    return sheet


def company_sheet_of(client: Client) -> Sheet:
    """The company's part of a client contact's sheet."""
    return {
        "client_number": client.number,
        "branch": client.branch,
        "company_name": client.company_name,
        "company_kana": client.kana,
        "operator": client.operator.username if client.operator else "",
        "dealing": client.dealing,
        "company_phone": client.phone,
        "company_note": client.note,
    }


def _staff(staff: Staff) -> Sheet:
    return {
        "department": staff.department.code if staff.department else "",
        "employment": staff.employment,
        "phone": staff.phone,
        "registered_on": f"{staff.registered_on:%Y/%m/%d}" if staff.registered_on else "",
        "left_on": f"{staff.left_on:%Y/%m/%d}" if staff.left_on else "",
    }


def _contact(contact: ClientContact) -> Sheet:
    return {
        "section": contact.section,
        "title": contact.title,
        "phone": contact.phone,
        "sort_order": str(contact.sort_order),
    }


def _applicant(applicant: Applicant) -> Sheet:
    at = timezone.localtime(applicant.interview_at) if applicant.interview_at else None
    return {
        "applied_on": f"{applicant.applied_on:%Y/%m/%d}" if applicant.applied_on else "",
        "media": applicant.media,
        "interview_at": f"{at:%Y/%m/%d %H:%M}" if at else "",
        "interview_place": applicant.interview_place,
        "interviewer": applicant.interviewer,
        "status": applicant.status,
        "impression": applicant.impression,
    }


def _address(slot: int, address: PartyAddress | None) -> Sheet:
    return {
        f"address{slot}": address.address if address else "",
        f"flag{slot}": address.flag if address else "",
        f"flag_reason{slot}": address.flag_reason if address else "",
        f"error_count{slot}": str(address.error_count) if address else "",
    }
