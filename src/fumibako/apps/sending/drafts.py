"""下書き: every change that can be made to a job before it is approved.

Each verb locks the draft, refuses what is no longer a draft (NotADraft) and what somebody else changed since `version`
was looked at (ChangedMeanwhile), and raises the version. Without `version` the change is made to whatever stands now.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.queries import sendable_accounts
from fumibako.apps.audit.actions import SYSTEM, record
from fumibako.apps.office.models import Office, Operator
from fumibako.apps.office.queries import office
from fumibako.apps.recipients.models import PartyAddress, Recipient
from fumibako.apps.recipients.queries import find
from fumibako.apps.sending import labels
from fumibako.apps.sending.errors import ChangedMeanwhile, NotADraft, NotNow, Problem, Refused
from fumibako.apps.sending.files import keep_file
from fumibako.apps.sending.models import BulkSend, DraftAddress, JobAttachment, JobEvent, RemovedRecipient

ATTACHMENT_OCTETS = 10 * 1024 * 1024
"""All files of one mail together; larger ones are refused by many mail servers of receivers."""

EDIT_NOTED_EVERY = timedelta(minutes=10)
"""経過 names an editor again after this long, so that autosave does not fill it."""

IDS_PER_QUERY = 5000
ROWS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Added:
    """What adding people did, in persons. Removed ones had been taken off by hand and stay off."""

    added_count: int
    already_count: int
    removed_count: int


def actor_name(operator: Operator | None) -> str:
    """How an operator, or the command line, is named in 経過."""
    return str(operator) if operator else SYSTEM


def start_draft(
    operator: Operator | None, *, idempotency_key: uuid.UUID | None = None, resend_of: BulkSend | None = None
) -> BulkSend:
    """A new draft with the next 送信管理NO. The same `idempotency_key` gives the same draft again (C09)."""
    key = idempotency_key or uuid.uuid4()
    with transaction.atomic():
        _one_after_another()
        known = BulkSend.objects.filter(idempotency_key=key).first()
        if known is not None:
            return known
        return new_job(
            operator,
            idempotency_key=key,
            resend_of=resend_of,
            account=_last_used_account(operator) if resend_of is None else resend_of.account,
        )


def new_job(operator: Operator | None, **fields: object) -> BulkSend:
    """A job row with the next number. Call inside a transaction."""
    _one_after_another()
    highest = BulkSend.objects.aggregate(highest=Max("number"))["highest"] or 0
    job: BulkSend = BulkSend.objects.create(
        number=highest + 1, created_by=operator, created_by_name=actor_name(operator), **fields
    )
    note(job, "created", operator)
    record(operator, "bulk_send.created", f"bulk_send:{job.number}")
    return job


def _one_after_another() -> None:
    """Two new jobs at once must not take the same number: the office's one row is the turnstile."""
    Office.objects.select_for_update().filter(pk=office().pk).first()


def note(job: BulkSend, what: str, operator: Operator | None, **data: object) -> None:
    """Append one line to the job's 経過."""
    JobEvent.objects.create(job=job, at=timezone.now(), what=what, actor_name=actor_name(operator), data=data)


def set_sender(
    operator: Operator | None, job: BulkSend, account: MailAccount, kind: str, *, version: int | None = None
) -> BulkSend:
    """Choose 送信元 and 種類. Raises Refused when the operator may not send from the account."""
    if kind not in BulkSend.Kind.values:
        raise Refused([labels.problem("kind", "V02", item="種類")])
    if operator is not None and not sendable_accounts(operator).filter(pk=account.pk).exists():
        raise Refused([Problem("account", "N01", labels.ACCOUNT_NOT_PERMITTED)])
    with editing(operator, job, version) as draft:
        draft.account = account
        draft.kind = kind
    return draft


def set_letter(
    operator: Operator | None, job: BulkSend, subject: str, body: str, *, version: int | None = None
) -> BulkSend:
    """Store 件名 and 本文 as typed; what is wrong with them is found by 点検. Raises Refused for too long a subject."""
    subject = " ".join(subject.splitlines()).strip()
    if len(subject) > 500:
        raise Refused([labels.problem("subject", "V05", item="件名", limit=500, length=len(subject))])
    with editing(operator, job, version) as draft:
        draft.subject = subject
        draft.body = body.replace("\r\n", "\n").replace("\r", "\n")
    return draft


def set_result_notice(operator: Operator | None, job: BulkSend, notice: str) -> BulkSend:
    """This job's own 送信結果通知 ("" = the account's); may be changed while the job runs."""
    if notice and notice not in MailAccount.ResultNotice.values:
        raise Refused([labels.problem("result_notice", "V02", item="送信結果通知")])
    BulkSend.objects.filter(pk=job.pk).update(result_notice=notice)
    job.result_notice = notice
    return job


