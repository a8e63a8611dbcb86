"""Addresses of メールアカウント設定."""

from django.urls import path

from . import views

app_name = "accounts"
urlpatterns = [
    path("", views.index, name="index"),
    path("open/", views.by_number, name="by_number"),
    path("new/", views.new, name="new"),
    path("search/", views.search, name="search"),
    path("test/", views.test, name="test"),
    path("speed/", views.speed, name="speed"),
    path("<int:account_no>/", views.account, name="account"),
    path("<int:account_no>/again/", views.again, name="again"),
    path("<int:account_no>/delete/", views.delete, name="delete"),
]
