"""The lists: people found by conditions, ticked, and handed to メール一括送信 or written to a file."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from fumibako.apps.office.problems import Refused
from fumibako.apps.recipients import actions, exporting, labels, queries
from fumibako.apps.recipients.models import Client, PartyAddress, Recipient
from fumibako.web.operators import operator_of
from fumibako.web.paging import page_of

from . import conditions

PER_PAGE = (50, 100, 200)
LIST_URLS = {"staff": "people:staff", "client": "people:clients", "applicant": "people:applicants"}
NEW_URLS = {"staff": "people:staff_new", "client": "people:client_new", "applicant": "people:applicant_new"}
COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "staff": (
        ("number", "スタッフNO"),
        ("kana", "氏名"),
        ("department", "所属部門"),
        ("employment", "就業ステータス"),
        ("", "メールアドレス1"),
        ("", "メールアドレス2"),
        ("", "タグ"),
    ),
    "client": (
        ("number", "得意先NO"),
        ("company", "会社名"),
        ("kana", "担当者名"),
        ("", "部署・役職"),
        ("", "メールアドレス1"),
        ("", "メールアドレス2"),
        ("", "取引状況"),
    ),
    "applicant": (
        ("number", "応募者NO"),
        ("kana", "氏名"),
        ("applied_on", "応募日"),
        ("status", "採用ステータス"),
        ("", "メールアドレス1"),
        ("", "メールアドレス2"),
        ("", "募集媒体"),
    ),
}
"""Per kind: key in queries.SORTS ("" = cannot be sorted by) and heading."""


@dataclass(frozen=True, slots=True)
class Heading:
    """One column; `sorted_by` is the value of aria-sort, "" when the list is not sorted by it."""

    label: str
    url: str
    sorted_by: str


@dataclass(frozen=True, slots=True)
class MailCell:
    """One address in the two halves between which a line may break.

    `mark` is (word, kind, icon) when it is not simply 送る.
    """

    local: str
    domain: str
    mark: tuple[str, str, str] | None
    error_count: int


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the page; `cells` are the plain columns after the name and the addresses."""

    person: Recipient
    url: str
    before: tuple[str, ...]
    mails: tuple[MailCell | None, MailCell | None]
    after: str


MARKS = {
    "do_not": ("送らない", "warn", "circle-minus"),
    "cannot": ("送れない", "bad", "ban"),
    "opt_out": ("配信停止", "warn", "hand"),
}


@require_GET
def index(request: HttpRequest, kind: str) -> HttpResponse:
    """Show one kind of people."""
    asked = conditions.asked_in(request.GET)
    sort = request.GET.get("sort", "")
    per = _per_page(request)
    found = queries.with_particulars(queries.find(kind, asked | {"sort": sort}))
    page = page_of(found, per, request.GET, queries.order_of(sort))
    panel = conditions.conditions_of(kind, asked)
    context = {
        "kind": kind,
        "kind_label": labels.KIND[kind],
        "panel": panel,
        "chips": conditions.chips_of(panel, request.GET.dict()),
        "asked": asked,
        "sort": sort,
        "page": page,
        "lines": list(_lines(kind, page.object_list)),
        "headings": _headings(kind, request.GET.dict(), sort),
        "per": [(count, conditions.with_(request.GET.dict(), per=str(count)), count == per) for count in PER_PAGE],
        "is_none_yet": not asked and not page.paginator.count,
        "lonely": _clients_without_people(asked) if kind == Recipient.Kind.CLIENT else [],
        "key": uuid.uuid4(),
        "new_url": reverse(NEW_URLS[kind]),
        "list_url": reverse(LIST_URLS[kind]),
    }
    return render(request, "people/list.html", context)


@require_POST
def compose(request: HttpRequest, kind: str) -> HttpResponse:
    """[メールを作成]: hand the chosen people to a new mail; nobody chosen leads back with the reason."""
    if not request.POST.getlist("id") and not request.POST.get("every"):
        messages.error(
            request, f"{labels.KIND[kind]}が選択されていません。一覧で、メールを送る人にチェックを付けてください。"
        )
        return _back(request, kind)
    try:
        start = reverse("bulk_send:start")
    except NoReverseMatch:
        messages.error(request, "メール一括送信は使えません。")
        return _back(request, kind)
    # 307 keeps the method and what was posted.
    return redirect(start, preserve_request=True)


