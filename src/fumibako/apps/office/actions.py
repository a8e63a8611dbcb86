"""Verbs of the office: the first administrator's one-time link, an operator's look, the system settings."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from .models import Department, Office, Operator, SetupTicket
from .problems import Problem, Refused
from .queries import office

TICKET_LIFE = timedelta(minutes=30)

PASSWORD_WORDS = {
    "password_too_short": "パスワードは 10文字以上で入力してください。",
    "password_too_common": "よく使われているパスワードです。ほかの人が思いつかない文字の組み合わせを入力してください。",
    "password_too_similar": "パスワードが利用者IDか氏名に似ています。違う文字の組み合わせを入力してください。",
}

USERNAME_TAKEN = "利用者ID「{}」は使われています。違う利用者IDを入力してください。"
USERNAME_LETTERS = "利用者IDに使えるのは、半角の英数字と @ . + - _ です。ほかの文字を除いてください。"


class TicketRefused(Exception):
    """The one-time link is unknown, used or older than 30 minutes, or there is an administrator already."""


def issue_setup_ticket(now: datetime) -> str:
    """Make a one-time link's key, good for 30 minutes; only its hash is kept."""
    key = secrets.token_urlsafe(24)
    SetupTicket.objects.create(key_sha256=_hash(key), expires_at=now + TICKET_LIFE)
    return key


def is_ticket_good(key: str, now: datetime) -> bool:
    """Tell whether the key may still create the first administrator."""
    return _good_tickets(key, now).exists() and not Operator.objects.filter(is_administrator=True).exists()


@transaction.atomic
def complete_setup(
    key: str, now: datetime, *, company_name: str, display_name: str, username: str, password: str
) -> Operator:
    """Use up the one-time link and make the first administrator.

    Raises TicketRefused, or Refused with what must be put right (the link then stays usable).
    """
    if not is_ticket_good(key, now):
        raise TicketRefused
    operator = Operator(username=username.strip(), display_name=display_name.strip(), is_administrator=True)
    problems = _missing({"company_name": company_name, "display_name": display_name, "username": username})
    problems += password_problems(password, operator)
    if not re.fullmatch(r"[A-Za-z0-9@.+_-]*", operator.username):
        problems.append(Problem("username", "V15", USERNAME_LETTERS))
    if Operator.objects.filter(username=operator.username).exists():
        problems.append(Problem("username", "V13", USERNAME_TAKEN.format(operator.username)))
    if problems:
        raise Refused(problems)
    if _good_tickets(key, now).update(used_at=now) != 1:
        raise TicketRefused
    operator.set_password(password)
    operator.save()
    Office.objects.filter(pk=office().pk).update(company_name=company_name.strip())
    return operator


def password_problems(password: str, operator: Operator) -> list[Problem]:
    """Judge a new password; the words say what to do."""
    if not password:
        return [Problem("password", "V01", "パスワードを入力してください。")]
    try:
        validate_password(password, operator)
    except ValidationError as trouble:
        return [
            Problem("password", "V14", PASSWORD_WORDS.get(error.code or "", " ".join(error.messages)))
            for error in trouble.error_list
        ]
    return []


def set_display(operator: Operator, *, theme: str = "", density: str = "") -> None:
    """Keep an operator's 表示 and 密度; unknown words change nothing."""
    if theme in Operator.Theme.values:
        operator.theme = theme
    if density in Operator.Density.values:
        operator.density = density
    operator.save(update_fields=["theme", "density"])


def hide_first_steps(operator: Operator, *, is_hidden: bool) -> None:
    """Put はじめの一歩 away, or bring it back, for this operator."""
    operator.hides_first_steps = is_hidden
    operator.save(update_fields=["hides_first_steps"])


def note_failure_seen(operator: Operator) -> None:
    """Remember that this operator has read why a mail did not arrive; the first time only."""
    if not operator.has_seen_failure:
        operator.has_seen_failure = True
        operator.save(update_fields=["has_seen_failure"])


def add_departments(names: Iterable[str]) -> list[Department]:
    """Make the departments among `names` that are neither a name nor a code yet, with the next free two-digit codes."""
    known = {text for pair in Department.objects.values_list("name", "code") for text in pair}
    made = []
    for name in dict.fromkeys(name.strip() for name in names):
        if not name or name in known:
            continue
        number = next(number for number in count(1) if f"{number:02d}" not in known)
        made.append(Department.objects.create(code=f"{number:02d}", name=name[:100], sort_order=number))
        known |= {name, f"{number:02d}"}
    return made


def begin_practice() -> None:
    """練習モードにする: from now on mail leaves only to this computer."""
    Office.objects.filter(pk=office().pk).update(is_practice=True)


def command_line_operator() -> Operator:
    """Return the operator in whose name the command line acts where a name is needed; nobody can log in as it."""
    found, is_new = Operator.objects.get_or_create(
        username="command-line", defaults={"display_name": "コマンド", "is_active": False}
    )
    if is_new:
        found.set_unusable_password()
        found.save(update_fields=["password"])
    return found


def _good_tickets(key: str, now: datetime) -> QuerySet[SetupTicket]:
    return SetupTicket.objects.filter(key_sha256=_hash(key), used_at=None, expires_at__gt=now)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _missing(values: dict[str, str]) -> list[Problem]:
    labels = {"company_name": "会社名", "display_name": "氏名", "username": "利用者ID"}
    return [
        Problem(name, "V01", f"{labels[name]}を入力してください。") for name, text in values.items() if not text.strip()
    ]
