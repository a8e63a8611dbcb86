"""次回対応区分 to start with: 電話, メール, 面談."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

WAYS = ("電話", "メール", "面談")


def add_choices(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    categories = apps.get_model("categories", "Category").objects
    for number, name in enumerate(WAYS, start=1):
        categories.get_or_create(
            group="連絡記録入力",
            section="次回対応区分",
            number=number,
            defaults={"name1": name, "sort_order": number},
        )


class Migration(migrations.Migration):
    dependencies = [("categories", "0002_first_choices")]
    operations = [migrations.RunPython(add_choices, migrations.RunPython.noop)]
