"""Indexes from which the counts of every page are answered without reading a mail."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_initial"),
        ("inbox", "0002_search"),
        ("recipients", "0002_imports"),
        ("sending", "0003_restored_copies"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(model_name="bouncereport", name="bounce_to_settle"),
        migrations.RemoveIndex(model_name="receivedmail", name="mail_unread"),
        migrations.AddIndex(
            model_name="bouncereport",
            index=models.Index(fields=["settled_at", "effect"], name="bounce_to_settle"),
        ),
        migrations.AddIndex(
            model_name="receivedmail",
            index=models.Index(
                condition=models.Q(models.Q(("work", "done"), _negated=True), ("deleted_at", None)),
                fields=["work", "kind", "is_read", "assignee", "account", "deleted_at"],
                name="mail_to_do",
            ),
        ),
        migrations.AddIndex(
            model_name="receivedmail",
            index=models.Index(
                condition=models.Q(("kind", "bounce")), fields=["kind", "fetched_at"], name="mail_error_by_arrival"
            ),
        ),
    ]
