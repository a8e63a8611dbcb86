"""The choices every office starts with: 連絡ステータス 未対応/対応中/対応済 and 連絡区分1 メール受信/メール送信/電話/面談."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

STATUSES = ("未対応", "対応中", "対応済")
FIRST_LEVEL = ("メール受信", "メール送信", "電話", "面談")


def add_choices(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    categories = apps.get_model("categories", "Category").objects
    for number, name in enumerate(STATUSES, start=1):
        categories.get_or_create(
            group="連絡記録入力",
            section="連絡ステータス",
            number=number,
            defaults={"name1": name, "sort_order": number},
        )
    contact_categories = apps.get_model("categories", "ContactCategory").objects
    for place, name in enumerate(FIRST_LEVEL, start=1):
        contact_categories.get_or_create(level=1, parent=None, name=name, defaults={"sort_order": place})


class Migration(migrations.Migration):
    dependencies = [("categories", "0001_initial")]
    operations = [migrations.RunPython(add_choices, migrations.RunPython.noop)]
