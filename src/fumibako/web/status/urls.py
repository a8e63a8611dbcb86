"""Addresses of 動作状況."""

from django.urls import path

from . import views

app_name = "status"
urlpatterns = [
    path("status/", views.index, name="index"),
    path("status/release/", views.release, name="release"),
    path("status.json", views.as_json, name="json"),
]
