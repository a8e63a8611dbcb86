"""メールアカウント設定, メールアカウント検索, 接続テスト, 複写, 削除."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from fumibako.apps.accounts import actions, presets, queries
from fumibako.apps.accounts.fields import FIELDS, PINS, TABS, first_values
from fumibako.apps.accounts.models import MailAccount
from fumibako.apps.accounts.rules import normalise, notices
from fumibako.apps.accounts.secrets import SecretLost
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import ChangedMeanwhile, Refused
from fumibako.apps.office.queries import office
from fumibako.apps.sending.actions import allow_account_again
from fumibako.web.accounts import pages
from fumibako.web.accounts.forms import AccountForm
from fumibako.web.accounts.help import HELP
from fumibako.web.accounts.status import mail_seconds_of, status_of, statuses_of
from fumibako.web.operators import operator_of

RUNNING_TESTS = threading.BoundedSemaphore(2)
"""A connection test may take 15 seconds; the other request threads stay free for people."""


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Open the account seen last, or the first one, or the empty page."""
    numbers = list(queries.configurable_accounts(operator_of(request)).values_list("account_no", flat=True))
    if not numbers:
        return render(request, "accounts/empty.html", {"may_create": operator_of(request).is_administrator})
    last = request.session.get("account_no")
    return redirect("accounts:account", last if last in numbers else numbers[0])


@require_GET
def by_number(request: HttpRequest) -> HttpResponse:
    """NO + Enter: open that account; an empty NO opens a new one."""
    typed = normalise({"max_per_job": request.GET.get("no", "")}).values["max_per_job"]
    if typed is None:
        return redirect("accounts:new")
    if isinstance(typed, int) and queries.configurable_accounts(operator_of(request)).filter(account_no=typed).exists():
        return redirect("accounts:account", typed)
    messages.error(request, f"メールアカウントNO {typed} は登録されていません。[検索] で番号を確認してください。")
    return redirect("accounts:index")


@sensitive_post_parameters("password")
@sensitive_variables()
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest, account_no: int) -> HttpResponse:
    """Show and 登録 one account."""
    stored = _stored(operator_of(request), account_no)
    request.session["account_no"] = account_no
    if request.method == "POST":
        return _save(request, stored)
    return _page(request, stored, AccountForm(stored=stored, initial=_values_of(stored)))


@sensitive_post_parameters("password")
@sensitive_variables()
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """新規, and 複写 with ?from=NO."""
    operator = operator_of(request)
    if not operator.is_administrator:
        raise PermissionDenied
    if request.method == "POST":
        return _save(request, None)
    initial = first_values() | {"hold_minutes": office().hold_minutes, "default_operator": operator}
    copied = request.GET.get("from", "")
    like = _stored(operator, int(copied)) if copied.isdecimal() else None
    if like is not None:
        initial |= queries.copied_values(like)
    return _page(request, None, AccountForm(like=like, initial=initial))


def _save(request: HttpRequest, stored: MailAccount | None) -> HttpResponse:
    initial = _values_of(stored) if stored else first_values()
    form = AccountForm(request.POST, stored=stored, initial=initial)
    if request.POST.get("do") == "preset":
        return _page(request, stored, AccountForm(stored=stored, initial=form.values() | _preset_values(form)))
    values = form.values()
    version = request.POST.get("overwrite") or request.POST.get("version", "")
    try:
        saved = actions.save_account(
            operator_of(request),
            values,
            account_no=stored.account_no if stored else None,
            version=int(version) if version.isdecimal() else None,
        )
    except Refused as refused:
        for problem in refused.problems:
            form.add_error(problem.field, problem.text)
        return _page(request, stored, form, status=422)
    except ChangedMeanwhile as change:
        return _page(request, stored, form, status=409, change=change)
    _tell(request, saved, values, had_password=pages.is_password_kept(stored))
    _let_it_try_again(request, saved, values)
    tab = request.POST.get("tab", "")
    query = f"?tab={tab}" if tab in TABS else ""
    return redirect(reverse("accounts:account", args=[saved.account_no]) + query)


def _let_it_try_again(request: HttpRequest, saved: MailAccount, values: Mapping[str, Any]) -> None:
    # A stopped account was waiting for exactly this: somebody who puts its settings right.
    if values["password"] and status_of(saved).can_send is False:
        allow_account_again(operator_of(request), saved)
        messages.info(request, "止めていた送信を再開しました。")


@require_POST
def again(request: HttpRequest, account_no: int) -> HttpResponse:
    """Let a stopped account try again."""
    stored = _stored(operator_of(request), account_no)
    allow_account_again(operator_of(request), stored)
    messages.success(request, "止めていた送信を再開しました。")
    return redirect("accounts:account", account_no)


def _tell(request: HttpRequest, saved: MailAccount, values: Mapping[str, Any], *, had_password: bool) -> None:
    messages.success(request, f"メールアカウントNO {saved.account_no}「{saved.name}」を登録しました。")
    corrected = [FIELDS[name].label for name in normalise(values).corrected]
    if corrected:
        messages.info(request, f"全角を半角にするなど、入力を整えました:{'、'.join(corrected)}")
    if had_password and saved.password_sealed is None:
        messages.warning(request, "サーバー名などが変わったため、登録済みのパスワードを消しました。")
    for notice in notices({}, stored=saved):
        messages.warning(request, notice.text)
    other = queries.same_name(saved.name, saved.account_no)
    if other is not None:
        messages.warning(request, f"同じアカウント名が、メールアカウントNO {other.account_no} にもあります。")


