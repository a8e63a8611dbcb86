"""App registration."""

from django.apps import AppConfig


class SendingConfig(AppConfig):
    """Bulk sends and the delivery ledger: who gets which mail, and what became of it."""

    name = "fumibako.apps.sending"
    label = "sending"
    verbose_name = "送信"
    default_auto_field = "django.db.models.BigAutoField"
