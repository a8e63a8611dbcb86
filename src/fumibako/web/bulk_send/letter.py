"""Step 3 本文: subject, text and files, with the preview of a chosen person made from what was typed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Refused
from fumibako.apps.sending import actions, drafts, labels, selection
from fumibako.apps.sending.errors import NotADraft
from fumibako.apps.sending.inspection import labels as inspection_labels
from fumibako.apps.sending.models import BulkSend
from fumibako.letters.fields import FIELDS, fields_for
from fumibako.letters.merge import problems_in

from .frame import as_links, changed_words, for_draft, framed, tell
from .mail import Sample, sample_of
from .reading import whole

PLACES = {"subject": "subject", "text": "body", "body": "body", "attachment": "file"}


@require_http_methods(["GET", "POST"])
@for_draft
def letter(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    """Show the composer; POST stores what was typed and goes on, unless a merge field does not exist."""
    if request.method != "POST":
        return _other_person(request, job) if request.headers.get("HX-Request") else _page(request, job)
    try:
        _store(request, operator, job)
    except Refused as refusal:
        return _page(request, job, problems=as_links(refusal.problems, PLACES))
    except ChangedMeanwhile as refusal:
        job.refresh_from_db()
        return _page(request, job, problems=[("body", changed_words(refusal))])
    if "leave" in request.POST:
        messages.success(request, f"送信管理NO {job.number} の下書きを登録しました。")
        return redirect("bulk_send:index")
    problems = _mistakes(job)
    return _page(request, job, problems=problems) if problems else redirect("bulk_send:check", job.number)


def _other_person(request: HttpRequest, job: BulkSend) -> HttpResponse:
    return render(request, "bulk_send/other_person.html", {"job": job, "sample": _sample(request, job)})


@require_POST
@for_draft
def preview(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    """Store what was typed and show it as the chosen person will get it: autosave and live preview in one."""
    note = ""
    try:
        _store(request, operator, job)
    except Refused as refusal:
        note = " ".join(problem.text for problem in refusal.problems)
    except ChangedMeanwhile as refusal:
        note = changed_words(refusal)
    if not request.headers.get("HX-Request"):
        if note:
            messages.warning(request, note)
        return redirect(f"{request.path.removesuffix('preview')}?address={request.POST.get('address', '')}#sample")
    context = {"job": job, "sample": _sample(request, job), "note": note, "now": labels.clock(job.changed_at)}
    return render(request, "bulk_send/written.html", context)


@require_POST
@for_draft
def files(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    """Add the chosen files, or take one off; what is typed is stored first so that nothing is lost."""
    try:
        _store(request, operator, job)
        if "detach" in request.POST:
            drafts.detach(operator, job, whole(request.POST["detach"]))
        for upload in request.FILES.getlist("file"):
            kind = upload.content_type or "application/octet-stream"
            drafts.attach(operator, job, upload.name or "", kind, upload.read())
    except Refused as refusal:
        return _page(request, job, problems=as_links(refusal.problems, PLACES))
    except ChangedMeanwhile as refusal:
        tell(request, refusal)
    return redirect(f"{request.path.removesuffix('files')}#files")


def _store(request: HttpRequest, operator: Operator, job: BulkSend) -> None:
    """Keep what was typed, when it differs; a draft that somebody else changed since is left alone."""
    if "subject" not in request.POST:
        return
    subject, body = request.POST["subject"], request.POST.get("body", "").replace("\r\n", "\n")
    if (subject, body) == (job.subject, job.body):
        return
    try:
        stored = drafts.set_letter(operator, job, subject, body, version=whole(request.POST.get("version")))
    except NotADraft:
        raise
    except ChangedMeanwhile as refusal:
        # One's own autosave may overtake the next keystrokes of the same page.
        if refusal.who != drafts.actor_name(operator):
            raise
        stored = drafts.set_letter(operator, job, subject, body)
    job.subject, job.body, job.changed_at = stored.subject, stored.body, stored.changed_at


def _mistakes(job: BulkSend) -> list[tuple[str, str]]:
    found = []
    if not job.subject.strip():
        found.append(("subject", labels.problem("subject", "V01", item="件名").text))
    if not job.body.strip():
        found.append(("body", labels.problem("body", "V01", item="本文").text))
    for one in problems_in(job.subject, job.body):
        words = inspection_labels.letter_problem(one.kind, one.field, one.line, one.where)
        found.append((PLACES[one.where], words))
    return found


def _page(request: HttpRequest, job: BulkSend, problems: list[tuple[str, str]] | None = None) -> HttpResponse:
    counts = selection.counts_of(job)
    known = fields_for(set(counts.persons_by_list))
    context: dict[str, Any] = {
        "subject": request.POST.get("subject", job.subject),
        "body": request.POST.get("body", job.body),
        "fields": [field.name for field in FIELDS if field.name in known],
        "all_fields": "、".join(field.name for field in FIELDS),
        "signature": job.account.signature if job.account else "",
        "account": job.account,
        "files": [(one.pk, one.name, labels.megabytes(one.size)) for one in job.attachments.all()],
        "sample": _sample(request, job),
        "problems": problems,
        "wrong": {target for target, _ in problems or ()},
    }
    return framed(request, job, "body", **context)


def _sample(request: HttpRequest, job: BulkSend) -> Sample:
    address = request.POST.get("address") or request.GET.get("address") or ""
    return sample_of(job, address_id=whole(address) or None, step="body")


@require_POST
@for_draft
def send_test(request: HttpRequest, operator: Operator, job: BulkSend) -> HttpResponse:
    """自分にテスト送信, with the data of the person on the screen."""
    address = request.POST.get("address", "")
    # Who has no address of their own reads the test where the answers come in.
    to = operator.email or (job.account.from_address if job.account else "")
    try:
        actions.send_test(operator, job, to, whole(address) or None)
    except (Refused, ChangedMeanwhile) as refusal:
        tell(request, refusal)
    else:
        messages.success(request, f"{to} にテスト送信を受け付けました。送信履歴で確認できます。")
    back = "check" if request.POST.get("back") == "check" else "body"
    return redirect(f"bulk_send:{back}", job.number)
