"""The office that is measured: one account, many invented people, one personal Japanese letter of about 2 KB."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.office import durability
from fumibako.apps.office.models import Department
from fumibako.apps.recipients.models import PartyAddress, Recipient, Staff
from fumibako.apps.sending import actions, drafts
from fumibako.apps.sending.approval import TICKS
from fumibako.apps.sending.inspection import inspect
from fumibako.apps.sending.models import BulkSend

SUBJECT = "{{氏名}}様 来月の勤務予定のお知らせ"
PARAGRAPH = "いつもお世話になっております。来月の勤務予定をお知らせします。ご確認のうえ、今週中にご返信ください。\n"
BODY = "{{氏名}}様\n\n" + PARAGRAPH * 9 + "\n見本スタッフ株式会社\n"
PEOPLE_AT_ONCE = 2000
PEOPLE_A_DAY = 100_000
"""What an account that has sent nothing yet is expected to send at least."""


def make_office(people_count: int, *, connections: int, port: int) -> MailAccount:
    """Everything but the letter."""
    with transaction.atomic():
        account = MailAccount.objects.create(
            account_no=1,
            name="測定",
            receive_enabled=False,
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_security="none",
            smtp_auth=False,
            from_name="見本スタッフ",
            from_address="staff@example.jp",
            connections=connections,
        )
        department, _ = Department.objects.get_or_create(code="01", defaults={"name": "東京本社"})
        for first in range(0, people_count, PEOPLE_AT_ONCE):
            _make_people(range(first, min(first + PEOPLE_AT_ONCE, people_count)), department)
    return account


def _make_people(numbers: range, department: Department) -> None:
    people = Recipient.objects.bulk_create(
        Recipient(kind="staff", number=f"{n + 1:07}", family_name=f"見本{n % 977}", given_name="花子") for n in numbers
    )
    Staff.objects.bulk_create(Staff(recipient=person, department=department) for person in people)
    addresses = [f"p{person.number}@example.com" for person in people]
    PartyAddress.objects.bulk_create(
        PartyAddress(recipient=person, slot=1, address=address, address_key=address)
        for person, address in zip(people, addresses, strict=True)
    )


def make_draft(account: MailAccount) -> BulkSend:
    """The letter, to everybody."""
    draft = drafts.start_draft(None)
    drafts.set_sender(None, draft, account, "business")
    drafts.set_letter(None, draft, SUBJECT, BODY)
    drafts.add_people(None, draft, "staff", {})
    return BulkSend.objects.select_related("account").get(pk=draft.pk)


def only_draft() -> BulkSend:
    """The draft that is there already."""
    return BulkSend.objects.select_related("account").get(approved_at=None)


def confirm_all(draft: BulkSend) -> int:
    """Tick このままでよい everywhere; return how many mails it is."""
    found = inspect(draft, timezone.now())
    for finding in found.findings:
        if finding.weight == "confirm":
            drafts.confirm_finding(None, draft, finding.key, finding.fingerprint)
    return found.counts.mail_count


def approve(draft: BulkSend, mail_count: int) -> BulkSend:
    """Freeze it."""
    draft.refresh_from_db()
    return actions.approve_bulk_send(
        None,
        draft.pk,
        version=draft.version,
        typed_number=str(mail_count),
        ticks=TICKS,
        start="immediately",
        accept_warning_hours=True,
        deadline_at=timezone.now() + timedelta(days=2 + mail_count // PEOPLE_A_DAY),
    )


def database_facts() -> dict[str, str]:
    """What the database promises, read back from it."""
    found = durability.read_back()
    return {"database": found.engine, "version": found.version, "on": found.file_system, **found.settings}
