"""The search table: grams of every mail that was read, under the mail's sort_key (`apps.inbox.search`)."""

from __future__ import annotations

from typing import Any

from django.db import migrations

SQLITE = (
    "CREATE VIRTUAL TABLE inbox_search USING fts5("
    "sender, recipients, subject, body, content='', tokenize='ascii', prefix='1 2')"
)
POSTGRESQL = (
    "CREATE TABLE inbox_search (rowid bigint PRIMARY KEY, words tsvector NOT NULL)",
    "CREATE INDEX inbox_search_words ON inbox_search USING gin (words)",
)


def make(apps: Any, schema_editor: Any) -> None:
    statements = (SQLITE,) if schema_editor.connection.vendor == "sqlite" else POSTGRESQL
    for statement in statements:
        schema_editor.execute(statement)


def drop(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("DROP TABLE inbox_search")


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial")]

    operations = [migrations.RunPython(make, drop)]
