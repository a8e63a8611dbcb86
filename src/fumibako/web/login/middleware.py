"""Every page needs a login; a part of a page that finds the session ended takes the whole page to the login.

A login ends after its time whatever the clock of this computer does meanwhile (T08).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.http import urlencode

SINCE = "since"
CLOCK_SLACK = timedelta(minutes=5)
"""How far a clock may be put right without everybody having to log in again."""


class LoginRequired(LoginRequiredMiddleware):
    """Django's rule, and for requests of htmx a redirect of the page instead of a login form inside a fragment."""

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        """End a login that is older than it may be, or that began in the future."""
        if request.user.is_authenticated:
            now = timezone.now().timestamp()
            since = request.session.setdefault(SINCE, now)
            if not -CLOCK_SLACK.total_seconds() <= now - since <= settings.SESSION_COOKIE_AGE:
                auth.logout(request)
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(  # type: ignore[override]  # the stubs promise a redirect; any response will do
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseBase:
        """Send the person to the login, and back to the page they were on."""
        if "HX-Request" not in request.headers:
            return super().handle_no_permission(request, view_func)
        page = urlsplit(request.headers.get("HX-Current-URL", "/"))
        back = page.path + (f"?{page.query}" if page.query else "")
        address = f"{resolve_url('login')}?{urlencode({'next': back})}"
        return HttpResponse(status=204, headers={"HX-Redirect": address})
