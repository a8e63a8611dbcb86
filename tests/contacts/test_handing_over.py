"""担当の引き継ぎ: what is still to be done goes to somebody else, what is done stays."""

from __future__ import annotations

import pytest

from fumibako.apps.contacts.actions import finish_follow_up
from fumibako.apps.contacts.handing_over import hand_over
from fumibako.apps.inbox.actions import assign, set_work
from fumibako.apps.inbox.models import ReceivedMail
from tests.contacts.records import make_account, make_mail, make_record, make_worker, today_plus

pytestmark = pytest.mark.django_db


def test_open_work_is_handed_over_and_what_is_done_keeps_its_name() -> None:
    leaving, coming = make_worker("見本 太郎", is_administrator=True), make_worker("佐藤 恵", is_administrator=True)
    due = make_record(leaving, next_on=today_plus(0))
    done = make_record(leaving, next_on=today_plus(0))
    finish_follow_up(leaving, done)
    account = make_account()
    mails = [make_mail(account), make_mail(account)]
    for mail in mails:
        assign(None, mail, leaving)
    set_work(None, mails[1], ReceivedMail.Work.DONE)
    assert hand_over(leaving, coming) == 2
    due.refresh_from_db()
    done.refresh_from_db()
    assert (due.operator, due.operator_name, done.operator) == (coming, "佐藤 恵", leaving)
    assert [ReceivedMail.objects.get(pk=mail.pk).assignee for mail in mails] == [coming, leaving]
    assert hand_over(leaving, coming) == 0
