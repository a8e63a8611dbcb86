"""Every page needs a login; a part of a page that finds the session ended takes the whole page to the login."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.http import urlencode


class LoginRequired(LoginRequiredMiddleware):
    """Django's rule, and for requests of htmx a redirect of the page instead of a login form inside a fragment."""

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
