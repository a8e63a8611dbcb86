"""[受信]: asked for on a screen, done by the worker within a second; on the command line done at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.office.models import Operator

from ..models import FetchRequest


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What one account's run came to, or that it waits for the worker (`request`)."""

    account: MailAccount
    request: FetchRequest | None = None
    listed_count: int = 0
    stored_count: int = 0
    skipped_count: int = 0
    quarantined_count: int = 0
    deleted_count: int = 0
    bounce_count: int = 0
    trouble_kind: str = ""
    trouble_text: str = ""
    trouble_stage: str = ""


def fetch_now(operator: Operator | None, account_ids: Collection[int] | None = None) -> list[FetchResult]:
    """受信: ask the worker for a run of each of these accounts (None = all that may be received from).

    Pressed twice while one waits it is one request. What comes of it is the request's `run`.
    """
    raise NotImplementedError


def allow_again(operator: Operator | None, account: MailAccount) -> None:
    """受信を再開, after a refused password or other lasting trouble."""
    raise NotImplementedError
