"""返信 and 転送: the form, the stop when somebody was faster, and taking back. Nothing that was typed is lost."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from fumibako.apps.accounts.queries import may_use
from fumibako.apps.inbox import actions, labels
from fumibako.apps.inbox.actions import Reply
from fumibako.apps.inbox.actions.replying import NewFile
from fumibako.apps.inbox.models import MailReply, ReceivedMail
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused
from fumibako.apps.office.queries import office
from fumibako.apps.sending.models import BulkSend
from fumibako.mime.unsendable import Unsendable
from fumibako.web.operators import operator_of

from . import undo
from .acting import back_of, list_url, mail_url, next_url
from .asking import Asked
from .files import OCTETS
from .pane import mail_or_404, pane_of
from .presence import TOLD, presence_of

MOST_FILES = 20
PLACES = {"to": "to", "cc": "cc-l", "subject": "subject", "body": "body", "attachments": "files"}
HELD_EVENTS = 5
UNSENDABLE = "この内容では、メールを作れません。件名と宛先を確認してください。"
STATUS_HELD = 409


@dataclass(frozen=True, slots=True)
class Copy:
    """Somebody the mail names who may get a copy of the answer."""

    address: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Held:
    """R02: why nothing was sent, and what happened meanwhile."""

    words: str
    happenings: Sequence[str]


@dataclass(frozen=True, slots=True)
class Draft:
    """For `inbox/reply.html`."""

    is_forward: bool
    mail: ReceivedMail
    words: Reply
    version: int
    key: str
    asked: Asked
    hold_seconds: int
    empty_body: str
    """What the form starts with: sending that alone would say nothing."""
    problems: Sequence[Problem] = ()
    held: Held | None = None
    chosen_copies: Sequence[str] = ()
    lost_files: str = ""

    @property
    def heading(self) -> str:
        """The screen's name."""
        return "転送" if self.is_forward else "返信"

    @property
    def button(self) -> str:
        """The main button."""
        return "転送を送信" if self.is_forward else "返信を送信"

    @property
    def sender(self) -> str:
        """The receiving account writes the answer."""
        account = self.mail.account
        return f"{account.name}({account.from_name} <{account.from_address}>)"

    @property
    def to_list(self) -> Sequence[str]:
        """宛先 in full."""
        return [one for one in self.words.to.replace(",", " ").split() if one]

    @property
    def to_note(self) -> str:
        """A word where the answer does not go to the sender."""
        is_elsewhere = self.to_list and self.mail.from_address not in self.to_list
        return f"差出人({self.mail.from_address})が指定した返信先です。" if is_elsewhere else ""

    @property
    def copy_choices(self) -> Sequence[Copy]:
        """The mail's other receivers."""
        offered = copies_of(self.mail, self.to_list)
        return [Copy(one, one in self.chosen_copies) for one in offered]

    @property
    def links(self) -> Sequence[tuple[str, str]]:
        """The summary of what must be put right."""
        return [(PLACES.get(one.field, ""), one.text) for one in self.problems]

    @property
    def errors(self) -> dict[str, str]:
        """The same beside each item."""
        return {one.field: one.text for one in self.problems}

    @property
    def may_attach(self) -> bool:
        """添付ファイルを使用する of the account."""
        return self.mail.account.allow_attachments

    @property
    def mail_url(self) -> str:
        """Back to the mail."""
        return mail_url(self.mail, self.asked)

    @property
    def files_note(self) -> str:
        """What goes along with a forwarded mail."""
        names = [one.name for one in self.mail.attachments.filter(is_saved=True)] if self.is_forward else []
        return f"一緒に送る添付:{'、'.join(names)}" if names else ""


def copies_of(mail: ReceivedMail, to_list: Sequence[str]) -> list[str]:
    """Addresses of To and Cc that are neither ours nor answered anyway, at most 20."""
    known = {one.lower() for one in (*to_list, mail.account.from_address, mail.from_address)}
    found: dict[str, str] = {}
    for part in f"{mail.to_text},{mail.cc_text}".replace(";", ",").split(","):
        address = part.strip().rpartition("<")[2].rstrip("> ")
        if "@" in address and " " not in address and address.lower() not in known:
            found.setdefault(address.lower(), address)
    return list(found.values())[:MOST_FILES]


@require_http_methods(["GET", "POST"])
@never_cache
def reply(request: HttpRequest, number: int) -> HttpResponse:
    """返信."""
    return _written(request, number, is_forward=False)


@require_http_methods(["GET", "POST"])
@never_cache
def forward(request: HttpRequest, number: int) -> HttpResponse:
    """転送."""
    return _written(request, number, is_forward=True)


def _written(request: HttpRequest, number: int, *, is_forward: bool) -> HttpResponse:
    operator = operator_of(request)
    mail = mail_or_404(operator, number)
    if not mail.account.smtp_host or not may_use(operator, mail.account, "send"):
        raise PermissionDenied
    draft = _begun(request, mail, is_forward=is_forward)
    if request.method != "POST":
        return _shown(request, operator, draft)
    draft = _typed(request, draft)
    if request.POST.get("open"):
        return _shown(request, operator, draft)
    return _sent(request, operator, draft)


