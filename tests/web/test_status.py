"""動作状況: the page, who sees what on it, and the JSON for monitoring."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from fumibako.apps.accounts.models import AccountPermission
from fumibako.apps.office.models import Operator
from fumibako.apps.sending.models import Pace
from tests.support.browser import LOOKS, OpenPage, assert_accessible, assert_no_sideways_scroll, shoot
from tests.support.jobs import make_account

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def boss(client: Client, db: None) -> Client:
    client.force_login(Operator.objects.create(username="sato", display_name="佐藤", is_administrator=True))
    return client


@pytest.mark.parametrize("path", ["/status/", "/status.json"])
def test_nothing_is_told_without_a_login(client: Client, db: None, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/login/")


def test_monitoring_reads_the_same_lines_and_503_when_something_stands_still(boss: Client) -> None:
    assert boss.get("/status.json").status_code == 200
    Pace.objects.create(account=make_account(), stopped_at=NOW, stop_kind="login_refused")
    answer = boss.get("/status.json")
    told = answer.json()
    assert (answer.status_code, told["ok"], told["level"]) == (503, False, "bad")
    assert next(line for line in told["lines"] if line["key"] == "account:1")["level"] == "bad"


def test_an_operator_sees_only_accounts_he_may_use(client: Client, db: None) -> None:
    operator = Operator.objects.create(username="suzuki", display_name="鈴木")
    own, _ = make_account(), make_account()
    AccountPermission.objects.create(account=own, operator=operator, may_view=True)
    client.force_login(operator)
    keys = [line["key"] for line in client.get("/status.json").json()["lines"]]
    assert [key for key in keys if key.startswith("account:")] == [f"account:{own.account_no}"]


def test_the_page_refreshes_only_its_own_part(boss: Client) -> None:
    whole = boss.get("/status/").content.decode()
    part = boss.get("/status/", headers={"HX-Request": "true"}).content.decode()
    assert "<!doctype html>" in whole
    assert part.startswith('<div id="status"')


@pytest.mark.browser
@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_page_is_accessible_and_fits(open_page: OpenPage, size: tuple[int, int], scheme: str) -> None:
    Pace.objects.create(account=make_account(), stopped_at=NOW, stop_kind="login_refused")
    page = open_page("/status/", size=size, scheme=scheme)
    assert page.title() == "動作状況|ふみばこ"
    assert page.get_by_text("止まっているものがあります。").first.is_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    shoot(page, f"status_{size[0]}_{scheme}")
