"""Addresses of 次回対応."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "followups"
urlpatterns = [
    path("", views.index, name="index"),
    path("<str:number>/done/", views.done, name="done"),
    path("<str:number>/reopen/", views.reopen, name="reopen"),
]