def _preset_values(form: AccountForm) -> dict[str, Any]:
    chosen = presets.find(form.values()["preset"])
    return dict(chosen.values) if chosen else {}


def _values_of(stored: MailAccount) -> dict[str, Any]:
    values = {name: getattr(stored, name) for name in FIELDS if name != "password"}
    return values | {name: getattr(stored, name) for name in PINS}


def _stored(operator: Operator, account_no: int) -> MailAccount:
    found = MailAccount.objects.filter(account_no=account_no).first()
    if found is None:
        raise Http404
    if not queries.may_use(operator, found, "configure"):
        raise PermissionDenied
    return found


def _page(
    request: HttpRequest, stored: MailAccount | None, form: AccountForm, *, status: int = 200, **extra: Any
) -> HttpResponse:
    operator = operator_of(request)
    number = stored.account_no if stored else None
    before, after = queries.neighbours(operator, number)
    typed = form.values()
    page = {
        "form": form,
        "account": stored,
        "number": number,
        "next_number": queries.next_number(),
        "before": before,
        "after": after,
        "tabs": _tabs(request, form, stored),
        "has_password": pages.is_password_kept(stored),
        "bound_to_password": pages.BOUND,
        "speed": pages.speed_words(typed, mail_seconds_of(stored)),
        "status": status_of(stored),
        "presets": pages.preset_data(),
        "help": HELP,
        "may_grant": operator.is_administrator,
        "title_prefix": "エラー: " if status == 422 else "",
        **extra,
    }
    return render(request, "accounts/account.html", page, status=status)


def _tabs(request: HttpRequest, form: AccountForm, stored: MailAccount | None) -> list[dict[str, Any]]:
    errors = dict.fromkeys(TABS, 0)
    for name in form.errors:
        tab = FIELDS[name].tab if name in FIELDS else ""
        if tab in errors:
            errors[tab] += len(form.errors[name])
    asked = request.GET.get("tab") or request.POST.get("tab") or "pop"
    chosen = next((tab for tab, count in errors.items() if count), asked if asked in TABS else "pop")
    return [
        {"key": key, "label": label, "errors": errors[key], "is_open": key == chosen, "is_done": stored is not None}
        for key, label in TABS.items()
    ]


@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, account_no: int) -> HttpResponse:
    """F4 削除: asks first, or says why not (V12)."""
    stored = _stored(operator_of(request), account_no)
    page: dict[str, Any] = {"account": stored, "uses": queries.uses_of(stored), "refusal": actions.V12}
    if request.method == "POST":
        try:
            actions.delete_account(operator_of(request), account_no)
        except actions.InUse as in_use:
            page["uses"] = in_use.count
        else:
            messages.success(request, f"メールアカウントNO {account_no}「{stored.name}」を削除しました。")
            return redirect("accounts:index")
    page["refusal"] = actions.V12.format(page["uses"])
    return render(request, _fragment(request, "accounts/delete"), page, status=422 if request.POST else 200)


@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """メールアカウント検索: as a dialog over the page, or as a page of its own."""
    found = queries.search(operator_of(request), request.GET)
    page = Paginator(found, 50).get_page(request.GET.get("page"))
    statuses = statuses_of(list(page))
    rows = [(row, statuses[row.pk]) for row in page]
    return render(
        request, _fragment(request, "accounts/search"), {"page": page, "rows": rows, "conditions": request.GET}
    )


def _fragment(request: HttpRequest, name: str) -> str:
    is_fragment = bool(getattr(request, "htmx", False))
    return f"{name}.html" if is_fragment else f"{name}_page.html"


@sensitive_post_parameters("password")
@sensitive_variables()
@require_POST
def test(request: HttpRequest) -> HttpResponse:
    """接続テスト with the values as they are on the page; nothing is saved."""
    operator = operator_of(request)
    number = request.POST.get("account_no", "")
    stored = _stored(operator, int(number)) if number.isdecimal() else None
    if stored is None and not operator.is_administrator:
        raise PermissionDenied
    form = AccountForm(request.POST, stored=stored, initial=_values_of(stored) if stored else first_values())
    result = _test_result(form.values(), stored)
    if getattr(request, "htmx", False):
        return render(request, "accounts/test.html", result)
    return _page(request, stored, form, **result)


def _test_result(values: Mapping[str, Any], stored: MailAccount | None) -> dict[str, Any]:
    if not RUNNING_TESTS.acquire(blocking=False):
        return {"test_trouble": "ほかの接続テストが終わっていません。15秒ほど待って、もう一度テストしてください。"}
    try:
        reports = actions.check_connection(values, stored)
    except Refused as refused:
        return {"test_problems": refused.problems}
    except SecretLost:
        return {"test_trouble": "登録済みのパスワードを読み取れません。パスワードを入力し直してください。"}
    finally:
        RUNNING_TESTS.release()
    ports = {"smtp": values["smtp_port"], "pop": values["pop_port"]}
    return {"tests": pages.test_blocks(reports, ports), "tested_at": timezone.now()}


@require_POST
def speed(request: HttpRequest) -> HttpResponse:
    """この設定での速さ, while numbers are being typed."""
    number = request.POST.get("account_no", "")
    stored = _stored(operator_of(request), int(number)) if number.isdecimal() else None
    values = {name: request.POST.get(name, "") for name in ("batch_size", "sleep_seconds", "cc", "bcc", "preset")}
    return render(request, "accounts/speed.html", {"speed": pages.speed_words(values, mail_seconds_of(stored))})
