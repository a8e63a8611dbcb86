"""エラーメール by person: one line per failing address, newest first, with what it means and what can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from fumibako.apps.inbox import labels, queries
from fumibako.apps.inbox.bounce_words import WHOSE, explanation
from fumibako.apps.inbox.models import BounceReport
from fumibako.apps.office.models import Operator
from fumibako.apps.recipients.labels import FLAG, KIND
from fumibako.apps.recipients.models import PartyAddress
from fumibako.mime.bounce.reasons import REASONS
from fumibako.web.inbox.listing import name_of
from fumibako.web.people.lists import record_url

PAGE_SIZE = 50
FLAG_TAGS = {"send": ("ok", "circle-check"), "do_not": ("warn", "circle-minus"), "cannot": ("bad", "ban")}


@dataclass(frozen=True, slots=True)
class Group:
    """One failing address."""

    address: str
    name: str
    url: str
    kind: str
    reason: str
    is_theirs: bool
    count: int
    at: datetime
    mail_url: str
    raw: str
    effect: str
    party_address: PartyAddress | None
    flag: str
    flag_kind: str
    flag_icon: str
    fix_url: str
    record_url: str

    @property
    def can_restore(self) -> bool:
        """Whether there is something to bring back."""
        return self.party_address is not None and (self.flag_kind == "bad" or self.party_address.error_count > 0)


@dataclass(frozen=True, slots=True)
class Chip:
    """Whose fault, to narrow the list."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page of groups."""

    groups: Sequence[Group]
    chips: Sequence[Chip]
    older_url: str


def page_of(operator: Operator, whose: str, after: int | None) -> Page:
    """The addresses of one page, after the one whose newest error mail has `after` as its sort key."""
    reports = queries.bounce_list(operator).exclude(address_key="").exclude(effect=BounceReport.Effect.COPY)
    if whose in WHOSE:
        reports = reports.filter(reason__in=[reason for reason in REASONS if explanation(reason)[1] == whose])
    rows = queries.failing_addresses(reports, PAGE_SIZE + 1, after)
    shown = rows[:PAGE_SIZE]
    latest = {
        (report.address_key, report.mail.sort_key): report
        for report in reports.filter(
            address_key__in=[row.address_key for row in shown], mail__sort_key__in=[row.last for row in shown]
        ).select_related("party_address__recipient__client_contact__client")
    }
    groups = [_group(latest[row.address_key, row.last], row.count) for row in shown]
    older = urlencode({"reason": whose, "after": shown[-1].last}) if len(rows) > PAGE_SIZE else ""
    return Page(groups, _chips(whose), f"?{older}" if older else "")


def _group(report: BounceReport, count: int) -> Group:
    address = report.party_address
    person = address.recipient if address else None
    words, whose = explanation(report.reason)
    flag = address.flag if address else ""
    flag_kind, flag_icon = FLAG_TAGS.get(flag, ("", ""))
    url = record_url(person) if person else ""
    before, _, anchor = url.partition("#")
    return Group(
        address=report.address or report.address_key,
        name=name_of(person) if person else "名簿にない人",
        url=url,
        kind=KIND[person.kind] if person else "",
        reason=words,
        is_theirs=whose == "address",
        count=count,
        at=report.mail.at,
        mail_url=f"{reverse('inbox:mail', args=[report.mail.number])}?v=bounces&p=all",
        raw=" ".join(part for part in (str(report.code or ""), report.enhanced, report.text) if part),
        effect=labels.EFFECTS[BounceReport.Effect(report.effect)],
        party_address=address,
        flag=FLAG[flag] if flag else "",
        flag_kind=flag_kind,
        flag_icon=flag_icon,
        fix_url=f"{before}?tab=address" + (f"#{anchor}" if anchor else "") if url else "",
        record_url=_call_url(person.kind, person.number) if person else "",
    )


def _call_url(kind: str, number: str) -> str:
    try:
        return f"{reverse('contacts:new')}?{urlencode({'person': f'{kind}:{number}'})}"
    except NoReverseMatch:
        return ""


def _chips(chosen: str) -> list[Chip]:
    offered: Mapping[str, str] = {"": "すべて", **WHOSE}
    return [Chip(label, f"?reason={key}" if key else "?", key == chosen) for key, label in offered.items()]
