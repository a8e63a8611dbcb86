"""Step 2 宛先: people are looked for on the left and taken into the list on the right, which lives in the draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Refused
from fumibako.apps.recipients import labels as people_labels
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.recipients.queries import find, opted_out_keys, with_particulars
from fumibako.apps.recipients.rules import exclusion_of
from fumibako.apps.sending import drafts, labels, selection
from fumibako.apps.sending.models import BulkSend

from . import conditions
from .counted import exclusion_rows, kind_parts, kind_rows, over_words
from .facts import listed_among, removed_people
from .frame import for_draft, framed, tell
from .reading import whole, wholes

FOUND_PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Address:
    """One address on either side, with its verdict in words."""

    address_id: int | None
    slot: int | None
    address: str
    words: str
    is_ticked: bool
    is_tickable: bool
    is_sent: bool


@dataclass(frozen=True, slots=True)
class Person:
    """One row of either list."""

    recipient_id: int
    kind: str
    number: str
    name: str
    remark: str
    addresses: tuple[Address, ...]
    is_listed: bool = False
    is_chosen: bool = False

    @property
    def kind_label(self) -> str:
        """スタッフ, 得意先 or 応募者."""
        return people_labels.KIND[self.kind]


@require_GET
@for_draft
def recipients(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    """Show both sides."""
    return _page(request, job)


@require_POST
@for_draft
def change_list(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    """Do what the pressed button's name says to the list, and show both sides again."""
    done = next((verb for name, verb in VERBS.items() if name in request.POST), None)
    try:
        if done is not None:
            done(request, operator, job)
    except (Refused, ChangedMeanwhile) as refusal:
        tell(request, refusal)
    if request.headers.get("HX-Request"):
        return render(request, "bulk_send/list.html", {"job": job, "is_swapped": True, **_list(job, request.POST)})
    return redirect(_back(request, job))


def _add_chosen(request: HttpRequest, operator: Operator, job: BulkSend) -> None:
    ids = wholes(request.POST.getlist("id"))
    if not ids:
        messages.warning(request, "追加する人を選んでください。")
        return
    _tell_added(request, drafts.add_people(operator, job, _kind(_asked(request)), ids))


def _add_found(request: HttpRequest, operator: Operator, job: BulkSend) -> None:
    asked = _asked(request)
    _tell_added(request, drafts.add_people(operator, job, _kind(asked), conditions.of(asked)))


def _tell_added(request: HttpRequest, added: drafts.Added) -> None:
    words = f"{added.added_count:,}人を追加しました。" if added.added_count else "追加した人はいません。"
    if added.already_count:
        words += f"{added.already_count:,}人は追加済みです。"
    if added.removed_count:
        words += f"{added.removed_count:,}人は、外した人のため追加していません。"
    messages.success(request, words) if added.added_count else messages.info(request, words)


def _tick_one(request: HttpRequest, operator: Operator, job: BulkSend) -> None:
    address_id = request.POST["tick_one"]
    drafts.tick(operator, job, whole(address_id), address_id in request.POST.getlist("ticked"))


def _tick_page(request: HttpRequest, operator: Operator, job: BulkSend) -> None:
    """Without scripts: what is ticked on this page and what is not."""
    ticked = set(request.POST.getlist("ticked"))
    before = set(request.POST.getlist("was_ticked"))
    for address_id in request.POST.getlist("shown"):
        if (address_id in ticked) != (address_id in before):
            drafts.tick(operator, job, whole(address_id), address_id in ticked)


def _remove(request: HttpRequest, operator: Operator, job: BulkSend) -> None:
    recipient_id = whole(request.POST["remove"])
    if listed_among(job, [recipient_id]):
        drafts.remove_person(operator, job, recipient_id)


def _bring_back(request: HttpRequest, operator: Operator, job: BulkSend) -> None:
    drafts.bring_back_person(operator, job, whole(request.POST["bring_back"]))


def _clear(request: HttpRequest, operator: Operator, job: BulkSend) -> None:
    drafts.clear_list(operator, job)
    messages.success(request, "送信する宛先を空にしました。")


def _turn_page(request: HttpRequest, operator: Operator, job: BulkSend) -> None:
    """Nothing to change: `_back` takes the chosen people along to the other page."""


VERBS = {
    "add_chosen": _add_chosen,
    "add_found": _add_found,
    "tick_one": _tick_one,
    "tick_page": _tick_page,
    "remove": _remove,
    "bring_back": _bring_back,
    "clear": _clear,
    "turn_to": _turn_page,
}


def _asked(request: HttpRequest) -> Mapping[str, str]:
    return dict(parse_qsl(request.POST.get("asked", "")))


def _kind(asked: Mapping[str, str]) -> str:
    kind = asked.get("kind", "")
    return kind if kind in people_labels.KIND else Recipient.Kind.STAFF


