"""連絡記録検索: records found by conditions, given a status together, or written to a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from fumibako.apps.contacts import actions, exporting, labels, queries
from fumibako.apps.contacts.checks import statuses
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.contacts.paging import page_of
from fumibako.apps.contacts.people import place_of
from fumibako.apps.office.problems import Refused
from fumibako.apps.recipients.labels import KIND
from fumibako.web.operators import operator_of
from fumibako.web.people.lists import download, record_url

from . import conditions

PER_PAGE = (50, 100, 200)
COLUMNS = (
    ("number", "連絡NO"),
    ("at", "連絡日"),
    ("", "相手"),
    ("", "連絡区分"),
    ("", "件名"),
    ("", "ステータス"),
    ("", "対応者"),
    ("", "次回対応日"),
)
DEFAULT_SORT = "-at"
STATUS_CSS = {1: "warn", 2: "key", 3: "ok"}
"""未対応, 対応中, 対応済 by their NO; what an office adds is grey."""
STATUS_ICONS = {1: "clock", 2: "loader-circle", 3: "circle-check"}


@dataclass(frozen=True, slots=True)
class Heading:
    """One column; `sorted_by` is the value of aria-sort."""

    label: str
    url: str
    sorted_by: str


@dataclass(frozen=True, slots=True)
class Line:
    """One record as a row of the list."""

    record: ContactRecord
    party: str
    party_kind: str
    party_kind_label: str
    party_url: str
    place: str
    category: str
    lower: str
    is_late: bool

    @property
    def status(self) -> tuple[str, str, str] | None:
        """連絡ステータス1 as (word, kind of tag, icon)."""
        return status_tag(self.record)


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show what the conditions find."""
    operator = operator_of(request)
    asked = conditions.asked_in(request.GET.dict())
    sort, per = _sort_of(request.GET.get("sort", "")), _per_page(request.GET.get("per", ""))
    found = queries.search(operator, asked)
    page = page_of(found, sort, after=request.GET.get("after", ""), before=request.GET.get("before", ""), size=per)
    panel, kept = conditions.panel_of(asked), {"sort": sort if sort != DEFAULT_SORT else "", "per": _per_word(per)}
    context = {
        "panel": panel,
        "chips": conditions.chips_of(panel, asked, kept["sort"]),
        "asked": asked,
        "named": {key: asked[key] for key in ("person", "mail") if key in asked},
        "sort": sort,
        "count": found.count(),
        "lines": list(lines_of(page.rows)),
        "headings": [_heading(key, label, asked, sort, kept["per"]) for key, label in COLUMNS],
        "newer": conditions.with_(asked, **kept, before=page.before) if page.before else "",
        "older": conditions.with_(asked, **kept, after=page.after) if page.after else "",
        "per": [(count, conditions.with_(asked, **kept | {"per": str(count)}), count == per) for count in PER_PAGE],
        "statuses": statuses(),
        "is_none_yet": not queries.visible(operator).exists(),
        "list_url": reverse("contacts:index"),
        "all_url": conditions.with_({}),
    }
    return render(request, "contacts/list.html", context)


@require_POST
def set_status(request: HttpRequest) -> HttpResponse:
    """[ステータスを変更] of the ticked records, or of everything that was found."""
    operator = operator_of(request)
    asked = conditions.kept_in(request.POST)
    ids = [int(one) for one in request.POST.getlist("id") if one.isdigit()]
    if request.POST.get("every"):
        found = queries.search(operator, asked).values_list("pk", flat=True)
        ids = list(found[: actions.MOST_AT_ONCE])
    chosen = request.POST.get("status", "")
    try:
        count = actions.set_status(operator, ids, int(chosen) if chosen.isdigit() else None)
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        words = next(one.name1 for one in statuses() if str(one.pk) == chosen)
        messages.success(request, f"{count:,}件の連絡記録を「{words}」にしました。")
    return _back(asked)


@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """[CSVで書き出す]: the ticked records, or everything that was found when none is ticked."""
    operator = operator_of(request)
    asked = conditions.kept_in(request.POST)
    found = queries.search(operator, asked).order_by("-contacted_at", "-id")
    ids = [int(one) for one in request.POST.getlist("id") if one.isdigit()]
    if ids and not request.POST.get("every"):
        found = found.filter(pk__in=ids[:1_000])
    encoding = request.POST.get("encoding", "")
    encoding = encoding if encoding in exporting.ENCODINGS else "utf-8-sig"
    pieces = exporting.export_csv(found, encoding=encoding)
    if encoding != "utf-8-sig":
        try:
            pieces = iter(list(pieces))
        except Refused as refused:
            messages.error(request, str(refused))
            return _back(asked)
    actions.note_export(operator, found.count())
    return download(pieces, f"連絡記録_{timezone.localdate():%Y%m%d}.csv")


def lines_of(rows: Iterable[ContactRecord]) -> Iterator[Line]:
    """Records as rows of a list."""
    today = timezone.localdate()
    for record in rows:
        person = record.recipient
        is_late = bool(record.next_on and not record.next_done_at and record.next_on < today)
        lower = " › ".join(str(one) for one in (record.category2, record.category3) if one)
        yield Line(
            record=record,
            party=person.name if person else record.party or labels.NOBODY,
            party_kind=person.kind if person else "",
            party_kind_label=KIND[person.kind] if person else "",
            party_url=record_url(person) if person else "",
            place=place_of(person) if person else "",
            category=str(record.category1 or ""),
            lower=lower,
            is_late=is_late,
        )


def status_tag(record: ContactRecord) -> tuple[str, str, str] | None:
    """連絡ステータス1 of a record as (word, kind of tag, icon)."""
    status = record.status1
    if status is None:
        return None
    return status.name1, STATUS_CSS.get(status.number, ""), STATUS_ICONS.get(status.number, "")


def _back(asked: Mapping[str, str]) -> HttpResponse:
    return redirect(reverse("contacts:index") + conditions.with_(asked))


def _sort_of(text: str) -> str:
    return text if text.removeprefix("-") in queries.SORTS else DEFAULT_SORT


def _per_page(text: str) -> int:
    return int(text) if text.isdigit() and int(text) in PER_PAGE else PER_PAGE[0]


def _per_word(per: int) -> str:
    return str(per) if per != PER_PAGE[0] else ""


def _heading(key: str, label: str, asked: Mapping[str, str], sort: str, per: str) -> Heading:
    if not key:
        return Heading(label, "", "")
    following = key if sort == f"-{key}" else f"-{key}"
    sorted_by = {key: "ascending", f"-{key}": "descending"}.get(sort, "none")
    return Heading(label, conditions.with_(asked, sort=following, per=per), sorted_by)
