"""Small questions about one record: delete, adopt, bring an address back. As a dialog, or as a page without scripts."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from fumibako.apps.office.models import Department
from fumibako.apps.office.problems import Refused
from fumibako.apps.recipients import actions, companies, flags, labels, queries
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.web.operators import operator_of

from .lists import LIST_URLS, company_of, record_url
from .record import person_or_404, problem_texts


def _asked(request: HttpRequest, template: str, context: dict[str, object], status: int = 200) -> HttpResponse:
    """The question alone for the dialog, or inside a page."""
    # django-htmx puts `htmx` on every request.
    if getattr(request, "htmx", False):
        return render(request, f"people/{template}.html", context, status=status)
    return render(request, "people/question.html", context | {"question": f"people/{template}.html"}, status=status)


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, kind: str, number: str) -> HttpResponse:
    """Ask, then remove one person."""
    person = person_or_404(kind, number)
    refusal = ""
    if request.method == "POST":
        try:
            actions.delete_person(operator_of(request), person)
        except Refused as refused:
            refusal = str(refused)
        else:
            messages.success(request, f"{person.name}({person.number})を削除しました。")
            return redirect(LIST_URLS[kind])
    context = {
        "noun": labels.KIND[kind],
        "name": person.name,
        "number": person.number,
        "history_count": queries.history_count([person.pk]),
        "is_staff": kind == Recipient.Kind.STAFF,
        "url": reverse(f"people:{kind}_delete", args=[number]),
        "back": record_url(person),
        "refusal": refusal,
    }
    return _asked(request, "delete", context, 422 if refusal else 200)


@require_http_methods(["GET", "POST"])
def delete_company(request: HttpRequest, number: str) -> HttpResponse:
    """Ask, then remove one company with its people."""
    client = company_of(number)
    if client is None:
        raise Http404
    people = list(Recipient.objects.filter(client_contact__client=client))
    refusal = ""
    if request.method == "POST":
        try:
            companies.delete_client(operator_of(request), client)
        except Refused as refused:
            refusal = str(refused)
        else:
            messages.success(request, f"{client.company_name}を削除しました。")
            return redirect("people:clients")
    context = {
        "noun": "得意先",
        "name": client.company_name,
        "number": number,
        "people_count": len(people),
        "history_count": queries.history_count([person.pk for person in people]),
        "url": reverse("people:client_delete", args=[number]),
        "back": reverse("people:client", args=[number]),
        "refusal": refusal,
    }
    return _asked(request, "delete", context, 422 if refusal else 200)


@require_http_methods(["GET", "POST"])
def adopt(request: HttpRequest, number: str) -> HttpResponse:
    """[採用する]: ask for department and number, then make a staff member."""
    applicant = person_or_404(Recipient.Kind.APPLICANT, number)
    problems: dict[str, str] = {}
    if request.method == "POST":
        try:
            department, typed = request.POST.get("department", ""), request.POST.get("number", "")
            person = actions.adopt_applicant(operator_of(request), applicant, department, typed)
        except Refused as refused:
            problems = {problem.field: problem.text for problem in refused.problems}
        else:
            text = (
                f"{person.name}をスタッフNO {person.number} として登録しました。メールと連絡記録は引き継がれています。"
            )
            messages.success(request, text)
            return redirect("people:staff_record", person.number)
    context = {
        "person": applicant,
        "departments": Department.objects.all(),
        "department": request.POST.get("department", ""),
        "number": request.POST.get("number") or queries.next_number(Recipient.Kind.STAFF),
        "problems": problems,
        "back": record_url(applicant),
    }
    return _asked(request, "adopt", context, 422 if problems else 200)


@require_POST
def restore(request: HttpRequest, address_id: int) -> HttpResponse:
    """[送るに戻す] with a reason; back to the record."""
    address = get_object_or_404(PartyAddress.objects.select_related("recipient__client_contact__client"), pk=address_id)
    try:
        row = flags.restore_address(operator_of(request), address, request.POST.get("reason", ""))
    except Refused as refused:
        messages.error(request, problem_texts(refused.problems))
    else:
        messages.success(request, f"{address.address} を「{labels.FLAG[row.flag]}」に戻し、エラー回数を 0 にしました。")
    return redirect(record_url(address.recipient))


@require_POST
def lift(request: HttpRequest, address_id: int) -> HttpResponse:
    """[配信停止を解除] with a reason; back to the record."""
    address = get_object_or_404(PartyAddress.objects.select_related("recipient__client_contact__client"), pk=address_id)
    try:
        flags.lift_opt_out(operator_of(request), address.address, request.POST.get("reason", ""))
    except Refused as refused:
        messages.error(request, problem_texts(refused.problems))
    else:
        messages.success(request, f"{address.address} の配信停止を解除しました。")
    return redirect(record_url(address.recipient))
