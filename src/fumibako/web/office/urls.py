"""Addresses of システム設定 and 操作履歴."""

from django.urls import path

from . import views

urlpatterns = [
    path("settings/", views.office_settings, name="office_settings"),
    path("audit/", views.audit_log, name="audit_log"),
]
