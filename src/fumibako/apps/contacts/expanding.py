"""連絡記録への展開: a received mail becomes one record for each person it is from or to (SPEC §2.7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from django.db import transaction

from fumibako.apps.accounts.models import ContactRule
from fumibako.apps.audit.actions import SYSTEM, record_all
from fumibako.apps.inbox.models import MailAttachment, MailPerson, ReceivedMail
from fumibako.apps.office.actions import add_departments
from fumibako.apps.office.models import Department, Operator
from fumibako.apps.recipients.models import Recipient

from . import labels
from .models import ContactFile, ContactRecord, Expansion
from .numbering import next_numbers

PLACES = tuple(role.value for role in (ContactRule.Role.FROM, ContactRule.Role.TO, ContactRule.Role.CC))
"""Somebody who stands in several places counts with the first of these."""
ROWS_PER_STATEMENT = 100

Place = tuple[Recipient | None, str]


def follow(mails: Sequence[ReceivedMail]) -> None:
    """What the reading of mail calls for a whole batch; runs inside its transaction."""
    for _, together in groupby(mails, key=attrgetter("fetched_by_id")):
        group = list(together)
        expand_all(group, group[0].fetched_by)


def expand(mail: ReceivedMail, actor: Operator | None) -> list[ContactRecord]:
    """`expand_all` for one mail."""
    return expand_all([mail], actor)


@transaction.atomic
def expand_all(mails: Sequence[ReceivedMail], actor: Operator | None) -> list[ContactRecord]:
    """Make the records of mails that were read; returns those that are new. Doing it again adds nothing.

    Only ordinary mail of accounts with 連絡記録に展開する. 対応者 is `actor`, who pressed 受信; else who fetched the
    mail; else the account's 既定対応者; else nobody. 連絡部門 is theirs; else the person's; else the office's first;
    in an office without any, 「未設定」 is made. A mail that is read again (文字コード) brings its text into records
    that nobody has touched, and gives a record without person the person who is found now.

    The database is asked nothing about one mail alone.
    """
    wanted = [mail for mail in mails if _is_expanded(mail)]
    if not wanted:
        return []
    _follow_text(wanted)
    missing = _missing_of(wanted)
    rules = {(rule.account_id, rule.role): rule for rule in ContactRule.objects.filter(account__in=_accounts(wanted))}
    numbers = iter(next_numbers(sum(map(len, missing.values()))))
    departments = _Departments()
    made = [
        _record_of(mail, place, rules.get((mail.account_id, place[1])), actor, departments, next(numbers))
        for mail in wanted
        for place in missing[mail.pk]
    ]
    _write(made, actor)
    return made


def _is_expanded(mail: ReceivedMail) -> bool:
    is_ordinary = mail.kind == ReceivedMail.Kind.ORDINARY and mail.reading == ReceivedMail.Reading.READ
    return is_ordinary and mail.account.to_contact_record


def _accounts(mails: Sequence[ReceivedMail]) -> set[int]:
    return {mail.account_id for mail in mails}


def persons_in(mail: ReceivedMail) -> list[tuple[Recipient, str]]:
    """Whom the mail is from or to, with their places, as the inbox linked them: by address, or by hand.

    Our own addresses are never persons (`inbox.matching`). An applicant who became staff stands for the staff member.
    """
    return _persons_of([mail])[mail.pk]


def _persons_of(mails: Sequence[ReceivedMail]) -> dict[int, list[tuple[Recipient, str]]]:
    found: dict[int, dict[int, tuple[Recipient, str]]] = defaultdict(dict)
    links = MailPerson.objects.filter(mail__in=mails)
    related = ("recipient__staff__department", "recipient__adopted_as__staff__department")
    for link in links.select_related(*related):
        person = link.recipient.adopted_as or link.recipient
        known = found[link.mail_id].get(person.pk)
        if known is None or PLACES.index(link.role) < PLACES.index(known[1]):
            found[link.mail_id][person.pk] = (person, link.role)
    return {mail.pk: sorted(found[mail.pk].values(), key=_order_of) for mail in mails}


def _order_of(pair: tuple[Recipient, str]) -> tuple[int, int]:
    return PLACES.index(pair[1]), pair[0].pk


def _missing_of(mails: Sequence[ReceivedMail]) -> dict[int, list[Place]]:
    """By mail: the places for which there was never a record."""
    persons = _persons_of(mails)
    done: dict[int, set[int | None]] = defaultdict(set)
    for mail_id, recipient_id in Expansion.objects.filter(mail__in=mails).values_list("mail_id", "recipient_id"):
        done[mail_id].add(recipient_id)
    untouched = ContactRecord.objects.select_for_update(of=("self",)).filter(recipient=None, changed_by="")
    nobodys = {row.mail_id: row for row in untouched.filter(mail__in=mails)}
    missing: dict[int, list[Place]] = {}
    for mail in mails:
        places: list[Place] = [place for place in persons[mail.pk] if place[0].pk not in done[mail.pk]]
        if places and mail.pk in nobodys:
            _give(nobodys[mail.pk], places.pop(0))
        elif not persons[mail.pk] and not done[mail.pk]:
            places = [(None, ContactRule.Role.FROM)]
        missing[mail.pk] = places
    return missing


def _give(row: ContactRecord, place: Place) -> None:
    """The record without person, which nobody has touched, gets the first one found since."""
    row.recipient, row.role, row.party = place[0], place[1], ""
    row.save()
    Expansion.objects.get_or_create(mail_id=row.mail_id, recipient=place[0])


def _follow_text(mails: Sequence[ReceivedMail]) -> None:
    words_of = {mail.pk: (_subject(mail), mail.text) for mail in mails}
    for row in ContactRecord.objects.select_for_update(of=("self",)).filter(mail__in=mails, changed_by=""):
        words = words_of[row.mail_id or 0]
        if (row.subject, row.body) != words:
            row.subject, row.body = words
            row.save()


def _record_of(
    mail: ReceivedMail,
    place: Place,
    rule: ContactRule | None,
    actor: Operator | None,
    departments: _Departments,
    number: int,
) -> ContactRecord:
    person, role = place
    operator = actor or mail.fetched_by or mail.account.default_operator
    made = ContactRecord(
        number=number,
        contacted_at=contacted_at(mail),
        operator=operator,
        operator_name=str(operator) if operator else SYSTEM,
        department=departments.of(operator, person),
        recipient=person,
        party="" if person else f"{mail.from_name} {mail.from_address}".strip()[:300],
        subject=_subject(mail),
        body=mail.text,
        mail=mail,
        role=role,
        created_by=SYSTEM,
    )
    if rule is not None:
        made.category1_id, made.category2_id = rule.category1_id, rule.category2_id
        made.category3_id, made.status1_id = rule.category3_id, rule.status_id
    return made


def _write(made: Sequence[ContactRecord], actor: Operator | None) -> None:
    """The records, what says that they were made, their files, and one audit entry for each mail."""
    ContactRecord.objects.bulk_create(made, batch_size=ROWS_PER_STATEMENT)
    Expansion.objects.bulk_create(
        [Expansion(mail=one.mail, recipient=one.recipient) for one in made], batch_size=ROWS_PER_STATEMENT
    )
    _name_files(made)
    numbers: dict[str, list[str]] = defaultdict(list)
    for one in made:
        assert one.mail is not None
        numbers[f"mail:{one.mail.number}"].append(one.full_number)
    record_all(actor, "contact.expanded", {target: {"records": ["", given]} for target, given in numbers.items()})


def _name_files(made: Sequence[ContactRecord]) -> None:
    """Name the mails' attachments in the records; their bytes stay with the mails."""
    files: dict[int, list[MailAttachment]] = defaultdict(list)
    for one in MailAttachment.objects.filter(mail__in={record.mail_id for record in made}, is_inline=False):
        files[one.mail_id].append(one)
    ContactFile.objects.bulk_create(
        (
            ContactFile(
                record=record,
                name=one.name,
                content_type=one.content_type,
                size=one.size,
                sha256=one.sha256,
                is_from_mail=True,
            )
            for record in made
            for one in files.get(record.mail_id or 0, ())
        ),
        batch_size=ROWS_PER_STATEMENT,
    )


def contacted_at(mail: ReceivedMail) -> datetime:
    """連絡日: the mail's Date; the arrival where that is missing or was still to come."""
    if mail.sent_at is None or mail.sent_at > mail.fetched_at:
        return mail.fetched_at
    return mail.sent_at


def department_for(operator: Operator | None, person: Recipient | None) -> Department:
    """連絡部門 of a record that nobody chose one for; see `expand_all`."""
    return _Departments().of(operator, person)


class _Departments:
    """The 連絡部門 of many records; the office's own is looked up once, when it is needed."""

    def __init__(self) -> None:
        self._usual: Department | None = None

    def of(self, operator: Operator | None, person: Recipient | None) -> Department:
        """Of one record."""
        staff = getattr(person, "staff", None) if person else None
        found = (operator.department if operator else None) or (staff.department if staff else None)
        return found or self._of_the_office()

    def _of_the_office(self) -> Department:
        self._usual = self._usual or Department.objects.first() or add_departments([labels.NO_DEPARTMENT])[0]
        return self._usual


def _subject(mail: ReceivedMail) -> str:
    return mail.subject or labels.NO_SUBJECT
