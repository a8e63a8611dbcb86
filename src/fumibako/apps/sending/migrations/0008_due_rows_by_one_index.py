"""On PostgreSQL the plain index of the account goes: what is due must be found by the index that was made for it.

As long as another one begins with the account the planner may take that, and go through all that was ever sent at every
claim. All other questions about an account have an index of their own, and every move writes one entry less. SQLite has
no such choice to make, and writes an entry only for what changes: there it stays.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

DELIVERIES = "sending_delivery"


def drop_the_plain_index(apps: Any, schema_editor: Any) -> None:
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, DELIVERIES)
    for name, facts in found.items():
        if facts["index"] and not facts["unique"] and facts["columns"] == ["account_id"]:
            schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")


class Migration(migrations.Migration):
    dependencies = [("sending", "0007_addressees")]

    operations = [migrations.RunPython(drop_the_plain_index, migrations.RunPython.noop)]
