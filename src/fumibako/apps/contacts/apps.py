"""App registration."""

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    """Contact records; joins the reading of mail as a follower."""

    name = "fumibako.apps.contacts"
    label = "contacts"
    verbose_name = "連絡"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """From now on every mail that is read is expanded (SPEC §2.7)."""
        from fumibako.apps.inbox.reading import after_reading

        from .expanding import follow

        if follow not in after_reading:
            after_reading.append(follow)
