"""The histories of deliveries and jobs can only be appended to: the database itself refuses to rewrite them.

An event goes only after what it tells of: while the delivery (or the approved job) is there, its history stays.
`operator_id` is left out, so that an operator can be deleted; the name stays.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

EVENT_COLUMNS = (
    "delivery_id, at, trigger, from_state, to_state, attempt, owner, stage, code, enhanced, text, actor_name, reason"
)
JOB_COLUMNS = "job_id, at, what, actor_name, data"
RULES = (
    # name, table, columns that never change, what must be gone before the event may go
    (
        "sending_deliveryevent",
        EVENT_COLUMNS,
        "EXISTS (SELECT 1 FROM sending_delivery WHERE id = OLD.delivery_id)",
    ),
    (
        "sending_jobevent",
        JOB_COLUMNS,
        "EXISTS (SELECT 1 FROM sending_bulksend WHERE id = OLD.job_id AND approved_at IS NOT NULL)",
    ),
)


def _sqlite(table: str, columns: str, stays: str) -> list[str]:
    refusal = f"SELECT RAISE(ABORT, '{table} is append-only');"
    quoted = ", ".join(f'"{column.strip()}"' for column in columns.split(","))
    return [
        f"CREATE TRIGGER {table}_keeps_what_it_says BEFORE UPDATE OF {quoted} ON {table} BEGIN {refusal} END",
        f"CREATE TRIGGER {table}_keeps_all BEFORE DELETE ON {table} WHEN {stays} BEGIN {refusal} END",
    ]


def _postgresql(table: str, columns: str, stays: str) -> list[str]:
    quoted = ", ".join(f'"{column.strip()}"' for column in columns.split(","))
    return [
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' AND NOT {stays} THEN RETURN OLD; END IF; "
        f"RAISE EXCEPTION '{table} is append-only'; END $$",
        f"CREATE TRIGGER {table}_keeps_what_it_says BEFORE UPDATE OF {quoted} ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
        f"CREATE TRIGGER {table}_keeps_all BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
    ]


def protect(apps: Any, schema_editor: Any) -> None:
    statements = _sqlite if schema_editor.connection.vendor == "sqlite" else _postgresql
    for rule in RULES:
        for statement in statements(*rule):
            schema_editor.execute(statement)


def unprotect(apps: Any, schema_editor: Any) -> None:
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for table, _, _ in RULES:
        on_table = "" if is_sqlite else f" ON {table}"
        schema_editor.execute(f"DROP TRIGGER {table}_keeps_what_it_says{on_table}")
        schema_editor.execute(f"DROP TRIGGER {table}_keeps_all{on_table}")
        if not is_sqlite:
            schema_editor.execute(f"DROP FUNCTION {table}_refuse()")


class Migration(migrations.Migration):
    dependencies = [("sending", "0001_initial")]

    operations = [migrations.RunPython(protect, unprotect)]
