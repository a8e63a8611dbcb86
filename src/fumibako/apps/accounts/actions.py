"""Verbs on mail accounts: 登録, 削除, 接続テスト. One transaction, one audit entry, each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from fumibako.apps.audit import actions as audit
from fumibako.apps.categories.models import Category, ContactCategory
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Problem, Refused
from fumibako.apps.office.queries import office
from fumibako.services.check import CheckReport, check_pop, check_smtp
from fumibako.services.secret import Secret

from . import queries
from .fields import BOUND_TO_PASSWORD, FIELDS, PINS, STORED
from .labels import value_text
from .models import AccountPermission, ContactRule, MailAccount
from .routes import password_of, pop_route, smtp_route
from .rules import check, complete, keeps_password, normalise
from .secrets import seal

V12 = (
    "このメールアカウントは、送信履歴 {}件で使われているため削除できません。"
    "一覧に出さないときは、表示区分を「表示しない」にしてください。"
)
BAD_CHOICE = "{}の{}は、上の連絡区分に属していません。選び直してください。"
PIN = re.compile(r"[0-9a-f]{64}")
TESTED = (*BOUND_TO_PASSWORD, "password", "receive_enabled", "smtp_auth", "smtp_auth_method", "pop_before_smtp")
NOT_IN_THE_LOG = ("signature", "cc", "bcc")
"""Bodies and address lists stay out of the audit log; that they changed is noted."""


class InUse(Exception):
    """The account cannot be deleted: `text` says why and what to do instead (V12)."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.text = V12.format(count)
        super().__init__(self.text)


def save_account(
    operator: Operator | None,
    values: Mapping[str, Any],
    *,
    account_no: int | None = None,
    version: int | None = None,
) -> MailAccount:
    """登録: make a new account (`account_no` None) or change one, by the field names of SPEC §1.

    `password` "" keeps the stored one while nothing it is bound to changes. `permissions` (by operator id) and
    `contact_rules` (by place) are kept as they are when absent. `operator` None is whoever owns the command line.
    Raises Refused, ChangedMeanwhile when `version` is not the stored one, PermissionDenied.
    """
    given = normalise(values).values
    with transaction.atomic():
        stored = None if account_no is None else MailAccount.objects.select_for_update().get(account_no=account_no)
        _require_right(operator, stored)
        if stored is not None and version is not None and stored.version != version:
            raise ChangedMeanwhile(stored.changed_by, stored.changed_at, _differences(complete(given, stored), stored))
        problems = [
            *check(given, stored=stored, office=office()),
            *_operator_problems(given),
            *_contact_problems(given),
        ]
        if problems:
            raise Refused(problems)
        return _write(operator, complete(given, stored), given, stored)


def delete_account(operator: Operator | None, account_no: int) -> None:
    """削除. Raises InUse while send jobs use it, PermissionDenied."""
    with transaction.atomic():
        account = MailAccount.objects.select_for_update().get(account_no=account_no)
        _require_right(operator, account)
        count = queries.uses_of(account)
        if count:
            raise InUse(count)
        audit.record(operator, "account.deleted", f"account:{account_no}", changes={"name": [account.name, None]})
        account.delete()


def check_connection(values: Mapping[str, Any], stored: MailAccount | None) -> dict[str, CheckReport]:
    """接続テスト with the values of the form, saved or not; nothing is saved.

    Returns reports by "smtp" and "pop", without the servers that are not filled in. The stored password is used only
    when nothing it is bound to differs (X08). Raises Refused when the values cannot be tested yet, and SecretLost.
    """
    given = normalise(values).values
    problems = [problem for problem in check(given, stored=stored, office=office()) if problem.field in TESTED]
    if problems:
        raise Refused(problems)
    merged = complete(given, stored)
    draft = MailAccount(**{name: merged[name] for name in TESTED if name != "password"})
    draft.smtp_pinned_sha256, draft.pop_pinned_sha256 = (_pin(values, name) for name in PINS)
    password = Secret(str(merged["password"]))
    if not password and stored is not None and keeps_password(merged, stored):
        password = password_of(stored)
    jobs = {}
    with ThreadPoolExecutor(2, thread_name_prefix="connection-test") as pool:
        if draft.smtp_host:
            jobs["smtp"] = pool.submit(check_smtp, smtp_route(draft, office(), password))
        if draft.receive_enabled:
            jobs["pop"] = pool.submit(check_pop, pop_route(draft, office(), password))
    return {name: job.result() for name, job in jobs.items()}


def _require_right(operator: Operator | None, account: MailAccount | None) -> None:
    if operator is None or operator.is_administrator:
        return
    if account is None or not queries.may_use(operator, account, "configure"):
        raise PermissionDenied