def _back(request: HttpRequest, job: BulkSend) -> str:
    pairs = list(_asked(request).items())
    turn_to = request.POST.get("turn_to")
    if turn_to:
        pairs = [pair for pair in pairs if pair[0] != "page"] + [("page", turn_to)]
        pairs += [("id", one) for one in request.POST.getlist("id")]
    pairs += [(name, request.POST[name]) for name in ("list_page", "reason") if request.POST.get(name)]
    return f"{reverse('bulk_send:to', args=[job.number])}?{urlencode(pairs)}"


def _page(request: HttpRequest, job: BulkSend) -> HttpResponse:
    return framed(request, job, "to", **_found(request.GET, job), **_list(job, request.GET))


def _found(query: QueryDict, job: BulkSend) -> dict[str, Any]:
    """The left side."""
    asked = conditions.flat(query)
    kind = _kind(asked)
    wanted = conditions.of(asked)
    page = Paginator(with_particulars(find(kind, wanted)), FOUND_PER_PAGE).get_page(query.get("page"))
    people = list(page.object_list)
    listed = listed_among(job, [one.pk for one in people])
    chosen = set(wholes(query.getlist("id")))
    stopped = opted_out_keys(address.address_key for one in people for address in one.addresses.all())
    options = selection.options_of(job.account)
    rows = [_person_found(one, options, stopped, one.pk in listed, one.pk in chosen) for one in people]
    kept = {key: value for key, value in asked.items() if key in (*conditions.KEYS, "kind", "page")}
    return {
        "kind": kind,
        "kind_tabs": [(value, label, value == kind) for value, label in people_labels.KIND.items()],
        "kind_label": people_labels.KIND[kind],
        "fields": conditions.fields(kind, asked),
        "is_filtered": bool(wanted),
        "page": page,
        "people": rows,
        "asked": urlencode(kept),
        "kept_ids": sorted(chosen - {one.pk for one in people}),
    }


def _person_found(
    person: Recipient, options: selection.Options, stopped: set[str], is_listed: bool, is_chosen: bool
) -> Person:
    addresses = tuple(_address_found(one, person.kind, options, stopped) for one in person.addresses.all())
    if not addresses:
        addresses = (Address(None, None, "", "メールアドレスが未登録", False, False, False),)
    return Person(person.pk, person.kind, person.number, person.name, _remark(person), addresses, is_listed, is_chosen)


def _address_found(one: PartyAddress, kind: str, options: selection.Options, stopped: set[str]) -> Address:
    is_stopped = one.address_key in stopped
    reason = exclusion_of(one.flag, kind, allow_do_not_send=options.allow_do_not_send, is_opted_out=is_stopped)
    words = "配信停止" if is_stopped else people_labels.FLAG[one.flag]
    if one.error_count:
        words += f"(エラー{one.error_count}回)"
    is_ticked = not reason and one.flag == PartyAddress.Flag.SEND
    return Address(one.pk, one.slot, one.address, words, is_ticked, not reason, is_ticked)


def _remark(person: Recipient) -> str:
    """What tells two people of one name apart: department, company, or the state of an application."""
    if person.kind == Recipient.Kind.STAFF:
        department = person.staff.department
        return " ".join(filter(None, [str(department or ""), people_labels.EMPLOYMENT[person.staff.employment]]))
    if person.kind == Recipient.Kind.CLIENT:
        return person.client_contact.client.company_name
    return people_labels.STATUS[person.applicant.status]


def _list(job: BulkSend, query: QueryDict) -> dict[str, Any]:
    """The right side."""
    counts = selection.counts_of(job)
    reason = query.get("reason") or None
    shown = selection.rows_of(job, whole(query.get("list_page")) or 1, reason=reason)
    return {
        "counts": counts,
        "kinds": kind_rows(counts),
        "kind_parts": kind_parts(counts),
        "shown": shown,
        "listed": [_person_listed(row) for row in shown.rows],
        "reason": reason or "",
        "reason_label": labels.exclusion_text(reason) if reason else "",
        "exclusions": exclusion_rows(counts),
        "removed": removed_people(job),
        "list_pages": Paginator(range(shown.page_count), 1).get_elided_page_range(shown.page, on_each_side=2),
        "over_words": over_words(counts),
    }


def _person_listed(row: selection.PersonRow) -> Person:
    addresses = tuple(
        Address(
            judged.candidate.address_id,
            judged.candidate.slot,
            judged.candidate.address or "",
            _verdict(judged),
            judged.candidate.is_ticked and judged.is_tickable,
            judged.is_tickable,
            judged.will_be_sent,
        )
        for judged in row.addresses
    )
    return Person(row.recipient_id, row.kind, row.number, row.name, "", addresses, True)


def _verdict(judged: selection.Judged) -> str:
    if judged.reason == "unticked":
        return "チェックなし"
    if judged.reason:
        return labels.exclusion_text(judged.reason)
    words = "送る"
    if judged.lifts_do_not_send:
        words = "「送らない」だが送る"
    errors = judged.candidate.error_count or 0
    return f"{words}(エラー{errors}回)" if errors else words
