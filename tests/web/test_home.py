"""ホーム: every number leads to what it counts, what is down says since when, and the first steps tell the truth."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from fumibako.apps.inbox.actions import assign
from fumibako.apps.inbox.models import Reception
from fumibako.apps.office.actions import begin_practice, issue_setup_ticket, note_failure_seen
from fumibako.apps.office.models import Operator
from fumibako.apps.office.queries import SAMPLE_OPERATOR
from fumibako.web.home.steps import steps_of
from tests.contacts.records import make_account, make_mail, make_record, make_worker, today_plus

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Operator:
    return make_worker("佐藤 恵", is_administrator=True)


@pytest.fixture
def browser(boss: Operator) -> Client:
    client = Client()
    client.force_login(boss, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def page_of(browser: Client, path: str = "/") -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def test_every_number_leads_to_the_list_of_what_it_counts(browser: Client, boss: Operator) -> None:
    account = make_account()
    mails = [make_mail(account, subject=f"用件 {number}") for number in range(3)]
    assign(None, mails[0], boss)
    make_record(boss, next_on=today_plus(0))
    page = page_of(browser)
    every, own = re.findall(r'href="(/inbox/\?[^"]+)"', page)[:2]
    assert page_of(browser, every.replace("&amp;", "&")).count("用件 ") >= 3
    shown = page_of(browser, own.replace("&amp;", "&"))
    assert "用件 0" in shown
    assert "用件 1" not in shown
    assert 'href="/followups/#g_today"' in page
    assert 'id="g_today"' in page_of(browser, "/followups/")


def test_an_account_that_cannot_be_received_from_says_since_when(browser: Client) -> None:
    account = make_account(smtp_host="127.0.0.1")
    since = timezone.localtime() - timedelta(days=1)
    Reception.objects.create(account=account, failing_since_at=since, trouble_count=1)
    page = page_of(browser)
    assert "受信できません" in page
    assert f"{since.month}/{since.day} {since:%H:%M}</span> から受信できていません。" in page


def test_first_steps_are_this_operators_own(browser: Client, boss: Operator) -> None:
    begin_practice()
    colleague = make_worker("田中 由美", is_administrator=True)
    note_failure_seen(colleague)
    assert [step.is_done for step in steps_of(boss)] == [False] * 6
    assert [step.words for step in steps_of(colleague) if step.is_done] == ["失敗の理由を見る"]
    assert "0 / 6" in page_of(browser)
    assert browser.post("/first-steps/hide/").status_code == 302
    assert "0 / 6" not in page_of(browser)
    assert "はじめの一歩を表示" in page_of(browser)


def test_the_first_administrator_takes_over_the_sample_desk() -> None:
    desk = make_worker("見本 担当")
    row = make_record(desk, next_on=today_plus(0))
    Operator.objects.filter(pk=desk.pk).update(username=SAMPLE_OPERATOR, is_active=False)
    answers = {"company_name": "見本", "display_name": "佐藤 恵", "username": "sato", "password": "fumibako-no-tana"}
    Client().post("/setup/", answers | {"k": issue_setup_ticket(timezone.now())})
    row.refresh_from_db()
    assert str(row.operator) == "佐藤 恵"
