"""Who a row of a file is: by number, or without one by name and mail address."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fumibako.mime.addresses import address_key

from .. import queries
from ..companies import FIRST_BRANCH
from ..fields import COMPANY
from ..models import Client, Recipient
from ..rules import Sheet
from ..sheets import company_sheet_of, sheets_of
from ..writing import number_of

Identity = tuple[str, ...]


@dataclass(slots=True)
class Known:
    """Everybody of one kind, found by number or by who they are; and the numbers still free."""

    kind: str
    sheets: dict[int, Sheet]
    by_number: dict[str, int]
    by_identity: dict[Identity, int]
    companies: dict[Identity, Sheet]
    company_numbers: dict[str, Identity]
    given: dict[str, int] = field(default_factory=dict)
    firsts: dict[str, str] = field(default_factory=dict)

    def match(self, sheet: Sheet) -> tuple[int | None, Mapping[str, str]]:
        """The stored person of a row and their sheet; (None, {}) for somebody new."""
        is_client = self.kind == Recipient.Kind.CLIENT
        found = self.by_number.get(_full_number(self.kind, sheet))
        has_number = sheet.get("contact_no" if is_client else "number")
        # Two people may share a name: without a company or an address, a name alone is nobody in particular.
        if found is None and not has_number and (is_client or sheet.get("address1")):
            found = self.by_identity.get(self._identity(sheet))
        return (found, self.sheets[found]) if found is not None else (None, {})

    def company_of(self, sheet: Sheet) -> Sheet:
        """What is known of a row's company, so that a row need not repeat it."""
        if self.kind != Recipient.Kind.CLIENT:
            return {}
        return self.companies.get(self._company_key(sheet), {})

    def fill_number(self, sheet: Sheet) -> None:
        """Give a new person the next free number where the row has none."""
        if self.kind != Recipient.Kind.CLIENT:
            sheet["number"] = sheet.get("number") or self._next()
            return
        key = self._company_key(sheet)
        sheet["client_number"], sheet["branch"] = key
        self.companies.setdefault(key, {item.key: sheet.get(item.key, "") for item in COMPANY})
        self.company_numbers.setdefault(sheet.get("company_name", ""), key)
        if not sheet.get("contact_no"):
            sheet["contact_no"] = self._next_contact(key)

    def _company_key(self, sheet: Sheet) -> Identity:
        number = sheet.get("client_number", "")
        if number:
            return number, sheet.get("branch") or FIRST_BRANCH
        name = sheet.get("company_name", "")
        if name not in self.company_numbers:
            self.company_numbers[name] = (self._next(), FIRST_BRANCH)
        return self.company_numbers[name]

    def reserve(self, numbers: Iterable[str]) -> None:
        """Keep clear of the numbers that a file names itself."""
        plain = (unicodedata.normalize("NFKC", number).upper().removeprefix("A") for number in numbers)
        highest = max((int(number) for number in plain if number.isascii() and number.isdigit()), default=0)
        self.given["number"] = max(highest, self.given.get("number", 0))

    def _next(self) -> str:
        """A number above all that are stored, named in the file or given so far; "" when none is left."""
        first = queries.next_number(self.kind) if "first" not in self.firsts else self.firsts["first"]
        self.firsts["first"] = first
        head = "A" if first.startswith("A") else ""
        digits = first.removeprefix(head)
        if not digits:
            return ""
        number = max(self.given.get("number", 0) + 1, int(digits))
        self.given["number"] = number
        text = head + str(number).zfill(len(digits))
        return text if head or len(text) == len(first) else ""

    def _next_contact(self, key: Identity) -> str:
        number = 1
        while f"{key[0]}-{key[1]}-{number:02d}" in self.by_number or self.given.get(f"{key}-{number}"):
            number += 1
        self.given[f"{key}-{number}"] = 1
        return f"{number:02d}"

    def _identity(self, sheet: Mapping[str, str]) -> Identity:
        name = (sheet.get("family_name", ""), sheet.get("given_name", ""))
        if self.kind == Recipient.Kind.CLIENT:
            return (*self._company_key(dict(sheet)), *name)
        return (*name, address_key(sheet.get("address1", "")))


def known_people(kind: str) -> Known:
    """Load everybody of one kind, a handful of queries for any number of them."""
    ids = list(Recipient.objects.filter(kind=kind).values_list("pk", flat=True))
    sheets = sheets_of(kind, ids)
    clients = Client.objects.select_related("operator") if kind == Recipient.Kind.CLIENT else []
    companies: dict[Identity, Sheet] = {(client.number, client.branch): company_sheet_of(client) for client in clients}
    known = Known(
        kind=kind,
        sheets=sheets,
        by_number={number_of(kind, sheet): pk for pk, sheet in sheets.items()},
        by_identity={},
        companies=companies,
        company_numbers={sheet["company_name"]: key for key, sheet in companies.items()},
    )
    known.by_identity = {known._identity(sheet): pk for pk, sheet in sheets.items()}
    return known


def _full_number(kind: str, sheet: Sheet) -> str:
    if kind != Recipient.Kind.CLIENT:
        return sheet.get("number", "")
    if not (sheet.get("client_number") and sheet.get("contact_no")):
        return ""
    return f"{sheet['client_number']}-{sheet.get('branch') or FIRST_BRANCH}-{sheet['contact_no']}"
