"""Indexes of mails that are few among many: those nobody has read yet, and those with files."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0003_counts_at_a_glance")]

    operations = [
        migrations.AddIndex(
            model_name="receivedmail",
            index=models.Index(
                condition=models.Q(("deleted_at", None), ("is_read", False)),
                fields=["-sort_key"],
                name="mail_not_read",
            ),
        ),
        migrations.AddIndex(
            model_name="receivedmail",
            index=models.Index(
                condition=models.Q(("attachment_count__gt", 0)), fields=["-sort_key"], name="mail_with_files"
            ),
        ),
    ]
