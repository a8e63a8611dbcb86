"""Addresses of 連絡記録."""

from __future__ import annotations

from django.urls import path

from . import dialogs, lists, party, record

app_name = "contacts"
urlpatterns = [
    path("", lists.index, name="index"),
    path("new", record.new, name="new"),
    path("status/", lists.set_status, name="status"),
    path("export/", lists.export, name="export"),
    path("open/", record.opened_by_number, name="open"),
    path("people/", party.offered, name="parties"),
    path("files/<int:file_id>/", dialogs.file, name="file"),
    path("from-mail/<int:mail_number>/", dialogs.from_mail, name="from_mail"),
    path("<str:number>/", record.record, name="record"),
    path("<str:number>/delete/", dialogs.delete, name="delete"),
]
