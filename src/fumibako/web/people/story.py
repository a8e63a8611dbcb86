"""やり取り as the screens draw it: mails out and in, error mails and contact records of people, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from fumibako.apps.contacts.timeline import Entry, Kind, timeline_of_all
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import Recipient
from fumibako.apps.recipients.queries import one_person_of

WORDS = {Kind.MAIL_OUT: "送信", Kind.MAIL_IN: "受信", Kind.BOUNCE: "エラーメール", Kind.CONTACT: "連絡記録"}
ICONS = {Kind.MAIL_OUT: "send", Kind.MAIL_IN: "inbox", Kind.BOUNCE: "mail-x", Kind.CONTACT: "notebook-pen"}
NUMBERS = {Kind.MAIL_OUT: "送信管理NO", Kind.MAIL_IN: "受信管理NO", Kind.BOUNCE: "受信管理NO", Kind.CONTACT: "連絡NO"}
STATES: dict[Kind, dict[str, tuple[str, str]]] = {
    Kind.MAIL_OUT: {
        "sent": ("ok", "circle-check"),
        "failed": ("bad", "circle-x"),
        "bounced": ("bad", "mail-x"),
        "unknown": ("warn", "circle-help"),
    },
    Kind.MAIL_IN: {"open": ("warn", "clock"), "waiting": ("key", "reply"), "done": ("ok", "circle-check")},
    Kind.BOUNCE: {
        "counted": ("bad", "circle-x"),
        "unmatched": ("warn", "circle-help"),
        "unverified": ("warn", "circle-help"),
    },
    Kind.CONTACT: {"1": ("warn", "clock"), "2": ("key", "loader-circle"), "3": ("ok", "circle-check")},
}
"""Stable word → (kind of tag, icon); what is not here is grey."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry with its words, drawing and address; `url` is "" where there is no page for it."""

    entry: Entry
    words: str
    icon: str
    number_label: str
    state_css: str
    state_icon: str
    url: str
    contact_url: str


def story_of(people: Sequence[Recipient], operator: Operator, limit: int = 200) -> list[Line]:
    """The lines of these people together, whoever they were before."""
    ids = list(dict.fromkeys(pk for person in people for pk in one_person_of(person)))
    return [_line(entry) for entry in timeline_of_all(ids, operator, limit)] if ids else []


def _line(entry: Entry) -> Line:
    css, icon = STATES[entry.kind].get(entry.code, ("", ""))
    contact = _url("contacts:record", entry.contact) if entry.contact else ""
    return Line(entry, WORDS[entry.kind], ICONS[entry.kind], NUMBERS[entry.kind], css, icon, _page_of(entry), contact)


def _page_of(entry: Entry) -> str:
    if entry.kind is Kind.CONTACT:
        return _url("contacts:record", entry.number)
    if entry.kind is Kind.MAIL_OUT:
        return _url("history:mail", int(entry.number), entry.seq)
    return _url("inbox:mail", int(entry.number))


def _url(view: str, *arguments: object) -> str:
    # A screen that this installation does not have has no pages to lead to.
    try:
        return reverse(view, args=arguments)
    except NoReverseMatch:
        return ""
