"""Drafts for tests, made by the same verbs that the screens use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.office.models import Office, Operator
from fumibako.apps.office.queries import office
from fumibako.apps.recipients.models import Applicant, Client, ClientContact, PartyAddress, Recipient, Staff
from fumibako.apps.sending import actions, drafts
from fumibako.apps.sending.approval import TICKS
from fumibako.apps.sending.inspection import inspect
from fumibako.apps.sending.models import BulkSend
from fumibako.mime.addresses import address_key
from tests.support.jobs import make_account, make_people

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
"""10:00 in Japan."""

SUBJECT = "12月度シフト提出のお願い"
BODY = "{{氏名}} 様\nいつもお世話になっております。\n12月のシフトをご提出ください。\n"


def make_person(name: str, *addresses: str, kind: str = "staff", flag: str = "send", **values: Any) -> Recipient:
    """A person with these addresses, all with the same flag."""
    family, _, given = name.partition(" ")
    number = f"{Recipient.objects.count() + 1:06}"
    person = Recipient.objects.create(kind=kind, number=number, family_name=family, given_name=given, **values)
    if kind == "staff":
        Staff.objects.create(recipient=person, employment=Staff.Employment.WORKING)
    if kind == "applicant":
        Applicant.objects.create(recipient=person)
    if kind == "client":
        company = Client.objects.create(number=number, company_name=f"{family}商事")
        ClientContact.objects.create(recipient=person, client=company)
    for slot, address in enumerate(addresses, start=1):
        PartyAddress.objects.create(
            recipient=person, slot=slot, address=address, address_key=address_key(address), flag=flag
        )
    return person


def make_crowd(count: int) -> list[int]:
    """Ids of `count` staff members with one address each, made quickly."""
    addresses = make_people(count)
    Staff.objects.bulk_create(Staff(recipient_id=one.recipient_id, employment="working") for one in addresses)
    return [one.recipient_id for one in addresses]


def make_draft(
    people: Sequence[Recipient] = (), account: MailAccount | None = None, *, subject: str = SUBJECT, body: str = BODY
) -> BulkSend:
    """A draft with an account, a letter and these people."""
    draft = drafts.start_draft(None)
    drafts.set_sender(None, draft, account or make_account(), "business")
    drafts.set_letter(None, draft, subject, body)
    if people:
        drafts.add_people(None, draft, "", [person.pk for person in people])
    return fresh(draft)


def fresh(job: BulkSend) -> BulkSend:
    """The job as it is stored now."""
    return BulkSend.objects.select_related("account").get(pk=job.pk)


def confirm_all(draft: BulkSend, now: datetime = NOW) -> BulkSend:
    """Tick このままでよい on everything that asks for it."""
    for finding in inspect(fresh(draft), now).findings:
        if finding.weight == "confirm":
            drafts.confirm_finding(None, draft, finding.key, finding.fingerprint)
    return fresh(draft)


def approve(draft: BulkSend, operator: Operator | None = None, **values: Any) -> BulkSend:
    """Go through the gate with everything ticked and confirmed."""
    ready = confirm_all(draft, values.get("now", NOW))
    gate: dict[str, Any] = {"version": ready.version, "ticks": TICKS, "start": "immediately", "now": NOW}
    return actions.approve_bulk_send(operator, ready.pk, **(gate | values))


def office_with(**values: Any) -> Office:
    """The office with other settings."""
    settings = office()
    for name, value in values.items():
        setattr(settings, name, value)
    settings.save()
    return settings
