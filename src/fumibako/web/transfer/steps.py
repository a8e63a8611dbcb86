"""The four steps: file, columns, check, run. What was decided lives in the draft, so each step is a plain page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fumibako.apps.office.problems import Problem, Refused
from fumibako.apps.recipients import exporting, labels
from fumibako.apps.recipients.importing import running
from fumibako.apps.recipients.importing.columns import importable
from fumibako.apps.recipients.importing.preview import Fate, Preview, Row, kinds_of
from fumibako.apps.recipients.importing.reading import DELIMITERS, ENCODINGS, MAX_BYTES, Table
from fumibako.apps.recipients.models import ImportDraft, ImportRun
from fumibako.web.operators import operator_of

SHOWN_ROWS = 100
STEPS = ("ファイル", "項目の対応", "点検", "実行")


@require_http_methods(["GET", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Step 1: choose a kind and a file; below, files out and what was taken in lately."""
    kind = request.POST.get("kind") or request.GET.get("kind", "")
    kind = kind if kind in labels.KIND else "staff"
    problems: tuple[Problem, ...] = ()
    if request.method == "POST":
        try:
            draft = _begin(request, kind)
        except Refused as refused:
            problems = refused.problems
        else:
            return redirect("people:import", draft.pk)
    context = {
        "kind": kind,
        "kinds": list(labels.KIND.items()),
        "problem_links": [("id_file", problem.text) for problem in problems],
        "problem": problems[0].text if problems else "",
        "runs": [_run_line(run) for run in ImportRun.objects.all()[:10]],
        "steps": _steps(1),
        "encodings": list(exporting.ENCODINGS.items()),
        "title_prefix": "エラー: " if problems else "",
        "max_megabytes": MAX_BYTES // 1024 // 1024,
    }
    return render(request, "transfer/start.html", context, status=422 if problems else 200)


def _begin(request: HttpRequest, kind: str) -> ImportDraft:
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise Refused([Problem("file", "V02", "取り込むファイルを選択してください。")])
    raw = file.read(MAX_BYTES + 1)
    return running.begin_import(operator_of(request), kind, file.name or "", raw)


