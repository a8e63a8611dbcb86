"""登録, 削除, permissions and secrets of mail accounts, on the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from fumibako.apps.accounts import actions, queries
from fumibako.apps.accounts.models import AccountPermission, MailAccount
from fumibako.apps.accounts.routes import password_of, pop_route, smtp_route
from fumibako.apps.accounts.secrets import SecretLost, seal, unseal
from fumibako.apps.audit.models import AuditEvent
from fumibako.apps.categories.models import Category, ContactCategory
from fumibako.apps.office.models import Office, Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Refused
from fumibako.apps.sending.models import BulkSend

from .test_rules import GOOD

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator() -> Operator:
    return Operator.objects.create(username="sato", display_name="佐藤 美咲", is_administrator=True)


@pytest.fixture
def clerk() -> Operator:
    return Operator.objects.create(username="tanaka", display_name="田中 一郎")


def put(operator: Operator | None = None, **changes: Any) -> MailAccount:
    return actions.save_account(operator, GOOD | changes)


def test_numbers_are_given_in_order_and_never_again(administrator: Operator) -> None:
    assert [put().account_no, put().account_no] == [1, 2]
    actions.delete_account(administrator, 2)
    assert put().account_no == 3


def test_the_password_is_stored_sealed_and_never_in_the_log(administrator: Operator) -> None:
    account = put(administrator, password="canary-password")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_mailaccount")
        assert b"canary-password" not in repr(cursor.fetchall()).encode()
    assert "canary" not in repr(list(AuditEvent.objects.values()))
    assert password_of(account).reveal() == "canary-password"


def test_a_secret_opens_only_in_its_own_place() -> None:
    sealed = seal(1, "password", "秘密")
    assert unseal(1, "password", sealed).reveal() == "秘密"
    for account_id, field, raw in ((2, "password", sealed), (1, "token", sealed), (1, "password", sealed[:-1] + b"x")):
        with pytest.raises(SecretLost):
            unseal(account_id, field, raw)


def test_x08_changing_the_server_clears_the_stored_password(administrator: Operator) -> None:
    put(administrator)
    change = GOOD | {"password": "", "smtp_host": "mail.example.jp"}
    with pytest.raises(Refused) as refused:
        actions.save_account(administrator, change, account_no=1)
    assert [problem.id for problem in refused.value.problems] == ["V18"]
    assert MailAccount.objects.get().password_sealed is not None
    quiet = change | {"receive_enabled": False, "smtp_auth": False, "smtp_security": "none", "smtp_port": 25}
    assert actions.save_account(administrator, quiet, account_no=1).password_sealed is None


def test_saving_without_a_new_password_keeps_the_stored_one(administrator: Operator) -> None:
    put(administrator, password="first")
    account = actions.save_account(administrator, GOOD | {"password": "", "name": "改名"}, account_no=1)
    assert (account.name, password_of(account).reveal(), account.version) == ("改名", "first", 2)


def test_somebody_elses_save_is_not_overwritten(administrator: Operator, clerk: Operator) -> None:
    put(administrator, sleep_seconds=600)
    actions.save_account(administrator, {"sleep_seconds": 900}, account_no=1, version=1)
    with pytest.raises(ChangedMeanwhile) as stale:
        actions.save_account(administrator, {"sleep_seconds": 600}, account_no=1, version=1)
    assert stale.value.who == "佐藤 美咲"
    assert stale.value.differences == {"スリープ間隔": ("600", "900")}
    assert MailAccount.objects.get().sleep_seconds == 900


def test_an_account_with_history_is_not_deleted(administrator: Operator) -> None:
    account = put(administrator)
    BulkSend.objects.create(number=1, account=account)
    with pytest.raises(actions.InUse) as in_use:
        actions.delete_account(administrator, 1)
    assert "送信履歴 1件で使われている" in in_use.value.text
    assert MailAccount.objects.count() == 1


def test_example_15_a_hidden_account_is_in_search_but_in_no_list(administrator: Operator) -> None:
    put(visible=False)
    assert list(queries.sendable_accounts(administrator)) == []
    assert list(queries.receivable_accounts(administrator)) == []
    assert [account.account_no for account in queries.search(administrator, {})] == [1]


def test_example_16_without_permission_an_account_is_nowhere(administrator: Operator, clerk: Operator) -> None:
    account = put()
    assert list(queries.sendable_accounts(clerk)) == []
    assert list(queries.receivable_accounts(clerk)) == []
    assert list(queries.search(clerk, {})) == []
    with pytest.raises(PermissionDenied):
        actions.save_account(clerk, {"name": "x"}, account_no=1)
    with pytest.raises(PermissionDenied):
        actions.delete_account(clerk, 1)
    rights = {clerk.pk: {"may_send": True, "may_view": False, "may_configure": False}}
    actions.save_account(administrator, {"permissions": rights}, account_no=1)
    assert list(queries.sendable_accounts(clerk)) == [account]
    assert not queries.may_use(clerk, account, "configure")


def test_who_may_configure_cannot_grant_themselves_more(clerk: Operator) -> None:
    account = put()
    AccountPermission.objects.create(account=account, operator=clerk, may_configure=True)
    rights = {clerk.pk: {"may_send": True, "may_view": True, "may_configure": True}}
    actions.save_account(clerk, {"name": "改名", "permissions": rights}, account_no=1)
    assert list(queries.sendable_accounts(clerk)) == []


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, [1, 2, 3]),
        ({"no_from": "2"}, [2, 3]),
        ({"no_to": "2", "no_from": "x"}, [1, 2]),
        ({"name": "営業"}, [2]),
        ({"address": "STAFF@"}, [1, 2, 3]),
        ({"server": "smtp2"}, [2]),
        ({"receive": "no"}, [3]),
        ({"visible": "yes"}, [1, 3]),
        ({"marketing": "yes"}, [3]),
    ],
)
def test_every_condition_of_the_search_narrows(
    administrator: Operator, conditions: dict[str, str], expected: list[int]
) -> None:
    put()
    put(name="営業", smtp_host="smtp2.example.co.jp", visible=False)
    put(receive_enabled=False, is_marketing=True)
    assert [account.account_no for account in queries.search(administrator, conditions)] == expected


def test_an_unknown_default_operator_is_refused_in_words(administrator: Operator) -> None:
    with pytest.raises(Refused) as refused:
        put(administrator, default_operator=99_999)
    assert [problem.field for problem in refused.value.problems] == ["default_operator"]


def test_contact_choices_must_belong_together(administrator: Operator) -> None:
    first, second = ContactCategory.objects.filter(level=1)[:2]
    below = ContactCategory.objects.create(level=2, parent=first, name="問い合わせ")
    status = Category.objects.get(section="連絡ステータス", number=1)
    wrong = {"from": {"category1": second.pk, "category2": below.pk, "category3": None, "status": status.pk}}
    with pytest.raises(Refused):
        put(administrator, contact_rules=wrong)
    account = put(administrator, contact_rules={"from": wrong["from"] | {"category1": first.pk}})
    assert queries.contact_rules_of(account)["from"]["category2"] == below.pk


def test_routes_carry_what_the_screen_says() -> None:
    account = put(pop_tls=True, pop_port=995, smtp_security="ssl", smtp_port=465, smtp_auth_method="PLAIN")
    way_out, way_in = smtp_route(account, Office()), pop_route(account, Office(is_practice=True))
    assert (way_out.security, way_out.auth, way_out.password.reveal()) == ("ssl", "PLAIN", "correct horse")
    assert way_out.helo_name == "example.co.jp"
    assert not way_out.loopback_only
    assert (way_in.security, way_in.loopback_only) == ("tls", True)
    account.pop_port = 110
    assert pop_route(account, Office()).security == "stls"


def test_a_pin_goes_when_the_server_changes(administrator: Operator) -> None:
    put(administrator, smtp_pinned_sha256="ab" * 32)
    moved = actions.save_account(administrator, GOOD | {"smtp_host": "new.example.jp"}, account_no=1)
    assert moved.smtp_pinned_sha256 == ""
