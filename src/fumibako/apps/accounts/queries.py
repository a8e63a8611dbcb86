"""Facts about mail accounts: which exist, which an operator may use for what, what a new one starts with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from django.db.models import Max, Q, QuerySet

from fumibako.apps.audit.queries import targets_of
from fumibako.apps.office.models import Operator

from .fields import FIELDS
from .models import AccountPermission, ContactRule, MailAccount

Use = Literal["send", "view", "configure"]
PERMISSIONS: Mapping[Use, str] = {"send": "may_send", "view": "may_view", "configure": "may_configure"}

CONTACT_CHOICES = ("category1", "category2", "category3", "status")


def usable_accounts(operator: Operator, use: Use) -> QuerySet[MailAccount]:
    """Return the accounts this operator may use for `use`; an administrator may use all."""
    if operator.is_administrator:
        return MailAccount.objects.all()
    permitted = AccountPermission.objects.filter(operator=operator, **{PERMISSIONS[use]: True})
    return MailAccount.objects.filter(pk__in=permitted.values("account_id"))


def may_use(operator: Operator, account: MailAccount, use: Use) -> bool:
    """Tell whether this operator may use this account for `use`."""
    return usable_accounts(operator, use).filter(pk=account.pk).exists()


def sendable_accounts(operator: Operator) -> QuerySet[MailAccount]:
    """Return what [メール一括送信]-[送信元アカウント] offers: 表示する, SMTP set, permitted."""
    return usable_accounts(operator, "send").filter(visible=True).exclude(smtp_host="")


def receivable_accounts(operator: Operator) -> QuerySet[MailAccount]:
    """Return what [メール受信]-[受信元アカウント] offers: 表示する, メール受信対象とする, permitted."""
    return usable_accounts(operator, "view").filter(visible=True, receive_enabled=True)


def configurable_accounts(operator: Operator) -> QuerySet[MailAccount]:
    """Return the accounts that メールアカウント設定 shows to this operator, 表示しない included."""
    return usable_accounts(operator, "configure")


def next_number() -> int:
    """Return the next free メールアカウントNO. The number of a deleted account is never given again."""
    living = MailAccount.objects.aggregate(last=Max("account_no"))["last"] or 0
    deleted = [int(target.removeprefix("account:")) for target in targets_of("account.deleted")]
    return int(max([living, *deleted])) + 1


def neighbours(operator: Operator, account_no: int | None) -> tuple[int | None, int | None]:
    """Return the NO before and after; without a NO, the last one stands before."""
    known = configurable_accounts(operator)
    if account_no is None:
        return known.order_by("-account_no").values_list("account_no", flat=True).first(), None
    before = (
        known.filter(account_no__lt=account_no).order_by("-account_no").values_list("account_no", flat=True).first()
    )
    after = known.filter(account_no__gt=account_no).order_by("account_no").values_list("account_no", flat=True).first()
    return before, after


def search(operator: Operator, conditions: Mapping[str, str]) -> QuerySet[MailAccount]:
    """Return what メールアカウント検索 lists, 表示しない included; no condition lists everything.

    Conditions: `no_from`, `no_to`, `name`, `address`, `server`, and `receive`, `visible`, `marketing` as "yes" or "no".
    Numbers that cannot be read are no condition.
    """
    found = configurable_accounts(operator)
    for name, lookup in (("no_from", "account_no__gte"), ("no_to", "account_no__lte")):
        text = conditions.get(name, "").strip()
        if text.isdecimal():
            found = found.filter(**{lookup: min(int(text), 2**31 - 1)})
    for name, fields in (("name", ["name"]), ("address", ["from_address"]), ("server", ["smtp_host", "pop_host"])):
        text = conditions.get(name, "").strip()
        if text:
            any_of = Q()
            for field in fields:
                any_of |= Q(**{f"{field}__icontains": text})
            found = found.filter(any_of)
    for name, field in (("receive", "receive_enabled"), ("visible", "visible"), ("marketing", "is_marketing")):
        if conditions.get(name) in ("yes", "no"):
            found = found.filter(**{field: conditions[name] == "yes"})
    return found


def same_name(name: str, account_no: int | None) -> MailAccount | None:
    """Return another account with this アカウント名, if there is one."""
    others = MailAccount.objects.filter(name=name)
    return (others if account_no is None else others.exclude(account_no=account_no)).first()


def uses_of(account: MailAccount) -> int:
    """Count the send jobs, drafts included, that keep this account from being deleted."""
    return int(account.jobs.count())


def permissions_of(account: MailAccount | None) -> dict[int, dict[str, bool]]:
    """Return what each operator without administrator's rights may do, by operator id; all operators are listed."""
    stored = {row.operator_id: row for row in AccountPermission.objects.filter(account=account)} if account else {}
    return {
        operator.pk: {field: getattr(stored.get(operator.pk), field, False) for field in PERMISSIONS.values()}
        for operator in grantable_operators()
    }


def grantable_operators() -> QuerySet[Operator]:
    """Return the operators whose 使用権限 can be chosen; administrators may do everything."""
    return Operator.objects.filter(is_active=True, is_administrator=False).order_by("id")


def contact_rules_of(account: MailAccount | None) -> dict[str, dict[str, int | None]]:
    """Return 連絡区分1–3 and 連絡ステータス as ids, by place (from, to, cc)."""
    stored = {row.role: row for row in ContactRule.objects.filter(account=account)} if account else {}
    return {
        role: {name: getattr(stored.get(role), f"{name}_id", None) for name in CONTACT_CHOICES}
        for role in ContactRule.Role.values
    }


def copied_values(account: MailAccount) -> dict[str, Any]:
    """Return what 複写 puts into a new form: everything but NO, password and pinned certificates."""
    values = {name: getattr(account, name) for name in FIELDS if name not in ("account_no", "password")}
    values["name"] = f"{account.name} のコピー"[:100]
    return values
