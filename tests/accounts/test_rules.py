"""The rules R1–R12 and the items of メールアカウント設定, judged on values alone."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest

from fumibako.apps.accounts.fields import first_values
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.rules import check, normalise, notices
from fumibako.apps.office.models import Office

GOOD: dict[str, Any] = first_values() | {
    "name": "スタッフ連絡用",
    "pop_host": "pop.example.co.jp",
    "user_id": "staff@example.co.jp",
    "password": "correct horse",
    "smtp_host": "smtp.example.co.jp",
    "from_address": "staff@example.co.jp",
}
SEND_ONLY = GOOD | {"receive_enabled": False, "pop_host": ""}


def ids(values: dict[str, Any], *, stored: MailAccount | None = None, office: Office | None = None) -> set[str]:
    found = check(normalise(values).values, stored=stored, office=office or Office())
    return {f"{problem.id} {problem.field}" for problem in found}


def test_a_complete_account_is_accepted() -> None:
    assert ids(GOOD) == set()


def test_example_04_tls_needs_login_even_when_the_form_was_forged() -> None:
    assert ids(GOOD | {"smtp_auth": False}) == {"V19 smtp_auth"}
    assert ids(GOOD | {"smtp_auth_method": "PLAIN"}) == {"V20 smtp_auth_method"}
    assert ids(GOOD | {"smtp_auth_method": "PLAIN"}, office=Office(allow_plain_with_tls=True)) == set()


def test_example_05_port_465_speaks_ssl_only() -> None:
    assert ids(GOOD | {"smtp_port": 465}) == {"V06 smtp_port"}
    assert ids(GOOD | {"smtp_port": 465, "smtp_security": "ssl", "smtp_auth_method": "PLAIN"}) == set()
    assert ids(GOOD | {"smtp_port": 465, "smtp_security": "none"}) == {"V07 smtp_security"}


def test_example_06_who_only_sends_needs_the_pair_only_for_a_login() -> None:
    nobody = {"user_id": "", "password": ""}
    assert ids(SEND_ONLY | nobody) == {"V08 user_id"}
    assert ids(SEND_ONLY | nobody | {"smtp_security": "none", "smtp_auth": False, "smtp_port": 25}) == set()


def test_who_receives_needs_user_and_password() -> None:
    assert ids(GOOD | {"user_id": "", "password": ""}) == {"V01 user_id", "V01 password"}


def test_pop_before_smtp_needs_receiving() -> None:
    assert ids(SEND_ONLY | {"pop_before_smtp": True}) == {"V21 pop_before_smtp"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": ""}, "V01 name"),
        ({"name": "あ" * 101}, "V05 name"),
        ({"pop_host": ""}, "V01 pop_host"),
        ({"pop_host": "pop example"}, "V16 pop_host"),
        ({"smtp_host": "169.254.169.254"}, "V17 smtp_host"),
        ({"smtp_host": "0.0.0.0"}, "V17 smtp_host"),
        ({"pop_port": "70000"}, "V03 pop_port"),
        ({"smtp_port": ""}, "V01 smtp_port"),
        ({"smtp_port": "abc"}, "V03 smtp_port"),
        ({"smtp_security": "magic"}, "V02 smtp_security"),
        ({"from_address": ""}, "V01 from_address"),
        ({"from_address": "staff"}, "V04 from_address"),
        ({"cc": "a@example.jp, b"}, "V04 cc"),
        ({"store_path": "C:\\mail"}, "V10 store_path"),
        ({"store_path": "../staff"}, "V25 store_path"),
        ({"store_path": "/mail"}, "V25 store_path"),
        ({"store_path": "tokyo/CON"}, "V25 store_path"),
        ({"warn_from": "20:00"}, "V22 warn_to"),
        ({"warn_from": "25:00", "warn_to": "8:00"}, "V24 warn_from"),
        ({"warn_from": "8:00", "warn_to": "8"}, "V23 warn_to"),
        ({"batch_size": "0"}, "V03 batch_size"),
        ({"sleep_seconds": "-1"}, "V03 sleep_seconds"),
        ({"from_name": "見本\r\nBcc: x@example.jp"}, ""),
        ({"reply_to": "x@example.jp\nBcc: y@example.jp"}, "V26 reply_to"),
    ],
)
def test_each_item_says_what_is_wrong_with_it(change: dict[str, Any], expected: str) -> None:
    assert ids(GOOD | change) == ({expected} if expected else set())


def test_an_account_that_neither_sends_nor_receives_is_refused() -> None:
    assert "V09 smtp_host" in ids(SEND_ONLY | {"smtp_host": ""})


def test_typed_text_is_put_right_before_it_is_judged() -> None:
    typed = {
        "pop_host": " ｐｏｐ.example.co.jp：995 ",
        "smtp_port": "５８７番",
        "warn_from": "20",
        "warn_to": "８：００",
        "max_per_job": "2,000件",
        "from_address": "ＳＴＡＦＦ＠example.co.jp",
        "bcc": "a@example.jp；b@example.jp",
        "store_path": "tokyo\\staff",
    }
    done = normalise(typed)
    assert done.values == {
        "pop_host": "pop.example.co.jp",
        "pop_port": 995,
        "smtp_port": 587,
        "warn_from": time(20),
        "warn_to": time(8),
        "max_per_job": 2000,
        "from_address": "STAFF@example.co.jp",
        "bcc": "a@example.jp, b@example.jp",
        "store_path": "tokyo/staff",
    }
    assert "smtp_port" in done.corrected


def test_a_password_is_taken_as_it_stands() -> None:
    assert normalise({"password": " Ａ b "}).values["password"] == " Ａ b "


@pytest.mark.parametrize(
    "change",
    [
        {"pop_host": "evil.example"},
        {"pop_port": 2110},
        {"pop_tls": True},
        {"smtp_host": "evil.example"},
        {"smtp_port": 2525},
        {"smtp_security": "ssl"},
        {"user_id": "other"},
    ],
)
def test_x08_a_stored_password_is_asked_for_again_when_what_it_is_for_changes(change: dict[str, Any]) -> None:
    stored = MailAccount(**{name: value for name, value in GOOD.items() if name != "password"}, password_sealed=b"x")
    without = {name: value for name, value in GOOD.items() if name != "password"}
    assert ids(without, stored=stored) == set()
    assert ids(without | change, stored=stored) == {"V18 password"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"smtp_port": 25, "smtp_security": "none"}, {"port_25", "password_in_the_clear"}),
        ({"smtp_port": 2525}, {"unusual_port"}),
        ({"smtp_port": 587, "smtp_security": "ssl"}, {"ssl_on_plain_port"}),
        ({"pop_port": 995}, {"pop_995_without_tls"}),
        ({"bounce_only": True, "to_contact_record": True}, {"bounces_no_record"}),
        ({"is_marketing": True}, {"marketing_without_signature"}),
        ({}, set()),
    ],
)
def test_what_is_odd_but_allowed_is_told(change: dict[str, Any], expected: set[str]) -> None:
    assert {notice.id for notice in notices(GOOD | change)} == expected
    assert ids(GOOD | change) == set()
