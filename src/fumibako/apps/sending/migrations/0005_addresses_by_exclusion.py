"""Two indexes that a move of a delivery need no longer touch.

A row has an exclusion exactly when it is SUPPRESSED, and never leaves that state: the rule that an address stands once
in a job says the same in either column, but the exclusion stays as it is while the state moves.

Hardly any event names a person. The index of those that do is a small one; the large one is dropped by its name, because
SQLite would otherwise write the whole table anew and lose the triggers that keep it append-only.
"""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

EVENTS = "sending_deliveryevent"


def drop_the_large_index(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, EVENTS)
    for name, facts in found.items():
        if facts["index"] and not facts["unique"] and facts["columns"] == ["operator_id"]:
            schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")


class Migration(migrations.Migration):
    dependencies = [
        ("sending", "0004_sums_at_a_glance"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="delivery", name="delivery_address_once"),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("exclusion", "")), fields=("job", "address_key"), name="delivery_address_once"
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop_the_large_index)],
            state_operations=[
                migrations.AlterField(
                    model_name="deliveryevent",
                    name="operator",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="deliveryevent",
            index=models.Index(
                condition=models.Q(("operator__isnull", False)), fields=["operator"], name="event_by_operator"
            ),
        ),
    ]
