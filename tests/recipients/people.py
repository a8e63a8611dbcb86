"""Making people for tests by the same verbs that the screens use."""

from __future__ import annotations

from fumibako.apps.office.models import Department, Operator
from fumibako.apps.recipients.actions import save_person
from fumibako.apps.recipients.models import PartyAddress, Recipient


def make_operator(name: str = "佐藤 美咲") -> Operator:
    """An operator who can act; the password is of no use."""
    return Operator.objects.create_user(username=f"user{Operator.objects.count()}", display_name=name)


def make_staff(name: str = "山田 太郎", address: str = "taro@example.jp", **values: str) -> Recipient:
    """A staff member of 東京本社 with one address, and whatever else is given."""
    Department.objects.get_or_create(code="100", defaults={"name": "東京本社"})
    known = {"name": name, "department": "100", "address1": address}
    return save_person(None, Recipient.Kind.STAFF, known | values)


def make_applicant(name: str = "中村 葵", address: str = "aoi@example.jp", **values: str) -> Recipient:
    """An applicant with one address, and whatever else is given."""
    return save_person(None, Recipient.Kind.APPLICANT, {"name": name, "address1": address} | values)


def address_of(person: Recipient, slot: int = 1) -> PartyAddress:
    """The stored address as it is now."""
    return PartyAddress.objects.get(recipient=person, slot=slot)
