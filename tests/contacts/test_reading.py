"""From the mail server to the contact record: a mail is fetched, read and expanded in one go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.inbox.actions import read_again
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.inbox.reader.pool import POOL
from tests.contacts.records import make_worker, set_rule, status
from tests.inbox.desk import BOX, Post, error_mail, fetch, forget_words, letter, receiving_account
from tests.recipients.people import make_staff


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """The practice mail server."""
    with Post(tmp_path / "post") as found:
        yield found
    POOL.close()


@pytest.fixture
def account(transactional_db: None, django_db_serialized_rollback: None, post: Post) -> Iterator[MailAccount]:
    """An account whose mails become contact records."""
    account = receiving_account(post.pop_port, to_contact_record=True, default_operator=make_worker())
    set_rule(account, "from", status=status(1))
    set_rule(account, "cc", status=status(2))
    yield account
    forget_words()


def test_example_13_and_example_14_hold_from_the_server_to_the_record(account: MailAccount, post: Post) -> None:
    make_staff("土井 大", "d@example.jp")
    make_staff("江口 恵", "e@example.jp")
    post.put(letter(1, sender="=?utf-8?b?5Zyf5LqV?= <D@EXAMPLE.JP>", Cc=f'{BOX}, "a, b" <"e"@example.jp>'))
    post.put(letter(2, sender="who@example.net", subject="はじめまして"))
    post.put(error_mail("d@example.jp"))
    fetch(account)
    assert [
        (str(one.recipient or ""), one.role, str(one.status1 or ""), one.mail.number if one.mail else 0)
        for one in ContactRecord.objects.order_by("number")
    ] == [
        ("土井 大", "from", "未対応", 1),
        ("江口 恵", "cc", "対応中", 1),
        ("", "from", "未対応", 2),
    ]
    stranger = ContactRecord.objects.get(recipient=None)
    assert (stranger.party, stranger.subject, stranger.body) == ("who@example.net", "はじめまして", "text of 2")
    assert (stranger.operator_name, str(stranger.department)) == ("佐藤 美咲", "東京本社")
    fetch(account)
    for mail in ReceivedMail.objects.all():
        read_again(None, mail)
    assert ContactRecord.objects.count() == 3
