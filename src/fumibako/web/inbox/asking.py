"""What the list asks for, as an address: view, account, period and 抽出条件; and addresses with one of them changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.inbox import labels
from fumibako.apps.inbox.queries import VIEWS, Conditions, View
from fumibako.apps.office.models import Operator

FRAME = ("v", "a", "p")
"""View, account and period: they stay when 抽出条件 change."""
ASKS = (
    "q", "sender", "receiver", "subject", "body", "from", "to", "kind", "linked", "assignee", "job", "unread",
    "attached",
)  # fmt: skip
KEYS = (*FRAME, *ASKS)
CURSOR = "after"
PERIODS = {"1": "今日", "7": "最近7日", "30": "最近30日", "all": "すべての期間"}
USUAL_PERIOD = "7"
LONGEST = 200
HIGHEST = 2**31 - 1
LABELS = {
    "q": "言葉",
    "sender": "差出人",
    "receiver": "宛先",
    "subject": "件名",
    "body": "本文",
    "from": "受信日から",
    "to": "受信日まで",
    "kind": "種別",
    "linked": "紐付け",
    "assignee": "担当",
    "job": "送信管理NO",
    "unread": "未読のみ",
    "attached": "添付あり",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a popover."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """A condition that is on, and the list without it."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The list's address in parts; what is not asked for is not in `values`."""

    values: Mapping[str, str] = field(default_factory=dict)
    after: int | None = None

    @property
    def view(self) -> View:
        """Which of the views; 未処理 unless another one is named."""
        return next((view for view in VIEWS if view == self.values.get("v")), "open")

    @property
    def period(self) -> str:
        """A key of PERIODS; a day that was asked for itself, or a word, reaches over all of them."""
        asked = self.values.get("p", "")
        if asked in PERIODS:
            return asked
        return "all" if any(self.values.get(key) for key in ("from", "to", "q", "job")) else USUAL_PERIOD

    @property
    def query(self) -> str:
        """Everything, to carry along: to a mail and back."""
        cursor = {CURSOR: str(self.after)} if self.after is not None else {}
        return urlencode({**self.values, **cursor})

    def with_(self, **changed: str) -> str:
        """The query with something changed, from the newest mail on; "" takes a condition away."""
        kept = {name: value for name, value in {**self.values, **changed}.items() if value}
        return urlencode(kept)

    def kept(self) -> dict[str, str]:
        """What stays when the form of 抽出条件 is sent."""
        return {name: self.values[name] for name in FRAME if name in self.values}


def asked_in(parameters: Mapping[str, str]) -> Asked:
    """What a request's parameters ask for; what is unknown or too long asks for nothing."""
    values = {key: str(parameters[key]).strip()[:LONGEST] for key in KEYS if str(parameters.get(key, "")).strip()}
    return Asked(values, _number(parameters.get(CURSOR, ""), 2**63 - 1))


def conditions_of(asked: Asked, accounts: Sequence[MailAccount]) -> Conditions:
    """The same for the query; 担当なし is left to `with_nobody`."""
    values = asked.values
    since, until = span_of(asked)
    return Conditions(
        view=asked.view,
        account_ids=[account.pk for account in accounts if str(account.account_no) == values.get("a")],
        received_from=since,
        received_to=until,
        words=values.get("q", ""),
        sender=values.get("sender", ""),
        recipients=values.get("receiver", ""),
        subject=values.get("subject", ""),
        body=values.get("body", ""),
        kind=values.get("kind", "") if values.get("kind", "") in labels.KINDS else "",
        is_unread_only="unread" in values,
        is_linked={"yes": True, "no": False}.get(values.get("linked", "")),
        has_attachment=True if "attached" in values else None,
        assignee_id=_number(values.get("assignee", "")),
        job_number=_number(values.get("job", "")),
    )


def before_period(conditions: Conditions) -> Conditions | None:
    """The same for the days before the period; None when the list reaches back to the first mail."""
    since = conditions.received_from
    return replace(conditions, received_from=None, received_to=since - timedelta(days=1)) if since else None


def span_of(asked: Asked) -> tuple[date | None, date | None]:
    """First and last 受信日."""
    since, until = _day(asked.values.get("from", "")), _day(asked.values.get("to", ""))
    if since is None and asked.period.isdigit():
        since = timezone.localdate() - timedelta(days=int(asked.period) - 1)
    return since, until


def chips_of(asked: Asked, operators: Sequence[Operator]) -> list[Chip]:
    """One chip for each of 抽出条件 that is on."""
    names = {str(one.pk): str(one) for one in operators} | {"none": "なし"}
    words: dict[str, Mapping[str, str]] = {
        "linked": {"yes": "あり", "no": "なし"},
        "assignee": names,
        "kind": {str(kind): label for kind, label in labels.KINDS.items()},
    }
    found = []
    for key in ASKS:
        value = asked.values.get(key, "")
        if not value:
            continue
        shown = words[key].get(value, value) if key in words else value
        text = LABELS[key] if key in ("unread", "attached") else f"{LABELS[key]}:{shown}"
        found.append(Chip(text, f"?{asked.with_(**{key: ''})}"))
    return found


def _number(text: str, highest: int = HIGHEST) -> int | None:
    return min(int(text), highest) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
