"""Making contact records and received mails for tests by the same verbs that the product uses."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from fumibako.apps.accounts.models import ContactRule, MailAccount
from fumibako.apps.categories.labels import NEXT, STATUS
from fumibako.apps.categories.models import Category, ContactCategory
from fumibako.apps.contacts import actions
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.inbox.matching import surroundings_of
from fumibako.apps.inbox.models import MailPerson, ReceivedMail
from fumibako.apps.office.models import Department, Operator
from fumibako.mime.addresses import address_key

OURS = "staff@office.example.jp"
SENT = datetime(2026, 11, 24, 8, 30, 17, tzinfo=UTC)


def make_worker(name: str = "佐藤 美咲", department: str = "東京本社", **values: Any) -> Operator:
    """An operator with a 部門."""
    place = Department.objects.filter(name=department).first() or Department.objects.create(
        name=department, code=f"{900 + Department.objects.count()}"
    )
    username = f"worker{Operator.objects.count()}"
    return Operator.objects.create_user(username=username, display_name=name, department=place, **values)


def make_account(**values: Any) -> MailAccount:
    """An account with 連絡記録に展開する."""
    known = {"account_no": MailAccount.objects.count() + 1, "name": "スタッフ連絡用", "from_address": OURS}
    return MailAccount.objects.create(**known | {"to_contact_record": True, "receive_enabled": True} | values)


def make_mail(
    account: MailAccount,
    sender: str = "taro@example.jp",
    *,
    to: Sequence[str] = (OURS,),
    cc: Sequence[str] = (),
    **values: Any,
) -> ReceivedMail:
    """A mail that was read, linked to its persons as reading links them."""
    number = ReceivedMail.objects.count() + 1
    known = {
        "number": number,
        "sort_key": number,
        "raw_sha256": hashlib.sha256(str(number).encode()).hexdigest(),
        "raw_path": f"1/{number}.eml",
        "raw_size": 1000,
        "fetched_at": SENT + timedelta(minutes=5),
        "sent_at": SENT,
        "at": SENT,
        "parsed_at": SENT + timedelta(minutes=5),
        "reading": "read",
        "kind": "ordinary",
        "from_address": sender,
        "from_key": address_key(sender),
        "to_text": ", ".join(to),
        "cc_text": ", ".join(cc),
        "subject": "シフトの件",
        "text": "お世話になっております。",
    }
    mail = ReceivedMail.objects.create(account=account, **known | values)
    link_persons(mail, to, cc)
    return mail


def link_persons(mail: ReceivedMail, to: Sequence[str] = (), cc: Sequence[str] = ()) -> None:
    """What reading the mail again links."""
    facts: dict[str, Any] = {name: [] for name in ("failures", "our_ids", "our_links", "references")}
    facts |= {"in_reply_to": "", "from_key": mail.from_key}
    facts |= {"to_keys": [address_key(one) for one in to], "cc_keys": [address_key(one) for one in cc]}
    for recipient_id, role in surroundings_of([facts]).persons_of(facts, mail.thread).items():
        MailPerson.objects.get_or_create(mail=mail, recipient_id=recipient_id, defaults={"role": role})


def status(number: int = 1, section: str = STATUS) -> Category:
    """連絡ステータス with this NO."""
    return Category.objects.get(section=section, number=number)


def next_way(number: int = 1) -> Category:
    """次回対応区分 with this NO."""
    return status(number, NEXT)


def make_category(name: str, parent: ContactCategory | None = None) -> ContactCategory:
    """A 連絡区分 below another."""
    level = parent.level + 1 if parent else 1
    return ContactCategory.objects.create(level=level, parent=parent, name=name, sort_order=50)


def set_rule(account: MailAccount, role: str, **values: Any) -> ContactRule:
    """連絡区分・ステータス of one place."""
    return ContactRule.objects.create(account=account, role=role, **values)


def make_record(operator: Operator, **values: str) -> ContactRecord:
    """A record as the form makes it."""
    given = {"subject": "電話での相談", "body": "来月のシフトについて"}
    return actions.save_record(operator, None, actions.defaults_for(operator) | given | values)


def today_plus(days: int) -> str:
    """A day near today as the form has it."""
    return f"{timezone.localdate() + timedelta(days=days):%Y/%m/%d}"
