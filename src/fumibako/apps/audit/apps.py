"""App registration."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Who did what, when: appended, never changed."""

    name = "fumibako.apps.audit"
    label = "audit"
    verbose_name = "操作履歴"
    default_auto_field = "django.db.models.BigAutoField"
