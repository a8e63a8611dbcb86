"""Addresses of 名簿 and of 取り込み・書き出し."""

from __future__ import annotations

from django.urls import path

from fumibako.web.transfer import urls as transfer

from . import company, dialogs, kinds, lists, record

__all__ = ["app_name", "kinds", "urlpatterns"]
app_name = "people"
STAFF, APPLICANT = {"kind": "staff"}, {"kind": "applicant"}
urlpatterns = [
    path("staff/", lists.index, STAFF, name="staff"),
    path("staff/new/", record.new, STAFF, name="staff_new"),
    path("staff/<str:number>/", record.record, STAFF, name="staff_record"),
    path("staff/<str:number>/delete/", dialogs.delete, STAFF, name="staff_delete"),
    path("clients/", lists.index, {"kind": "client"}, name="clients"),
    path("clients/open/", company.opened, name="open_client"),
    path("clients/new/", company.new, name="client_new"),
    path("clients/<str:number>/", company.record, name="client"),
    path("clients/<str:number>/delete/", dialogs.delete_company, name="client_delete"),
    path("applicants/", lists.index, APPLICANT, name="applicants"),
    path("applicants/new/", record.new, APPLICANT, name="applicant_new"),
    path("applicants/<str:number>/", record.record, APPLICANT, name="applicant"),
    path("applicants/<str:number>/delete/", dialogs.delete, APPLICANT, name="applicant_delete"),
    path("applicants/<str:number>/adopt/", dialogs.adopt, name="adopt"),
    path("people/<kind:kind>/open/", record.opened, name="open"),
    path("people/<kind:kind>/compose/", lists.compose, name="compose"),
    path("people/<kind:kind>/export/", lists.export, name="export"),
    path("people/addresses/<int:address_id>/restore/", dialogs.restore, name="restore"),
    path("people/addresses/<int:address_id>/lift/", dialogs.lift, name="lift"),
    *transfer.urlpatterns,
]
