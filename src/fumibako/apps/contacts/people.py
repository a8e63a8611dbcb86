"""相手: one field over staff, client contacts and applicants; text in, persons out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from fumibako.apps.recipients.labels import KIND
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.recipients.rules import kana_of, one_line

OFFERED = 20
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Party:
    """A person as the field shows them: 「スタッフ 001245 山田 太郎」, and where they belong."""

    pk: int
    kind: str
    label: str
    place: str

    @property
    def kind_label(self) -> str:
        """スタッフ, 得意先 or 応募者."""
        return KIND[self.kind]


def party_of(person: Recipient) -> Party:
    """How one person is shown; give rows from `with_places` where there are many."""
    return Party(person.pk, person.kind, label_of(person), place_of(person))


def label_of(person: Recipient) -> str:
    """「スタッフ 001245 山田 太郎」, 「得意先 000123-000-01 山本 花」."""
    return f"{KIND[person.kind]} {person.number} {person.name}"


def place_of(person: Recipient) -> str:
    """所属部門, or company and section, or nothing."""
    if person.kind == Recipient.Kind.STAFF:
        staff = getattr(person, "staff", None)
        return str(staff.department or "") if staff else ""
    if person.kind == Recipient.Kind.CLIENT:
        contact = getattr(person, "client_contact", None)
        return f"{contact.client.company_name} {contact.section}".strip() if contact else ""
    return ""


def with_places(people: QuerySet[Recipient]) -> QuerySet[Recipient]:
    """The same people with all that `party_of` reads."""
    return people.select_related("staff__department", "client_contact__client", "applicant")


def find_parties(text: str) -> list[Party]:
    """People whom this text may mean, at most `OFFERED`; hidden ones only when nobody else fits."""
    found = _matching(text)
    shown = list(with_places(found.filter(is_hidden=False)).order_by("kind", "number")[:OFFERED])
    rows = shown or list(with_places(found).order_by("kind", "number")[:OFFERED])
    return [party_of(person) for person in rows]


def parties_meant(text: str) -> Sequence[Party]:
    """Whom a typed text names: exactly one, or those to choose from, or nobody."""
    wanted = one_line(text)[:LONGEST]
    offered = find_parties(wanted)
    exact = [party for party in offered if wanted in (party.label, *party.label.split(" ", 2)[1:])]
    return exact if len(exact) == 1 else offered


def person_at(kind: str, number: str) -> Recipient | None:
    """The person with this kind and number, as addresses of screens name them ("staff:001245")."""
    return with_places(Recipient.objects.filter(kind=kind, number=number)).first()


def _matching(text: str) -> QuerySet[Recipient]:
    words = one_line(text)[:LONGEST].split(" ")
    found = Recipient.objects.all()
    kinds = [kind for kind, label in KIND.items() if label == words[0]]
    if kinds and len(words) > 1:
        found, words = found.filter(kind__in=kinds), words[1:]
    for word in words:
        found = found.filter(_has(word)) if word else found.none()
    return found


def _has(word: str) -> Q:
    kana = kana_of(word)
    named = (
        Q(family_name__icontains=word)
        | Q(given_name__icontains=word)
        | Q(kana__icontains=kana)
        | Q(number__icontains=word)
        | Q(client_contact__client__company_name__icontains=word)
        | Q(client_contact__client__kana__icontains=kana)
    )
    addresses = PartyAddress.objects.filter(recipient=OuterRef("pk"), address__icontains=word)
    return named | Q(Exists(addresses)) if "@" in word else named
