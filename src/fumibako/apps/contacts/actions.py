"""Verbs on contact records: save, add a branch, delete, set a status, tick what was to be done next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from fumibako.apps.audit.actions import SYSTEM, record
from fumibako.apps.categories.labels import DONE
from fumibako.apps.categories.models import Category
from fumibako.apps.categories.queries import status_called
from fumibako.apps.inbox.models import ReceivedMail
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused

from . import checks, labels, queries, rules, sheets
from .files import Upload, check_files, store_files
from .models import HIGHEST_BRANCH, ContactRecord, Expansion
from .numbering import next_branch, next_number
from .rules import Sheet

MOST_AT_ONCE = 20_000


@transaction.atomic
def save_record(
    operator: Operator | None,
    stored: ContactRecord | None,
    values: Mapping[str, str],
    version: int | None = None,
    *,
    creation_key: UUID | None = None,
    branch_of: ContactRecord | None = None,
    mail: ReceivedMail | None = None,
    uploads: Sequence[Upload] = (),
    removed_files: Iterable[int] = (),
) -> ContactRecord:
    """登録 from the text of a form (keys: `labels.LABELS`, what is chosen as ids).

    Without `stored` a record is made, once per `creation_key`: with the next 連絡NO, with the next 枝番 of `branch_of`,
    or for a `mail`. With it, `version` is the one the form started from and items not in `values` stay. Saving what
    is stored already changes nothing. Raises Refused (problems by field) and ChangedMeanwhile.
    """
    row = _locked(stored, creation_key)
    if row is not None and stored is None:
        return row
    before = sheets.sheet_of(row) if row else dict.fromkeys(labels.LABELS, "")
    reading = rules.read(values, timezone.localtime())
    sheet = before | reading.sheet
    removed = list(removed_files)
    if row is not None:
        if sheet == before and not uploads and not removed:
            return row
        if version is not None and version != row.version:
            raise ChangedMeanwhile(row.changed_by, row.changed_at, sheets.differences(sheet, before))
    wrong = {problem.field for problem in reading.problems}
    found_too = [*rules.missing(sheet), *checks.choice_problems(sheet, before)]
    problems = [*reading.problems, *(one for one in found_too if one.field not in wrong)]
    problems += checks.twice_problems(sheet, row, mail or (row.mail if row else None), branch_of)
    problems += check_files(row, uploads, removed)
    if problems:
        raise Refused(problems)
    found = row or _new(operator, creation_key, branch_of, mail)
    sheets.fill(found, sheet)
    _store(operator, found, is_new=row is None)
    changes = sheets.changes_of(before, sheet)
    files = store_files(found, uploads, removed)
    record(operator, "contact.saved", target_of(found), changes=changes | ({"files": files} if files else {}))
    return found


def add_branch(
    operator: Operator | None,
    stored: ContactRecord,
    values: Mapping[str, str],
    *,
    creation_key: UUID | None = None,
    uploads: Sequence[Upload] = (),
) -> ContactRecord:
    """枝番で追記: a record with the same 連絡NO and the next branch. Raises Refused."""
    return save_record(operator, None, values, creation_key=creation_key, branch_of=stored, uploads=uploads)


def register_from_mail(
    operator: Operator | None,
    mail: ReceivedMail,
    values: Mapping[str, str],
    *,
    creation_key: UUID | None = None,
) -> ContactRecord:
    """連絡記録に登録 on a received mail: once per mail and person. Raises Refused, naming the record there is."""
    return save_record(operator, None, values, creation_key=creation_key, mail=mail)


@transaction.atomic
def delete_record(operator: Operator | None, stored: ContactRecord, reason: str) -> None:
    """削除 with a reason; its files go with it, what came of its mail is not made again. Raises Refused."""
    row = ContactRecord.objects.select_for_update(of=("self",)).get(pk=stored.pk)
    words = reason.strip()
    if not words:
        raise Refused([Problem("reason", "P06", labels.NEEDS_REASON)])
    record(operator, "contact.deleted", target_of(row), changes={"subject": ["…", ""]}, reason=words)
    row.delete()


@transaction.atomic
def set_status(operator: Operator, ids: Sequence[int], status_id: int | None) -> int:
    """ステータスを変更 of many: 連絡ステータス1 of every record among `ids` that the operator may see.

    Returns how many changed. Raises Refused when none is chosen or there is no such status.
    """
    if not ids:
        raise Refused([Problem("id", "P12", labels.NOTHING_CHOSEN)])
    status = next((one for one in checks.statuses() if one.pk == status_id), None)
    if status is None:
        raise Refused([Problem("status", "V02", labels.BAD_STATUS.format("連絡ステータス"))])
    count, numbers = 0, []
    wanted = list(ids)[:MOST_AT_ONCE]
    for start in range(0, len(wanted), 1_000):
        part = queries.visible(operator).filter(pk__in=wanted[start : start + 1_000])
        changing = part.exclude(status1=status).order_by("number", "branch")
        for row in changing.select_for_update(of=("self",)):
            row.status1 = status
            _store(operator, row)
            count += 1
            numbers.append(row.full_number)
    if count:
        changes = {"status1": ["", status.name1], "count": ["", count], "numbers": numbers[:200]}
        record(operator, "contact.status_set", "contacts", changes=changes)
    return count


@transaction.atomic
def finish_follow_up(operator: Operator, stored: ContactRecord, response: str = "") -> ContactRecord:
    """対応済: tick what was to be done next, with one line about what was done.

    連絡ステータス1 becomes 対応済 where the office has that status. Raises Refused when it is ticked already.
    """
    row = ContactRecord.objects.select_for_update(of=("self",)).get(pk=stored.pk)
    if row.next_on is None or row.next_done_at is not None:
        raise Refused([Problem("next_on", "P13", labels.NO_FOLLOW_UP)])
    now, words = timezone.now(), " ".join(response.split())
    row.next_done_at = now
    done: Category | None = status_called(DONE)
    row.status1 = done or row.status1
    if words:
        line = labels.done_line(f"{timezone.localtime(now):%Y/%m/%d}", str(operator), words)
        row.response = f"{row.response}\n{line}".strip("\n")
    _store(operator, row)
    record(operator, "contact.followed_up", target_of(row), changes={"next_done_at": ["", str(row.next_on)]})
    return row


@transaction.atomic
def reopen_follow_up(operator: Operator, stored: ContactRecord) -> ContactRecord:
    """対応済を取り消す: it is to be done again; the line that was written stays, as does the status."""
    row = ContactRecord.objects.select_for_update(of=("self",)).get(pk=stored.pk)
    if row.next_on is None or row.next_done_at is None:
        return row
    row.next_done_at = None
    _store(operator, row)
    record(operator, "contact.reopened", target_of(row), changes={"next_on": ["", str(row.next_on)]})
    return row


def note_export(operator: Operator, count: int) -> None:
    """Keep in the audit log who wrote how many records to a file."""
    record(operator, "contacts.exported", "contacts", changes={"count": ["", count]})


def target_of(row: ContactRecord) -> str:
    """How the audit log names a record."""
    return f"contact:{row.full_number}"


def defaults_for(operator: Operator, now: datetime | None = None) -> Sheet:
    """What a new form starts with: now, oneself and one's own 部門, what was chosen last, 未対応."""
    at = timezone.localtime(now or timezone.now())
    sheet = dict.fromkeys(labels.LABELS, "")
    sheet |= {key: str(value or "") for key, value in queries.last_chosen(operator).items()}
    first = status_called(checks.NOT_YET)
    sheet |= {
        "contacted_at": f"{at:%Y/%m/%d %H:%M}",
        "minutes": "0",
        "operator": str(operator.pk),
        "department": str(operator.department_id or ""),
        "status1": str(first.pk) if first else "",
    }
    return sheet