def _begun(request: HttpRequest, mail: ReceivedMail, *, is_forward: bool) -> Draft:
    words = quoted = actions.quoted(mail, is_forward=is_forward)
    kept = request.session.get(_kept_key(mail)) if request.method == "GET" else None
    kept = kept if kept and kept["is_forward"] == is_forward else None
    if kept:
        words = replace(words, subject=kept["subject"], body=kept["body"], to=kept["to"], cc=kept["cc"])
    return Draft(
        is_forward=is_forward,
        mail=mail,
        words=words,
        version=mail.version,
        key=str(uuid.uuid4()),
        asked=back_of(request),
        hold_seconds=office().reply_hold_seconds,
        empty_body=quoted.body,
        lost_files="、".join(kept["files"]) if kept else "",
        chosen_copies=words.cc.replace(",", " ").split(),
    )


def _typed(request: HttpRequest, draft: Draft) -> Draft:
    """The form as it was sent; To of an answer comes from the mail and from nowhere else."""
    posted = request.POST
    quote = draft.words.body
    body = posted.get("body", "").replace("\r\n", "\n")
    if posted.get("quick"):
        body = f"{body.rstrip()}\n\n{quote.lstrip()}" if body.strip() or posted.get("open") else ""
    copies = [one for one in posted.getlist("cc") if one in copies_of(draft.mail, draft.to_list)]
    words = replace(
        draft.words,
        subject=posted.get("subject", draft.words.subject),
        body=body,
        to=posted.get("to", "") if draft.is_forward else draft.words.to,
        cc=",".join(copies),
        idempotency_key=_key(posted.get("key", "")),
    )
    version = posted.get("version", "")
    return replace(
        draft,
        words=words,
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else draft.version,
        key=posted.get("key", "") or draft.key,
        chosen_copies=copies,
    )


def _sent(request: HttpRequest, operator: Operator, draft: Draft) -> HttpResponse:
    if not draft.is_forward and not request.POST.get("quick") and draft.words.body.split() == draft.empty_body.split():
        empty = [Problem("body", "V01", labels.NEEDS_BODY)]
        return _shown(request, operator, replace(draft, problems=empty), 422)
    files = [_file(one) for one in request.FILES.getlist("files")[:MOST_FILES]]
    send: Callable[..., BulkSend] = actions.forward if draft.is_forward else actions.reply
    following = next_url(operator, draft.mail, draft.asked)
    lost = "、".join(one.name for one in files)
    try:
        words = replace(draft.words, attachments=files)
        job = send(operator, draft.mail, words, draft.version, force=request.POST.get("force") == "1")
    except ChangedMeanwhile as meanwhile:
        held = replace(draft, held=_held(draft.mail, meanwhile), lost_files=lost)
        return _shown(request, operator, held, STATUS_HELD)
    except Refused as refused:
        return _shown(request, operator, replace(draft, problems=refused.problems, lost_files=lost), 422)
    except Unsendable as refused:
        problem = Problem("subject" if refused.field == "subject" else "", "", UNSENDABLE)
        return _shown(request, operator, replace(draft, problems=[problem], lost_files=lost), 422)
    request.session.pop(_kept_key(draft.mail), None)
    undo.remember(request, job)
    return redirect(following)


def _shown(request: HttpRequest, operator: Operator, draft: Draft, status: int = 200) -> HttpResponse:
    # What the stop tells is not told a second time beside it.
    if draft.held:
        draft.mail.refresh_from_db()
    seen = draft.mail.version if draft.held else draft.version
    context = {
        "draft": draft,
        "pane": pane_of(operator, draft.mail, draft.asked, "text"),
        "presence": presence_of(operator, draft.mail, seen, draft.mail_url),
        "title_prefix": "エラー: " if draft.problems else "",
    }
    return render(request, "inbox/reply.html", context, status=status)


def _held(mail: ReceivedMail, meanwhile: ChangedMeanwhile) -> Held:
    events = list(mail.events.filter(what__in=TOLD)[:HELD_EVENTS])
    happened = f"{meanwhile.who}さんが {timezone.localtime(meanwhile.at):%H:%M} に"
    if events and events[0].what == "replied":
        words = f"このメールには、{happened}返信しています。内容を確認してから送信してください。"
    else:
        words = f"このメールを、{happened}変更しています。内容を確認してから送信してください。"
    lines = [f"{timezone.localtime(one.at):%H:%M} {one.operator_name} {labels.EVENTS[one.what]}" for one in events]
    return Held(words, lines)


@require_POST
def take_back(request: HttpRequest, job_number: int) -> HttpResponse:
    """[取り消す], from whatever screen: back to the form with what was written, or why it is too late."""
    operator = operator_of(request)
    answer = MailReply.objects.filter(job__number=job_number, job__created_by=operator).select_related("job", "mail")
    row = answer.first()
    if row is None:
        raise Http404
    mail = mail_or_404(operator, row.mail.number)
    try:
        words = actions.take_back_reply(operator, row.job)
    except Refused as refused:
        messages.warning(request, str(refused))
        return redirect(list_url(back_of(request)))
    request.session[_kept_key(mail)] = {
        "is_forward": row.is_forward,
        "subject": words.subject,
        "body": words.body,
        "to": words.to,
        "cc": words.cc,
        "files": [one.name for one in words.attachments],
    }
    messages.success(request, "送信を取り消しました。書いた内容は残っています。")
    return redirect(reverse("inbox:forward" if row.is_forward else "inbox:reply", args=[mail.number]))


def _kept_key(mail: ReceivedMail) -> str:
    return f"taken_back:{mail.pk}"


def _file(one: UploadedFile[bytes]) -> NewFile:
    return NewFile(one.name or "", one.content_type or OCTETS, one.read())


def _key(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