def _write(
    operator: Operator | None, values: dict[str, Any], given: Mapping[str, Any], stored: MailAccount | None
) -> MailAccount:
    account = stored or MailAccount(account_no=queries.next_number())
    is_kept = keeps_password(values, stored)
    changes = _changes(values, stored)
    before = {name: getattr(account, name) for name in (*BOUND_TO_PASSWORD, *PINS)} if stored else {}
    for name in STORED:
        if name == "default_operator":
            account.default_operator_id = getattr(values[name], "pk", values[name])
        else:
            setattr(account, name, values[name])
    _set_pins(account, given, before)
    account.store_path = account.store_path or str(account.account_no)
    account.changed_by = str(operator) if operator else audit.SYSTEM
    account.version = account.version + 1 if stored else 1
    account.save()
    if not is_kept and account.password_sealed is not None:
        account.password_sealed, account.password_set_at, account.password_set_by = None, None, ""
        changes["password"] = ["登録済み", "消去"]
    if values["password"]:
        account.password_sealed = seal(account.pk, "password", values["password"])
        account.password_set_at, account.password_set_by = timezone.now(), account.changed_by
        changes["password"] = ["***", "***"]
    account.save(update_fields=["password_sealed", "password_set_at", "password_set_by"])
    _write_contact_rules(account, given.get("contact_rules"))
    changes |= _write_permissions(operator, account, given.get("permissions"))
    audit.record(operator, "account.saved", f"account:{account.account_no}", changes=changes)
    return account


def _set_pins(account: MailAccount, given: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    for protocol, name in (("smtp", PINS[0]), ("pop", PINS[1])):
        pin = _pin(given, name) if name in given else getattr(account, name)
        has_moved = any(
            before and getattr(account, f"{protocol}_{part}") != before[f"{protocol}_{part}"]
            for part in ("host", "port")
        )
        # A pin belongs to the server it was seen at; only a new one may come along with a new server.
        setattr(account, name, "" if has_moved and pin == before.get(name) else pin)


def _pin(values: Mapping[str, Any], name: str) -> str:
    text = str(values.get(name) or "").strip().lower().replace(":", "")
    return text if PIN.fullmatch(text) else ""


def _stored_value(account: MailAccount, name: str) -> Any:
    return account.default_operator_id if name == "default_operator" else getattr(account, name)


def _changes(values: Mapping[str, Any], stored: MailAccount | None) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in STORED:
        before = _stored_value(stored, name) if stored else None
        after = getattr(values[name], "pk", values[name])
        if before == after or (stored is None and after in ("", None)):
            continue
        is_private = name in NOT_IN_THE_LOG
        changes[name] = ["(変更前)", "(変更後)"] if is_private else [_loggable(before), _loggable(after)]
    return changes


def _loggable(value: Any) -> Any:
    return f"{value:%H:%M}" if hasattr(value, "hour") else value


def _differences(values: Mapping[str, Any], stored: MailAccount) -> dict[str, tuple[str, str]]:
    found = {}
    for name in STORED:
        typed, kept = getattr(values[name], "pk", values[name]), _stored_value(stored, name)
        if typed != kept:
            found[FIELDS[name].label] = (value_text(name, typed), value_text(name, kept))
    return found


def _operator_problems(values: Mapping[str, Any]) -> list[Problem]:
    chosen = values.get("default_operator")
    chosen_id = getattr(chosen, "pk", chosen)
    if chosen_id is None or Operator.objects.filter(pk=chosen_id).exists():
        return []
    return [Problem("default_operator", "V02", "既定対応者を選択してください。")]


def _contact_problems(values: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for role, choice in (values.get("contact_rules") or {}).items():
        parent: int | None = None
        for level in (1, 2, 3):
            chosen = choice.get(f"category{level}")
            if chosen is not None and not _is_child(chosen, level, parent):
                words = BAD_CHOICE.format(role.upper(), f"連絡区分{level}")
                problems.append(Problem("to_contact_record", "V27", words))
                break
            parent = chosen
        status = choice.get("status")
        if status is not None and not Category.objects.filter(pk=status, section="連絡ステータス").exists():
            problems.append(Problem("to_contact_record", "V02", f"{role.upper()}の連絡ステータスを選択してください。"))
    return problems


def _is_child(chosen: int, level: int, parent: int | None) -> bool:
    if level > 1 and parent is None:
        return False
    return ContactCategory.objects.filter(pk=chosen, level=level, parent_id=parent).exists()


def _write_contact_rules(account: MailAccount, rules: Mapping[str, Mapping[str, int | None]] | None) -> None:
    for role, choice in (rules or {}).items():
        chosen = {f"{name}_id": choice.get(name) for name in queries.CONTACT_CHOICES}
        ContactRule.objects.update_or_create(account=account, role=role, defaults=chosen)


def _write_permissions(
    operator: Operator | None, account: MailAccount, wanted: Mapping[int, Mapping[str, bool]] | None
) -> dict[str, Any]:
    # Who may only configure an account must not be able to grant themselves the right to send from it.
    if wanted is None or (operator is not None and not operator.is_administrator):
        return {}
    before = queries.permissions_of(account)
    changes: dict[str, Any] = {}
    for operator_id, rights in wanted.items():
        if operator_id not in before or dict(rights) == before[operator_id]:
            continue
        AccountPermission.objects.update_or_create(account=account, operator_id=operator_id, defaults=dict(rights))
        changes[f"permission:{operator_id}"] = [before[operator_id], dict(rights)]
    return changes
