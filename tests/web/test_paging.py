"""Pages by number lead to the same rows whichever row they are reached from, and never skip rows when one is known."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.db.models import Count, Max
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fumibako.apps.inbox import queries as inbox
from fumibako.apps.inbox.models import BounceReport
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.models import Recipient
from fumibako.cli.bench import archive
from fumibako.web.paging import page_of

PEOPLE, PER = 47, 5
LAST = 10

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> list[int]:
    """So many people in the order of their readings, of which several have the same."""
    rows = [
        Recipient(kind="staff", number=f"{number:06}", family_name="見本", kana="アイウエ"[number % 4])
        for number in range(1, PEOPLE + 1)
    ]
    Recipient.objects.bulk_create(rows)
    return [row.pk for row in sorted(Recipient.objects.all(), key=lambda row: (row.kana, row.number))]


def numbers_on(number: int, near: str = "", order: tuple[str, ...] = ("kana", "number")) -> list[int]:
    asked = {"page": str(number), "near": near}
    return [row.pk for row in page_of(Recipient.objects.all(), PER, asked, order).object_list]


def near_of(number: int) -> str:
    return page_of(Recipient.objects.all(), PER, {"page": str(number)}, ("kana", "number")).near


def test_every_page_is_the_same_from_every_other(people: list[int]) -> None:
    for number in range(1, LAST + 1):
        wanted = people[(number - 1) * PER : number * PER]
        assert numbers_on(number) == wanted
        for origin in range(1, LAST + 1):
            assert numbers_on(number, near_of(origin)) == wanted, (number, origin)


def test_the_other_direction_is_the_same_turned_round(people: list[int]) -> None:
    turned = people[::-1]
    for number in range(1, LAST + 1):
        assert numbers_on(number, order=("-kana", "-number")) == turned[(number - 1) * PER : number * PER]


@pytest.mark.parametrize(
    "near", ["", "nonsense", "3-", "-7", "3-1", "3-999998-999999", "²-1-2", "999999999999999999999-1-2", "--"]
)
def test_what_a_link_cannot_know_is_counted_from_an_end(people: list[int], near: str) -> None:
    assert numbers_on(4, near) == people[15:20]


@pytest.mark.parametrize(("asked", "shown"), [("0", LAST), ("11", LAST), ("x", 1), ("", 1)])
def test_a_number_there_is_no_page_for_leads_to_one_there_is(people: list[int], asked: str, shown: int) -> None:
    page = page_of(Recipient.objects.all(), PER, {"page": asked}, ("kana", "number"))
    assert (page.number, page.paginator.count, page.paginator.num_pages) == (shown, PEOPLE, LAST)


def test_rows_that_go_meanwhile_are_not_missed_by_going_on(people: list[int]) -> None:
    near = near_of(2)
    Recipient.objects.filter(pk__in=people[:3]).delete()
    assert numbers_on(3, near) == people[10:15]


def test_an_empty_list_is_one_page_without_rows() -> None:
    page = page_of(Recipient.objects.all(), PER, {"page": "3"}, ("number",))
    assert (list(page.object_list), page.number, page.near) == ([], 1, "")


def test_the_links_of_a_large_send_and_of_a_list_lead_on_without_skipping_rows() -> None:
    operator: Operator = archive.fill(0, 2_000, 0)
    client = Client(SERVER_NAME="localhost")
    client.force_login(operator)
    for url, where in (("/sent/1/", r"/sent/1/(\d+)/"), ("/staff/", r"/staff/(\d+)/")):
        page, seen = client.get(url).content.decode(), 0
        for _ in range(3):
            link = re.search(r'rel="next" href="(\?[^"]+)"', page)
            assert link is not None
            with CaptureQueriesContext(connection) as queries:
                page = client.get(url + link[1].replace("&amp;", "&")).content.decode()
                asked = [one["sql"] for one in queries.captured_queries]
            assert not [sql for sql in asked if " OFFSET " in sql]
            numbers = [int(number) for number in re.findall(where, page)]
            assert min(numbers) == max(seen + 1, 51)
            seen = max(numbers)


def test_failing_addresses_are_told_once_each_by_their_newest_error_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    archive.fill(1_200, 0, 0)
    for report in BounceReport.objects.all():
        report.address_key = f"a{report.pk**2 % 13}@example.jp"
        report.save()
    monkeypatch.setattr(inbox, "FIRST_STEP", 2)
    reports = inbox.bounce_list(None)
    groups = reports.order_by().values("address_key").annotate(count=Count("pk"), last=Max("mail__sort_key"))
    wanted = [(one["address_key"], one["count"], one["last"]) for one in groups.order_by("-last")]
    told: list[tuple[str, int, int]] = []
    while page := inbox.failing_addresses(reports, 3, told[-1][2] if told else None):
        told += [(one.address_key, one.count, one.last) for one in page]
    assert told == wanted
    assert len(told) > 3
