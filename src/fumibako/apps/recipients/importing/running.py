"""取り込みの実行: begin with a file, decide, do it in one transaction, undo it within 30 days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Sum
from django.utils import timezone

from fumibako.apps.audit.actions import record
from fumibako.apps.office.models import Department, Operator
from fumibako.apps.office.problems import Problem, Refused

from .. import queries
from ..models import AddressEvent, Client, ImportDraft, ImportRun, Recipient
from ..sheets import chunks
from ..writing import Item, Why, write_people
from .columns import guess, importable, remembered, shape_of
from .preview import Fate, Preview, Row, preview
from .reading import Table, read_table

UNDO_SPAN = timedelta(days=30)
DRAFT_SPAN = timedelta(days=2)
CHANGED = "点検した後に名簿が変わりました。変更の内容を、もう一度確認してください。"
GONE = "ファイルの保存期間が過ぎました。もう一度ファイルを選んでください。"


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing did: people put back or removed, and those left alone because they changed or have a history now."""

    restored_count: int
    removed_count: int
    kept: tuple[str, ...]


def begin_import(operator: Operator, kind: str, file_name: str, raw: bytes) -> ImportDraft:
    """Keep the file and read it as what it seems to be. Raises Refused when it cannot be read."""
    table = read_table(raw)
    _sweep()
    draft = ImportDraft(kind=kind, file_name=file_name[:200], operator=operator)
    path = path_of(draft)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(raw)
    draft.reading = _reading_of(kind, table)
    draft.columns = remembered(kind, table.headings) or guess(kind, table.headings)
    draft.save()
    return draft


def choose_reading(draft: ImportDraft, *, encoding: str, delimiter: str, sheet: str) -> ImportDraft:
    """Read the file as a person says it is. Raises Refused when it cannot be: then nothing changes."""
    table = read_table(_raw(draft), encoding=encoding, delimiter=delimiter, sheet=sheet)
    draft.reading = _reading_of(draft.kind, table)
    draft.columns = remembered(draft.kind, table.headings) or guess(draft.kind, table.headings)
    draft.save()
    return draft


def choose_columns(draft: ImportDraft, columns: Sequence[str]) -> ImportDraft:
    """Say which column is which item. Raises Refused when an item is named twice or what a person needs is missing."""
    labels = {item.key: item.label for item in importable(draft.kind)}
    chosen = [key if key in labels else "" for key in columns]
    used = [key for key in chosen if key]
    problems = [
        Problem(f"column{place}", "I08", f"「{labels[key]}」を 2つの列に割り当てています。どちらか1つにしてください。")
        for place, key in enumerate(chosen)
        if key and chosen.index(key) != place
    ]
    if not {"name", "family_name", "number", "contact_no"} & set(used):
        problems.append(Problem("column0", "I09", "氏名か番号の列を割り当ててください。"))
    if len(chosen) != len(table_of(draft).headings):
        problems.append(Problem("column0", "I10", "列の数がファイルと違います。もう一度、割り当ててください。"))
    if problems:
        raise Refused(problems)
    draft.columns = chosen
    draft.save()
    return draft


def table_of(draft: ImportDraft) -> Table:
    """The draft's file as it is to be read. Raises Refused when it is gone."""
    told = draft.reading
    return read_table(_raw(draft), encoding=told["encoding"], delimiter=told["delimiter"], sheet=told["sheet"])


def preview_of(draft: ImportDraft) -> Preview:
    """What doing it now would change."""
    return preview(draft.kind, table_of(draft), draft.columns or [])


def run_import(operator: Operator, draft_id: UUID, *, fingerprint: str, typed_number: str = "") -> ImportRun:
    """Store what was looked at, all or nothing; once, however often it is asked for.

    `fingerprint` is the preview's; when the outcome would differ by now, nothing is stored. When rows seem to have
    slipped, `typed_number` must be the number of pairs. Raises Refused.
    """
    draft = ImportDraft.objects.select_related("run").get(pk=draft_id)
    if draft.run is not None:
        return draft.run
    # Judging a large file takes seconds. It is done before the database is locked, and holds if nobody wrote meanwhile.
    state = state_of_people()
    seen = preview_of(draft)
    _refuse_unless_agreed(seen, fingerprint, typed_number)
    with transaction.atomic():
        locked = ImportDraft.objects.select_for_update(of=("self",)).select_related("run").get(pk=draft_id)
        if locked.run is not None:
            return locked.run
        if state_of_people() != state:
            raise Refused([Problem("fingerprint", "I13", CHANGED)])
        return _store(operator, locked, seen)


def state_of_people() -> tuple[int | None, ...]:
    """Numbers of which at least one differs after anything happened to anybody that an import looks at."""
    people = Recipient.objects.aggregate(Count("pk"), Max("pk"), Sum("version"))
    companies = Client.objects.aggregate(Count("pk"), Max("pk"), Sum("version"))
    events = AddressEvent.objects.aggregate(Max("pk"))
    surroundings = Department.objects.aggregate(Count("pk"), Max("pk"))
    return (*people.values(), *companies.values(), *events.values(), *surroundings.values())


