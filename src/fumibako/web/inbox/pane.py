"""One mail as the reading pane shows it: who wrote, what deserves a second look, the letter, its files, its notes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import Http404
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from fumibako.apps.accounts.queries import may_use
from fumibako.apps.inbox import board as facts
from fumibako.apps.inbox import labels, queries
from fumibako.apps.inbox.models import MailNote, ReceivedMail
from fumibako.apps.office.models import Operator
from fumibako.apps.office.queries import office
from fumibako.mime.sanitize import safe_html

from . import asking, sender
from .bounced import bounce_lines
from .files import ShownFile, shown_file
from .listing import NAMELESS, name_of, time_words
from .plain import MOST_CHARACTERS, Piece, pieces_of
from .raw import BytesLost, drawable, header_of, html_of

SHORT_LINES, LONG_LINES = 6, 22
"""Guessed lines below and above which the frame is lower or higher: from outside it cannot be measured."""
LINE_CHARACTERS = 45
_BREAK = re.compile(r"<(?:br|p|div|tr|li|h[1-6]|blockquote|pre)\b")
_TAG = re.compile(r"<[^>]*>")
THREAD = 6
NOBODY = (ReceivedMail.Kind.BOUNCE, ReceivedMail.Kind.DELAY, ReceivedMail.Kind.FEEDBACK)
"""Notices of mail systems."""
UNCERTAIN = ("header_cut", "too_many_parts", "too_deep", "too_many_addresses", "text_cut", "bad_boundary")
LETTER_PROBLEMS = ("charset_guessed", "text_damaged", "bad_date", *UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Way:
    """テキスト, HTML or 原文."""

    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Related:
    """Another mail of the same conversation."""

    time: str
    icon: str
    url: str
    name: str
    subject: str
    tag: str


@dataclass(frozen=True, slots=True)
class Letter:
    """The mail's own words in the way they are shown now."""

    way: str
    ways: Sequence[Way]
    pieces: Sequence[Piece] = ()
    cut_words: str = ""
    image_words: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True)
class Pane:
    """For `inbox/pane.html`; `mail` is the row itself."""

    mail: ReceivedMail
    query: str
    subject: str
    initial: str
    sender_name: str
    warnings: Sequence[sender.Warning]
    letter: Letter
    attachments: Sequence[ShownFile]
    thread: Sequence[Related]
    notes: Sequence[MailNote]
    operators: Sequence[tuple[int, str]]
    replied_words: str
    bounces: Sequence[sender.Warning]
    may_reply: bool
    hold_seconds: int
    key: uuid.UUID

    @property
    def number(self) -> int:
        """受信管理NO."""
        return self.mail.number

    @property
    def at(self) -> datetime:
        """日時."""
        return self.mail.at

    @property
    def account(self) -> str:
        """アカウント名."""
        return self.mail.account.name

    @property
    def sender_address(self) -> str:
        """The parsed address, which is what counts."""
        return self.mail.from_address

    @property
    def assignee(self) -> str:
        """担当, "" for nobody."""
        return str(self.mail.assignee) if self.mail.assignee else ""

    @property
    def works(self) -> Sequence[tuple[str, str]]:
        """状態 to choose from."""
        return [(str(value), words) for value, words in labels.WORKS.items()]

    @property
    def addresses(self) -> Sequence[tuple[str, str]]:
        """Every address of the header, in full."""
        mail = self.mail
        lines = (
            ("差出人", f"{mail.from_name} <{mail.from_address}>".strip()),
            ("宛先", mail.to_text),
            ("CC", mail.cc_text),
            ("返信先", mail.reply_to_text),
        )
        return [(label, sender.controls_shown(value)) for label, value in lines if value]

    @property
    def charsets(self) -> Sequence[tuple[str, str]]:
        """文字コードを変えて読み直す."""
        return [("", f"自動({self.mail.charset or '不明'})"), *labels.CHARSETS.items()]

    def url_of(self, name: str) -> str:
        """The address of something that is done with this mail, with the list carried along."""
        return reverse(f"inbox:{name}", args=[self.number]) + (f"?{self.query}" if self.query else "")

    @property
    def reply_url(self) -> str:
        """返信."""
        return self.url_of("reply")

    @property
    def forward_url(self) -> str:
        """転送."""
        return self.url_of("forward")

    @property
    def delete_url(self) -> str:
        """削除, which asks."""
        return self.url_of("delete")

    @property
    def link_url(self) -> str:
        """この人を紐付け."""
        return self.url_of("link")

    @property
    def body_url(self) -> str:
        """The frame's own address."""
        return reverse("inbox:body", args=[self.number])

    @property
    def record_url(self) -> str:
        """連絡記録に登録."""
        try:
            return reverse("contacts:from_mail", args=[self.number])
        except NoReverseMatch:
            return ""


def mail_or_404(operator: Operator, number: int) -> ReceivedMail:
    """The mail with this 受信管理NO. Raises Http404 when there is none, or none that this operator may see (X27)."""
    mail = queries.mail_numbered(operator, number)
    if mail is None:
        raise Http404(f"受信管理NO {number} のメールはありません。")
    return mail


