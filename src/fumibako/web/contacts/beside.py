"""What stands beside a record: its mail, its files, its branches, its person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import NoReverseMatch, reverse

from fumibako.apps.contacts import queries
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.inbox.queries import visible_mails
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import Recipient
from fumibako.web.people.lists import record_url

from .lists import status_tag


@dataclass(frozen=True, slots=True)
class MailCard:
    """The received mail of a record; `url` is "" where the operator may not open it."""

    number: int
    at: datetime
    sender: str
    subject: str
    url: str


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file of a record; `url` is "" where there are no bytes to save."""

    pk: int
    name: str
    size: int
    url: str
    is_from_mail: bool
    is_removed: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """Another record with the same 連絡NO."""

    number: str
    at: datetime
    subject: str
    tag: tuple[str, str, str] | None


def mail_card(operator: Operator, mail: ReceivedMail | None) -> MailCard | None:
    """The mail as the record shows it."""
    if mail is None:
        return None
    is_open = visible_mails(operator).filter(pk=mail.pk).exists()
    sender = f"{mail.from_name} <{mail.from_address}>" if mail.from_name else mail.from_address
    return MailCard(mail.number, mail.at, sender, mail.subject, url_of("inbox:mail", mail.number) if is_open else "")


def files_of(operator: Operator, record: ContactRecord | None, removed: Sequence[str]) -> list[FileLine]:
    """関連ファイル: those added by hand, and those of the mail, which the inbox hands out."""
    if record is None:
        return []
    rows = list(record.files.all())
    places: dict[str, int] = {}
    mail = record.mail
    if mail is not None and any(row.is_from_mail for row in rows) and mail_card(operator, mail):
        places = dict(mail.attachments.filter(is_saved=True).values_list("sha256", "position"))
        places = places if visible_mails(operator).filter(pk=mail.pk).exists() else {}
    found = []
    for row in rows:
        url = reverse("contacts:file", args=[row.pk])
        if row.is_from_mail:
            has_bytes = mail is not None and row.sha256 in places
            url = url_of("inbox:attachment", mail.number, places[row.sha256]) if mail and has_bytes else ""
        found.append(FileLine(row.pk, row.name, row.size, url, row.is_from_mail, str(row.pk) in removed))
    return found


def branches_of(operator: Operator, record: ContactRecord | None) -> list[Branch]:
    """The other records with the same 連絡NO."""
    rows = queries.branches_of(operator, record) if record else []
    return [Branch(row.full_number, row.contacted_at, row.subject, status_tag(row)) for row in rows]


def status_of(record: ContactRecord | None) -> tuple[str, str, str] | None:
    """連絡ステータス1 as a tag."""
    return status_tag(record) if record else None


def link_of(person: Recipient | None) -> str:
    """The page of a person."""
    return record_url(person) if person else ""


_LINK = re.compile(r"https?://[^\s<>\"'「」（）()、。]+|(?<![\d-])0\d{1,4}-\d{1,4}-\d{3,4}(?![\d-])")


def links_in(*texts: str) -> list[tuple[str, str]]:
    """Addresses of pages and telephone numbers in what was written, as (shown, address), at most ten."""
    found = dict.fromkeys(match.group() for text in texts for match in _LINK.finditer(text))
    return [(one, one if one.startswith("http") else f"tel:{one}") for one in list(found)[:10]]


def url_of(view: str, *arguments: object) -> str:
    """An address of another screen; "" in an installation that lacks it."""
    try:
        return reverse(view, args=arguments)
    except NoReverseMatch:
        return ""
