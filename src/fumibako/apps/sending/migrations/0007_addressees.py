"""Whom deliveries go to, once for all of them, and in which jobs: what a search over every year asks instead of every row.

What is there already is written down job by job, from an index and in its order, so that it takes no memory to speak of.
"""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

NEW = (
    "INSERT INTO sending_addressee (address, name) SELECT DISTINCT address, party_name FROM sending_delivery "
    "WHERE job_id = %s ORDER BY address, party_name ON CONFLICT DO NOTHING"
)
OF_A_JOB = (
    "INSERT INTO sending_sentto (addressee_id, job_id) SELECT a.id, d.job_id FROM sending_delivery d "
    "JOIN sending_addressee a ON a.address = d.address AND a.name = d.party_name "
    "WHERE d.job_id = %s ON CONFLICT DO NOTHING"
)


def write_down(apps: Any, schema_editor: Any) -> None:
    jobs = apps.get_model("sending", "BulkSend").objects.order_by("pk").values_list("pk", flat=True)
    with schema_editor.connection.cursor() as cursor:
        for job_id in jobs.iterator():
            cursor.execute(NEW, [job_id])
            cursor.execute(OF_A_JOB, [job_id])


def _link(to: str) -> Any:
    return models.ForeignKey(
        to=to, on_delete=django.db.models.deletion.PROTECT, related_name="+", db_index=False
    )


class Migration(migrations.Migration):
    dependencies = [("sending", "0006_pages_at_a_glance")]

    operations = [
        migrations.CreateModel(
            name="Addressee",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(blank=True, max_length=254)),
                ("name", models.CharField(blank=True, max_length=120)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("address", "name"), name="addressee_once")],
            },
        ),
        migrations.CreateModel(
            name="SentTo",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "addressee", "job", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("addressee", _link("sending.addressee")),
                ("job", _link("sending.bulksend")),
            ],
        ),
        migrations.RunPython(write_down, migrations.RunPython.noop),
    ]
