"""What a new record begins with when it is made of a received mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import timezone

from fumibako.apps.accounts.models import ContactRule
from fumibako.apps.categories.queries import category_of_mail
from fumibako.apps.contacts import queries
from fumibako.apps.contacts.checks import record_for
from fumibako.apps.contacts.expanding import contacted_at, department_for, persons_in
from fumibako.apps.contacts.labels import ALREADY_THERE, NO_SUBJECT
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.office.models import Operator


@dataclass(frozen=True, slots=True)
class Already:
    """The record that this mail has become for this person."""

    number: str
    words: str


def from_mail(mail: ReceivedMail, operator: Operator) -> dict[str, str]:
    """The sheet of a mail: the same as 連絡記録への展開 would fill in, for the first person who has no record yet."""
    persons = persons_in(mail)
    done = {record.recipient_id for record in queries.records_of_mail(mail)}
    person, role = next(((one, place) for one, place in persons if one.pk not in done), (None, ContactRule.Role.FROM))
    if person is None and persons:
        person, role = persons[0]
    rule = ContactRule.objects.filter(account=mail.account, role=role).first()
    found = {
        "contacted_at": f"{timezone.localtime(contacted_at(mail)):%Y/%m/%d %H:%M}",
        "person": str(person.pk) if person else "",
        "subject": mail.subject or NO_SUBJECT,
        "body": mail.text,
        "department": str(department_for(operator, person).pk),
    }
    if rule is None or rule.category1_id is None:
        # What this operator chose last for a call says nothing about a mail.
        usual = category_of_mail()
        found |= {"category1": str(usual.pk) if usual else "", "category2": "", "category3": ""}
    else:
        chosen = {f"category{level}": getattr(rule, f"category{level}_id") for level in (1, 2, 3)}
        found |= {key: str(value or "") for key, value in chosen.items()}
    if rule is not None and rule.status_id:
        found["status1"] = str(rule.status_id)
    return found


def already(operator: Operator, mail: ReceivedMail | None, sheet: Mapping[str, str]) -> Already | None:
    """The record there is for this mail and person, when the operator may see it."""
    if mail is None:
        return None
    record = record_for(mail, sheet["person"]).first()
    if record is None or not queries.visible(operator).filter(pk=record.pk).exists():
        return None
    return Already(record.full_number, ALREADY_THERE.format(record.full_number))
