"""The left list: views with counts, chips, the rows of one page, what is down, and what stands there instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.contacts import queries as contacts
from fumibako.apps.inbox import board as facts
from fumibako.apps.inbox import labels, queries
from fumibako.apps.inbox.models import MailPerson, ReceivedMail
from fumibako.apps.inbox.queries import Conditions
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.labels import KIND
from fumibako.apps.recipients.models import Recipient
from fumibako.apps.sending.labels import clock

from . import asking
from .asking import Asked, Chip, Choice

VIEW_LABELS = {
    "open": "未処理",
    "mine": "自分の担当",
    "waiting": "返信待ち",
    "done": "処理済み",
    "all": "すべて",
    "bounces": "エラーメール",
    "unreadable": "解析できないメール",
}
Mails = QuerySet[ReceivedMail, ReceivedMail]
COUNTED = ("open", "mine", "waiting")
BUSY_SECONDS, QUIET_SECONDS = 2, 20
"""Between two looks at the list: while mail is being received, and else."""
NAMELESS = "(件名なし)"
NO_ACCOUNT = (
    "受信できるメールアカウントがありません。"
    "メールアカウント設定で「メール受信対象とする」を選ぶと、ここにメールを表示します。"
)


@dataclass(frozen=True, slots=True)
class ViewTab:
    """One of the views; `count` None where a number says nothing."""

    label: str
    url: str
    count: int | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One mail of the list."""

    number: int
    url: str
    is_current: bool
    is_read: bool
    name: str
    kind: str
    kind_css: str
    at: datetime
    time: str
    subject: str
    snippet: str
    account: str
    assignee: str
    about: str
    sort: str
    is_replied: bool
    record: bool
    has_attachment: bool
    present: str

    @property
    def has_marks(self) -> bool:
        """Whether there is a fourth line."""
        return bool(self.about or self.sort or self.is_replied or self.record or self.has_attachment or self.present)


@dataclass(frozen=True, slots=True)
class Down:
    """An account that cannot be received from."""

    number: int
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Empty:
    """What stands where there is no mail; `may_fetch` offers [受信]."""

    words: str
    url: str = ""
    button: str = ""
    may_fetch: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """The chip of the period."""

    label: str
    is_set: bool


@dataclass(frozen=True, slots=True)
class Board:
    """Everything left of the mail."""

    asked: Asked
    accounts: Sequence[MailAccount]
    account: MailAccount | None
    account_choices: Sequence[Choice]
    period: Period
    period_choices: Sequence[Choice]
    views: Sequence[ViewTab]
    chips: Sequence[Chip]
    operators: Sequence[tuple[str, str]]
    rows: Sequence[Row]
    older_url: str
    newer_url: str
    before: Empty | None
    """Mails that lie before the period, told below the last row."""
    empty: Empty
    downs: Sequence[Down]
    result_words: str
    """What [受信] brought, per account; "" a minute later."""
    fetch_words: str
    live_seconds: int
    live_url: str

    @property
    def url(self) -> str:
        """The list alone."""
        return f"{reverse('inbox:index')}?{self.asked.query}" if self.asked.query else reverse("inbox:index")

    @property
    def query(self) -> str:
        """To carry along."""
        return self.asked.query

    @property
    def kept(self) -> dict[str, str]:
        """What the form of 抽出条件 does not show."""
        return self.asked.kept()

    @property
    def clear_url(self) -> str:
        """The list without 抽出条件."""
        return f"?{self.asked.with_(**dict.fromkeys(asking.ASKS, ''))}"

    @property
    def kinds(self) -> Sequence[tuple[str, str]]:
        """種別 to choose from."""
        return [(str(value), words) for value, words in labels.KINDS.items()]


def mails_of(operator: Operator, asked: Asked, conditions: Conditions) -> Mails:
    """The mails of the list, over all pages."""
    found = queries.search(operator, conditions)
    return found.filter(assignee=None) if asked.values.get("assignee") == "none" else found


def _page_of(operator: Operator, asked: Asked, conditions: Conditions) -> list[ReceivedMail]:
    """The mails of one page, and one more when the list goes on."""
    page: list[ReceivedMail] = []
    for span in queries.spans_of(operator, conditions, asked.after):
        left = queries.PAGE_SIZE + 1 - len(page)
        page += queries.page_after(mails_of(operator, asked, replace(conditions, span=span)), asked.after, left)
        if len(page) > queries.PAGE_SIZE:
            break
    return page


