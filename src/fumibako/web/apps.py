"""App registration, so that templates, static files and template tags of the screens are found."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The screens."""

    name = "fumibako.web"
    label = "web"
