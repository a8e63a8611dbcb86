"""Indexes from which pages are answered: what was sent today, who was written to, what is not over yet.

The plain indexes of three links go: for two of them another one begins with the same column, and hardly any row repeats
another. They are dropped by name, because SQLite would otherwise write the whole table anew. What is in flight is found
by its owner, which a mark does not change.
"""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

DELIVERIES = "sending_delivery"
SPARED = ("job_id", "recipient_id", "previous_id")


def drop_the_plain_indexes(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, DELIVERIES)
    for name, facts in found.items():
        if facts["index"] and not facts["unique"] and len(facts["columns"]) == 1 and facts["columns"][0] in SPARED:
            schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")


def _link(to: str, on_delete: Any, **options: Any) -> Any:
    return models.ForeignKey(to=to, on_delete=on_delete, db_index=False, **options)


PROTECT, SET_NULL = django.db.models.deletion.PROTECT, django.db.models.deletion.SET_NULL
LINKS = {
    "job": _link("sending.bulksend", PROTECT, related_name="deliveries"),
    "recipient": _link("recipients.recipient", SET_NULL, blank=True, null=True, related_name="deliveries"),
    "previous": _link("sending.delivery", SET_NULL, blank=True, null=True, related_name="again"),
}


class Migration(migrations.Migration):
    dependencies = [
        ("recipients", "0002_imports"),
        ("sending", "0005_addresses_by_exclusion"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop_the_plain_indexes)],
            state_operations=[
                migrations.AlterField(model_name="delivery", name=name, field=field) for name, field in LINKS.items()
            ],
        ),
        migrations.RemoveIndex(model_name="delivery", name="delivery_in_flight"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("owner__gt", "")), fields=["account", "owner"], name="delivery_in_flight"
            ),
        ),
        migrations.AddIndex(
            model_name="bulksend",
            index=models.Index(
                condition=models.Q(("approved_at__isnull", False), ("finished_at", None)),
                fields=["created_by", "-number"],
                name="job_not_over",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["job", "address", "party_name", "party_number"], name="delivery_to_whom"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("sent_at__isnull", False)), fields=["account", "sent_at"], name="delivery_handed_over"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("previous__isnull", False)), fields=["previous"], name="delivery_again"
            ),
        ),
    ]
