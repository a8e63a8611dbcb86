"""接続テスト on the account page, against the practice server and scripted peers on this computer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from fumibako.apps.accounts import actions
from fumibako.apps.accounts.labels import trouble_text
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.office.models import Office, Operator
from fumibako.practice import PracticeServer
from fumibako.services.trouble import TroubleKind
from tests.support.browser import LOOKS, OpenPage, assert_accessible, shoot

from .test_rules import GOOD

LOCAL = GOOD | {"pop_host": "127.0.0.1", "smtp_host": "127.0.0.1", "smtp_security": "none"}


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[dict[str, Any]]:
    with PracticeServer(tmp_path) as server:
        yield LOCAL | {"smtp_port": server.addresses.smtp_port, "pop_port": server.addresses.pop_port}


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A server that greets, answers every line with 250 or 334, and keeps what it hears."""
    heard: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line, line.makefile("rwb") as stream:
                stream.write(b"220 capture ESMTP\r\n")
                stream.flush()
                for command in stream:
                    heard.append(command)
                    said = b"250-capture\r\n250 AUTH LOGIN PLAIN\r\n" if command.startswith(b"EHLO") else b"334 \r\n"
                    stream.write(said)
                    stream.flush()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1], heard
    stop.set()
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(timeout=5)


@pytest.mark.browser
@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_stages_are_shown_with_times(
    open_page: OpenPage, administrator: Operator, practice: dict[str, Any], size: tuple[int, int], scheme: str
) -> None:
    actions.save_account(administrator, practice | {"password": "right", "name": "練習用"})
    page = open_page("/accounts/1/?tab=smtp", size=size, scheme=scheme)
    page.get_by_role("button", name="接続をテスト").click()
    expect(page.locator("#test").get_by_text("成功")).to_have_count(2)
    expect(page.locator("#test").get_by_text("ログイン", exact=True)).to_be_visible()
    expect(page.locator("#test").get_by_text("件数の確認")).to_be_visible()
    assert_accessible(page)
    page.locator("#test").scroll_into_view_if_needed()
    shoot(page, f"account_test_{size[0]}_{scheme}")


@pytest.mark.browser
def test_a_refused_login_is_told_in_plain_words_and_nothing_is_saved(
    open_page: OpenPage, administrator: Operator, practice: dict[str, Any]
) -> None:
    actions.save_account(administrator, practice | {"password": "right"})
    page = open_page("/accounts/1/?tab=pop")
    page.get_by_role("button", name="変更").click()
    page.locator("#password").fill("wrong")
    page.get_by_role("button", name="接続をテスト").click()
    expect(page.get_by_text("ユーザIDかパスワードが違います。")).to_be_visible()
    expect(page.get_by_text("受信のサーバーに、ログインを断られました。")).to_be_visible()
    page.get_by_text("サーバーの返答を見る").first.click()
    expect(page.locator("#reply-smtp")).to_contain_text("535")
    assert MailAccount.objects.get().version == 1
    shoot(page, "account_test_failed_1440_light")


@pytest.mark.browser
def test_one_press_puts_the_offered_values_in(open_page: OpenPage, administrator: Operator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    values = LOCAL | {"receive_enabled": False, "pop_host": "", "smtp_port": port, "smtp_security": "starttls"}
    actions.save_account(administrator, values)
    page = open_page("/accounts/1/?tab=smtp")
    page.get_by_role("button", name="接続をテスト").click()
    expect(page.get_by_text(f"サーバーは動いていますが、{port}番では受け付けていません。")).to_be_visible()
    page.get_by_role("button", name="465番(SMTP over SSL)にする").click()
    expect(page.locator("#smtp_port")).to_have_value("465")
    expect(page.get_by_role("radio", name="SMTP over SSL")).to_be_checked()


@pytest.mark.django_db
def test_x08_the_stored_password_never_meets_another_server(listener: tuple[int, list[bytes]]) -> None:
    port, heard = listener
    sender = LOCAL | {
        "receive_enabled": False,
        "pop_host": "",
        "smtp_auth_method": "PLAIN",
        "password": "canary-secret",
    }
    stored = actions.save_account(None, sender | {"smtp_port": 2525})
    client = Client()
    client.force_login(Operator.objects.create(username="a", is_administrator=True))
    typed = {name: str(value) if not isinstance(value, bool) else "" for name, value in sender.items()}
    form = typed | {"account_no": "1", "smtp_port": str(port), "smtp_auth": "on", "password": ""}
    page = client.post("/accounts/test/", form, headers={"hx-request": "true"}).content.decode()
    assert "登録済みのパスワードは使えません" in page
    assert heard == []
    actions.check_connection(form | {"password": "typed-now"}, stored)
    assert any(line.startswith(b"EHLO") for line in heard)
    assert b"canary" not in b"".join(heard)


@pytest.mark.django_db
def test_practice_mode_reaches_no_other_computer() -> None:
    Office.objects.update_or_create(id=1, defaults={"is_practice": True})
    reports = actions.check_connection(GOOD | {"smtp_host": "192.0.2.1", "receive_enabled": False}, None)
    trouble = reports["smtp"].trouble
    assert trouble is not None
    assert trouble.kind is TroubleKind.NOT_LOOPBACK


@pytest.mark.parametrize("protocol", ["smtp", "pop"])
@pytest.mark.parametrize("kind", list(TroubleKind))
def test_every_trouble_has_plain_words_and_a_next_step(kind: TroubleKind, protocol: str) -> None:
    extra = {
        "host": "mail.example.jp",
        "port": 587,
        "protocol": protocol,
        "offered": ("PLAIN",),
        "names": ("sv123.example.jp",),
        "not_after_at": datetime(2026, 10, 31, tzinfo=UTC),
    }
    words = trouble_text(kind, extra)
    assert words.text.endswith("。")
    assert words.next_step.endswith("。")
    assert "{" not in words.text + words.next_step
    assert "エラーが発生" not in words.text
    assert trouble_text(str(kind), {}).text


def test_what_the_catalogue_offers_can_be_pressed() -> None:
    at = {
        "host": "mail.example.jp",
        "port": 587,
        "protocol": "smtp",
        "offered": ("PLAIN",),
        "names": ("sv1.example.jp",),
    }
    offers = {
        TroubleKind.CONNECT_TIMEOUT: {"smtp_security": "ssl", "smtp_port": "465"},
        TroubleKind.REFUSED: {"smtp_security": "ssl", "smtp_port": "465"},
        TroubleKind.PORT25_TIMEOUT: {"smtp_security": "starttls", "smtp_port": "587"},
        TroubleKind.PLAIN_ON_SSL: {"smtp_security": "starttls"},
        TroubleKind.SSL_ON_PLAIN: {"smtp_security": "ssl"},
        TroubleKind.STARTTLS_MISSING: {"smtp_security": "ssl", "smtp_port": "465"},
        TroubleKind.CERTIFICATE_NAME_MISMATCH: {"smtp_host": "sv1.example.jp"},
        TroubleKind.MECHANISM_MISSING: {"smtp_security": "ssl", "smtp_port": "465", "smtp_auth_method": "PLAIN"},
    }
    for kind, changes in offers.items():
        assert dict(trouble_text(kind, at).offers[0].changes) == changes
    assert trouble_text(TroubleKind.CERTIFICATE_SELF_SIGNED, at).may_pin
