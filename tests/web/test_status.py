"""動作状況: the page, who sees what on it, and the JSON for monitoring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from fumibako.apps.accounts.models import AccountPermission, MailAccount
from fumibako.apps.inbox.models import FetchRun, Reception, SeenMail
from fumibako.apps.inbox.reception import fetch_status, reconciliation
from fumibako.apps.office.models import Operator
from fumibako.apps.sending.models import Pace
from fumibako.web.status.receiving import receive_line
from fumibako.web.status.views import facts_of
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


def receiving(**values: object) -> dict[str, object]:
    """The line of an account that receives, as monitoring reads it."""
    account = make_account(receive_enabled=True, pop_host="pop.example.jp", name="スタッフ連絡用")
    Reception.objects.create(account=account, last_success_at=NOW, next_at=NOW + timedelta(minutes=5), **values)
    FetchRun.objects.create(account=account, started_at=NOW, finished_at=NOW, listed_count=3)
    for uidl, state in (("a", "stored"), ("b", "stored"), ("c", "skipped")):
        seen = {"first_seen_at": NOW, "last_seen_at": NOW, "raw_sha256": "0" * 64 if state == "stored" else ""}
        SeenMail.objects.create(account=account, uidl=uidl, state=state, **seen)
    return facts_of(receive_line(fetch_status(account), reconciliation(account), NOW))


def test_a_receiving_account_says_when_and_that_the_servers_list_adds_up(db: None) -> None:
    line = receiving()
    assert line["level"] == "ok"
    assert line["text"] == "18:00 に受信しました。次は 18:05 です。サーバーの一覧 3通 = 保存済み 2 + 対象外 1。"
    assert line["facts"]["stored"] == 2  # type: ignore[index]


def test_a_sum_that_does_not_add_up_is_told(db: None) -> None:
    receiving()
    account = MailAccount.objects.get()
    SeenMail.objects.filter(uidl="c").delete()
    line = receive_line(fetch_status(account), reconciliation(account), NOW)
    assert (line.level, "合計が合いません。" in line.text) == ("warn", True)


def test_an_account_that_is_down_or_stopped_says_since_when_and_what_to_do(db: None) -> None:
    failing = receiving(failing_since_at=NOW, trouble_kind="connect_timeout")
    assert failing["level"] == "warn"
    assert str(failing["text"]).startswith("18:00 から受信できていません。")
    stopped = receiving(stopped_at=NOW, failing_since_at=NOW, trouble_kind="login_refused")
    assert stopped["level"] == "bad"
    assert str(stopped["text"]).startswith("受信を止めています。")
    assert stopped["next_step"]


def test_the_strip_above_the_list_leads_to_the_accounts_line(boss: Client) -> None:
    receiving(failing_since_at=NOW, trouble_kind="connect_timeout")
    assert 'id="receive:1"' in boss.get("/status/").content.decode()
    assert '/status/#receive:1"' in boss.get("/inbox/").content.decode()
    assert "から受信できていません。" in boss.get("/").content.decode()
