"""ログイン, ログアウト, はじめての設定 (one-time link), and each operator's 表示 and 密度."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from fumibako.apps.audit.actions import record
from fumibako.apps.contacts.handing_over import hand_over
from fumibako.apps.office import actions
from fumibako.apps.office.models import Operator
from fumibako.apps.office.problems import Refused
from fumibako.apps.office.queries import stand_in
from fumibako.web.login.forms import SetupForm, SignInForm
from fumibako.web.operators import operator_of

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):  # type: ignore[misc]
    """The login page; tries are limited by the library."""

    form_class = SignInForm
    template_name = "login/login.html"

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        """Show the page again with status 422."""
        response: HttpResponse = self.render_to_response(self.get_context_data(form=form), status=422)
        return response


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    auth.logout(request)
    return redirect("login")


@login_not_required
@never_cache
@sensitive_post_parameters()
@sensitive_variables()
@require_http_methods(["GET", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Make the first administrator by the one-time link. Looking at it changes nothing."""
    key = request.POST.get("k") or request.GET.get("k", "")
    form = SetupForm(request.POST or None, label_suffix="")
    page: dict[str, Any] = {"form": form, "key": key}
    if not actions.is_ticket_good(key, timezone.now()):
        return render(request, "login/setup_closed.html", status=410)
    if request.method == "GET":
        return render(request, "login/setup.html", page)
    if form.is_valid():
        try:
            with transaction.atomic():
                operator = actions.complete_setup(key, timezone.now(), **form.cleaned_data)
                record(operator, "setup.completed", "office")
                _take_over_samples(operator)
        except actions.TicketRefused:
            return render(request, "login/setup_closed.html", status=410)
        except Refused as refused:
            for problem in refused.problems:
                form.add_error(problem.field, problem.text)
        else:
            auth.login(request, operator, backend=BACKEND)
            return redirect("home")
    return render(request, "login/setup.html", page, status=422)


def _take_over_samples(operator: Operator) -> None:
    """In the sample office the first administrator finds work of their own."""
    source = stand_in()
    if source is not None:
        hand_over(source, operator)


@require_POST
def display(request: HttpRequest) -> HttpResponse:
    """Keep 表示 and 密度, and go back to the page."""
    actions.set_display(
        operator_of(request), theme=request.POST.get("theme", ""), density=request.POST.get("density", "")
    )
    back = request.POST.get("next", "/")
    is_own = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if is_own else "/")
