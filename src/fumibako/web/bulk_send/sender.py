"""Step 1 送信元: which account sends, and what kind of mail it is."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.queries import sendable_accounts
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Refused
from fumibako.apps.sending import drafts, labels, plan, queries
from fumibako.apps.sending.models import BulkSend, Pace

from .frame import as_links, for_draft, framed, tell
from .reading import whole

KIND_HINTS = {
    BulkSend.Kind.RECRUIT: "仕事の紹介や募集の案内",
    BulkSend.Kind.BUSINESS: "シフト、契約、勤怠などの連絡",
    BulkSend.Kind.ADVERTISING: "営業の案内や広告",
}
PLACES = {"account": "account", "kind": "kind"}
SAMPLE_COUNT = 1000


@dataclass(frozen=True, slots=True)
class Card:
    """One account to choose from."""

    account: MailAccount
    sent_today_count: int
    stop_text: str
    speed: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One 種類."""

    value: str
    label: str
    hint: str
    is_chosen: bool


@require_http_methods(["GET", "POST"])
@for_draft
def sender(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    """Show the accounts this operator may send from; POST stores the choice and goes on."""
    if request.method != "POST":
        return _page(request, operator, job)
    account = sendable_accounts(operator).filter(pk=whole(request.POST.get("account"))).first()
    if account is None:
        problems = [labels.problem("account", "V02", item="送信元")]
        return _page(request, operator, job, problems=as_links(problems, PLACES))
    try:
        drafts.set_sender(operator, job, account, request.POST.get("kind", ""))
    except Refused as refusal:
        return _page(request, operator, job, problems=as_links(refusal.problems, PLACES))
    except ChangedMeanwhile as refusal:
        tell(request, refusal)
        return redirect("bulk_send:from", job.number)
    return redirect("bulk_send:index") if "leave" in request.POST else redirect("bulk_send:to", job.number)


def _page(
    request: HttpRequest, operator: Operator, job: BulkSend, problems: list[tuple[str, str]] | None = None
) -> HttpResponse:
    chosen_account = whole(request.POST.get("account")) or job.account_id
    chosen_kind = request.POST.get("kind", job.kind)
    accounts = list(sendable_accounts(operator))
    counts = queries.sent_today([account.pk for account in accounts])
    stops = queries.account_stops([account.pk for account in accounts])
    cards = [
        Card(
            account,
            counts.get(account.pk, 0),
            _stop_text(stops.get(account.pk), account),
            _speed(account),
            account.pk == chosen_account,
        )
        for account in accounts
    ]
    kinds = [
        Choice(value, label, KIND_HINTS[BulkSend.Kind(value)], value == chosen_kind)
        for value, label in labels.KINDS.items()
    ]
    return framed(request, job, "from", cards=cards, kinds=kinds, problems=problems)


def _stop_text(pace: Pace | None, account: MailAccount) -> str:
    return labels.stop_reason(pace.stop_kind, pace.stop_text, account) if pace else ""


def _speed(account: MailAccount) -> str:
    speed = plan.Speed(account.batch_size, account.sleep_seconds)
    duration = labels.span(round(speed.seconds_for(SAMPLE_COUNT) / 60) * 60 or 60)
    return f"{SAMPLE_COUNT:,}通で 約{duration}"
