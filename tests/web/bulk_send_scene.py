"""A small office for the tests of the bulk send screens: its people, its drafts, and a worker for one moment."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import Recipient
from fumibako.apps.sending import actions, drafts
from fumibako.apps.sending.approval import TICKS
from fumibako.apps.sending.inspection import inspect
from fumibako.apps.sending.models import BulkSend
from fumibako.apps.sending.selection import counts_of
from fumibako.apps.sending.work import send_account, tidy_up
from tests.sending.drafting import make_person
from tests.support.jobs import FakeTime, around, make_account

SUBJECT = "12月度シフト提出のお願い"
BODY = "{{氏名}} 様\n\nいつもお世話になっております。\n12月のシフトをご提出ください。"


def make_office(**account: Any) -> MailAccount:
    """A sending account and six people: one with two addresses, one who does not exist, one 送らない, one without."""
    make_person("山田 太郎", "yamada.taro@example.jp", "taro@example.jp")
    make_person("石井 健", "ishii.unknown@example.jp")
    make_person("大野 修", "ohno.drop@example.jp")
    make_person("見本 花子", "hanako@example.jp", flag="do_not")
    make_person("住所 なし")
    make_person("高橋 直子", "takahashi@example.jp", kind="applicant")
    name = {"name": "スタッフ連絡用", "from_name": "見本スタッフ", "signature": "見本スタッフ\nTEL 03-0000-0000"}
    return make_account(**(name | account))


def make_draft(operator: Operator, account: MailAccount, **letter: str) -> BulkSend:
    """A draft of `operator` to everybody in the office."""
    draft = drafts.start_draft(operator)
    drafts.set_sender(operator, draft, account, "business")
    drafts.set_letter(operator, draft, letter.get("subject", SUBJECT), letter.get("body", BODY))
    drafts.add_people(operator, draft, "", Recipient.objects.values_list("pk", flat=True))
    return BulkSend.objects.select_related("account").get(pk=draft.pk)


def confirm_findings(draft: BulkSend) -> None:
    """このままでよい for everything."""
    for finding in inspect(draft, timezone.now()).findings:
        if finding.weight == "confirm":
            drafts.confirm_finding(None, draft, finding.key, finding.fingerprint)


def approve(operator: Operator, draft: BulkSend, start: Any = "hold") -> BulkSend:
    """Send the draft as the gate would."""
    confirm_findings(draft)
    draft.refresh_from_db()
    return actions.approve_bulk_send(
        operator,
        draft.pk,
        version=draft.version,
        typed_number=str(counts_of(draft).mail_count),
        ticks=TICKS,
        start=start,
        accept_warning_hours=True,
    )


def work(job: BulkSend, port: int, seconds: float = 0) -> BulkSend:
    """Let a worker do everything that is due `seconds` from now, over the mail server on `port`."""
    clock = FakeTime(now=timezone.now() + timedelta(seconds=seconds))
    tidy_up(clock.now)
    assert job.account is not None
    send_account(job.account.pk, "w1", threading.Event(), around(port, clock, short_wait=timedelta(0)))
    tidy_up(clock.now)
    job.refresh_from_db()
    return job
