"""Ways from sending to the people: the record of whom a mail was for."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from fumibako.apps.recipients.models import Recipient

RECORDS: dict[str, str] = {Recipient.Kind.STAFF: "people:staff_record", Recipient.Kind.APPLICANT: "people:applicant"}


def place(view: str, *args: object) -> str:
    """The address of a screen; "" when this installation does not have it."""
    try:
        return reverse(view, args=args)
    except NoReverseMatch:
        return ""


def record_url(kind: str, number: str, recipient_id: int | None) -> str:
    """The record of a person; "" when the person is gone. A contact's is their company's (得意先NO-枝番)."""
    if recipient_id is None:
        return ""
    if kind == Recipient.Kind.CLIENT:
        company = place("people:client", "-".join(number.split("-")[:2]))
        return f"{company}#c{recipient_id}" if company else ""
    return place(RECORDS[kind], number) if kind in RECORDS else ""