@require_POST
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """[CSVで書き出す]: the chosen people, or everybody found when none is chosen."""
    ids = [int(one) for one in request.POST.getlist("id") if one.isdigit()]
    people = queries.find(kind, conditions.asked_in(request.POST.dict()) | {"sort": request.POST.get("sort", "")})
    if ids and not request.POST.get("every"):
        people = people.filter(pk__in=ids[:20_000])
    actions.note_export(operator_of(request), kind, people.count())
    encoding = request.POST.get("encoding", "utf-8-sig")
    encoding = encoding if encoding in exporting.ENCODINGS else "utf-8-sig"
    pieces = exporting.export_csv(kind, people.values_list("pk", flat=True), encoding=encoding)
    if encoding != "utf-8-sig":
        try:
            pieces = iter(list(pieces))
        except Refused as refused:
            messages.error(request, str(refused))
            return _back(request, kind)
    return download(pieces, f"{labels.KIND[kind]}_{timezone.localdate():%Y%m%d}.csv")


def download(pieces: Iterator[bytes], file_name: str) -> StreamingHttpResponse:
    """A CSV file for the browser to keep."""
    answer = StreamingHttpResponse(pieces, content_type="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{_quoted(file_name)}"
    return answer


def _quoted(file_name: str) -> str:
    return "".join(f"%{byte:02X}" if byte > 126 or byte < 46 else chr(byte) for byte in file_name.encode())


def _back(request: HttpRequest, kind: str) -> HttpResponse:
    kept = conditions.asked_in(request.POST.dict())
    return redirect(reverse(LIST_URLS[kind]) + (conditions.with_(kept) if kept else ""))


def _per_page(request: HttpRequest) -> int:
    asked = request.GET.get("per", "")
    return int(asked) if asked.isdigit() and int(asked) in PER_PAGE else PER_PAGE[0]


def _headings(kind: str, parameters: Mapping[str, str], sort: str) -> list[Heading]:
    return [_heading(key, label, parameters, sort or "number") for key, label in COLUMNS[kind]]


def _heading(key: str, label: str, parameters: Mapping[str, str], sort: str) -> Heading:
    if not key:
        return Heading(label, "", "")
    following = f"-{key}" if sort == key else key
    sorted_by = {key: "ascending", f"-{key}": "descending"}.get(sort, "none")
    return Heading(label, conditions.with_(parameters, sort=following), sorted_by)


def _lines(kind: str, people: Any) -> Iterator[Line]:
    rows: Sequence[Recipient] = list(people)
    stopped = queries.opted_out_keys(address.address_key for one in rows for address in one.addresses.all())
    for person in rows:
        by_slot = {address.slot: address for address in person.addresses.all()}
        mails = (_mail(by_slot.get(1), stopped), _mail(by_slot.get(2), stopped))
        before, after = _cells(kind, person)
        yield Line(person, record_url(person), before, mails, after)


def _mail(address: PartyAddress | None, stopped: set[str]) -> MailCell | None:
    if address is None:
        return None
    state = "opt_out" if address.address_key in stopped and address.flag != "cannot" else address.flag
    local, at, domain = address.address.rpartition("@")
    return MailCell(local, at + domain, MARKS.get(state), address.error_count)


def _cells(kind: str, person: Recipient) -> tuple[tuple[str, ...], str]:
    if kind == Recipient.Kind.STAFF:
        staff = person.staff
        return (str(staff.department or ""), labels.EMPLOYMENT[staff.employment]), person.tags
    if kind == Recipient.Kind.CLIENT:
        contact = person.client_contact
        return (f"{contact.section} {contact.title}".strip(),), labels.DEALING[contact.client.dealing]
    applicant = person.applicant
    applied = f"{applicant.applied_on:%Y/%m/%d}" if applicant.applied_on else ""
    return (applied, labels.STATUS[applicant.status]), applicant.media


def record_url(person: Recipient) -> str:
    """The address of a person's record; a contact's is their company's."""
    if person.kind == Recipient.Kind.CLIENT:
        number = queries.client_number(person.client_contact.client)
        return f"{reverse('people:client', args=[number])}#c{person.pk}"
    return reverse(
        f"people:{'staff_record' if person.kind == Recipient.Kind.STAFF else 'applicant'}", args=[person.number]
    )


def _clients_without_people(asked: Mapping[str, str]) -> list[tuple[str, str]]:
    """Companies that no row can stand for, because nobody is registered for them; at most 20."""
    if set(asked) - {"name_kana", "number", "dealing"}:
        return []
    found = queries.find_clients(asked).filter(contacts__isnull=True).order_by("number", "branch")[:20]
    return [(one.company_name, reverse("people:client", args=[queries.client_number(one)])) for one in found]


def company_of(number: str) -> Client | None:
    """The company with this 得意先NO-枝番 (or 得意先NO alone, its first branch)."""
    head, _, branch = number.partition("-")
    found = Client.objects.filter(number=head.zfill(6)).order_by("branch")
    return (found.filter(branch=branch.zfill(3)) if branch else found).first()
