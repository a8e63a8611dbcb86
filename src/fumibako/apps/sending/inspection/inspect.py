"""The whole 点検 of one draft: counts, plan, findings and samples from a single pass over its mails."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fumibako.apps.recipients.models import Recipient
from fumibako.apps.sending.build import JobComposer, Moment, build_all, sheet_of
from fumibako.apps.sending.errors import AttachmentMissing
from fumibako.apps.sending.inspection import labels
from fumibako.apps.sending.inspection.finding import Finding, with_confirmations
from fumibako.apps.sending.inspection.job_checks import Draft, job_findings
from fumibako.apps.sending.inspection.letter_checks import Letter, letter_findings
from fumibako.apps.sending.inspection.survey import Sample, Survey
from fumibako.apps.sending.models import BulkSend, Delivery
from fumibako.apps.sending.plan import Plan
from fumibako.apps.sending.schedule import plan_of
from fumibako.apps.sending.selection import Judged, JudgedRows, SelectionCounts, Tally
from fumibako.letters.merge import LetterRefused
from fumibako.mime.unsendable import Unsendable

PATIENCE = timedelta(hours=24)
"""How long after its planned end a job goes on trying, when nobody set a deadline (SPEC §2.3)."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What 点検 found at one moment for one version of the draft. `passed` are the ids of checks without a finding."""

    findings: tuple[Finding, ...]
    counts: SelectionCounts
    plan: Plan
    samples: tuple[Sample, ...]
    version: int
    passed: tuple[str, ...]
    sheet: dict[str, object]

    @property
    def stop_count(self) -> int:
        """Findings that keep the job from being sent."""
        return sum(1 for one in self.findings if one.weight == "stop")

    @property
    def open_count(self) -> int:
        """Findings that keep the job from being sent, or still want このままでよい."""
        return sum(1 for one in self.findings if one.is_open)


Keep = Callable[[Delivery], None]


def inspect(
    job: BulkSend,
    now: datetime,
    *,
    start_at: datetime | None = None,
    deadline_at: datetime | None = None,
    dated_at: datetime | None = None,
    keep: Keep | None = None,
) -> Inspection:
    """Build every mail of the draft and look at it. Writes nothing.

    `start_at` is when the send would begin (now, unless given). `keep` receives every row, exclusions included, with
    its values, Message-ID, Date and hash: approving is this same pass with the rows kept.
    """
    account = job.account
    rows = JudgedRows(job)
    sheet = sheet_of(job, account) if account else {}
    tally = Tally()
    passing = tally.passing(rows)
    findings: list[Finding] = []
    samples: tuple[Sample, ...] = ()
    if account is not None:
        survey = Survey(account.charset)  # type: ignore[arg-type]
        findings += _build(job, sheet, passing, Moment(dated_at or now, job.created_by_name), survey, keep)
        findings += survey.findings()
        samples = survey.samples()
    deque(passing, maxlen=0)  # where no mail could be built, the list is counted all the same
    counts = tally.counts(account)
    schedule = plan_of(account, counts.mail_count, start_at or now, deadline_at)
    findings += job_findings(Draft(job, account, sheet, rows, counts, schedule, now))
    letter = Letter(job.subject, job.body, job.attachments.count())
    findings += letter_findings(letter, _registered_names())
    found = with_confirmations(findings, job.confirmed_findings)
    failing = {one.id for one in found}
    passed = tuple(id for id in labels.CHECKS if id not in failing)
    return Inspection(found, counts, schedule, samples, job.version, passed, sheet)


def _build(
    job: BulkSend, sheet: dict[str, Any], rows: Iterable[Judged], moment: Moment, survey: Survey, keep: Keep | None
) -> Iterator[Finding]:
    try:
        composer = JobComposer(sheet)
    except LetterRefused:
        return  # each mistake is a finding of the letter already
    except AttachmentMissing as missing:
        yield Finding("C01:file", "C01", "stop", *labels.missing_file(missing.name), link="letter")
        return
    except Unsendable as refusal:
        yield Finding("C01:sheet", "C01", "stop", *labels.unusable_sender(refusal.field), link="sender")
        return
    for built in build_all(job, sheet, composer, rows, moment):
        survey.take(built)
        if keep is not None:
            keep(built.row)


def _registered_names() -> Iterator[str]:
    rows = Recipient.objects.exclude(given_name="").values_list("family_name", "given_name").distinct()
    for family_name, given_name in rows.iterator(chunk_size=5000):
        yield f"{family_name} {given_name}"
