"""App registration."""

from django.apps import AppConfig


class RecipientsConfig(AppConfig):
    """The people an office writes to: staff, client contacts and applicants, and their addresses."""

    name = "fumibako.apps.recipients"
    label = "recipients"
    verbose_name = "名簿"
    default_auto_field = "django.db.models.BigAutoField"
