"""How the login library behaves here: nobody signs up by themselves, and its words are ours."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedAdapter(DefaultAccountAdapter):
    """Accounts are made by an administrator or by the one-time set-up link only."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": "利用者IDまたはパスワードが違います。",
        "too_many_login_attempts": "しばらく時間をおいてください(15分後に試せます)。",
        "account_inactive": "利用者IDまたはパスワードが違います。",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: sign-up is closed."""
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # Counted per person and place: somebody elsewhere cannot lock the real person out.
        own = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{own}:{self.get_client_ip(request)}"
