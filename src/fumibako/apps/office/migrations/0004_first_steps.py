"""はじめの一歩, per operator: put away, and what has been looked at."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("office", "0003_restored_copies")]
    operations = [
        migrations.AddField("operator", "hides_first_steps", models.BooleanField(default=False)),
        migrations.AddField("operator", "has_seen_failure", models.BooleanField(default=False)),
    ]
