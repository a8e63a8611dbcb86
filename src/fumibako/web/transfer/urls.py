"""Addresses of 取り込み・書き出し; they belong to the name space `people`."""

from __future__ import annotations

from django.urls import path

from fumibako.web.people import kinds

from . import results, steps

__all__ = ["kinds", "urlpatterns"]
urlpatterns = [
    path("transfer/", steps.start, name="transfer"),
    path("transfer/samples/", results.samples, name="samples"),
    path("transfer/template/<kind:kind>.csv", results.template, name="template"),
    path("transfer/import/<uuid:draft_id>/", steps.look, name="import"),
    path("transfer/import/<uuid:draft_id>/reading/", steps.choose_reading, name="import_reading"),
    path("transfer/import/<uuid:draft_id>/columns/", steps.choose_columns, name="import_columns"),
    path("transfer/import/<uuid:draft_id>/run/", steps.run, name="import_run"),
    path("transfer/import/<uuid:draft_id>/refused.csv", steps.refused, name="import_refused"),
    path("transfer/jobs/<int:run_id>/", results.result, name="import_result"),
    path("transfer/jobs/<int:run_id>/undo/", results.undo, name="import_undo"),
]