def pane_of(operator: Operator, mail: ReceivedMail, asked: asking.Asked, way: str = "") -> Pane:
    """Everything about one mail but the person."""
    name = sender.visible(mail.from_name) or mail.from_address or "差出人なし"
    links = facts.senders_of([mail])
    namesake = None if mail.pk in links else facts.namesake_of(mail.from_name, mail.from_address)
    reply_to = [part.strip().rpartition("<")[2].rstrip(">") for part in mail.reply_to_text.split(",") if "@" in part]
    warnings = sender.warnings_of(
        mail.problems, mail.from_name, mail.from_address, reply_to, namesake.name if namesake else ""
    )
    return Pane(
        mail=mail,
        query=asked.query,
        subject=sender.controls_shown(mail.subject) or NAMELESS,
        initial=(name_of(links[mail.pk].recipient) if mail.pk in links else name)[:1],
        sender_name=name,
        warnings=[*warnings, *_letter_warnings(mail)],
        letter=_letter_of(mail, asked, way),
        attachments=_files_of(mail),
        thread=_thread_of(operator, mail, asked),
        notes=list(mail.notes.all()),
        operators=[(one.pk, str(one)) for one in facts.assignable_operators(mail.account)],
        replied_words=_replied_words(mail),
        bounces=bounce_lines(mail),
        hold_seconds=office().reply_hold_seconds,
        may_reply=_may_reply(operator, mail),
        key=uuid.uuid4(),
    )


def _may_reply(operator: Operator, mail: ReceivedMail) -> bool:
    """Nobody answers a mail system, and only who may send from the receiving account answers a person."""
    return mail.kind not in NOBODY and bool(mail.account.smtp_host) and may_use(operator, mail.account, "send")


def _letter_warnings(mail: ReceivedMail) -> list[sender.Warning]:
    if mail.reading == ReceivedMail.Reading.WAITING:
        return [sender.Warning("読み取りを待っています。", "しばらくすると、本文を表示します。", "", "hourglass")]
    if mail.reading == ReceivedMail.Reading.UNREADABLE:
        return [sender.Warning("このメールは読み取れない形式です。", "元のデータ(.eml)は保存されています。")]
    words = [labels.PROBLEMS[one] for one in mail.problems if one in LETTER_PROBLEMS and one in labels.PROBLEMS]
    return [sender.Warning("読み取りの注意:", "".join(words), "im", "info")] if words else []


def _letter_of(mail: ReceivedMail, asked: asking.Asked, way: str) -> Letter:
    offered = {"text": "テキスト", **({"html": "HTML"} if mail.has_html else {}), "raw": "原文(ヘッダー)"}
    chosen = way if way in offered else "html" if mail.has_html else "text"
    address = reverse("inbox:mail", args=[mail.number])
    query = f"&{asked.query}" if asked.query else ""
    ways = [Way(label, f"{address}?way={key}{query}", key == chosen) for key, label in offered.items()]
    try:
        if chosen == "raw":
            return Letter("raw", ways, [Piece(header_of(mail))])
        if chosen == "html":
            known = {row.content_id for row in drawable(mail)}
            safe = safe_html(html_of(mail), picture=lambda cid: "data:" if cid.strip("<> ") in known else "")
            return Letter("html", ways, image_words=_image_words(safe.remote_count), size=_size_of(safe.html))
    except BytesLost as lost:
        return Letter("text", ways[:1], pieces_of(mail.text), f"{lost}取り込んだときの文字だけを表示しています。")
    rest = "続きは、メールを保存(.eml)して確認してください。" if len(mail.text) > MOST_CHARACTERS else ""
    return Letter("text", ways, pieces_of(mail.text), rest)


def _image_words(count: int) -> str:
    if not count:
        return ""
    return f"画像{count}点を表示していません(開封の追跡を防ぐため)。"


def _size_of(html: str) -> str:
    lines = len(_BREAK.findall(html)) + len(_TAG.sub("", html)) / LINE_CHARACTERS
    return "s" if lines < SHORT_LINES else "l" if lines > LONG_LINES else ""


def _files_of(mail: ReceivedMail) -> list[ShownFile]:
    files = list(mail.attachments.all())
    return [shown_file(one, reverse("inbox:attachment", args=[mail.number, one.position])) for one in files]


def _thread_of(operator: Operator, mail: ReceivedMail, asked: asking.Asked) -> list[Related]:
    if not mail.thread:
        return []
    now = timezone.now()
    others = queries.conversation_of(operator, mail).exclude(pk=mail.pk).order_by("-sort_key")[:THREAD]
    query = f"?{asked.query}" if asked.query else ""
    return [
        Related(
            time=time_words(one.at, now),
            icon="mail",
            url=reverse("inbox:mail", args=[one.number]) + query,
            name=sender.visible(one.from_name) or one.from_address,
            subject=one.subject or NAMELESS,
            tag=labels.WORKS[ReceivedMail.Work(one.work)],
        )
        for one in others
    ]


def _replied_words(mail: ReceivedMail) -> str:
    if mail.replied_at is None:
        return ""
    at = timezone.localtime(mail.replied_at)
    return f"{mail.replied_by_name}さんが {at:%m/%d %H:%M} に返信しました。"
