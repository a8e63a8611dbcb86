"""Who else is at a mail, and what became of it since it was opened: asked every five seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from fumibako.apps.inbox import actions, labels, queries
from fumibako.apps.inbox.models import Presence, ReceivedMail
from fumibako.apps.office.models import Operator
from fumibako.web.operators import operator_of

TOLD = ("replied", "forwarded", "reply_taken_back", "work_set", "assigned", "noted", "linked", "unlinked", "deleted")


@dataclass(frozen=True, slots=True)
class Seen:
    """Somebody else who has the mail open."""

    pk: int
    strong: str
    words: str


@dataclass(frozen=True, slots=True)
class Around:
    """For `inbox/presence.html`; `seen` is the version that this page was opened with."""

    number: int
    seen: int
    others: Sequence[Seen]
    changed: str
    url: str


def presence_of(operator: Operator, mail: ReceivedMail, seen: int, url: str = "") -> Around:
    """Who is there now, and whether the mail has changed since version `seen`."""
    others = [_seen(one) for one in queries.present_others(mail, operator)]
    changed = change_words(mail) if mail.version > seen and mail.changed_by_name != str(operator) else ""
    return Around(mail.number, seen, others, changed, url or reverse("inbox:mail", args=[mail.number]))


def change_words(mail: ReceivedMail) -> str:
    """The last change in a sentence."""
    event = mail.events.filter(what__in=TOLD).first()
    if event is None:
        return f"{mail.changed_by_name}さんが、このメールを変更しました。"
    at = timezone.localtime(event.at)
    return f"{event.operator_name}さんが {at:%H:%M} に{did_words(event.what)}。"


def did_words(what: str) -> str:
    """返信しました, 返信を取り消しました, 人を紐付けました."""
    words = labels.EVENTS[what]
    return f"{words}ました" if words.endswith(("し", "け")) else f"{words}しました"


def _seen(one: Presence) -> Seen:
    name, at = str(one.operator), timezone.localtime(one.seen_at)
    if one.is_writing:
        strong = f"{name}さんが返信を書いています({at:%H:%M})。"
        return Seen(one.operator.pk, strong, "二重に返信しないよう、声をかけてください。")
    strong = f"{name}さんが、このメールを開いています。"
    return Seen(one.operator.pk, strong, "返信を作成すると、お互いの画面に表示されます。")


@require_POST
@never_cache
def presence(request: HttpRequest, number: int) -> HttpResponse:
    """Say that this operator has the mail open, and hear who else has.

    The first word of a page marks the mail as read: a GET changes nothing (X30).
    """
    operator = operator_of(request)
    mail = queries.mail_numbered(operator, number)
    if mail is None:
        # Deleted, or no longer permitted: the page stops asking (286).
        return HttpResponse(status=286)
    actions.touch_presence(operator, mail, is_writing=request.POST.get("writing") == "1")
    if request.POST.get("opened") and not mail.is_read:
        actions.mark_read(operator, mail)
    seen = request.POST.get("seen", "")
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else mail.version
    return render(request, "inbox/presence.html", {"presence": presence_of(operator, mail, version)})