def board_of(operator: Operator, asked: Asked, current: ReceivedMail | None = None) -> Board:
    """The list as it stands now, with `current` marked."""
    now = timezone.now()
    accounts = list(queries.receiving_accounts(operator).order_by("account_no"))
    conditions = asking.conditions_of(asked, accounts)
    page = _page_of(operator, asked, conditions)
    shown, rest = page[: queries.PAGE_SIZE], page[queries.PAGE_SIZE :]
    receiving = facts.receiving_of(accounts)
    before = None if rest else _before(operator, asked, conditions)
    operators = list(Operator.objects.filter(is_active=True).order_by("id"))
    account = next((one for one in accounts if str(one.account_no) == asked.values.get("a")), None)
    return Board(
        asked=asked,
        accounts=accounts,
        account=account,
        account_choices=_account_choices(asked, accounts, account),
        period=Period(asking.PERIODS[asked.period], asked.period != asking.USUAL_PERIOD),
        period_choices=_period_choices(asked),
        views=_views(operator, asked),
        chips=asking.chips_of(asked, operators),
        operators=[(str(one.pk), str(one)) for one in operators],
        rows=_rows(operator, asked, shown, current, now),
        older_url=f"?{asked.with_()}&{asking.CURSOR}={shown[-1].sort_key}" if rest else "",
        newer_url=f"?{asked.with_()}" if asked.after is not None else "",
        before=before if shown else None,
        empty=_empty(asked, accounts, receiving, before, now),
        downs=[_down(one, since, now) for one, since in receiving.downs],
        result_words=_result_words(operator, now),
        fetch_words=_fetch_words(receiving, now),
        live_seconds=BUSY_SECONDS if receiving.is_running else QUIET_SECONDS,
        live_url=f"{reverse('inbox:list')}?{asked.query}" + (f"&on={current.number}" if current else ""),
    )


def name_of(person: Recipient) -> str:
    """How a person is called in the list: a company's people after their company."""
    if person.kind == Recipient.Kind.CLIENT:
        return f"{person.client_contact.client.company_name} {person.name}".strip()
    return person.name


def time_words(at: datetime, now: datetime) -> str:
    """17:31 today, 11/23 this year, 2025/11/23 before."""
    local, today = timezone.localtime(at), timezone.localtime(now)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%m/%d}" if local.year == today.year else f"{local:%Y/%m/%d}"


def _rows(
    operator: Operator, asked: Asked, mails: Sequence[ReceivedMail], current: ReceivedMail | None, now: datetime
) -> list[Row]:
    senders = facts.senders_of(mails)
    present = queries.present_in(mails, operator, now)
    records = contacts.visible(operator).filter(mail__in=[mail.pk for mail in mails])
    recorded = set(records.values_list("mail_id", flat=True))
    query = f"?{asked.query}" if asked.query else ""
    return [
        _row(mail, senders.get(mail.pk), query, mail == current, now, present.get(mail.pk, ""), mail.pk in recorded)
        for mail in mails
    ]


def _row(
    mail: ReceivedMail, link: MailPerson | None, query: str, is_current: bool, now: datetime, present: str, record: bool
) -> Row:
    name, kind, css = _who(mail, link)
    return Row(
        number=mail.number,
        url=reverse("inbox:mail", args=[mail.number]) + query,
        is_current=is_current,
        is_read=mail.is_read,
        name=name,
        kind=kind,
        kind_css=css,
        at=mail.at,
        time=time_words(mail.at, now),
        subject=mail.subject or NAMELESS,
        snippet=mail.snippet,
        account=mail.account.name,
        assignee=str(mail.assignee) if mail.assignee else "",
        about=_about(mail),
        sort=labels.READINGS[ReceivedMail.Reading.WAITING] if mail.reading == ReceivedMail.Reading.WAITING else "",
        is_replied=mail.replied_at is not None,
        record=record,
        has_attachment=mail.attachment_count > 0,
        present=present,
    )


def _about(mail: ReceivedMail) -> str:
    """Which send the mail answers or reports on."""
    if mail.job is None:
        return ""
    words = {ReceivedMail.Kind.ORDINARY: "への返信", ReceivedMail.Kind.BOUNCE: "の不達"}
    return f"NO {mail.job.number} {words.get(ReceivedMail.Kind(mail.kind), 'について')}"


