"""Who may see a mail: the account's 参照 permission, everywhere."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied

from fumibako.apps.accounts.models import AccountPermission, MailAccount
from fumibako.apps.inbox import actions, queries
from fumibako.apps.inbox.models import BounceReport, FetchRequest
from fumibako.apps.inbox.queries import Conditions
from fumibako.apps.office.models import Operator
from tests.inbox.desk import Post, error_mail, fetch, letter, mails_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_example_16_without_permission_a_mail_is_absent_everywhere_and_nothing_can_be_done_to_it(
    account: MailAccount, post: Post, guest: Operator
) -> None:
    post.put(letter(1), error_mail("nobody@example.com"))
    fetch(account)
    mail = mails_of(account)[0]
    assert not queries.visible_mails(guest).exists()
    assert not queries.search(guest, Conditions(words="mail")).exists()
    assert queries.mail_numbered(guest, mail.number) is None
    assert BounceReport.objects.count() == 1
    assert not queries.bounce_list(guest).exists()
    assert queries.counts(guest).open == 0
    assert actions.fetch_now(guest) == []
    assert actions.fetch_now(guest, [account.pk]) == []
    for act in (
        lambda: actions.set_work(guest, mail, "done"),
        lambda: actions.add_note(guest, mail, "x"),
        lambda: actions.assign(guest, mail, guest),
        lambda: actions.delete_mail(guest, mail),
        lambda: actions.mark_read(guest, mail),
        lambda: actions.read_again(guest, mail),
        lambda: actions.touch_presence(guest, mail),
        lambda: actions.confirm_answer(guest, mail, "yes"),
        lambda: actions.settle_bounce(guest, BounceReport.objects.get(), None, "x"),
        lambda: actions.allow_again(guest, account),
    ):
        with pytest.raises(PermissionDenied):
            act()

    AccountPermission.objects.create(account=account, operator=guest, may_view=True)
    assert queries.visible_mails(guest).count() == 2
    assert actions.set_work(guest, mail, "done").work == "done"
    (asked,) = actions.fetch_now(guest)
    assert asked.request is not None
    assert (FetchRequest.objects.get().operator_name, asked.request.run) == ("客 太郎", None)
