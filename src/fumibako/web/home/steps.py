"""はじめの一歩 of the practice mode: six steps, each ticked by what this operator has really done."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.contacts.models import ContactRecord
from fumibako.apps.inbox.models import MailReply
from fumibako.apps.office.models import Operator
from fumibako.apps.sending.models import BulkSend, Delivery, JobEvent
from fumibako.apps.sending.queries import visible_jobs
from fumibako.delivery.states import State

OWN_COMPUTER = ("127.0.0.1", "localhost", "::1", "")
EXPLAINED = (State.FAILED.value, State.BOUNCED.value, State.UNKNOWN.value)


@dataclass(frozen=True, slots=True)
class Step:
    """One of them: where it is done, and one sentence how."""

    words: str
    hint: str
    url: str
    is_done: bool


def steps_of(operator: Operator) -> list[Step]:
    """All six, in their order."""
    answers = f"{reverse('inbox:index')}?{urlencode({'p': 'all'})}"
    tests = BulkSend.objects.filter(origin=BulkSend.Origin.TEST, created_by=operator, first_sent_at__isnull=False)
    replies = MailReply.objects.filter(job__created_by=operator, taken_back_at=None)
    pauses = JobEvent.objects.filter(what="paused", actor_name=str(operator))
    records = ContactRecord.objects.filter(mail__isnull=False, created_by=str(operator))
    return [
        Step(
            "自分に1通送る",
            "下書きの [本文] の画面で、[自分にテスト送信] を押します。",
            _draft("body"),
            tests.exists(),
        ),
        Step("届いたメールに返信する", "メールを開き、[返信] を押して書きます。", answers, replies.exists()),
        Step(
            "20人に一括送信し、途中で止めてみる",
            "用意した下書きを送信し、[一時停止] を押します。",
            _draft("check"),
            pauses.exists(),
        ),
        Step("失敗の理由を見る", "届かなかった人の行を開きます。", _failures(operator), operator.has_seen_failure),
        Step(
            "返信を連絡記録に登録する",
            "スタッフからの返信を開いて、F2 キーを押します。",
            answers,
            records.exists(),
        ),
        Step(
            "自社のアカウントを登録する",
            "提供会社を選び、接続をテストします。",
            reverse("accounts:new"),
            MailAccount.objects.exclude(smtp_host__in=OWN_COMPUTER).exists(),
        ),
    ]


def _draft(place: str) -> str:
    """The newest draft that can be sent, or the list."""
    drafts = BulkSend.objects.filter(origin=BulkSend.Origin.BULK, approved_at=None, cancelled_at=None)
    found = drafts.exclude(account=None).order_by("-number").first()
    return reverse(f"bulk_send:{place}", args=[found.number]) if found else reverse("bulk_send:index")


def _failures(operator: Operator) -> str:
    """The rows that did not arrive, of the newest job that has some."""
    failed = Delivery.objects.filter(job__in=visible_jobs(operator), state__in=EXPLAINED)
    number = failed.order_by("-job__number").values_list("job__number", flat=True).first()
    return f"{reverse('history:job', args=[number])}?result=failed" if number else reverse("history:index")
