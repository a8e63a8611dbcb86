"""The one-time link, the first administrator, and what every office starts with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fumibako.apps.categories.models import Category, ContactCategory
from fumibako.apps.office import actions
from fumibako.apps.office.models import Office, Operator, SetupTicket
from fumibako.apps.office.problems import Refused

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
FIRST = {
    "company_name": "株式会社見本スタッフ",
    "display_name": "佐藤 美咲",
    "username": "sato",
    "password": "plum-river-1984",
}


def test_the_link_makes_the_first_administrator_once() -> None:
    key = actions.issue_setup_ticket(NOW)
    operator = actions.complete_setup(key, NOW, **FIRST)
    assert operator.is_administrator
    assert operator.password.startswith("argon2")
    assert Office.objects.get().company_name == "株式会社見本スタッフ"
    with pytest.raises(actions.TicketRefused):
        actions.complete_setup(key, NOW, **FIRST | {"username": "other"})


def test_the_link_ends_after_thirty_minutes() -> None:
    key = actions.issue_setup_ticket(NOW)
    assert actions.is_ticket_good(key, NOW + timedelta(minutes=29))
    assert not actions.is_ticket_good(key, NOW + timedelta(minutes=31))


def test_only_the_hash_of_the_key_is_kept() -> None:
    key = actions.issue_setup_ticket(NOW)
    assert key not in repr(list(SetupTicket.objects.values()))


def test_a_link_is_worth_nothing_once_there_is_an_administrator() -> None:
    key = actions.issue_setup_ticket(NOW)
    Operator.objects.create(username="a", is_administrator=True)
    with pytest.raises(actions.TicketRefused):
        actions.complete_setup(key, NOW, **FIRST)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"company_name": " "}, "company_name"),
        ({"username": ""}, "username"),
        ({"username": "佐藤"}, "username"),
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "sato-sato-sato", "username": "sato-sato-sat"}, "password"),
    ],
)
def test_what_is_wrong_is_told_and_the_link_stays_good(change: dict[str, str], field: str) -> None:
    key = actions.issue_setup_ticket(NOW)
    with pytest.raises(Refused) as refused:
        actions.complete_setup(key, NOW, **FIRST | change)
    assert field in {problem.field for problem in refused.value.problems}
    assert all("This" not in problem.text for problem in refused.value.problems)
    assert actions.is_ticket_good(key, NOW)


def test_every_office_starts_with_the_choices_of_the_specification() -> None:
    statuses = Category.objects.filter(section="連絡ステータス").values_list("name1", flat=True)
    assert list(statuses) == ["未対応", "対応中", "対応済"]
    first_level = ContactCategory.objects.filter(level=1).values_list("name", flat=True)
    assert list(first_level) == ["メール受信", "メール送信", "電話", "面談"]