def _store(operator: Operator, draft: ImportDraft, seen: Preview) -> ImportRun:
    why = Why(str(operator), cause="imported", reason=f"取り込み({draft.file_name})"[:500])
    touched = [row for row in seen.rows if row.fate in (Fate.ADD, Fate.CHANGE)]
    clients_before = set(Client.objects.values_list("pk", flat=True))
    people = write_people(draft.kind, _items(draft.kind, touched), why)
    run = ImportRun.objects.create(
        kind=draft.kind,
        file_name=draft.file_name,
        actor_name=str(operator),
        added_count=seen.count(Fate.ADD),
        changed_count=seen.count(Fate.CHANGE),
        unchanged_count=seen.count(Fate.SAME),
        refused_count=seen.count(Fate.REFUSE),
        before=[
            {"id": person.pk, "version": person.version, "sheet": dict(row.before) or None}
            for row, person in zip(touched, people, strict=True)
        ]
        + [{"client": pk} for pk in Client.objects.exclude(pk__in=clients_before).values_list("pk", flat=True)],
    )
    draft.run = run
    draft.save()
    record(operator, "import.done", f"import:{run.pk}", changes=_counts(run))
    transaction.on_commit(lambda: path_of(draft).unlink(missing_ok=True))
    return run


@transaction.atomic
def undo_import(operator: Operator, run: ImportRun) -> Undone:
    """Put everybody back as they were before; who changed since, or has a history by now, stays and is named.

    Undoing twice changes nothing more. Raises Refused after 30 days.
    """
    row = ImportRun.objects.select_for_update().get(pk=run.pk)
    if row.undone_at is not None:
        return Undone(0, 0, ())
    if timezone.now() - row.at > UNDO_SPAN:
        raise Refused([Problem("run", "I11", "30日を過ぎたため、この取り込みは元に戻せません。")])
    entries = {entry["id"]: entry for entry in row.before if "id" in entry}
    people = {}
    for part in chunks(entries):
        people.update({person.pk: person for person in Recipient.objects.filter(pk__in=part)})
    untouched = {pk: person for pk, person in people.items() if person.version == entries[pk]["version"]}
    kept = [f"{person.name}({person.number})" for pk, person in people.items() if pk not in untouched]
    items = [Item(entries[pk]["sheet"], who, {}) for pk, who in untouched.items() if entries[pk]["sheet"] is not None]
    write_people(row.kind, items, Why(str(operator), "undone", "取り込みを元に戻した", is_restoring=True))
    added = [pk for pk in untouched if entries[pk]["sheet"] is None]
    mailed = queries.with_history(added)
    kept += [f"{untouched[pk].name}({untouched[pk].number})" for pk in mailed]
    for part in chunks(pk for pk in added if pk not in mailed):
        Recipient.objects.filter(pk__in=part).delete()
    removed_count = len(added) - len(mailed)
    companies = [entry["client"] for entry in row.before if "client" in entry]
    for part in chunks(companies):
        Client.objects.filter(pk__in=part, contacts__isnull=True).delete()
    row.undone_at = timezone.now()
    row.save(update_fields=["undone_at"])
    record(operator, "import.undone", f"import:{row.pk}", changes={"restored": ["", len(items) + removed_count]})
    return Undone(len(items), removed_count, tuple(kept))


def may_undo(run: ImportRun) -> bool:
    """True while [この取り込みを元に戻す] is offered."""
    return run.undone_at is None and timezone.now() - run.at <= UNDO_SPAN


def path_of(draft: ImportDraft) -> Path:
    """Where the draft's file is kept until it is taken in."""
    return Path(settings.DATA.root) / "imports" / str(draft.pk)


def _raw(draft: ImportDraft) -> bytes:
    try:
        return path_of(draft).read_bytes()
    except FileNotFoundError:
        raise Refused([Problem("file", "I12", GONE)]) from None


def _reading_of(kind: str, table: Table) -> dict[str, Any]:
    return {
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "sheet": table.sheet,
        "shape": shape_of(kind, table.headings),
    }


def _refuse_unless_agreed(seen: Preview, fingerprint: str, typed_number: str) -> None:
    if seen.fingerprint != fingerprint:
        raise Refused([Problem("fingerprint", "I13", CHANGED)])
    if not seen.count(Fate.ADD) + seen.count(Fate.CHANGE):
        raise Refused([Problem("file", "I14", "追加する行も更新する行もありません。")])
    if seen.shifted and typed_number.strip() != str(len(seen.shifted)):
        text = f"確認のため、変わる件数({len(seen.shifted)})を半角の数字で入力してください。"
        raise Refused([Problem("typed_number", "I15", text)])


def _items(kind: str, rows: Sequence[Row]) -> list[Item]:
    ids = [row.recipient_id for row in rows if row.recipient_id is not None]
    people: dict[int, Recipient] = {}
    for part in chunks(ids):
        people.update(Recipient.objects.select_for_update().in_bulk(part))
    return [Item(row.sheet, people[row.recipient_id] if row.recipient_id else None, row.before) for row in rows]


def _counts(run: ImportRun) -> Mapping[str, Any]:
    counts = (run.added_count, run.changed_count, run.unchanged_count, run.refused_count)
    return dict(zip(("added", "changed", "unchanged", "refused"), (["", count] for count in counts), strict=True))


def _sweep() -> None:
    """Files that nobody took in after two days are thrown away."""
    old = ImportDraft.objects.filter(run__isnull=True, at__lt=timezone.now() - DRAFT_SPAN)
    for draft in old:
        path_of(draft).unlink(missing_ok=True)
    old.delete()
