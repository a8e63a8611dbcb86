"""[受信]: asked for on a screen, done by the worker within a second; on the command line done at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.audit.actions import record
from fumibako.apps.office.models import Operator
from fumibako.services.collecting.memory import SeenState

from .. import pacing
from ..locking import name_of, require
from ..models import FetchRequest, FetchRun, SeenMail
from ..queries import receiving_accounts


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


def fetch_now(
    operator: Operator | None, account_ids: Collection[int] | None = None, *, now: datetime | None = None
) -> list[FetchResult]:
    """受信: ask the worker for a run of each of these accounts (None = all that may be received from).

    Pressed twice while one waits it is one request. What comes of it is the request's `run`: `result_of(request)`.
    Accounts that are not there, not 受信対象 or not permitted are left out.
    """
    now = now or timezone.now()
    accounts = receiving_accounts(operator)
    if account_ids is not None:
        accounts = accounts.filter(pk__in=list(account_ids))
    results = []
    for account in accounts:
        with transaction.atomic():
            request, is_new = _request(operator, account, now)
            if is_new:
                record(operator, "mail.fetch_asked", f"account:{account.account_no}")
        results.append(FetchResult(account, request))
    return results


def result_of(request: FetchRequest) -> FetchResult:
    """What came of a request so far: `request` stays set until its run has ended."""
    request.refresh_from_db()
    run = request.run
    if run is None or run.finished_at is None:
        return FetchResult(request.account, request)
    return result_of_run(run)


def result_of_run(run: FetchRun) -> FetchResult:
    """A finished run as a result. Error mails are known once the mails were read."""
    run.refresh_from_db(fields=["bounce_count"])
    return FetchResult(
        run.account,
        listed_count=run.listed_count or 0,
        stored_count=run.stored_count,
        skipped_count=run.skipped_count,
        quarantined_count=run.quarantined_count,
        deleted_count=run.deleted_count,
        bounce_count=run.bounce_count,
        trouble_kind=run.trouble_kind,
        trouble_text=run.trouble_text,
        trouble_stage=run.trouble_stage,
    )


def allow_again(operator: Operator | None, account: MailAccount, *, now: datetime | None = None) -> None:
    """受信を再開, after a refused password or other lasting trouble: the next run is due at once."""
    require(operator, account, "view")
    with transaction.atomic():
        before = pacing.allow(account, now or timezone.now())
        record(operator, "mail.fetch_allowed_again", f"account:{account.account_no}", changes={"stop": [before, ""]})


def try_quarantined_again(operator: Operator | None, account: MailAccount) -> int:
    """取得不能 mails of an account are fetched by the next run once more; return how many."""
    require(operator, account, "view")
    with transaction.atomic():
        aside = SeenMail.objects.filter(account=account, state=SeenState.QUARANTINED)
        count = aside.update(state=SeenState.WAITING, try_count=0, why="")
        if count:
            record(operator, "mail.quarantine_lifted", f"account:{account.account_no}", changes={"count": [count, 0]})
    return count


def _request(operator: Operator | None, account: MailAccount, now: datetime) -> tuple[FetchRequest, bool]:
    waiting = FetchRequest.objects.filter(account=account, run=None).first()
    if waiting is not None:
        return waiting, False
    try:
        with transaction.atomic():
            made = FetchRequest.objects.create(
                account=account, operator=operator, operator_name=name_of(operator), asked_at=now
            )
    except IntegrityError:
        # Somebody else pressed it in the same moment.
        return FetchRequest.objects.get(account=account, run=None), False
    return made, True
