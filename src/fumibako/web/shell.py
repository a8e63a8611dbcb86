"""What every screen shows around its content: office, menu, and whose look it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from fumibako.apps.contacts.queries import due_count
from fumibako.apps.inbox.board import error_count, has_inbox, open_count
from fumibako.apps.office.models import Office, Operator
from fumibako.apps.office.queries import office
from fumibako.web.bulk_send.pill import pill
from fumibako.web.inbox.undo import undo_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu: the name of its address, its icon and its words."""

    view: str
    icon: str
    label: str
    is_for_administrators: bool = False
    count: Callable[[Operator], int] | None = None
    """How much waits there; 0 is not drawn."""
    count_css: str = ""
    """hot (blue) for work, bad (red) for trouble."""
    is_open_to: Callable[[Operator], bool] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the menu as it is drawn on this page."""

    url: str
    icon: str
    label: str
    is_current: bool
    count: int = 0
    count_css: str = ""


MENU: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    ("", (Entry("home", "house", "ホーム"),)),
    (
        "メール",
        (
            Entry("bulk_send:index", "send", "メール一括送信"),
            Entry("inbox:index", "inbox", "メール受信", count=open_count, count_css="hot", is_open_to=has_inbox),
            Entry("history:index", "history", "送信履歴"),
            Entry(
                "bounces:index",
                "mail-warning",
                "エラーメール",
                count=error_count,
                count_css="bad",
                is_open_to=has_inbox,
            ),
        ),
    ),
    (
        "連絡",
        (
            Entry("contacts:index", "notebook-pen", "連絡記録"),
            Entry("followups:index", "list-checks", "次回対応", count=due_count),
        ),
    ),
    (
        "名簿",
        (
            Entry("people:staff", "users", "スタッフ"),
            Entry("people:clients", "building-2", "得意先"),
            Entry("people:applicants", "user-plus", "応募者"),
            Entry("people:transfer", "upload", "取り込み・書き出し"),
        ),
    ),
    (
        "設定",
        (
            Entry("accounts:index", "at-sign", "メールアカウント"),
            Entry("codes:index", "tags", "区分マスタ", is_for_administrators=True),
            Entry("codes:contact_categories", "tag", "連絡区分マスタ", is_for_administrators=True),
            Entry("office_settings", "settings", "システム設定", is_for_administrators=True),
            Entry("audit_log", "scroll-text", "操作履歴", is_for_administrators=True),
            Entry("status:index", "activity", "動作状況"),
        ),
    ),
)

THEMES = (("auto", "自動"), ("light", "明るい"), ("dark", "暗い"))
DENSITIES = (("standard", "標準"), ("roomy", "ゆったり"))


def context(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame of every page needs; without a login only the office.

    What a part of a page does not draw it does not ask for: the menu with its counts, the pill, the answer held.
    """
    found = office()
    # A request that is refused before the login is looked at has no user yet.
    user = getattr(request, "user", None)
    if not isinstance(user, Operator):
        return {"office": found}
    return {
        "office": found,
        "menu": SimpleLazyObject(lambda: _menu(request.path, user, found)),
        "live": SimpleLazyObject(lambda: pill(user)),
        "undo": SimpleLazyObject(lambda: undo_of(request, user)),
        "display_themes": THEMES,
        "display_densities": DENSITIES,
    }


def _menu(path: str, user: Operator, found: Office) -> str:
    """The menu as it is drawn, once for the two places where it stands."""
    groups = [(heading, list(_lines(entries, path, user))) for heading, entries in MENU]
    parts = {"groups": [group for group in groups if group[1]], "office": found, "user": user}
    return render_to_string("parts/menu.html", parts)


def _lines(entries: tuple[Entry, ...], path: str, user: Operator) -> Iterator[Line]:
    for entry in entries:
        url = _address(entry.view)
        if not url or (entry.is_for_administrators and not user.is_administrator):
            continue
        if entry.is_open_to is not None and not entry.is_open_to(user):
            continue
        is_current = path == url if url == "/" else path.startswith(url)
        yield Line(url, entry.icon, entry.label, is_current, entry.count(user) if entry.count else 0, entry.count_css)


def _address(view: str) -> str:
    # A screen that this installation does not have is not in the menu.
    try:
        return reverse(view)
    except NoReverseMatch:
        return ""