def _who(mail: ReceivedMail, link: MailPerson | None) -> tuple[str, str, str]:
    if mail.kind != ReceivedMail.Kind.ORDINARY:
        css = "n" if mail.kind in (ReceivedMail.Kind.BOUNCE, ReceivedMail.Kind.UNREADABLE) else ""
        name = name_of(link.recipient) if link else mail.from_name or mail.from_address or "差出人なし"
        return name, labels.KINDS[ReceivedMail.Kind(mail.kind)], css
    if link:
        return name_of(link.recipient), KIND[link.recipient.kind], link.recipient.kind
    if mail.reading == ReceivedMail.Reading.WAITING:
        return mail.from_address or "読み取り待ち", "", ""
    return f"(未登録){mail.from_address or '差出人なし'}", "未紐付け", "w"


def _views(operator: Operator, asked: Asked) -> list[ViewTab]:
    counts = queries.counts(operator)
    found = []
    for view, label in VIEW_LABELS.items():
        count = getattr(counts, view) if view in COUNTED else None
        if view in ("bounces", "unreadable") and getattr(counts, view):
            count = getattr(counts, view)
        url = f"?{asked.with_(v='' if view == 'open' else view)}"
        found.append(ViewTab(label, reverse("inbox:index") + url.rstrip("?"), count, view == asked.view))
    return found


def _account_choices(asked: Asked, accounts: Sequence[MailAccount], chosen: MailAccount | None) -> list[Choice]:
    index = reverse("inbox:index")
    every = Choice("すべてのアカウント", f"{index}?{asked.with_(a='')}", chosen is None)
    return [
        every,
        *(Choice(one.name, f"{index}?{asked.with_(a=str(one.account_no))}", one == chosen) for one in accounts),
    ]


def _period_choices(asked: Asked) -> list[Choice]:
    index = reverse("inbox:index")
    offered = asking.PERIODS.items()
    return [Choice(label, f"{index}?{asked.with_(p=key)}", key == asked.period) for key, label in offered]


def _before(operator: Operator, asked: Asked, conditions: Conditions) -> Empty | None:
    """Work that lies before the period: never hidden without a word."""
    earlier = asking.before_period(conditions)
    if earlier is None or asked.values.get("from"):
        return None
    rest = mails_of(operator, asked, earlier).order_by()
    label = VIEW_LABELS[asked.view]
    noun = f"{label}のメール" if asked.view in ("open", "waiting") else "メール"
    url = f"{reverse('inbox:index')}?{asked.with_(p='all')}"
    if asked.view in COUNTED:
        count = rest.count()
        words = f"{asking.PERIODS[asked.period]}より前に、{noun}が {count:,}件あります。"
        return Empty(words, url, "すべての期間を見る") if count else None
    words = f"{asking.PERIODS[asked.period]}より前のメールもあります。"
    return Empty(words, url, "すべての期間を見る") if rest.exists() else None


def _empty(
    asked: Asked, accounts: Sequence[MailAccount], receiving: facts.Receiving, before: Empty | None, now: datetime
) -> Empty:
    index = reverse("inbox:index")
    if not accounts:
        return Empty(NO_ACCOUNT)
    if any(key in asked.values for key in asking.ASKS):
        clear = f"{index}?{asked.with_(**dict.fromkeys(asking.ASKS, ''))}"
        return Empty("条件に合うメールがありません。条件を減らして、もう一度抽出してください。", clear, "条件をクリア")
    if before is not None:
        return before
    if receiving.last_at is None:
        return Empty("まだ受信していません。", may_fetch=True)
    label = VIEW_LABELS[asked.view]
    noun = "メールはありません。" if asked.view == "all" else f"{label}のメールはありません。"
    if asked.view in ("bounces", "unreadable"):
        noun = f"{label}はありません。"
    following = f"次の受信は {clock(receiving.next_at, now)} です。" if receiving.next_at else ""
    return Empty(noun + following)


def _down(account: MailAccount, since: datetime, now: datetime) -> Down:
    words = f"{account.name}は {clock(since, now)} から受信できていません。"
    return Down(account.account_no, words, f"{reverse('status:index')}#receive:{account.account_no}")


def _result_words(operator: Operator, now: datetime) -> str:
    told = [
        f"{name} " + ("受信できません" if trouble else f"{count:,}通")
        for name, trouble, count in facts.results_for(operator, now)
    ]
    return f"受信しました({' / '.join(told)})。" if told else ""


def _fetch_words(receiving: facts.Receiving, now: datetime) -> str:
    if receiving.is_running:
        return "受信しています…"
    last = f"{clock(receiving.last_at, now)} に受信" if receiving.last_at else ""
    following = f"次は {clock(receiving.next_at, now)}" if receiving.next_at else ""
    return " ・ ".join(words for words in (last, following) if words)
