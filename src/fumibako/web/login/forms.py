"""The forms of ログイン and はじめての設定."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.http import HttpRequest, HttpResponse

REMEMBERED = timedelta(days=30)


def text(label: str, autocomplete: str, **attrs: str) -> forms.CharField:
    """Return a required one-line field with our words."""
    widget = forms.TextInput(attrs={"class": "in", "autocomplete": autocomplete, "maxlength": "100", **attrs})
    return forms.CharField(
        label=label, max_length=100, widget=widget, error_messages={"required": f"{label}を入力してください。"}
    )


def password(autocomplete: str) -> forms.CharField:
    """Return a password field; what was typed is never sent back to the page."""
    widget = forms.PasswordInput(attrs={"class": "in", "autocomplete": autocomplete})
    words = {"required": "パスワードを入力してください。"}
    return forms.CharField(label="パスワード", max_length=200, strip=False, widget=widget, error_messages=words)


class SignInForm(LoginForm):  # type: ignore[misc]
    """利用者ID, パスワード, and whether this device stays logged in for 30 days."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["login"] = text("利用者ID", "username", autofocus="autofocus", autocapitalize="none")
        self.fields["password"] = password("current-password")
        self.fields["remember"].label = "この端末で30日間ログインしたままにする"
        self.order_fields(["login", "password", "remember"])

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        """Log in and set how long the session lives."""
        response: HttpResponse = super().login(request, redirect_url)
        if self.cleaned_data["remember"]:
            request.session.set_expiry(REMEMBERED)
        return response


class SetupForm(forms.Form):
    """会社名 and the first administrator."""

    company_name = text("会社名", "organization", autofocus="autofocus")
    display_name = text("氏名", "name")
    username = text("利用者ID", "username", autocapitalize="none")
    password = password("new-password")

    def add_error(self, field: str | None, error: Any) -> None:
        """Mark a field; the first one that is wrong is where typing goes on."""
        super().add_error(field, error)
        wrong = [name for name in self.fields if name in self.errors]
        for name, found in self.fields.items():
            found.widget.attrs.pop("autofocus", None)
            if wrong and name == wrong[0]:
                found.widget.attrs["autofocus"] = "autofocus"
