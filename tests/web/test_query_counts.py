"""No page asks more questions the more there is: full pages of a filled desk, each within its budget."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.office.models import Operator
from fumibako.cli.bench import archive

MAILS, ROWS, RECORDS = 240, 240, 80
"""More than a page of everything, in several conversations, sends, kinds and states."""
PAGES = {
    "/": 40,
    "/inbox/": 22,
    "/inbox/?v=all&p=all": 22,
    "/inbox/?v=done&p=all": 22,
    f"/inbox/?v=all&p=all&q={quote('東京')}": 22,
    f"/inbox/?v=all&p=all&q={quote('髙橋')}": 22,
    "/inbox/?v=all&p=all&q=sender7": 22,
    "/sent/?since=": 16,
    "/sent/1/": 16,
    "/sent/1/?result=sent&page=2": 16,
    "/bulk/": 20,
    "/bounces/": 14,
    "/bounces/unmatched/": 14,
    "/staff/": 16,
    "/staff/?sort=kana&page=2": 16,
    "/contacts/": 20,
    "/followups/": 14,
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
    plans = []
    with connection.cursor() as cursor:
        for sql in counts:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plans += [row[3] for row in cursor.fetchall() if "inbox_receivedmail" in row[3]]
    assert len([plan for plan in plans if "COVERING INDEX mail_to_do" in plan]) >= 2
    assert not [plan for plan in plans if plan.startswith("SCAN inbox_receivedmail") and "INDEX" not in plan]
