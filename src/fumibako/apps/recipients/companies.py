"""Verbs on clients: a company and its 担当者 rows are one record, saved and removed together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from fumibako.apps.audit.actions import SYSTEM, record
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused

from . import queries, rules
from .actions import changes_of, shown, unchanged
from .fields import COMPANY, CONTACT
from .models import Client, Recipient
from .rules import Directory, Reading, Sheet
from .sheets import company_sheet_of, directory, sheets_of
from .writing import Item, Why, fill_company, write_people

FIRST_BRANCH = "000"
Row = Mapping[str, str]


@dataclass(slots=True)
class _Contact:
    """One row of the grid; `position` is its place on the screen, `person` None for a new one."""

    position: int
    person: Recipient | None
    before: Sheet
    reading: Reading
    is_removed: bool


@transaction.atomic
def save_client(
    operator: Operator | None,
    values: Mapping[str, str],
    contacts: Sequence[Row],
    *,
    client_id: int | None = None,
    version: int | None = None,
    creation_key: UUID | None = None,
) -> Client:
    """Store a company (keys: `fields.COMPANY`) and its 担当者 (keys: `fields.CONTACT`, `contact_id`, `is_removed`).

    Rows without a `contact_id` are new; wholly empty new rows are passed over; stored contacts that are not named stay.
    An empty number means the next free one. `version` and `creation_key` as in `actions.save_person`. A problem's
    field is the item's key, for the grid "contact<position>.<key>". Raises Refused and ChangedMeanwhile.
    """
    client = _stored(client_id, creation_key)
    if client is not None and client_id is None:
        return client
    known = directory()
    before = company_sheet_of(client) if client else {}
    reading = rules.read(COMPANY, rules.split_name(values), known)
    sheet = before | reading.sheet
    if client is None:
        sheet["client_number"] = sheet.get("client_number") or queries.next_number(Recipient.Kind.CLIENT)
        sheet["branch"] = sheet.get("branch") or FIRST_BRANCH
    else:
        sheet |= {key: before[key] for key in ("client_number", "branch")}
    rows = _read_contacts(client, contacts, known)
    if client is not None and _is_same(sheet, before, rows):
        return client
    _check_version(client, version, before, sheet)
    problems = [*reading.problems, *rules.missing(COMPANY, sheet), *_problems_of(rows)]
    problems += _taken(sheet) if client is None and not problems else []
    if problems:
        raise Refused(problems)
    client = _store(client, sheet, operator, creation_key)
    _store_contacts(client, rows, operator)
    record(operator, "client.saved", target_of(client), changes=changes_of(COMPANY, before, sheet))
    return client


@transaction.atomic
def delete_client(operator: Operator | None, client: Client) -> None:
    """Remove a company and its 担当者. Raises Refused when anyone of them has a history."""
    people = list(Recipient.objects.filter(client_contact__client=client))
    count = queries.history_count([person.pk for person in people])
    if count:
        text = f"やり取りが {count:,}件あるため削除できません。取引状況を「取引終了」にしてください。"
        raise Refused([Problem("client_number", "V12", text)])
    record(operator, "client.deleted", target_of(client), changes={"company_name": [client.company_name, ""]})
    for person in people:
        person.delete()
    client.delete()


def target_of(client: Client) -> str:
    """How the audit log names a company."""
    return f"client:{queries.client_number(client)}"


def _stored(client_id: int | None, creation_key: UUID | None) -> Client | None:
    clients = Client.objects.select_for_update(of=("self",)).select_related("operator")
    if client_id is not None:
        return clients.get(pk=client_id)
    return clients.filter(creation_key=creation_key).first() if creation_key else None


def _read_contacts(client: Client | None, contacts: Sequence[Row], known: Directory) -> list[_Contact]:
    people = list(Recipient.objects.filter(client_contact__client=client)) if client else []
    by_id = {str(person.pk): person for person in people}
    sheets = sheets_of(Recipient.Kind.CLIENT, [person.pk for person in people])
    rows = []
    for position, values in enumerate(contacts):
        person = by_id.get(values.get("contact_id", ""))
        reading = rules.read(CONTACT, rules.split_name(values), known)
        if person is None and not _says_something(reading.sheet):
            continue
        before = sheets[person.pk] if person else {}
        rows.append(_Contact(position, person, before, reading, values.get("is_removed") == "1"))
    return rows


def _says_something(sheet: Sheet) -> bool:
    return any(value for key, value in sheet.items() if not key.startswith(("flag", "sort_order", "contact_no")))


def _is_same(sheet: Sheet, before: Sheet, rows: Sequence[_Contact]) -> bool:
    if any(row.is_removed or row.person is None for row in rows):
        return False
    return unchanged(sheet, before) and all(unchanged(row.before | row.reading.sheet, row.before) for row in rows)


def _check_version(client: Client | None, version: int | None, before: Sheet, sheet: Sheet) -> None:
    if client is None or version is None or version == client.version:
        return
    differences = {
        item.label: (shown(item, sheet[item.key]), shown(item, before[item.key]))
        for item in COMPANY
        if sheet[item.key] != before[item.key]
    }
    raise ChangedMeanwhile(client.changed_by, client.changed_at, differences)


def _problems_of(rows: Sequence[_Contact]) -> list[Problem]:
    found = []
    for row in rows:
        if row.is_removed:
            found += _history_problems(row)
            continue
        sheet = row.before | row.reading.sheet
        problems = [*row.reading.problems, *rules.missing(CONTACT, sheet), *rules.flag_problems(sheet, row.before)]
        found += [Problem(f"contact{row.position}.{one.field}", one.id, one.text) for one in problems]
    return found


def _history_problems(row: _Contact) -> list[Problem]:
    count = queries.history_count([row.person.pk]) if row.person else 0
    if not count or row.person is None:
        return []
    text = f"{row.person.name}は、やり取りが {count:,}件あるため削除できません。「表示しない」にしてください。"
    return [Problem(f"contact{row.position}.is_removed", "V12", text)]


def _taken(sheet: Sheet) -> list[Problem]:
    holder = Client.objects.filter(number=sheet["client_number"], branch=sheet["branch"]).first()
    if holder is None:
        return []
    text = f"得意先NO {queries.client_number(holder)} は、{holder.company_name}で使われています。"
    return [Problem("client_number", "P01", text)]


def _store(client: Client | None, sheet: Sheet, operator: Operator | None, key: UUID | None) -> Client:
    row = client or Client(number=sheet["client_number"], branch=sheet["branch"], creation_key=key, version=0)
    fill_company(row, sheet, dict(Operator.objects.values_list("username", "pk")))
    row.version += 1
    row.changed_by = str(operator) if operator else SYSTEM
    row.changed_at = timezone.now()
    row.save()
    return row


def _store_contacts(client: Client, rows: Sequence[_Contact], operator: Operator | None) -> None:
    for row in rows:
        if row.is_removed and row.person is not None:
            record(operator, "person.deleted", f"client:{row.person.number}", changes={"name": [row.person.name, ""]})
            row.person.delete()
    company = company_sheet_of(client)
    following = _highest_contact(client) + 1
    items: list[Item] = []
    for row in rows:
        sheet = row.before | row.reading.sheet | company
        if row.is_removed or (row.person is not None and unchanged(sheet, row.before | company)):
            continue
        if row.person is None:
            sheet["contact_no"] = f"{following:02d}"
            following += 1
        else:
            sheet["contact_no"] = row.before["contact_no"]
        items.append(Item(sheet, row.person, row.before))
    write_people(Recipient.Kind.CLIENT, items, Why(str(operator) if operator else SYSTEM), company=client)


def _highest_contact(client: Client) -> int:
    numbers = Recipient.objects.filter(client_contact__client=client).values_list("number", flat=True)
    return max((int(number.rpartition("-")[2]) for number in numbers), default=0)