def branch_defaults(operator: Operator, base: ContactRecord) -> Sheet:
    """What 枝番で追記 starts with: the same 相手, 区分 and 件名."""
    sheet = sheets.sheet_of(base)
    kept = ("person", "category1", "category2", "category3", "subject", "department")
    return defaults_for(operator) | {key: sheet[key] for key in kept}


def _locked(stored: ContactRecord | None, creation_key: UUID | None) -> ContactRecord | None:
    rows = ContactRecord.objects.select_for_update(of=("self",))
    if stored is not None:
        return rows.get(pk=stored.pk)
    return rows.filter(creation_key=creation_key).first() if creation_key else None


def _new(
    operator: Operator | None, creation_key: UUID | None, branch_of: ContactRecord | None, mail: ReceivedMail | None
) -> ContactRecord:
    row = ContactRecord(creation_key=creation_key, created_by=name_of(operator), version=0, mail=mail)
    if branch_of is None:
        row.number = next_number()
        return row
    row.number, row.branch = branch_of.number, next_branch(branch_of.number)
    if row.branch > HIGHEST_BRANCH:
        raise Refused([Problem("number", "P14", labels.NO_BRANCH_LEFT)])
    return row


def _store(operator: Operator | None, row: ContactRecord, *, is_new: bool = False) -> None:
    row.version += 1
    row.changed_by = name_of(operator)
    row.save()
    if is_new and row.mail_id is not None:
        Expansion.objects.get_or_create(mail=row.mail, recipient=row.recipient)


def name_of(operator: Operator | None) -> str:
    """How who does something is named in the record."""
    return str(operator) if operator else SYSTEM
