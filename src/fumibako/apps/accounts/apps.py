"""App registration."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Mail accounts: every item of メールアカウント設定, its rules, presets and who may use it."""

    name = "fumibako.apps.accounts"
    label = "accounts"
    verbose_name = "メールアカウント"
    default_auto_field = "django.db.models.BigAutoField"