def add_people(
    operator: Operator | None,
    job: BulkSend,
    kind: str,
    who: Mapping[str, str] | Iterable[int],
    *,
    version: int | None = None,
) -> Added:
    """Add everybody that a search finds, or the recipients with these ids, to the end of the list.

    Both addresses come along; those marked 送らない are not ticked. Raises Refused for an unknown condition.
    """
    with editing(operator, job, version, is_letter_kept=True) as draft:
        found = _found_ids(kind, who)
        present = set(DraftAddress.objects.filter(job=draft).values_list("recipient_id", flat=True))
        removed = set(RemovedRecipient.objects.filter(job=draft).values_list("recipient_id", flat=True))
        new = [one for one in found if one not in present and one not in removed]
        last = DraftAddress.objects.filter(job=draft).aggregate(last=Max("position"))["last"] or 0
        rows = _draft_addresses(draft, new, last + 1)
        while portion := list(islice(rows, ROWS_AT_ONCE)):
            DraftAddress.objects.bulk_create(portion)
    already = sum(1 for one in found if one in present)
    return Added(len(new), already, len(found) - len(new) - already)


def _found_ids(kind: str, who: Mapping[str, str] | Iterable[int]) -> list[int]:
    if isinstance(who, Mapping):
        return list(find(kind, dict(who)).values_list("id", flat=True))
    wanted = list(dict.fromkeys(who))
    known = set(Recipient.objects.in_bulk(wanted)) if wanted else set()
    return [one for one in wanted if one in known]


def _draft_addresses(job: BulkSend, recipient_ids: Sequence[int], position: int) -> Iterator[DraftAddress]:
    for first in range(0, len(recipient_ids), IDS_PER_QUERY):
        chunk = recipient_ids[first : first + IDS_PER_QUERY]
        addresses: dict[int, list[tuple[int | None, str]]] = {}
        rows = PartyAddress.objects.filter(recipient_id__in=chunk).exclude(address="").order_by("slot")
        for owner_id, found_id, flag in rows.values_list("recipient_id", "id", "flag"):
            addresses.setdefault(owner_id, []).append((found_id, flag))
        for offset, recipient_id in enumerate(chunk, start=first):
            for address_id, flag in addresses.get(recipient_id, [(None, "")]):
                yield DraftAddress(
                    job=job,
                    recipient_id=recipient_id,
                    address_id=address_id,
                    position=position + offset,
                    is_ticked=flag != PartyAddress.Flag.DO_NOT,
                )


def tick(
    operator: Operator | None, job: BulkSend, address_id: int, is_ticked: bool, *, version: int | None = None
) -> BulkSend:
    """Tick or untick one address. A tick on an excluded address is kept but sends nothing."""
    with editing(operator, job, version, is_letter_kept=True) as draft:
        if not DraftAddress.objects.filter(job=draft, address_id=address_id).update(is_ticked=is_ticked):
            raise NotNow([Problem("address", "", labels.NOT_IN_LIST)])
    return draft


def remove_person(
    operator: Operator | None, job: BulkSend, recipient_id: int, *, version: int | None = None
) -> BulkSend:
    """Take a person off the list for good: a later search does not bring them back (外した人)."""
    with editing(operator, job, version, is_letter_kept=True) as draft:
        DraftAddress.objects.filter(job=draft, recipient_id=recipient_id).delete()
        RemovedRecipient.objects.get_or_create(job=draft, recipient_id=recipient_id)
    return draft


def bring_back_person(
    operator: Operator | None, job: BulkSend, recipient_id: int, *, version: int | None = None
) -> Added:
    """Put a person that was taken off by hand back at the end of the list."""
    with transaction.atomic():
        RemovedRecipient.objects.filter(job=job, recipient_id=recipient_id).delete()
        return add_people(operator, job, "", [recipient_id], version=version)


def clear_list(operator: Operator | None, job: BulkSend, *, version: int | None = None) -> BulkSend:
    """Empty the list; the persons taken off by hand are forgotten too."""
    with editing(operator, job, version, is_letter_kept=True) as draft:
        DraftAddress.objects.filter(job=draft).delete()
        RemovedRecipient.objects.filter(job=draft).delete()
    return draft


