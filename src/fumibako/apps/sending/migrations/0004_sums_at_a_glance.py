"""The index from which the sums of a send are added up without reading its rows."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sending", "0003_restored_copies")]

    operations = [
        migrations.RemoveIndex(model_name="delivery", name="delivery_by_state"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["job", "state", "deferred_count", "not_before_at", "changed_at"], name="delivery_by_state"
            ),
        ),
    ]
