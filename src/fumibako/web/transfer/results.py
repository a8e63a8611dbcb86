"""What a file did, its undoing, the templates, and the samples of practice mode."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from fumibako.apps.office.problems import Refused
from fumibako.apps.office.queries import office
from fumibako.apps.recipients import exporting, labels
from fumibako.apps.recipients.importing import running
from fumibako.apps.recipients.models import ImportRun
from fumibako.apps.recipients.samples import make_samples
from fumibako.web.operators import operator_of
from fumibako.web.people.lists import LIST_URLS


@require_GET
def result(request: HttpRequest, run_id: int) -> HttpResponse:
    """What one file added, changed and left out."""
    run = get_object_or_404(ImportRun, pk=run_id)
    context = {
        "run": run,
        "kind_label": labels.KIND[run.kind],
        "may_undo": running.may_undo(run),
        "until": run.at + running.UNDO_SPAN,
        "list_url": reverse(LIST_URLS[run.kind]),
        "stored_count": run.added_count + run.changed_count,
    }
    return render(request, "transfer/result.html", context)


@require_POST
def undo(request: HttpRequest, run_id: int) -> HttpResponse:
    """[この取り込みを元に戻す]."""
    run = get_object_or_404(ImportRun, pk=run_id)
    try:
        undone = running.undo_import(operator_of(request), run)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("people:import_result", run.pk)
    count = undone.restored_count + undone.removed_count
    messages.success(request, f"取り込みを元に戻しました。{count:,}件を取り込み前の内容に戻しました。")
    if undone.kept:
        names = "、".join(undone.kept[:10])
        text = f"取り込みの後に変更ややり取りがあった {len(undone.kept):,}件は、そのままにしました({names})。"
        messages.warning(request, text)
    return redirect("people:import_result", run.pk)


@require_GET
def template(request: HttpRequest, kind: str) -> HttpResponse:
    """[ひな形を書き出す]: the headings that a file may have."""
    answer = HttpResponse(exporting.template_csv(kind), content_type="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    return answer


@require_POST
def samples(request: HttpRequest) -> HttpResponse:
    """[見本を入れる], in practice mode only."""
    if not office().is_practice:
        raise PermissionDenied
    counts = make_samples(operator=operator_of(request))
    people = f"スタッフ {counts.staff_count}人、得意先 {counts.client_count}社、応募者 {counts.applicant_count}人"
    messages.success(request, f"見本の{people}を入れました。")
    return redirect("people:staff")
