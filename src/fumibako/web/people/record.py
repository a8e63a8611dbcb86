"""The record of one staff member or applicant: one form, three tabs, saved together."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused
from fumibako.apps.recipients import actions, labels, queries, rules, sheets
from fumibako.apps.recipients.fields import FIELDS
from fumibako.apps.recipients.models import Recipient
from fumibako.web.operators import operator_of

from . import facts
from .forms import SheetForm, form_of
from .lists import LIST_URLS, NEW_URLS, record_url
from .story import story_of

TABS = (("main", "概要"), ("address", "住所・メール"), ("story", "やり取り"), ("mails", "メール送信履歴"))
ADDRESS_KEYS = ("address1", "flag1", "flag_reason1", "address2", "flag2", "flag_reason2")
RECORD_URLS = {"staff": "people:staff_record", "applicant": "people:applicant"}
DEFAULTS = {"employment": "waiting", "status": "applied", "flag1": "send", "flag2": "send"}


def person_or_404(kind: str, number: str) -> Recipient:
    """The person with this number. Raises Http404."""
    person = queries.with_particulars(Recipient.objects.filter(kind=kind, number=number)).first()
    if person is None:
        raise Http404(f"{labels.NUMBER[kind]} {number} はありません。")
    return person


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """Show an empty record, or make a person of what was entered."""
    if request.method == "POST":
        return _save(request, kind, None)
    today = f"{timezone.localdate():%Y/%m/%d}"
    sheet = DEFAULTS | {"number": queries.next_number(kind), "registered_on": today, "applied_on": today}
    # A link from a mail of somebody unknown brings what the mail says.
    sheet |= {key: request.GET[key][:254] for key in ("family_name", "given_name", "address1") if key in request.GET}
    return _render(request, kind, None, form_of(FIELDS[kind], initial=sheet))


@require_http_methods(["GET", "POST"])
def record(request: HttpRequest, kind: str, number: str) -> HttpResponse:
    """Show one person, or store what was entered."""
    person = person_or_404(kind, number)
    if request.method == "POST":
        return _save(request, kind, person)
    return _render(request, kind, person, form_of(FIELDS[kind], initial=sheets.sheet_of(person)))


@require_GET
def opened(request: HttpRequest, kind: str) -> HttpResponse:
    """A number typed into the record's head leads to that record."""
    typed = request.GET.get("number", "").strip()
    read = rules.read(FIELDS[kind][:1], {"number": typed}, rules.Directory()).sheet.get("number", "")
    if Recipient.objects.filter(kind=kind, number=read).exists():
        return redirect(RECORD_URLS[kind], read)
    messages.error(request, f"{labels.NUMBER[kind]} {typed} はありません。番号を確認してください。")
    origin = request.GET.get("from", "")
    return redirect(origin if _is_ours(origin) else LIST_URLS[kind])


def _is_ours(path: str) -> bool:
    return path.startswith("/") and not path.startswith("//") and "\\" not in path


def _save(request: HttpRequest, kind: str, person: Recipient | None) -> HttpResponse:
    initial = sheets.sheet_of(person) if person else DEFAULTS
    form = form_of(FIELDS[kind], request.POST, initial=initial)
    try:
        saved = actions.save_person(
            operator_of(request),
            kind,
            form.values(),
            recipient_id=person.pk if person else None,
            version=int_of(request.POST.get("version", "")),
            creation_key=None if person else key_of(request.POST.get("key", "")),
        )
    except Refused as refused:
        form.tell(refused.problems)
        return _render(request, kind, person, form, status=422)
    except ChangedMeanwhile as meanwhile:
        return _render(request, kind, person, form, status=409, meanwhile=meanwhile)
    for note in notes_of(FIELDS[kind], form.values()):
        messages.info(request, note)
    messages.success(request, f"{saved.name}を登録しました。")
    tab = request.POST.get("tab", "")
    return redirect(record_url(saved) + (f"?tab={tab}" if tab in dict(TABS) else ""))


def notes_of(fields: Any, values: Mapping[str, str]) -> list[str]:
    """What was put right on the way in and what is unusual, told once it is stored."""
    return [one.text for one in rules.read(fields, values, sheets.directory()).notes if one.id in ("N10", "N12")]


def int_of(text: str) -> int | None:
    """The whole number in a hidden field, None when there is none."""
    return int(text) if text.isascii() and text.isdigit() else None


def key_of(text: str) -> uuid.UUID | None:
    """The key that makes a double press one record."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _render(
    request: HttpRequest,
    kind: str,
    person: Recipient | None,
    form: SheetForm,
    *,
    status: int = 200,
    meanwhile: ChangedMeanwhile | None = None,
) -> HttpResponse:
    ids = queries.one_person_of(person) if person else []
    mails = facts.mails_of(ids, 100) if ids else []
    context = {
        "kind": kind,
        "kind_label": labels.KIND[kind],
        "number_label": labels.NUMBER[kind],
        "person": person,
        "form": form,
        "version": _version_to_send(request, person, meanwhile),
        "key": request.POST.get("key") or uuid.uuid4(),
        "tabs": _tabs(request, form),
        "slots": facts.slots_of(person),
        "whys": facts.why_of([person]) if person else [],
        "mails": mails,
        "story": story_of([person], operator_of(request)) if person else [],
        "beside": queries.neighbours_of(kind, person.number) if person else None,
        "state": _state(person) if person else "",
        "adopted_from": person.adopted_from.first() if person else None,
        "meanwhile": meanwhile,
        "title_prefix": "エラー: " if status == 422 else "",
        "list_url": reverse(LIST_URLS[kind]),
        "new_url": reverse(NEW_URLS[kind]),
        "record_name": RECORD_URLS[kind],
        "open_url": reverse("people:open", args=[kind]),
        "threshold_note": kind != Recipient.Kind.STAFF,
    }
    return render(request, "people/record.html", context, status=status)


def _version_to_send(request: HttpRequest, person: Recipient | None, meanwhile: ChangedMeanwhile | None) -> str:
    if person is None:
        return ""
    # After a conflict the next press means 「自分の内容で登録」; after any other refusal the form is as old as it was.
    return str(person.version) if meanwhile or request.method == "GET" else request.POST.get("version", "")


def _tabs(request: HttpRequest, form: SheetForm) -> list[dict[str, Any]]:
    """The tabs with the number of errors on each; the first with an error is open, else the one asked for."""
    counts = {"main": 0, "address": 0, "story": 0, "mails": 0}
    for key in form.errors:
        counts["address" if key in ADDRESS_KEYS else "main"] += 1
    asked = request.POST.get("tab") or request.GET.get("tab") or "main"
    failing = next((name for name, count in counts.items() if count), "")
    current = failing or (asked if asked in counts else "main")
    return [{"name": name, "label": label, "errors": counts[name], "is_open": name == current} for name, label in TABS]


def _state(person: Recipient) -> str:
    if person.kind == Recipient.Kind.STAFF:
        return labels.EMPLOYMENT[person.staff.employment]
    return labels.STATUS[person.applicant.status]


def problem_texts(problems: tuple[Problem, ...]) -> str:
    """Several problems in one message."""
    return " ".join(problem.text for problem in problems)
