"""What the tests of the inbox share: a mail server on loopback and an account that receives from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox.reader.pool import POOL
from fumibako.apps.office.models import Operator
from tests.inbox.desk import Post, forget_words, receiving_account


@pytest.fixture(autouse=True)
def _children_end() -> Iterator[None]:
    """No test leaves a reading child behind."""
    yield
    POOL.close()


@pytest.fixture
def _words_are_forgotten(transactional_db: None) -> Iterator[None]:
    yield
    forget_words()


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """The practice mail server, and a way to lay mails into its boxes."""
    with Post(tmp_path / "post") as found:
        yield found


@pytest.fixture
def account(_words_are_forgotten: None, post: Post) -> MailAccount:
    """An account that receives from the practice server."""
    return receiving_account(post.pop_port)


@pytest.fixture
def operator(db: None) -> Operator:
    """Somebody who may do everything."""
    return Operator.objects.create(username="sato", display_name="佐藤 美咲", is_administrator=True)


@pytest.fixture
def guest(db: None) -> Operator:
    """Somebody without any permission."""
    return Operator.objects.create(username="guest", display_name="客 太郎")
