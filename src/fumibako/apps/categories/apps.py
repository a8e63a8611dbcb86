"""App registration."""

from django.apps import AppConfig


class CategoriesConfig(AppConfig):
    """The office's own lists of choices: 区分マスタ and the three levels of 連絡区分."""

    name = "fumibako.apps.categories"
    label = "categories"
    verbose_name = "区分"
    default_auto_field = "django.db.models.BigAutoField"
