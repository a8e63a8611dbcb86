"""No page asks more questions the more there is: full pages of a filled desk, each within its budget."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.inbox.work import fetch_due, read_waiting
from fumibako.apps.office.models import Operator
from fumibako.apps.sending.work import tidy_up
from fumibako.cli.bench import archive

MAILS, ROWS, RECORDS = 240, 240, 80
"""More than a page of everything, in several conversations, sends, kinds and states."""
PAGES = {
    "/": 26,
    "/inbox/": 19,
    "/inbox/?v=all&p=all": 19,
    "/inbox/?v=done&p=all": 19,
    "/inbox/?v=all&p=all&unread=1": 19,
    f"/inbox/?v=all&p=all&q={quote('東京')}": 19,
    f"/inbox/?v=all&p=all&q={quote('髙橋')}": 19,
    "/inbox/?v=all&p=all&q=sender7": 19,
    "/inbox/?v=all&p=all&q=p000007@sender": 20,
    "/inbox/?p=all&q=p000007@sender": 20,
    f"/inbox/?v=all&p=all&q={quote('東京 交通費')}": 20,
    "/inbox/120/": 33,
    "/sent/?since=": 13,
    "/sent/?address=p000050": 14,
    "/sent/?address=nobody-at-all": 12,
    f"/sent/?recipient={quote('髙橋')}&address=sender7": 15,
    "/sent/1/": 13,
    "/sent/1/?result=sent&page=2": 14,
    f"/sent/1/?q={quote('髙橋')}": 14,
    "/bulk/": 16,
    "/bounces/": 13,
    "/bounces/unmatched/": 12,
    "/staff/": 14,
    "/staff/?sort=kana&page=2": 15,
    "/staff/000007/": 26,
    "/contacts/": 17,
    "/followups/": 12,
    "/status/": 31,
}
"""Address → at most so many queries. A page has 50 rows: one query per row is far beyond."""


@pytest.fixture
def desk(db: None) -> Client:
    """Somebody who is logged in, and sees everything."""
    operator: Operator = archive.fill(MAILS, ROWS, RECORDS)
    client = Client(SERVER_NAME="localhost")
    client.force_login(operator)
    return client


def test_pages_full_of_rows_stay_within_their_budget_of_queries(desk: Client) -> None:
    desk.get("/")
    over = []
    for url, most in PAGES.items():
        with CaptureQueriesContext(connection) as queries:
            answer = desk.get(url)
            count = len(queries)
        assert answer.status_code == 200, url
        if count > most:
            over.append((url, count, most))
    assert over == []


@pytest.mark.parametrize("url", ["/", "/inbox/", "/status/", "/accounts/"])
def test_more_accounts_are_not_more_queries(desk: Client, url: str) -> None:
    assert desk.get(url, follow=True).status_code == 200
    with CaptureQueriesContext(connection) as few:
        desk.get(url, follow=True)
    for account in MailAccount.objects.all():
        account.pk, account.account_no = None, account.account_no + 50
        account.save()
    with CaptureQueriesContext(connection) as many:
        desk.get(url, follow=True)
    assert len(many) == len(few)


def test_the_list_goes_on_by_the_last_mail_and_never_counts_or_skips(desk: Client) -> None:
    middle = ReceivedMail.objects.get(number=MAILS // 2)
    with CaptureQueriesContext(connection) as queries:
        answer = desk.get(f"/inbox/?v=all&p=all&after={middle.sort_key}")
        asked = [one["sql"] for one in queries.captured_queries]
    page = answer.content.decode()
    assert f"/inbox/{middle.number - 1}/" in page
    assert f"/inbox/{middle.number}/" not in page
    assert not [sql for sql in asked if " OFFSET " in sql]


def test_the_counts_of_every_page_are_answered_from_an_index_without_reading_a_mail(desk: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        desk.get("/inbox/")
        counts = [
            one["sql"] for one in queries.captured_queries if "COUNT(" in one["sql"] and "receivedmail" in one["sql"]
        ]
    plans = [plan for plan in plans_of(counts) if "inbox_receivedmail" in plan]
    assert len([plan for plan in plans if "COVERING INDEX mail_to_do" in plan]) >= 2
    assert not [plan for plan in plans if plan.startswith("SCAN inbox_receivedmail") and "INDEX" not in plan]


@pytest.mark.parametrize(
    ("url", "index"),
    [
        ("/", "COVERING INDEX contact_own_to_follow_up"),
        ("/", "COVERING INDEX delivery_handed_over"),
        ("/", "INDEX job_not_over"),
        ("/status/", "COVERING INDEX delivery_by_state"),
        ("/inbox/?v=all&p=all&unread=1", "INDEX mail_not_read"),
        ("/inbox/?v=all&p=all&attached=1", "INDEX mail_with_files"),
        ("/inbox/?v=all&p=all&q=p000007@sender", "(sort_key=?)"),
        ("/inbox/?p=all&q=p000007@sender", "(sort_key=?)"),
        ("/sent/?address=nobody", "SCAN sending_addressee"),
        ("/sent/?address=p000050", "COVERING INDEX sqlite_autoindex_sending_sentto_1 (addressee_id=?)"),
        (f"/sent/?recipient={quote('田中')}", "COVERING INDEX sqlite_autoindex_sending_sentto_1 (addressee_id=?)"),
        ("/sent/1/?q=nobody", "COVERING INDEX delivery_to_whom"),
        ("/staff/000007/", "INDEX delivery_of_person"),
    ],
)
def test_what_is_few_among_many_is_found_in_an_index(desk: Client, url: str, index: str) -> None:
    desk.get(url)
    with CaptureQueriesContext(connection) as queries:
        desk.get(url)
        asked = [one["sql"] for one in queries.captured_queries if one["sql"].startswith("SELECT")]
    plans = plans_of(asked)
    assert any(index in plan for plan in plans), plans
    # A pass over everything there is takes no condition to its beginning and no narrower index to its rows.
    large = ("inbox_receivedmail", "sending_delivery", "contacts_contactrecord", "inbox_bouncereport")
    assert not [plan for plan in plans if plan.startswith("SCAN") and plan.split()[1] in large and "INDEX" not in plan]


@pytest.mark.parametrize("asked", ["address=nobody", "address=p000050", f"recipient={quote('田中')}"])
def test_whom_the_sends_of_all_years_went_to_is_found_without_a_look_at_their_rows(desk: Client, asked: str) -> None:
    desk.get("/sent/?since=")
    with CaptureQueriesContext(connection) as queries:
        desk.get(f"/sent/?{asked}")
        statements = [one["sql"] for one in queries.captured_queries if one["sql"].startswith("SELECT")]
    assert not [plan for plan in plans_of(statements) if "delivery_to_whom" in plan]


@pytest.mark.usefixtures("desk")
def test_a_worker_with_nothing_to_do_goes_through_no_table_of_mails_once_a_second() -> None:
    tidy_up(timezone.now())
    with CaptureQueriesContext(connection) as queries:
        tidy_up(timezone.now())
        fetch_due(timezone.now())
        read_waiting()
        asked = [one["sql"] for one in queries.captured_queries if one["sql"].startswith("SELECT")]
    passes = [plan for plan in plans_of(asked) if plan.startswith(("SCAN sending_delivery", "SCAN inbox_"))]
    assert len(asked) >= 10
    assert [plan for plan in passes if "INDEX delivery_in_flight" not in plan] == []


def plans_of(statements: list[str]) -> list[str]:
    plans = []
    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}".replace("%", "%%"), None)
            plans += [str(row[3]) for row in cursor.fetchall()]
    return plans
