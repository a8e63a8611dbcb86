"""The index from which the number of an operator's own 次回対応, on every page, is answered without reading a record."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="contactrecord",
            index=models.Index(
                condition=models.Q(("next_done_at__isnull", True), ("next_on__isnull", False)),
                fields=["operator", "next_on", "next_done_at"],
                name="contact_own_to_follow_up",
            ),
        ),
    ]