@require_GET
def look(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """The page of one file, as far as it has come."""
    return _render(request, _draft(request, draft_id), _step_of(request))


@require_POST
def choose_reading(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """文字コードを変える: read the file another way."""
    draft = _draft(request, draft_id)
    try:
        running.choose_reading(
            draft,
            encoding=request.POST.get("encoding", ""),
            delimiter=request.POST.get("delimiter", ""),
            sheet=request.POST.get("sheet", ""),
        )
    except Refused as refused:
        return _render(request, draft, 1, refused.problems)
    return redirect("people:import", draft.pk)


@require_POST
def choose_columns(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """Store which column is which item and go on to the check."""
    draft = _draft(request, draft_id)
    columns = [request.POST.get(f"column{place}", "") for place in range(len(draft.columns or []))]
    try:
        running.choose_columns(draft, columns)
    except Refused as refused:
        return _render(request, draft, 2, refused.problems, columns=columns)
    return redirect(reverse("people:import", args=[draft.pk]) + "?step=3")


@require_POST
def run(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """Do exactly what the check showed."""
    draft = _draft(request, draft_id)
    try:
        done = running.run_import(
            operator_of(request),
            draft.pk,
            fingerprint=request.POST.get("fingerprint", ""),
            typed_number=request.POST.get("typed_number", ""),
        )
    except Refused as refused:
        return _render(request, draft, 3, refused.problems)
    return redirect("people:import_result", done.pk)


@require_GET
def refused(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """The rows that cannot be taken in, with their reasons, as a file to put right."""
    draft = _draft(request, draft_id)
    raw = exporting.refused_csv(running.table_of(draft), running.preview_of(draft))
    answer = HttpResponse(raw, content_type="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="refused.csv"'
    return answer


def _draft(request: HttpRequest, draft_id: UUID) -> ImportDraft:
    """Whoever sent a file in goes on with it; to others it does not exist."""
    return get_object_or_404(ImportDraft, pk=draft_id, operator=operator_of(request))


def _step_of(request: HttpRequest) -> int:
    asked = request.GET.get("step", "")
    return int(asked) if asked in ("1", "2", "3") else 1


def _steps(now: int) -> list[dict[str, Any]]:
    return [{"number": n, "label": label, "is_done": n < now, "is_now": n == now} for n, label in enumerate(STEPS, 1)]


def _run_line(run: ImportRun) -> dict[str, Any]:
    return {"run": run, "kind_label": labels.KIND[run.kind], "may_undo": running.may_undo(run)}


def _render(
    request: HttpRequest,
    draft: ImportDraft,
    step: int,
    problems: tuple[Problem, ...] = (),
    *,
    columns: Sequence[str] | None = None,
) -> HttpResponse:
    if draft.run is not None:
        return redirect("people:import_result", draft.run.pk)
    try:
        table = running.table_of(draft)
        seen = running.preview_of(draft) if step == 3 else None
    except Refused as gone:
        return render(request, "transfer/gone.html", {"words": str(gone), "kind": draft.kind}, status=410)
    context: dict[str, Any] = {
        "draft": draft,
        "kind_label": labels.KIND[draft.kind],
        "step": step,
        "steps": _steps(step),
        "problem_links": [(_target(problem.field), problem.text) for problem in problems],
        "problem_fields": {problem.field: problem.text for problem in problems},
        "title_prefix": "エラー: " if problems else "",
    }
    context |= _reading_context(draft, table) | _columns_context(draft, table, columns or draft.columns or [])
    context |= _preview_context(seen) if seen else {}
    return render(request, "transfer/import.html", context, status=422 if problems else 200)


def _target(field: str) -> str:
    return {"fingerprint": "", "file": ""}.get(field, f"id_{field}")


def _reading_context(draft: ImportDraft, table: Table) -> dict[str, Any]:
    return {
        "table": table,
        "row_count": len(table.rows) - 1,
        "first_rows": [(n, row) for n, row in enumerate(table.rows[:6], start=1)],
        "encoding_label": ENCODINGS.get(table.encoding, ""),
        "delimiter_label": DELIMITERS.get(table.delimiter, ""),
        "encodings": list(ENCODINGS.items()),
        "delimiters": list(DELIMITERS.items()),
    }


def _columns_context(draft: ImportDraft, table: Table, chosen: Sequence[str]) -> dict[str, Any]:
    items = [(item.key, item.label, item.is_required) for item in importable(draft.kind)]
    labels_of = {key: label for key, label, _ in items}
    columns = []
    for place, heading in enumerate(table.headings):
        key = chosen[place] if place < len(chosen) else ""
        samples = [row[place] for row in table.rows[1:] if place < len(row) and row[place].strip()][:3]
        columns.append({"heading": heading, "key": key, "label": labels_of.get(key, ""), "samples": samples})
    return {"items": items, "columns": columns, "taken_count": sum(1 for one in columns if one["key"])}


def _preview_context(seen: Preview) -> dict[str, Any]:
    changes = kinds_of(seen.rows, Fate.CHANGE)
    refusals = kinds_of(seen.rows, Fate.REFUSE)
    added = kinds_of(seen.rows, Fate.ADD)
    counts = {fate.value: seen.count(fate) for fate in Fate}
    return {
        "seen": seen,
        "counts": counts,
        "stored_count": counts["add"] + counts["change"],
        "changes": changes[:SHOWN_ROWS],
        "refusals": refusals[:SHOWN_ROWS],
        "added": [_added(row) for row in added[:5]],
        "pairs": seen.shifted[:10],
        "shown": SHOWN_ROWS,
    }


def _added(row: Row) -> dict[str, str]:
    number = row.sheet.get("number") or f"{row.sheet.get('client_number', '')}-{row.sheet.get('branch', '')}"
    return {"number": number, "name": row.name, "address": row.sheet.get("address1", "")}