def attach(
    operator: Operator | None,
    job: BulkSend,
    name: str,
    content_type: str,
    raw: bytes,
    *,
    version: int | None = None,
) -> JobAttachment:
    """Add a file. Raises Refused when the account does not allow files (SPEC §1.4 ⑤) or they become too large (B06)."""
    name = _file_name(name)
    with editing(operator, job, version) as draft:
        if draft.account is None or not draft.account.allow_attachments:
            raise Refused([Problem("attachment", "", labels.ATTACHMENTS_NOT_ALLOWED)])
        total = sum(draft.attachments.values_list("size", flat=True)) + len(raw)
        if not raw or total > ATTACHMENT_OCTETS:
            raise Refused([Problem("attachment", "B06", labels.attachment_too_large(name, len(raw), total))])
        return JobAttachment.objects.create(
            job=draft, name=name, content_type=content_type[:100], size=len(raw), sha256=keep_file(raw)
        )


def _file_name(name: str) -> str:
    """The last part of a path, without control and direction characters."""
    last = re.split(r"[/\\]", name)[-1]
    clean = "".join(char for char in last if unicodedata.category(char) not in ("Cc", "Cf", "Zl", "Zp")).strip(" .")
    if not clean:
        return "file"
    stem, dot, ending = clean.rpartition(".")
    return clean[:200] if not dot or len(ending) > 20 else stem[: 199 - len(ending)] + dot + ending


def detach(operator: Operator | None, job: BulkSend, attachment_id: int, *, version: int | None = None) -> BulkSend:
    """Take a file off the draft."""
    with editing(operator, job, version) as draft:
        draft.attachments.filter(pk=attachment_id).delete()
    return draft


def confirm_finding(
    operator: Operator | None, job: BulkSend, key: str, fingerprint: str, is_confirmed: bool = True
) -> BulkSend:
    """このままでよい, for exactly what the finding said: another fingerprint has to be confirmed again."""
    with transaction.atomic():
        draft = _locked_draft(job, None)
        confirmed = dict(draft.confirmed_findings)
        if is_confirmed:
            confirmed[key] = fingerprint
        else:
            confirmed.pop(key, None)
        BulkSend.objects.filter(pk=draft.pk).update(confirmed_findings=confirmed)
        draft.confirmed_findings = confirmed
    return draft


def discard_draft(operator: Operator | None, job: BulkSend) -> None:
    """削除 of a draft: its list goes, its number stays used."""
    with transaction.atomic():
        draft = _locked_draft(job, None)
        DraftAddress.objects.filter(job=draft).delete()
        draft.cancelled_at = draft.finished_at = timezone.now()
        draft.cancelled_by_name = actor_name(operator)
        draft.save()
        note(draft, "discarded", operator)
        record(operator, "bulk_send.discarded", f"bulk_send:{draft.number}")


@contextmanager
def editing(
    operator: Operator | None, job: BulkSend, version: int | None, *, is_letter_kept: bool = False
) -> Iterator[BulkSend]:
    """Change a draft: locked, checked against `version`, saved with the next version when the block ends.

    With `is_letter_kept` a test mail sent before the change still counts as a test of this letter (C20).
    """
    with transaction.atomic():
        draft = _locked_draft(job, version)
        yield draft
        if is_letter_kept and draft.tested_version == draft.version:
            draft.tested_version = draft.version + 1
        draft.version += 1
        draft.save()
        _note_edit(draft, operator)
    job.version = draft.version


def _locked_draft(job: BulkSend, version: int | None) -> BulkSend:
    draft = BulkSend.objects.select_for_update(of=("self",)).select_related("account").get(pk=job.pk)
    if draft.approved_at is not None:
        raise NotADraft(draft.approved_by_name, draft.approved_at)
    if draft.cancelled_at is not None:
        raise NotADraft(draft.cancelled_by_name, draft.cancelled_at)
    if version is not None and version != draft.version:
        raise ChangedMeanwhile(last_editor(draft), draft.changed_at)
    return draft


def last_editor(job: BulkSend) -> str:
    """Who changed the draft last."""
    last = JobEvent.objects.filter(job=job, what__in=("created", "edited")).order_by("-id").first()
    return last.actor_name if last else job.created_by_name


def _note_edit(draft: BulkSend, operator: Operator | None) -> None:
    last = JobEvent.objects.filter(job=draft, what__in=("created", "edited")).order_by("-id").first()
    if last and last.actor_name == actor_name(operator) and timezone.now() - last.at < EDIT_NOTED_EVERY:
        return
    note(draft, "edited", operator)


def _last_used_account(operator: Operator | None) -> MailAccount | None:
    if operator is None:
        return None
    last = BulkSend.objects.filter(created_by=operator, account__isnull=False).order_by("-number").first()
    return sendable_accounts(operator).filter(pk=last.account_id).first() if last and last.account_id else None
