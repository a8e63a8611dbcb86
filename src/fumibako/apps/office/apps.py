"""App registration."""

from django.apps import AppConfig


class OfficeConfig(AppConfig):
    """The office itself: its operators, departments and system-wide settings."""

    name = "fumibako.apps.office"
    label = "office"
    verbose_name = "事業所"
    default_auto_field = "django.db.models.BigAutoField"
