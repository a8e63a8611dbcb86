"""Addresses of エラーメール."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "bounces"
urlpatterns = [
    path("", views.index, name="index"),
    path("unmatched/", views.work_list, name="unmatched"),
    path("reports/<int:report_id>/settle/", views.settle, name="settle"),
    path("addresses/<int:address_id>/restore/", views.restore, name="restore"),
]
