"""Login, logout, the first administrator, and that nothing is open without a login."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from playwright.sync_api import Browser, expect

from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.office import actions
from fumibako.apps.office.models import Operator
from tests.support.browser import LOOKS, OpenPage, Site, assert_accessible, assert_no_sideways_scroll, shoot

OPEN = {"login/", "setup/"}
SAMPLES = {"int": "1", "str": "1", "kind": "staff", "slug": "x", "uuid": "00000000-0000-0000-0000-000000000000"}


def addresses(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """Every address of the product, with a sample in each place that varies."""
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, path)
        elif isinstance(entry, URLPattern):
            for name, converter in entry.pattern.converters.items():
                kind = type(converter).__name__.removesuffix("Converter").lower()
                for word in {kind, name}:
                    path = path.replace(f"<{word}:{name}>", SAMPLES.get(kind, "staff"))
            yield path


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> None:
    cache.clear()


@pytest.fixture
def operator() -> Operator:
    found = Operator(username="sato", display_name="佐藤 美咲", is_administrator=True)
    found.set_password("plum-river-1984")
    found.save()
    return found


def test_every_address_needs_a_login(client: Client) -> None:
    found = sorted(set(addresses(get_resolver())))
    assert len(found) > 20
    for path in found:
        if path in OPEN:
            continue
        for answer in (client.get(f"/{path}"), client.post(f"/{path}")):
            assert answer.status_code == 302, path
            assert answer.headers["Location"].startswith("/login/"), path


def test_a_fragment_after_the_session_ended_takes_the_whole_page_to_the_login(client: Client) -> None:
    headers = {"hx-request": "true", "hx-current-url": "http://testserver/accounts/3/?tab=smtp"}
    answer = client.post("/accounts/speed/", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/login/?next=%2Faccounts%2F3%2F%3Ftab%3Dsmtp"


def test_looking_changes_nothing(client: Client, operator: Operator) -> None:
    client.force_login(operator)
    client.get("/")
    before = AuditEvent.objects.count()
    for path in sorted(set(addresses(get_resolver()))):
        client.get(f"/{path}")
    assert AuditEvent.objects.count() == before


def test_the_right_password_opens_and_the_session_changes_its_id(client: Client, operator: Operator) -> None:
    client.get("/login/")
    answer = client.post("/login/", {"login": "sato", "password": "plum-river-1984"})
    assert answer.headers["Location"] == "/"
    first = client.cookies[settings.SESSION_COOKIE_NAME].value
    client.post("/logout/")
    assert client.get("/").status_code == 302
    client.post("/login/", {"login": "sato", "password": "plum-river-1984", "remember": "on"})
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie.value != first
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert 0 <= 30 * 24 * 3600 - int(cookie["max-age"]) < 60


@pytest.mark.parametrize("login", ["sato", "nobody"])
def test_a_wrong_password_and_an_unknown_user_get_the_same_words(
    client: Client, operator: Operator, login: str
) -> None:
    answer = client.post("/login/", {"login": login, "password": "canary-wrong"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "利用者IDまたはパスワードが違います。" in page
    assert "canary-wrong" not in page


def test_x33_after_five_tries_the_same_place_has_to_wait_and_another_does_not(operator: Operator) -> None:
    here, elsewhere = Client(), Client(REMOTE_ADDR="192.0.2.7")
    for _ in range(5):
        here.post("/login/", {"login": "sato", "password": "wrong"})
    answer = here.post("/login/", {"login": "sato", "password": "plum-river-1984"})
    assert "しばらく時間をおいてください(15分後に試せます)。" in answer.content.decode()
    assert elsewhere.post("/login/", {"login": "sato", "password": "plum-river-1984"}).status_code == 302


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "\\\\evil.example"])
def test_x40_login_leads_to_no_other_site(client: Client, operator: Operator, target: str) -> None:
    answer = client.post(f"/login/?next={target}", {"login": "sato", "password": "plum-river-1984", "next": target})
    assert "evil" not in answer.headers["Location"]
    client.force_login(operator)
    assert client.post("/display/", {"theme": "dark", "next": target}).headers["Location"] == "/"


def test_x30_a_form_from_elsewhere_is_refused_in_plain_words(operator: Operator) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator)
    answer = client.post("/display/", {"theme": "dark"})
    assert answer.status_code == 403
    assert "画面の有効期限が切れています" in answer.content.decode()


def test_logging_out_needs_a_post(client: Client, operator: Operator) -> None:
    client.force_login(operator)
    assert client.get("/logout/").status_code == 405
    assert client.get("/").status_code == 200


def test_an_unknown_address_and_a_foreign_host_are_told_in_the_same_look(client: Client, operator: Operator) -> None:
    client.force_login(operator)
    missing = client.get("/nothing/")
    assert (missing.status_code, "ページが見つかりません" in missing.content.decode()) == (404, True)
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.browser
@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_login_and_setup_are_accessible(site: Site, chromium: Browser, size: tuple[int, int], scheme: str) -> None:
    key = actions.issue_setup_ticket(timezone.now())
    context = chromium.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    for path, name in (("/login/", "login"), (f"/setup/?k={key}", "setup"), ("/setup/?k=old", "closed")):
        page.goto(site.url + path)
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        shoot(page, f"{name}_{size[0]}_{scheme}")
    context.close()


@pytest.mark.browser
def test_the_first_administrator_comes_in_by_the_link(site: Site, chromium: Browser) -> None:
    key = actions.issue_setup_ticket(timezone.now())
    page = chromium.new_page(java_script_enabled=False)
    page.goto(f"{site.url}/setup/?k={key}")
    page.get_by_label("会社名").fill("株式会社見本スタッフ")
    page.get_by_label("氏名").fill("佐藤 美咲")
    page.get_by_label("利用者ID").fill("sato")
    page.get_by_label("パスワード").fill("short")
    page.get_by_role("button", name="登録して始める").click()
    expect(page.get_by_text("パスワードは 10文字以上で入力してください。")).to_be_visible()
    expect(page.get_by_label("会社名")).to_have_value("株式会社見本スタッフ")
    page.get_by_label("パスワード").fill("plum-river-1984")
    page.get_by_role("button", name="登録して始める").click()
    expect(page.get_by_text("佐藤さん")).to_be_visible()
    assert AuditEvent.objects.filter(action="setup.completed").exists()
    page.goto(f"{site.url}/setup/?k={key}")
    expect(page.get_by_role("heading", name="このリンクは使えません")).to_be_visible()
    page.close()


@pytest.mark.browser
def test_a_user_without_rights_sees_neither_menu_nor_page(open_page: OpenPage) -> None:
    clerk = Operator.objects.create(username="tanaka", display_name="田中 一郎")
    page = open_page("/settings/", operator=clerk)
    expect(page.get_by_role("heading", name="アクセス権限がありません")).to_be_visible()
    page.goto(page.url.replace("/settings/", "/"))
    expect(page.get_by_role("navigation", name="主メニュー").get_by_text("システム設定")).to_have_count(0)
