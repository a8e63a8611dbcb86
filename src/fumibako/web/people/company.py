"""The record of one company with the grid of its 担当者."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused
from fumibako.apps.recipients import companies, labels, queries, sheets
from fumibako.apps.recipients.fields import COMPANY, CONTACT
from fumibako.apps.recipients.models import Client, Recipient
from fumibako.web.operators import operator_of

from . import facts
from .forms import SheetForm, form_of
from .lists import company_of
from .record import int_of, key_of, notes_of
from .story import story_of

MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class ContactForm:
    """One row of the grid; `person` is None in the empty row at the end."""

    person: Recipient | None
    form: SheetForm
    slots: Mapping[int, facts.Slot]
    is_removed: bool
    is_open: bool


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Show an empty record, or make a company of what was entered."""
    if request.method == "POST":
        return _save(request, None)
    sheet = {
        "client_number": queries.next_number(Recipient.Kind.CLIENT),
        "branch": companies.FIRST_BRANCH,
        "operator": operator_of(request).username,
        "dealing": Client.Dealing.ACTIVE.value,
    }
    return _render(request, None, form_of(COMPANY, initial=sheet), _stored_rows(None))


@require_http_methods(["GET", "POST"])
def record(request: HttpRequest, number: str) -> HttpResponse:
    """Show one company, or store what was entered."""
    client = company_of(number)
    if client is None:
        raise Http404(f"得意先NO {number} はありません。")
    if request.method == "POST":
        return _save(request, client)
    if queries.client_number(client) != number:
        return redirect("people:client", queries.client_number(client))
    return _render(request, client, form_of(COMPANY, initial=sheets.company_sheet_of(client)), _stored_rows(client))


@require_GET
def opened(request: HttpRequest) -> HttpResponse:
    """A number typed into the record's head leads to that company."""
    typed = request.GET.get("number", "").strip()
    client = company_of(typed) if typed.replace("-", "").isdigit() else None
    if client is not None:
        return redirect("people:client", queries.client_number(client))
    messages.error(request, f"得意先NO {typed} はありません。番号を確認してください。")
    return redirect("people:clients")


def _people_of(client: Client | None) -> list[Recipient]:
    if client is None:
        return []
    found = queries.with_particulars(Recipient.objects.filter(client_contact__client=client))
    return list(found.order_by("client_contact__sort_order", "number"))


def _stored_rows(client: Client | None) -> list[ContactForm]:
    people = _people_of(client)
    rows = [
        ContactForm(
            person,
            form_of(CONTACT, initial=sheets.sheet_of(person), prefix=f"contact{place}"),
            facts.slots_of(person),
            is_removed=False,
            is_open=len(people) == 1,
        )
        for place, person in enumerate(people)
    ]
    blank = form_of(CONTACT, initial={"sort_order": str(len(rows) + 1)}, prefix=f"contact{len(rows)}")
    return [*rows, ContactForm(None, blank, facts.slots_of(None), is_removed=False, is_open=not people)]


def _posted_rows(request: HttpRequest, client: Client | None) -> list[ContactForm]:
    by_id = {str(person.pk): person for person in _people_of(client)}
    count = min(int_of(request.POST.get("contact_count", "")) or 0, MOST_ROWS)
    rows = []
    for place in range(count):
        prefix = f"contact{place}"
        person = by_id.get(request.POST.get(f"{prefix}-contact_id", ""))
        initial = sheets.sheet_of(person) if person else {}
        form = form_of(CONTACT, request.POST, initial=initial, prefix=prefix)
        is_removed = request.POST.get(f"{prefix}-is_removed") == "1"
        rows.append(ContactForm(person, form, facts.slots_of(person), is_removed, is_open=False))
    return rows


def _save(request: HttpRequest, client: Client | None) -> HttpResponse:
    initial = sheets.company_sheet_of(client) if client else {}
    form = form_of(COMPANY, request.POST, initial=initial)
    rows = _posted_rows(request, client)
    try:
        saved = companies.save_client(
            operator_of(request),
            form.values(),
            [_values_of(row) for row in rows],
            client_id=client.pk if client else None,
            version=int_of(request.POST.get("version", "")),
            creation_key=None if client else key_of(request.POST.get("key", "")),
        )
    except Refused as refused:
        told = _tell(form, rows, refused.problems)
        return _render(request, client, form, told, status=422)
    except ChangedMeanwhile as meanwhile:
        return _render(request, client, form, rows, status=409, meanwhile=meanwhile)
    for note in notes_of(COMPANY, form.values()):
        messages.info(request, note)
    messages.success(request, f"{saved.company_name}を登録しました。")
    return redirect("people:client", queries.client_number(saved))


def _values_of(row: ContactForm) -> dict[str, str]:
    return row.form.values() | {
        "contact_id": str(row.person.pk) if row.person else "",
        "is_removed": "1" if row.is_removed else "",
    }


def _tell(form: SheetForm, rows: list[ContactForm], problems: tuple[Problem, ...]) -> list[ContactForm]:
    """Put the problems beside their items; rows with one are open."""
    form.tell([one for one in problems if not one.field.startswith("contact")])
    found = []
    for place, row in enumerate(rows):
        own = [one for one in problems if one.field.startswith(f"contact{place}.")]
        row.form.tell(own, prefix=f"contact{place}.")
        found.append(
            ContactForm(row.person, row.form, row.slots, row.is_removed, is_open=bool(own) or row.person is None)
        )
    return found


def _problem_links(form: SheetForm, rows: list[ContactForm]) -> list[tuple[str, str]]:
    """Errors of the grid for the summary at the top; the company's own are found by the tag itself."""
    found = []
    for row in rows:
        who = row.person.name if row.person else "新しい担当者"
        for bound in row.form:
            found += [(bound.auto_id, f"{who}:{error}") for error in bound.errors]
        found += [("", f"{who}:{error}") for error in row.form.non_field_errors()]
    return found


def _render(
    request: HttpRequest,
    client: Client | None,
    form: SheetForm,
    rows: list[ContactForm],
    *,
    status: int = 200,
    meanwhile: ChangedMeanwhile | None = None,
) -> HttpResponse:
    people = _people_of(client)
    is_fresh = client is not None and (meanwhile is not None or request.method == "GET")
    context: dict[str, Any] = {
        "client": client,
        "number": queries.client_number(client) if client else "",
        "form": form,
        "rows": rows,
        "row_problems": _problem_links(form, rows) if form.is_bound else [],
        "version": client.version if client and is_fresh else request.POST.get("version", ""),
        "key": request.POST.get("key") or uuid.uuid4(),
        "whys": facts.why_of(people),
        "story": story_of(people, operator_of(request), 20),
        "beside": queries.neighbours_of_client(client) if client else None,
        "state": labels.DEALING[client.dealing] if client else "",
        "is_mailable": any(person.addresses.all() for person in people),
        "meanwhile": meanwhile,
        "title_prefix": "エラー: " if status == 422 else "",
        "open_url": reverse("people:open_client"),
    }
    return render(request, "people/company.html", context, status=status)
