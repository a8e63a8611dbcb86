"""Small questions about a record: delete it, make one of a mail. As a dialog, or as a page without scripts."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods

from fumibako.apps.contacts import actions, queries
from fumibako.apps.contacts.files import bytes_of
from fumibako.apps.contacts.models import ContactFile
from fumibako.apps.contacts.people import label_of
from fumibako.apps.inbox.queries import mail_numbered
from fumibako.apps.office.problems import Refused
from fumibako.apps.recipients.models import Recipient
from fumibako.apps.sending.errors import AttachmentMissing
from fumibako.web.operators import operator_of
from fumibako.web.people.record import key_of

from . import beginning, beside
from .forms import RecordForm
from .party import meant_by
from .record import record_or_404

IDS = "contact_%s"
"""The panel stands on pages that have forms of their own."""


def _asked(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The question alone for the dialog, or inside a page."""
    # django-htmx puts `htmx` on every request.
    if getattr(request, "htmx", False):
        return render(request, f"contacts/{template}.html", context, status=status)
    whole = context | {"question": f"contacts/{template}.html"}
    return render(request, "contacts/question.html", whole, status=status)


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, number: str) -> HttpResponse:
    """Ask for the reason, then remove one record."""
    operator = operator_of(request)
    record = record_or_404(operator, number)
    refusal = ""
    if request.method == "POST":
        try:
            actions.delete_record(operator, record, request.POST.get("reason", ""))
        except Refused as refused:
            refusal = str(refused)
        else:
            messages.success(request, f"連絡記録 {record.full_number} を削除しました。")
            return redirect("contacts:index")
    context = {
        "record": record,
        "party": label_of(record.recipient) if record.recipient else record.party,
        "file_count": record.files.filter(is_from_mail=False).count(),
        "refusal": refusal,
        "back": reverse("contacts:record", args=[record.full_number]),
        "title": "連絡記録の削除",
    }
    return _asked(request, "delete", context, 422 if refusal else 200)


@require_http_methods(["GET", "POST"])
def from_mail(request: HttpRequest, mail_number: int) -> HttpResponse:
    """連絡記録に登録 on a received mail: a short form with everything filled in, for the panel of メール受信.

    POST registers and goes back to `back` (the mail, unless a page of ours is named).
    """
    operator = operator_of(request)
    mail = mail_numbered(operator, mail_number)
    if mail is None:
        raise Http404(f"受信管理NO {mail_number} はありません。")
    back = _back(request) or beside.url_of("inbox:mail", mail.number) or reverse("contacts:index")
    sheet = actions.defaults_for(operator) | beginning.from_mail(mail, operator)
    person = Recipient.objects.filter(pk=int(sheet["person"] or 0)).first()
    form = RecordForm(request.POST or None, initial=sheet, party=label_of(person) if person else "", auto_id=IDS)
    meant = meant_by(request.POST)
    if request.method == "POST":
        try:
            if meant.problem:
                raise Refused([meant.problem])
            values = sheet | {key: value for key, value in form.values().items() if key in request.POST}
            key = key_of(request.POST.get("key", ""))
            saved = actions.register_from_mail(operator, mail, values | {"person": meant.value}, creation_key=key)
        except Refused as refused:
            form.tell(refused.problems)
        else:
            messages.success(request, f"連絡記録 {saved.full_number} を登録しました。")
            return _gone_to(request, back)
    records = [one for one in queries.records_of_mail(mail) if queries.visible(operator).filter(pk=one.pk).exists()]
    context = {
        "mail": mail,
        "form": form,
        "candidates": meant.candidates,
        "records": records,
        "is_done": beginning.already(operator, mail, sheet) is not None,
        "key": request.POST.get("key") or uuid.uuid4(),
        "back": back,
        "full_url": reverse("contacts:new") + f"?mail={mail.number}",
        "title": "連絡記録に登録",
        "title_prefix": "エラー: " if form.errors else "",
    }
    return _asked(request, "from_mail", context, 422 if form.errors else 200)


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("back") or request.GET.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/")
    return wanted if is_ours else ""


def _gone_to(request: HttpRequest, url: str) -> HttpResponse:
    """Go on; from inside a dialog the whole page goes, so that its lists are new."""
    if getattr(request, "htmx", False):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


@require_GET
def file(request: HttpRequest, file_id: int) -> HttpResponse:
    """One file of a record, to be saved; never shown in the browser."""
    found = get_object_or_404(ContactFile.objects.select_related("record"), pk=file_id)
    if not queries.visible(operator_of(request)).filter(pk=found.record_id).exists():
        raise Http404
    try:
        raw = bytes_of(found)
    except (AttachmentMissing, Refused):
        messages.error(request, f"ファイル「{found.name}」の中身が保存領域にありません。")
        return redirect("contacts:record", found.record.full_number)
    answer = HttpResponse(raw, content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{_quoted(found.name)}"
    return answer


def _quoted(name: str) -> str:
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 127 else f"%{byte:02X}" for byte in name.encode())
