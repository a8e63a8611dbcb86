"""Addresses of login and first run."""

from django.urls import path

from . import views

urlpatterns = [
    path("login/", views.SignIn.as_view(), name="login"),
    # The login library asks for its own name of the same page.
    path("login/", views.SignIn.as_view(), name="account_login"),
    path("logout/", views.log_out, name="logout"),
    path("setup/", views.setup, name="setup"),
    path("display/", views.display, name="display"),
]
