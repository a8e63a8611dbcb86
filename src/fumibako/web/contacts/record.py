"""連絡記録入力: one record, a new one, or what is added to one under its 枝番."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from fumibako.apps.contacts import actions, queries, sheets
from fumibako.apps.contacts.files import Upload
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.contacts.people import Party, label_of, party_of, person_at
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.inbox.queries import mail_numbered
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused
from fumibako.apps.recipients.models import Recipient
from fumibako.web.operators import operator_of
from fumibako.web.people.record import int_of, key_of
from fumibako.web.people.story import story_of

from . import beginning, beside
from .forms import RecordForm
from .party import Meant, meant_by

SHOWN_STORY = 8


@dataclass(slots=True)
class Opened:
    """What a form was opened for: a stored record, or what a new one begins from."""

    operator: Operator
    stored: ContactRecord | None = None
    branch_of: ContactRecord | None = None
    mail: ReceivedMail | None = None
    sheet: dict[str, str] = field(default_factory=dict)

    @property
    def person(self) -> Recipient | None:
        """相手, as the form started."""
        return Recipient.objects.filter(pk=int(self.sheet.get("person") or 0)).first()


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """An empty form, or one begun from ?mail=, ?branch_of= or ?person=; or make a record of what was entered."""
    opened = _begun(request)
    if request.method == "POST":
        return _save(request, opened)
    already = beginning.already(opened.operator, opened.mail, opened.sheet)
    if already:
        messages.info(request, already.words)
        return redirect("contacts:record", already.number)
    return _render(request, opened, _form(opened))


@require_http_methods(["GET", "POST"])
def record(request: HttpRequest, number: str) -> HttpResponse:
    """Show one record, or store what was entered."""
    operator = operator_of(request)
    stored = record_or_404(operator, number)
    opened = Opened(operator, stored, mail=stored.mail, sheet=sheets.sheet_of(stored))
    if request.method == "POST":
        return _save(request, opened)
    if stored.full_number != number:
        return redirect("contacts:record", stored.full_number)
    return _render(request, opened, _form(opened))


@require_GET
def opened_by_number(request: HttpRequest) -> HttpResponse:
    """A number typed into the record's head leads to that record."""
    typed = request.GET.get("number", "").strip()
    found = queries.record_called(operator_of(request), typed)
    if found:
        return redirect("contacts:record", found.full_number)
    messages.error(request, f"連絡NO {typed} はありません。番号を確認してください。")
    return redirect("contacts:index")


def record_or_404(operator: Operator, number: str) -> ContactRecord:
    """The record with this 連絡NO. Raises Http404, also for what the operator may not see."""
    found = queries.record_called(operator, number)
    if found is None:
        raise Http404(f"連絡NO {number} はありません。")
    return found


def _begun(request: HttpRequest) -> Opened:
    operator = operator_of(request)
    asked = {
        key: request.POST.get(f"from_{key}") or request.GET.get(key, "") for key in ("mail", "branch_of", "person")
    }
    opened = Opened(operator, sheet=actions.defaults_for(operator))
    if asked["branch_of"]:
        opened.branch_of = record_or_404(operator, asked["branch_of"])
        opened.sheet = actions.branch_defaults(operator, opened.branch_of)
    elif asked["mail"]:
        number = int_of(asked["mail"]) or 0
        opened.mail = mail_numbered(operator, number)
        if opened.mail is None:
            raise Http404(f"受信管理NO {number} はありません。")
        opened.sheet |= beginning.from_mail(opened.mail, operator)
    if asked["person"]:
        person = person_at(*asked["person"].partition(":")[::2])
        opened.sheet["person"] = str(person.pk) if person else ""
    return opened


def _form(opened: Opened, data: Any = None) -> RecordForm:
    person = opened.person
    return RecordForm(data, initial=opened.sheet, party=label_of(person) if person else "")


def _save(request: HttpRequest, opened: Opened) -> HttpResponse:
    form = _form(opened, request.POST)
    meant = meant_by(request.POST)
    try:
        saved = _stored(request, opened, form.values() | {"person": meant.value}, meant)
    except Refused as refused:
        form.tell(refused.problems)
        return _render(request, opened, form, status=422, candidates=meant.candidates)
    except ChangedMeanwhile as meanwhile:
        return _render(request, opened, form, status=409, meanwhile=meanwhile)
    messages.success(request, f"連絡記録 {saved.full_number} を登録しました。")
    if request.POST.get("next"):
        person = saved.recipient
        return redirect(reverse("contacts:new") + (f"?person={person.kind}:{person.number}" if person else ""))
    return redirect("contacts:record", saved.full_number)


def _stored(request: HttpRequest, opened: Opened, values: Mapping[str, str], meant: Meant) -> ContactRecord:
    uploads = [
        Upload(one.name or "", one.content_type or "application/octet-stream", one.read())
        for one in request.FILES.getlist("files")
    ]
    removed = [int(one) for one in request.POST.getlist("remove_file") if one.isdigit()]
    version = int_of(request.POST.get("version", ""))
    try:
        if meant.problem:
            raise Refused([meant.problem])
        return actions.save_record(
            opened.operator,
            opened.stored,
            values,
            version,
            creation_key=None if opened.stored else key_of(request.POST.get("key", "")),
            branch_of=opened.branch_of,
            mail=None if opened.stored else opened.mail,
            uploads=uploads,
            removed_files=removed,
        )
    except Refused as refused:
        raise Refused(_with_lost_files(refused.problems, uploads)) from None


def _with_lost_files(problems: tuple[Problem, ...], uploads: list[Upload]) -> list[Problem]:
    """A browser does not choose a file again by itself: say so."""
    if not uploads or any(problem.field == "files" for problem in problems):
        return list(problems)
    return [*problems, Problem("files", "B09", "関連ファイルは、もう一度選んでください。")]


def _render(
    request: HttpRequest,
    opened: Opened,
    form: RecordForm,
    *,
    status: int = 200,
    meanwhile: ChangedMeanwhile | None = None,
    candidates: tuple[Party, ...] = (),
) -> HttpResponse:
    stored, person = opened.stored, opened.person
    is_fresh = meanwhile is not None or request.method == "GET"
    context = {
        "record": stored,
        "form": form,
        "party": party_of(person) if person else None,
        "party_link": beside.link_of(person),
        "candidates": candidates,
        "branch_of": opened.branch_of,
        "mail": beside.mail_card(opened.operator, opened.mail),
        "version": stored.version if stored and is_fresh else request.POST.get("version", ""),
        "key": request.POST.get("key") or uuid.uuid4(),
        "files": beside.files_of(opened.operator, stored, request.POST.getlist("remove_file")),
        "branches": beside.branches_of(opened.operator, stored or opened.branch_of),
        "beside": queries.neighbours(opened.operator, stored) if stored else ("", ""),
        "tag": beside.status_of(stored),
        "story": story_of([person], opened.operator, SHOWN_STORY) if person else (),
        "links": beside.links_in(stored.body, stored.response) if stored else [],
        "meanwhile": meanwhile,
        "title_prefix": "エラー: " if status == 422 else "",
    }
    return render(request, "contacts/record.html", context, status=status)
