"""What people do with a job once its draft is finished: each verb is one transaction with one audit entry."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any, Literal

from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.queries import may_use
from fumibako.apps.audit.actions import record
from fumibako.apps.office.models import Operator
from fumibako.apps.office.queries import office
from fumibako.apps.sending import labels, ledger
from fumibako.apps.sending.addressees import note_addressees
from fumibako.apps.sending.approval import SMALL_SEND, Gate, Start, gate_problems, release_time
from fumibako.apps.sending.build import TEST_SUBJECT, JobComposer, Moment, build_all, seal, sheet_of, test_row
from fumibako.apps.sending.drafts import actor_name, add_people, last_editor, new_job, note, start_draft
from fumibako.apps.sending.errors import ChangedMeanwhile, NotADraft, NotNow, Problem, Refused, SumsDisagree
from fumibako.apps.sending.inspection.inspect import PATIENCE, Inspection, inspect
from fumibako.apps.sending.laying import REPEATABLE, Laid
from fumibako.apps.sending.ledger.moves import Note, one_writer
from fumibako.apps.sending.models import BulkSend, Delivery, DraftAddress, JobAttachment, RemovedRecipient
from fumibako.apps.sending.pacing import allow_again, locked_pace
from fumibako.apps.sending.selection import counts_of, judged_rows
from fumibako.delivery.states import State, Trigger
from fumibako.mime.addresses import judge, tidy

Decision = Literal["sent", "resend", "give_up"]

DECISIONS: dict[str, Trigger] = {
    "sent": Trigger.TREAT_AS_SENT,
    "resend": Trigger.RESEND,
    "give_up": Trigger.GIVE_UP,
}


def approve_bulk_send(
    operator: Operator | None,
    job_id: int,
    *,
    version: int,
    typed_number: str = "",
    ticks: Collection[str] = (),
    start: Start = "hold",
    accept_warning_hours: bool = False,
    deadline_at: datetime | None = None,
    now: datetime | None = None,
) -> BulkSend:
    """送信: check everything once more, then freeze the list and the very bytes. Nothing leaves before `release_at`.

    Pressed twice with the same `version` it gives the same job and changes nothing (C09). Raises ChangedMeanwhile when
    somebody changed the draft since `version` (C10), NotADraft when it was approved or ended in another version, and
    Refused with everything that the gate still misses.
    """
    now = now or timezone.now()
    with one_writer():
        job = _locked(job_id)
        if job.approved_at is not None and job.version == version:
            return job
        _require_draft(job, version)
        release_at, dated_at = _times(job, start, now)
        rows = Laid(job, ledger.plan_rows)
        found = inspect(job, now, start_at=release_at, deadline_at=deadline_at, dated_at=dated_at, keep=rows.take)
        gate = Gate(typed_number, ticks, accept_warning_hours)
        problems = list(gate_problems(operator, job.account, found, gate, office()))
        if deadline_at is not None and deadline_at <= release_at:
            problems.append(Problem("deadline_at", "", labels.DEADLINE_TOO_EARLY))
        if problems:
            raise Refused(problems)
        job.release_at = release_at
        job.deadline_at = deadline_at or found.plan.end_at + PATIENCE
        _freeze(operator, job, found, rows, now, has_deadline=deadline_at is not None)
    return job


def _require_draft(job: BulkSend, version: int) -> None:
    if job.approved_at is not None:
        raise NotADraft(job.approved_by_name, job.approved_at)
    if job.cancelled_at is not None:
        raise NotADraft(job.cancelled_by_name, job.cancelled_at)
    if job.version != version:
        raise ChangedMeanwhile(last_editor(job), job.changed_at)


def _times(job: BulkSend, start: Start, now: datetime) -> tuple[datetime, datetime]:
    """(release_at, the Date of every mail). A reserved mail is dated to its start, every other to its approval."""
    if job.account is None:
        return now, now
    release_at = release_time(start, now, counts_of(job, up_to=SMALL_SEND), job.account, office())
    return release_at, release_at if isinstance(start, datetime) else now


def _freeze(
    operator: Operator | None,
    job: BulkSend,
    found: Inspection,
    rows: Laid,
    now: datetime,
    *,
    has_deadline: bool,
) -> None:
    rows.lay()
    if rows.count != found.counts.row_count:
        raise SumsDisagree(f"job {job.number}: {rows.count} of {found.counts.row_count} rows were built")
    note_addressees(job.pk)
    job.sheet = found.sheet | {"has_deadline": has_deadline}
    job.approved_at = now
    job.approved_by_name = actor_name(operator)
    job.selected_count = rows.count
    job.save()
    counts = found.counts
    note(job, "frozen", operator, count=counts.mail_count)
    note(job, "approved", operator, count=counts.mail_count)
    changes: dict[str, Any] = {"mails": [0, counts.mail_count], "excluded": [0, counts.excluded_count]}
    if counts.lifted_count:
        changes["do_not_send_lifted"] = [0, counts.lifted_count]
    record(operator, "bulk_send.approved", _target(job), changes=changes)


def withdraw(operator: Operator | None, job: BulkSend, *, now: datetime | None = None) -> BulkSend:
    """取り消して下書きに戻す, before anything left: the frozen job ends as 取り消し, its contents go on in a new draft.

    Returns the draft. Raises NotNow when sending has begun.
    """
    now = now or timezone.now()
    with one_writer():
        job = _locked(job.pk)
        if job.approved_at is None or job.released_at is not None or job.cancelled_at is not None:
            raise NotNow([Problem("", "", labels.CANNOT_WITHDRAW)])
        job.cancelled_at = now
        job.cancelled_by_name = actor_name(operator)
        job.save()
        ledger.cancel_job(job.pk, now, _note(operator))
        draft = new_job(
            operator,
            kind=job.kind,
            account=job.account,
            subject=job.subject,
            body=job.body,
            result_notice=job.result_notice,
            resend_of=job.resend_of,
        )
        for model in (DraftAddress, RemovedRecipient):
            model._default_manager.filter(job=job).update(job=draft)
        files = [
            JobAttachment(job=draft, name=one.name, content_type=one.content_type, size=one.size, sha256=one.sha256)
            for one in job.attachments.all()
        ]
        JobAttachment.objects.bulk_create(files)
        note(job, "withdrawn", operator, draft=draft.number)
        record(operator, "bulk_send.withdrawn", _target(job), changes={"draft": [None, draft.number]})
    return draft


def start_now(operator: Operator | None, job: BulkSend, *, now: datetime | None = None) -> BulkSend:
    """今すぐ開始, while the hold time runs. Raises NotNow when it is over, or for mails dated to a reserved time."""
    now = now or timezone.now()
    with one_writer():
        job = _locked(job.pk)
        if job.approved_at is None or job.released_at or job.cancelled_at or job.paused_at:
            raise NotNow([Problem("", "", labels.NOT_WAITING)])
        if job.deliveries.filter(state=State.PLANNED, dated_at__gt=now).exists():
            raise NotNow([Problem("", "", labels.CANNOT_START_NOW)])
        job.release_at = now
        job.save()
        note(job, "start_now", operator)
        record(operator, "bulk_send.start_now", _target(job))
    return job


def pause(operator: Operator | None, job: BulkSend, *, now: datetime | None = None) -> BulkSend:
    """一時停止: nothing is claimed any more; what is between mark and answer finishes. Twice is once."""
    now = now or timezone.now()
    with one_writer():
        job = _locked(job.pk)
        if job.paused_at is not None:
            return job
        if job.approved_at is None or job.cancelled_at or job.finished_at:
            raise NotNow([Problem("", "", labels.CANNOT_PAUSE)])
        job.paused_at = now
        job.paused_by_name = actor_name(operator)
        job.pause_cause = ""
        job.save()
        note(job, "paused", operator)
        record(operator, "bulk_send.paused", _target(job))
    return job


def resume(operator: Operator | None, job: BulkSend, *, now: datetime | None = None) -> BulkSend:
    """再開, whoever or whatever paused it. A reservation that was missed starts now.

    A 送信期限 that a person set stays; the usual one is counted anew.
    """
    now = now or timezone.now()
    with one_writer():
        job = _locked(job.pk)
        if job.paused_at is None or job.cancelled_at or job.finished_at:
            raise NotNow([Problem("", "", labels.CANNOT_RESUME)])
        cause = job.pause_cause
        job.paused_at = None
        job.paused_by_name = ""
        job.pause_cause = ""
        if job.released_at is None and job.release_at is not None and job.release_at < now:
            job.release_at = now
        if job.deadline_at is not None and not job.sheet.get("has_deadline"):
            job.deadline_at = max(job.deadline_at, now + PATIENCE)
        job.save()
        note(job, "resumed", operator)
        record(operator, "bulk_send.resumed", _target(job), changes={"cause": [cause, ""]})
    return job


def cancel(operator: Operator | None, job: BulkSend, *, now: datetime | None = None) -> BulkSend:
    """中止: what was not handed over stays unsent. Twice is once. Raises NotNow for a draft or a finished job."""
    now = now or timezone.now()
    with one_writer():
        job = _locked(job.pk)
        if job.cancelled_at is not None and job.approved_at is not None:
            return job
        if job.approved_at is None or job.finished_at:
            raise NotNow([Problem("", "", labels.CANNOT_CANCEL)])
        job.cancelled_at = now
        job.cancelled_by_name = actor_name(operator)
        job.save()
        count = ledger.cancel_job(job.pk, now, _note(operator))
        note(job, "cancelled", operator, count=count)
        record(operator, "bulk_send.cancelled", _target(job), changes={"unsent": [0, count]})
    return job


def resend_failed(
    operator: Operator | None,
    job: BulkSend,
    delivery_ids: Collection[int] | None = None,
    *,
    idempotency_key: uuid.UUID | None = None,
) -> BulkSend:
    """失敗分を再送: a new draft with the failed addresses only, for the same account and letter.

    A failure that was repeated already, and not failed again, is left out. Raises NotNow when nothing is left.
    """
    with one_writer():
        if idempotency_key and (known := BulkSend.objects.filter(idempotency_key=idempotency_key).first()):
            return known
        chosen = repeatable_deliveries(job, delivery_ids)
        if not chosen:
            raise NotNow([Problem("", "", labels.NOTHING_TO_RESEND)])
        draft = start_draft(operator, idempotency_key=idempotency_key, resend_of=job)
        draft.account, draft.kind, draft.subject, draft.body = job.account, job.kind, job.subject, job.body
        draft.save()
        files = job.sheet.get("attachments", [])
        JobAttachment.objects.bulk_create(JobAttachment(job=draft, **one) for one in files)
        add_people(operator, draft, "", [row.recipient_id for row in chosen if row.recipient_id])
        addresses = [row.party_address_id for row in chosen]
        DraftAddress.objects.filter(job=draft).exclude(address_id__in=addresses).filter(address__isnull=False).delete()
        DraftAddress.objects.filter(job=draft).update(is_ticked=True)
        note(job, "resend", operator, draft=draft.number, count=len(chosen))
        record(operator, "bulk_send.resend", _target(job), changes={"draft": [None, draft.number]})
    draft.refresh_from_db()
    return draft


def repeatable_deliveries(job: BulkSend, delivery_ids: Collection[int] | None = None) -> list[Delivery]:
    """Failed rows of a job that nobody repeated yet, or whose repetition failed as well and was not repeated itself."""
    rows = job.deliveries.filter(state__in=REPEATABLE, recipient__isnull=False).order_by("seq")
    if delivery_ids is not None:
        rows = rows.filter(pk__in=delivery_ids)
    over = (State.FAILED, State.CANCELLED, State.EXPIRED, State.SUPPRESSED)
    repeated = Delivery.objects.filter(previous__job=job).exclude(state__in=over)
    return list(rows.exclude(pk__in=repeated.values("previous_id")))


def settle(
    operator: Operator | None, delivery_id: int, decision: Decision, reason: str, *, now: datetime | None = None
) -> Delivery:
    """結果不明 decided by a named person: treat as sent, send again, or give up. The reason is kept.

    Raises NotNow when the row is not an unknown result any more, Refused without a reason.
    """
    now = now or timezone.now()
    if not reason.strip():
        raise Refused([Problem("reason", "V01", labels.NEEDS_REASON)])
    with one_writer():
        try:
            ledger.settle(
                delivery_id, DECISIONS[decision], operator, reason.strip(), now, actor_name=actor_name(operator)
            )
        except ledger.CannotSettle:
            raise NotNow([Problem("", "", labels.ONLY_UNKNOWN)]) from None
        row = Delivery.objects.select_related("job").get(pk=delivery_id)
        note(row.job, "settled", operator, seq=row.seq, decision=decision)
        target = f"delivery:{row.job.number}-{row.seq}"
        record(operator, "delivery.settled", target, changes={"decision": [None, decision]}, reason=reason.strip())
    return row


def send_test(
    operator: Operator | None,
    job: BulkSend,
    to_address: str,
    address_id: int | None = None,
    *,
    now: datetime | None = None,
) -> BulkSend:
    """テスト送信 of a draft: the mail that `address_id` (else the first mailed one) would get, to `to_address` instead.

    Subject 【テスト】, no CC or BCC, not counted in the draft; a job of its own with one row, released at once. Raises
    Refused, LetterRefused, AttachmentMissing or Unsendable.
    """
    now = now or timezone.now()
    to_address = tidy(to_address)
    account = _testable(operator, job, to_address)
    with one_writer():
        draft = _locked(job.pk)
        sheet = sheet_of(draft, account)
        composer = JobComposer(sheet)
        rows = [judged for judged in judged_rows(draft) if judged.will_be_sent]
        chosen = [judged for judged in rows if address_id in (None, judged.candidate.address_id)]
        if not chosen:
            raise Refused([Problem("recipients", "", labels.NO_TEST_RECIPIENT)])
        built = next(build_all(draft, sheet, composer, chosen[:1], Moment(now, draft.created_by_name)))
        sheet |= {"subject": TEST_SUBJECT + sheet["subject"], "cc": [], "bcc": []}
        test = new_job(
            operator,
            origin=BulkSend.Origin.TEST,
            kind=draft.kind,
            account=account,
            subject=sheet["subject"][:500],
            body=draft.body,
            sheet=sheet,
            approved_at=now,
            approved_by_name=actor_name(operator),
            release_at=now,
            deadline_at=now + PATIENCE,
            selected_count=1,
        )
        row = test_row(test, sheet, to_address, built.row.party_name, built.row.values, now)
        seal(row, JobComposer(sheet).compose(row))
        ledger.plan_rows([row])
        note_addressees(test.pk)
        BulkSend.objects.filter(pk=draft.pk).update(tested_version=draft.version)
        note(draft, "test_sent", operator, test=test.number)
        record(operator, "bulk_send.tested", _target(draft), changes={"test": [None, test.number]})
    job.tested_version = draft.version
    return test


def _testable(operator: Operator | None, job: BulkSend, to_address: str) -> MailAccount:
    if job.account is None:
        raise Refused([labels.problem("account", "V02", item="送信元")])
    if operator is not None and not may_use(operator, job.account, "send"):
        raise Refused([Problem("account", "N01", labels.ACCOUNT_NOT_PERMITTED)])
    if not judge(to_address, allow_non_rfc=True).is_accepted:
        raise Refused([labels.problem("to_address", "V04", item="テスト送信の宛先")])
    return job.account


def allow_account_again(operator: Operator | None, account: MailAccount) -> None:
    """Let an account that stopped (wrong password, sender refused) try again; its jobs go on by themselves."""
    with one_writer():
        before = locked_pace(account.pk).stop_kind
        allow_again(account.pk)
        record(operator, "account.allowed_again", f"account:{account.account_no}", changes={"stop": [before, ""]})


def _locked(job_id: int) -> BulkSend:
    return BulkSend.objects.select_for_update(of=("self",)).select_related("account").get(pk=job_id)


def _note(operator: Operator | None) -> Note:
    return Note(operator=operator, actor_name=actor_name(operator)[:100])


def _target(job: BulkSend) -> str:
    return f"bulk_send:{job.number}"
