"""Receiving for one account against the practice server: what is stored, deleted, left, and accounted for."""

from __future__ import annotations

import hashlib

import pytest
from django.conf import settings

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.inbox.reception import reconciliation
from tests.inbox.desk import Post, error_mail, fetch, letter, mails_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_mail_is_kept_byte_for_byte_and_read(account: MailAccount, post: Post) -> None:
    raw = letter(1, subject="面談の件", text="東京の面談について")
    post.put(raw)
    run = fetch(account)
    (mail,) = mails_of(account)
    assert (settings.DATA.mail / mail.raw_path).read_bytes() == raw
    assert mail.raw_sha256 == hashlib.sha256(raw).hexdigest()
    assert (mail.number, mail.subject, mail.kind, mail.reading) == (1, "面談の件", "ordinary", "read")
    assert (run.listed_count, run.stored_count, run.trouble_kind) == (1, 1, "")


def test_example_11_error_mails_only_takes_and_deletes_the_error_mail_and_leaves_the_rest(
    account: MailAccount, post: Post
) -> None:
    account.bounce_only = account.delete_after_receive = True
    account.save()
    post.put(letter(1), error_mail("nobody@example.com"), letter(2))
    run = fetch(account)
    assert (run.stored_count, run.deleted_count, run.skipped_count) == (1, 1, 2)
    assert [mail.kind for mail in mails_of(account)] == ["bounce"]
    assert len(post.left()) == 2
    assert reconciliation(account).is_balanced

    account.bounce_only = False
    account.save()
    again = fetch(account)
    assert (again.stored_count, again.deleted_count) == (2, 2)
    assert post.left() == []
    assert reconciliation(account).is_balanced


def test_example_12_leaving_mail_on_the_server_makes_no_duplicates(account: MailAccount, post: Post) -> None:
    post.put(letter(1), letter(2))
    fetch(account)
    run = fetch(account)
    assert (run.listed_count, run.known_count, run.stored_count) == (2, 2, 0)
    assert ReceivedMail.objects.count() == 2
    assert len(post.left()) == 2
    found = reconciliation(account)
    assert (found.listed, found.stored, found.is_balanced) == (2, 2, True)


def test_a_deleted_mail_is_not_fetched_again(account: MailAccount, post: Post) -> None:
    from fumibako.apps.inbox import actions

    post.put(letter(1))
    fetch(account)
    actions.delete_mail(None, mails_of(account)[0])
    assert fetch(account).stored_count == 0
    assert ReceivedMail.objects.count() == 1


def test_the_same_mail_to_two_accounts_is_two_mails(account: MailAccount, post: Post) -> None:
    from tests.inbox.desk import receiving_account

    other = receiving_account(post.pop_port, user_id="other@example.jp", from_address="other@example.jp")
    post.put(letter(1))
    post.put(letter(1), box="other@example.jp")
    fetch(account)
    fetch(other)
    assert ReceivedMail.objects.count() == 2
