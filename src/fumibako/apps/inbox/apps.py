"""App registration."""

from django.apps import AppConfig


class InboxConfig(AppConfig):
    """Received mail: fetching, reading, error mails, work on mails."""

    name = "fumibako.apps.inbox"
    label = "inbox"
    verbose_name = "受信"
    default_auto_field = "django.db.models.BigAutoField"
