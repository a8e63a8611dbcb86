"""Addresses of 区分マスタ and 連絡区分マスタ."""

from __future__ import annotations

from django.urls import path

from . import levels, sections

app_name = "codes"
urlpatterns = [
    path("codes/", sections.index, name="index"),
    path("codes/<str:section>/", sections.index, name="section"),
    path("contact-categories/", levels.index, name="contact_categories"),
]
