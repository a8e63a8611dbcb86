"""Addresses of 送信履歴."""

from django.urls import path

from . import views

app_name = "history"
urlpatterns = [
    path("", views.index, name="index"),
    path("<int:number>/", views.job, name="job"),
    path("<int:number>/result.csv", views.result_file, name="csv"),
    path("<int:number>/mail/", views.first_mail, name="first_mail"),
    path("<int:number>/<int:seq>/", views.mail, name="mail"),
]
