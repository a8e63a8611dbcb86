"""Checks of a draft as a whole: sender and numbers (C01), repeats (C09), mixture (C10), 送らない (C11), everybody
(C13), copies (C16), time (C17), advertising (C18) and the test mail (C20)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.recipients.models import PartyAddress, Recipient, Staff
from fumibako.apps.sending.inspection import labels
from fumibako.apps.sending.inspection.finding import Finding, Fix, People, PersonRef, fingerprint
from fumibako.apps.sending.labels import stop_reason
from fumibako.apps.sending.models import BulkSend, Delivery, Pace
from fumibako.apps.sending.plan import Plan
from fumibako.apps.sending.selection import Judged, SelectionCounts
from fumibako.delivery.states import State

SAME_PEOPLE_SHARE = 0.3
EVERYBODY_SHARE = 0.8
EVERYBODY_FROM = 20
"""A small office may well write to all its staff."""
KEYS_PER_QUERY = 10_000
STOPPING_WORDS = ("配信停止", "配信の停止", "配信を停止", "配信解除")


@dataclass(frozen=True, slots=True)
class Draft:
    """What the checks look at."""

    job: BulkSend
    account: MailAccount | None
    sheet: Mapping[str, Any]
    rows: Iterable[Judged]
    """May be gone through more than once."""
    counts: SelectionCounts
    plan: Plan
    now: datetime


def job_findings(draft: Draft) -> Iterator[Finding]:
    """Everything to say about the draft as a whole."""
    yield from _sender(draft)
    yield from _numbers(draft)
    yield from _repeated(draft)
    yield from _mixed(draft)
    yield from _lifted(draft)
    yield from _everybody(draft)
    yield from _copies(draft)
    yield from _time(draft)
    yield from _advertising(draft)
    yield from _untested(draft)


def _sender(draft: Draft) -> Iterator[Finding]:
    account = draft.account
    if account is None:
        yield Finding("C01:account", "C01", "stop", *labels.NO_ACCOUNT, link="sender")
        return
    if not account.smtp_host or not account.from_address or not account.visible:
        yield Finding("C01:account", "C01", "stop", *labels.account_unusable(account.name), link="sender")
    pace = Pace.objects.filter(account=account, stopped_at__isnull=False).first()
    if pace is not None:
        yield Finding(
            "C01:stopped",
            "C01",
            "stop",
            *labels.account_stopped(account.name, stop_reason(pace.stop_kind, pace.stop_text, account)),
            link="sender",
        )
    if draft.sheet.get("attachments") and not account.allow_attachments:
        yield Finding("C01:attachments", "C01", "stop", *labels.attachments_not_allowed(account.name), link="letter")


def _numbers(draft: Draft) -> Iterator[Finding]:
    if not draft.counts.mail_count:
        yield Finding("C01:recipients", "C01", "stop", *labels.NO_RECIPIENTS, link="recipients")
    elif draft.counts.is_over_limit:
        texts = labels.over_limit(draft.counts.mail_count, draft.counts.limit or 0)
        yield Finding("C01:limit", "C01", "stop", *texts, link="recipients")


def _repeated(draft: Draft) -> Iterator[Finding]:
    if not draft.job.subject.strip() or not draft.counts.mail_count:
        return
    since = draft.now - timedelta(hours=24)
    sent = Delivery.objects.filter(
        job__subject=draft.job.subject,
        job__origin=BulkSend.Origin.BULK,
        job__approved_at__gte=since,
        state__in=[State.SENT, State.UNKNOWN, State.HANDING_OVER],
    ).exclude(job=draft.job)
    again = _reached_again(draft.rows, sent) if sent.exists() else 0
    if again <= draft.counts.mail_count * SAME_PEOPLE_SHARE:
        return
    last = sent.order_by("-changed_at").values_list("changed_at", flat=True).first() or draft.now
    title, detail = labels.repeated(last, again, draft.now)
    yield Finding(
        "C09", "C09", "confirm", title, detail, link="recipients", fingerprint=fingerprint(draft.job.subject, again)
    )


def _reached_again(rows: Iterable[Judged], sent: QuerySet[Delivery, Delivery]) -> int:
    """How many of these mails go where one of those went; neither side is held as a whole."""
    mailed = (judged.candidate.address_key for judged in rows if judged.will_be_sent)
    again = 0
    while keys := set(islice(mailed, KEYS_PER_QUERY)):
        again += sent.filter(address_key__in=keys).order_by().values("address_key").distinct().count()
    return again


def _mixed(draft: Draft) -> Iterator[Finding]:
    kinds = draft.counts.by_kind
    if len(kinds) > 1:
        title, detail = labels.mixed(kinds)
        facts = fingerprint("C10", sorted(kinds.items()))
        yield Finding("C10", "C10", "confirm", title, detail, link="recipients", fingerprint=facts)


def _lifted(draft: Draft) -> Iterator[Finding]:
    people = People()
    for judged in draft.rows if draft.counts.lifted_count else ():
        if judged.lifts_do_not_send:
            one = judged.candidate
            people.add(PersonRef(one.recipient_id, one.kind, one.number, one.name, one.address or ""))
    if people.count:
        title, detail = labels.lifted(people.count)
        yield Finding(
            "C11",
            "C11",
            "confirm",
            title,
            detail,
            people=tuple(people.shown),
            people_count=people.count,
            link="recipients",
            fingerprint=fingerprint("C11", people.digest),
        )


def _everybody(draft: Draft) -> Iterator[Finding]:
    chosen = draft.counts.persons_by_kind.get(Recipient.Kind.STAFF, 0)
    if chosen < EVERYBODY_FROM:
        return
    staff = Staff.objects.filter(recipient__is_hidden=False).exclude(employment=Staff.Employment.LEFT)
    active = staff.filter(
        recipient__in=PartyAddress.objects.filter(flag=PartyAddress.Flag.SEND).values("recipient")
    ).count()
    if active and chosen >= active * EVERYBODY_SHARE:
        title, detail = labels.everybody(chosen, active)
        facts = fingerprint("C13", chosen)
        yield Finding("C13", "C13", "confirm", title, detail, link="recipients", fingerprint=facts)


def _copies(draft: Draft) -> Iterator[Finding]:
    cc, bcc = draft.sheet.get("cc", []), draft.sheet.get("bcc", [])
    if not (cc or bcc) or not draft.counts.mail_count:
        return
    title, detail = labels.copies(cc, bcc, draft.counts.mail_count)
    facts = fingerprint("C16", cc, bcc, draft.counts.mail_count)
    yield Finding("C16", "C16", "confirm", title, detail, link="sender", fingerprint=facts)


def _time(draft: Draft) -> Iterator[Finding]:
    plan, account = draft.plan, draft.account
    if account is None or not draft.counts.mail_count:
        return
    if plan.warning_from is not None and not plan.starts_in_warning:
        fix = None
        if plan.start_after_warning_at is not None:
            later = plan.start_after_warning_at
            fix = Fix("start_at", later.isoformat(), labels.fix_start(later, draft.now))
        title, detail = labels.runs_into_warning(plan, account.warn_from, account.warn_to, draft.now)
        # Times move with every look; what was accepted is that the send runs into these hours.
        facts = fingerprint("C17", account.warn_from, account.warn_to)
        yield Finding("C17:warning", "C17", "confirm", title, detail, link="check", fix=fix, fingerprint=facts)
    if plan.misses_deadline:
        title, detail = labels.misses_deadline(plan, draft.now)
        facts = fingerprint("C17", plan.deadline_at)
        yield Finding("C17:deadline", "C17", "confirm", title, detail, link="check", fingerprint=facts)


def _advertising(draft: Draft) -> Iterator[Finding]:
    is_marketing = draft.account is not None and draft.account.is_marketing
    if not is_marketing and draft.job.kind != BulkSend.Kind.ADVERTISING:
        return
    signature = str(draft.sheet.get("signature", ""))
    if not signature.strip():
        yield Finding("C18:signature", "C18", "stop", *labels.NO_SIGNATURE, link="sender")
    words = draft.job.body + signature
    if not any(word in words for word in STOPPING_WORDS):
        title, detail = labels.NO_OPT_OUT
        yield Finding("C18:opt_out", "C18", "stop", title, detail, link="letter")


def _untested(draft: Draft) -> Iterator[Finding]:
    if draft.job.tested_version == draft.job.version:
        return
    title, detail = labels.UNTESTED if draft.job.tested_version is None else labels.TESTED_BEFORE
    facts = fingerprint("C20", draft.job.subject, draft.job.body, draft.sheet.get("attachments"))
    yield Finding("C20", "C20", "confirm", title, detail, link="letter", fingerprint=facts)
