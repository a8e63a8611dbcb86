"""Who is at the screen, and pages that only administrators may open."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from fumibako.apps.office.models import Operator

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def operator_of(request: HttpRequest) -> Operator:
    """Return the operator who is logged in. Raises PermissionDenied when nobody is."""
    if not isinstance(request.user, Operator):
        raise PermissionDenied
    return request.user


def administrators_only(view: View[P]) -> View[P]:
    """Refuse everybody else with 「アクセス権限がありません。」 (403)."""

    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not operator_of(request).is_administrator:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    update_wrapper(guarded, view)
    return guarded
