"""What is done to a mail with one press: state, 担当, 未読, note, 読み直し, 紐付け, 回答, 削除, and [受信]."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from fumibako.apps.contacts.people import find_parties
from fumibako.apps.inbox import actions, labels, queries
from fumibako.apps.inbox import board as facts
from fumibako.apps.inbox.models import MailPerson, ReceivedMail
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import Refused
from fumibako.apps.recipients.labels import KIND
from fumibako.apps.recipients.models import Recipient
from fumibako.web.operators import operator_of

from .asking import Asked, asked_in, conditions_of
from .listing import mails_of, name_of
from .opening import opened
from .pane import mail_or_404

Act = Callable[[HttpRequest, Operator, ReceivedMail], HttpResponse]


def on_mail(act: Act) -> Callable[[HttpRequest, int], HttpResponse]:
    """Open a press for mails that this operator may see; a refusal is told above the mail."""

    @wraps(act)
    def pressed(request: HttpRequest, number: int) -> HttpResponse:
        operator = operator_of(request)
        mail = mail_or_404(operator, number)
        try:
            return act(request, operator, mail)
        except Refused as refused:
            messages.error(request, str(refused))
            return redirect(mail_url(mail, back_of(request)))

    return pressed


def back_of(request: HttpRequest) -> Asked:
    """The list that the press came from; only what asks for mails is taken over."""
    return asked_in(dict(parse_qsl(request.POST.get("back") or request.GET.urlencode())))


def mail_url(mail: ReceivedMail, asked: Asked) -> str:
    """The mail beside its list."""
    return reverse("inbox:mail", args=[mail.number]) + (f"?{asked.query}" if asked.query else "")


def list_url(asked: Asked) -> str:
    """The list."""
    return reverse("inbox:index") + (f"?{asked.query}" if asked.query else "")


def next_url(operator: Operator, mail: ReceivedMail, asked: Asked) -> str:
    """Where to go when a mail is finished with: the older one of its list, else the newer one, else the list."""
    accounts = list(queries.receiving_accounts(operator))
    mails = mails_of(operator, asked, conditions_of(asked, accounts)).exclude(pk=mail.pk)
    newer, older = queries.neighbours(mails, mail)
    following = older or newer
    return mail_url(following, asked) if following else list_url(asked)


@require_POST
@on_mail
def work(request: HttpRequest, operator: Operator, mail: ReceivedMail) -> HttpResponse:
    """状態; 処理済み goes on to the next mail."""
    asked = back_of(request)
    following = next_url(operator, mail, asked)
    changed = actions.set_work(operator, mail, request.POST.get("work", ""))
    if changed.work == ReceivedMail.Work.DONE:
        messages.success(request, f"受信管理NO {mail.number} を処理済みにしました。")
        return redirect(following)
    return redirect(mail_url(mail, asked))


@require_POST
@on_mail
def assign(request: HttpRequest, operator: Operator, mail: ReceivedMail) -> HttpResponse:
    """担当."""
    chosen = request.POST.get("assignee", "")
    person = next((one for one in facts.assignable_operators(mail.account) if str(one.pk) == chosen), None)
    if chosen and person is None:
        raise PermissionDenied
    actions.assign(operator, mail, person)
    return redirect(mail_url(mail, back_of(request)))


@require_POST
@on_mail
def unread(request: HttpRequest, operator: Operator, mail: ReceivedMail) -> HttpResponse:
    """未読に戻す; back to the list, since opening it would be reading it. Without scripts, 既読にする too."""
    if request.POST.get("read"):
        actions.mark_read(operator, mail)
        return redirect(mail_url(mail, back_of(request)))
    actions.mark_unread(operator, mail)
    messages.success(request, f"受信管理NO {mail.number} を未読に戻しました。")
    return redirect(list_url(back_of(request)))


@require_POST
@on_mail
def note(request: HttpRequest, operator: Operator, mail: ReceivedMail) -> HttpResponse:
    """メモ; refused, what was typed stays where it is."""
    text = request.POST.get("text", "")
    asked = back_of(request)
    try:
        actions.add_note(operator, mail, text)
    except Refused as refused:
        messages.error(request, str(refused))
        context = opened(request, operator, mail, asked, note_text=text, title_prefix="エラー: ")
        return render(request, "inbox/index.html", context, status=422)
    return redirect(mail_url(mail, asked) + "#notes")


@require_POST
@on_mail
def charset(request: HttpRequest, operator: Operator, mail: ReceivedMail) -> HttpResponse:
    """文字コードを変えて読み直す."""
    chosen = request.POST.get("charset", "")
    actions.read_again(operator, mail, chosen)
    words = f"文字コード {labels.CHARSETS[chosen]} で" if chosen in labels.CHARSETS else "文字コードを自動で判定して"
    messages.success(request, f"{words}読み直しました。")
    return redirect(mail_url(mail, back_of(request)))


@require_POST
@on_mail
def answer(request: HttpRequest, operator: Operator, mail: ReceivedMail) -> HttpResponse:
    """回答 confirmed."""
    actions.confirm_answer(operator, mail, request.POST.get("answer", ""))
    return redirect(mail_url(mail, back_of(request)))


@require_http_methods(["GET", "POST"])
@on_mail
def delete(request: HttpRequest, operator: Operator, mail: ReceivedMail) -> HttpResponse:
    """Ask, then take the mail off our lists."""
    asked = back_of(request)
    if request.method == "POST":
        following = next_url(operator, mail, asked)
        actions.delete_mail(operator, mail)
        messages.success(request, f"受信管理NO {mail.number} を削除しました。")
        return redirect(following)
    context = {"mail": mail, "back": asked.query, "back_url": mail_url(mail, asked), "heading": "メールの削除"}
    return question(request, "inbox/delete.html", context)


@require_http_methods(["GET", "POST"])
@on_mail
def link(request: HttpRequest, operator: Operator, mail: ReceivedMail) -> HttpResponse:
    """この人を紐付け: search, then choose."""
    asked = back_of(request)
    if request.method == "POST":
        person = get_object_or_404(Recipient, pk=_id(request.POST.get("recipient", "")))
        actions.link_person(operator, mail, person)
        messages.success(request, f"{person.name}を紐付けました。")
        return redirect(mail_url(mail, asked))
    word = request.GET.get("who", "").strip()[:100]
    parties = find_parties(word) if word else []
    context = {
        "mail": mail,
        "word": word,
        "people": [{"pk": one.pk, "name": one.label, "number": one.place} for one in parties]
        if word
        else _owners(mail),
        "linked": [_linked(one) for one in mail.persons.select_related("recipient")],
        "back": asked.query,
        "back_url": mail_url(mail, asked),
        "heading": "紐付け",
    }
    return question(request, "inbox/link.html", context)


@require_POST
@on_mail
def unlink(request: HttpRequest, operator: Operator, mail: ReceivedMail) -> HttpResponse:
    """紐付けない."""
    person = get_object_or_404(Recipient, pk=_id(request.POST.get("recipient", "")))
    actions.unlink_person(operator, mail, person)
    messages.success(request, f"{person.name}の紐付けを外しました。")
    return redirect(mail_url(mail, back_of(request)))


@require_POST
def fetch(request: HttpRequest) -> HttpResponse:
    """[受信]: asks the worker, for one account or for all that may be seen."""
    operator = operator_of(request)
    chosen = _id(request.POST.get("account", ""))
    permitted = {account.pk: account for account in queries.receiving_accounts(operator)}
    if chosen and chosen not in permitted:
        raise PermissionDenied
    try:
        results = actions.fetch_now(operator, [chosen] if chosen else list(permitted))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        names = "、".join(result.account.name for result in results)
        messages.success(request, f"受信を受け付けました({names})。結果は、この一覧に表示します。")
    back = request.POST.get("next", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else reverse("inbox:index"))


def question(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """A question alone for the dialog, or inside a page where there are no scripts."""
    # django-htmx puts `htmx` on every request.
    if getattr(request, "htmx", False):
        return render(request, template, context, status=status)
    return render(request, "inbox/question.html", context | {"question": template}, status=status)


def _owners(mail: ReceivedMail) -> list[dict[str, object]]:
    return [
        {"pk": one.pk, "name": name_of(one), "number": one.number, "kind": one.kind, "kind_label": KIND[one.kind]}
        for one in facts.owners_of(mail.from_address)
    ]


def _linked(one: MailPerson) -> dict[str, object]:
    person = one.recipient
    words = labels.ROLES[one.role] + ("・手で紐付け" if one.is_by_hand else "")
    return {"pk": person.pk, "name": person.name, "words": words, "kind": person.kind, "kind_label": KIND[person.kind]}


def _id(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
