"""Pages for what cannot be shown, in plain Japanese and in the look of the product."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader

from fumibako.apps.office.models import Operator


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request cannot be read."""
    return render(request, "errors/400.html", status=HTTPStatus.BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: no permission, with whom to ask (N01)."""
    administrator = Operator.objects.filter(is_administrator=True, is_active=True).order_by("id").first()
    return render(request, "errors/403.html", {"administrator": administrator}, status=HTTPStatus.FORBIDDEN)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form is too old or came from elsewhere."""
    return render(request, "errors/csrf.html", status=HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: nothing at this address."""
    return render(request, "errors/404.html", status=HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: asks nothing of the database, which may be the trouble (N02)."""
    return HttpResponse(loader.get_template("errors/500.html").render({}), status=HTTPStatus.INTERNAL_SERVER_ERROR)
