"""Django settings. Everything an installation may vary comes from its data folder or a FUMIBAKO_* variable."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF

from fumibako import data_folder, sqlite_engine
from fumibako.web.static_files import STATIC, content_digest, never_changes

SQLITE = sqlite_engine.take()
"""Before Django or anything of ours imports `sqlite3`."""
DATA = data_folder.open_folder(Path(os.environ.get("FUMIBAKO_DATA") or "data"))
MASTER_KEY = data_folder.read_key(DATA)
SECRET_KEY = hashlib.sha256(b"fumibako web sessions" + MASTER_KEY).hexdigest()

DEBUG = False
ALLOWED_HOSTS = os.environ.get("FUMIBAKO_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("FUMIBAKO_ORIGINS", "").split(",") if origin]
IS_BEHIND_TLS = bool(CSRF_TRUSTED_ORIGINS) and all(origin.startswith("https:") for origin in CSRF_TRUSTED_ORIGINS)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "fumibako.apps.office",
    "fumibako.apps.audit",
    "fumibako.apps.categories",
    "fumibako.apps.accounts",
    "fumibako.apps.recipients",
    "fumibako.apps.sending",
    "fumibako.apps.inbox",
    "fumibako.apps.contacts",
    "fumibako.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "fumibako.web.login.middleware.LoginRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "fumibako.web.urls"
WSGI_APPLICATION = "fumibako.web.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "fumibako.web.shell.context",
            ],
            "loaders": [("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"])],
            "builtins": [
                "django.templatetags.static",
                "fumibako.web.templatetags.parts",
                "django_htmx.templatetags.django_htmx",
            ],
        },
    }
]


def database() -> dict[str, Any]:
    """SQLite in the data folder with the durable settings (DESIGN §3), or PostgreSQL by FUMIBAKO_DATABASE_URL."""
    url = urlsplit(os.environ.get("FUMIBAKO_DATABASE_URL", ""))
    if url.scheme == "postgresql":
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.path.lstrip("/"),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": unquote(url.hostname or ""),
            "PORT": url.port or "",
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                "connect_timeout": 10,
                # As with SQLite: who waits longer than this for somebody's lock gives up and tries again.
                # What is prepared (`ledger.line`) is planned once per session: planning costs more than doing.
                "options": "-c lock_timeout=30s -c plan_cache_mode=force_generic_plan",
                # A server that vanished without a word is noticed while something is asked of it.
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "tcp_user_timeout": 60_000,
            },
        }
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA.database,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": SQLITE.first_words,
        },
        "TEST": {"NAME": DATA.root / "test.sqlite3"},
    }


DATABASES = {"default": database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "office.Operator"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "fumibako.web.login.adapter.ClosedAdapter"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "5/15m/key,20/15m/ip"}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "web_cache"}}

SESSION_COOKIE_NAME = "__Host-fumibako" if IS_BEHIND_TLS else "fumibako"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = IS_BEHIND_TLS
SESSION_COOKIE_AGE = 12 * 3600
CSRF_FAILURE_VIEW = "fumibako.web.errors.csrf_failure"
CSRF_COOKIE_NAME = "__Host-fumibako-form" if IS_BEHIND_TLS else "fumibako-form"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = IS_BEHIND_TLS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if IS_BEHIND_TLS else 0
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "frame-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "ja"
TIME_ZONE = os.environ.get("FUMIBAKO_TIME_ZONE", "Asia/Tokyo")
USE_I18N = True
USE_TZ = True

STATIC_URL = f"/static/{content_digest()}/"
STATICFILES_DIRS = [STATIC]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_IMMUTABLE_FILE_TEST = never_changes

DATA_UPLOAD_MAX_MEMORY_SIZE = 30 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

LOGGING_CONFIG = None
"""Logs are set up by the command that runs (fumibako.logs): ids only, never bodies, addresses or secrets."""
ADMINS: list[tuple[str, str]] = []
"""HTML error mails show passwords; nobody gets them (X37)."""
