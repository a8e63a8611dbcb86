"""連絡記録への展開: a received mail becomes one record for each person it is from or to (SPEC §2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from fumibako.apps.accounts.models import ContactRule
from fumibako.apps.audit.actions import SYSTEM, record
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.office.actions import add_departments
from fumibako.apps.office.models import Department, Operator
from fumibako.apps.recipients.models import Recipient

from . import labels
from .models import ContactFile, ContactRecord, Expansion
from .numbering import next_number

PLACES = tuple(role.value for role in (ContactRule.Role.FROM, ContactRule.Role.TO, ContactRule.Role.CC))
"""Somebody who stands in several places counts with the first of these."""

Place = tuple[Recipient | None, str]


def follow(mail: ReceivedMail, operator: Operator | None) -> None:
    """What the reading of mail calls; runs inside its transaction."""
    if _is_expanded(mail):
        expand(mail, operator)


@transaction.atomic
def expand(mail: ReceivedMail, actor: Operator | None) -> list[ContactRecord]:
    """Make the records of a mail that was read; returns those that are new. Doing it again adds nothing.

    Only ordinary mail of accounts with 連絡記録に展開する. 対応者 is `actor`, who pressed 受信; else who fetched the
    mail; else the account's 既定対応者; else nobody. 連絡部門 is theirs; else the person's; else the office's first;
    in an office without any, 「未設定」 is made. A mail that is read again (文字コード) brings its text into records
    that nobody has touched, and gives a record without person the person who is found now.
    """
    if not _is_expanded(mail):
        return []
    _follow_text(mail)
    done = set(Expansion.objects.filter(mail=mail).values_list("recipient_id", flat=True))
    places = [place for place in _places_of(mail) if _key(place) not in done]
    if _has_persons(places):
        places = _give_to_nobodys(mail, places)
    elif done:
        return []
    rules = {rule.role: rule for rule in ContactRule.objects.filter(account=mail.account)}
    operator = actor or mail.fetched_by or mail.account.default_operator
    made = [_record_of(mail, place, rules.get(place[1]), operator) for place in places]
    if made:
        numbers = [one.full_number for one in made]
        record(actor, "contact.expanded", f"mail:{mail.number}", changes={"records": ["", numbers]})
    return made


def _is_expanded(mail: ReceivedMail) -> bool:
    is_ordinary = mail.kind == ReceivedMail.Kind.ORDINARY and mail.reading == ReceivedMail.Reading.READ
    return is_ordinary and mail.account.to_contact_record


def persons_in(mail: ReceivedMail) -> list[tuple[Recipient, str]]:
    """Whom the mail is from or to, with their places, as the inbox linked them: by address, or by hand.

    Our own addresses are never persons (`inbox.matching`). An applicant who became staff stands for the staff member.
    """
    found: dict[int, tuple[Recipient, str]] = {}
    for link in mail.persons.select_related("recipient__adopted_as"):
        person = link.recipient.adopted_as or link.recipient
        known = found.get(person.pk)
        if known is None or PLACES.index(link.role) < PLACES.index(known[1]):
            found[person.pk] = (person, link.role)
    return sorted(found.values(), key=lambda pair: (PLACES.index(pair[1]), pair[0].pk))


def _places_of(mail: ReceivedMail) -> Sequence[Place]:
    return persons_in(mail) or [(None, ContactRule.Role.FROM)]


def _key(place: Place) -> int | None:
    return place[0].pk if place[0] else None


def _has_persons(places: Sequence[Place]) -> bool:
    return any(person for person, _ in places)


def _give_to_nobodys(mail: ReceivedMail, places: Sequence[Place]) -> list[Place]:
    """The record without person gets the first one found since, where nobody has touched it; returns the others."""
    (person, role), others = places[0], list(places[1:])
    untouched = ContactRecord.objects.select_for_update(of=("self",)).filter(mail=mail, recipient=None, changed_by="")
    row = untouched.first()
    if row is None:
        return list(places)
    row.recipient, row.role, row.party = person, role, ""
    row.save()
    Expansion.objects.get_or_create(mail=mail, recipient=person)
    return others


def _follow_text(mail: ReceivedMail) -> None:
    for row in ContactRecord.objects.select_for_update(of=("self",)).filter(mail=mail, changed_by=""):
        words = (_subject(mail), mail.text)
        if (row.subject, row.body) != words:
            row.subject, row.body = words
            row.save()


def _record_of(mail: ReceivedMail, place: Place, rule: ContactRule | None, operator: Operator | None) -> ContactRecord:
    person, role = place
    made = ContactRecord(
        number=next_number(),
        contacted_at=contacted_at(mail),
        operator=operator,
        operator_name=str(operator) if operator else SYSTEM,
        department=department_for(operator, person),
        recipient=person,
        party="" if person else f"{mail.from_name} {mail.from_address}".strip()[:300],
        subject=_subject(mail),
        body=mail.text,
        mail=mail,
        role=role,
        created_by=SYSTEM,
    )
    if rule is not None:
        made.category1, made.category2, made.category3 = rule.category1, rule.category2, rule.category3
        made.status1 = rule.status
    made.save()
    Expansion.objects.create(mail=mail, recipient=person)
    copy_files(mail, made)
    return made


def copy_files(mail: ReceivedMail, made: ContactRecord) -> None:
    """Name the mail's attachments in the record; their bytes stay with the mail."""
    ContactFile.objects.bulk_create(
        ContactFile(
            record=made,
            name=one.name,
            content_type=one.content_type,
            size=one.size,
            sha256=one.sha256,
            is_from_mail=True,
        )
        for one in mail.attachments.filter(is_inline=False)
    )


def contacted_at(mail: ReceivedMail) -> datetime:
    """連絡日: the mail's Date; the arrival where that is missing or was still to come."""
    if mail.sent_at is None or mail.sent_at > mail.fetched_at:
        return mail.fetched_at
    return mail.sent_at


def department_for(operator: Operator | None, person: Recipient | None) -> Department:
    """連絡部門 of a record that nobody chose one for; see `expand`."""
    staff = getattr(person, "staff", None) if person else None
    found = (operator.department if operator else None) or (staff.department if staff else None)
    return found or Department.objects.first() or add_departments([labels.NO_DEPARTMENT])[0]


def _subject(mail: ReceivedMail) -> str:
    return mail.subject or labels.NO_SUBJECT
