"""相手: what was typed into its field, and whom that means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from fumibako.apps.contacts.people import Party, find_parties, label_of, parties_meant
from fumibako.apps.office.problems import Problem
from fumibako.apps.recipients.models import Recipient
from fumibako.apps.recipients.rules import one_line

NOBODY = (
    "「{}」に当てはまる人がいません。氏名、番号、メールアドレスのどれかを入力し直すか、空欄(相手なし)にしてください。"
)


@dataclass(frozen=True, slots=True)
class Meant:
    """Whose id is to be stored ("" = 相手なし), or why nobody's, and who may have been meant."""

    value: str = ""
    problem: Problem | None = None
    candidates: tuple[Party, ...] = ()


def meant_by(posted: Mapping[str, str]) -> Meant:
    """Make out the person: chosen from the list that came up, or named by the text alone."""
    text = one_line(posted.get("party", ""))
    if not text:
        return Meant()
    if chosen := posted.get("party_choice", ""):
        return Meant(chosen if chosen.isdigit() else "")
    known = posted.get("person", "")
    if known.isdigit():
        person = Recipient.objects.filter(pk=int(known)).first()
        if person is not None and label_of(person) == text:
            return Meant(known)
    found = tuple(parties_meant(text))
    if len(found) == 1:
        return Meant(str(found[0].pk))
    if not found:
        return Meant("", Problem("person", "P16", NOBODY.format(text)))
    words = f"「{text}」に当てはまる人が {len(found)}人います。下から 1人を選んでください。"
    return Meant("", Problem("person", "P17", words), found)


@require_GET
def offered(request: HttpRequest) -> HttpResponse:
    """The list below the field while somebody types."""
    text = one_line(request.GET.get("party", ""))
    return render(request, "contacts/parties.html", {"parties": find_parties(text) if text else [], "text": text})
