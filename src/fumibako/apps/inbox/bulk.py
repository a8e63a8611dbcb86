"""Many rows by one prepared statement: the ORM's own way costs more than everything else that is done for a mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from django.db import connection, models

PREPARED = (models.DateTimeField, models.JSONField)
"""Fields whose values look different in the database."""


def insert(
    sample: models.Model,
    varying: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    unique: Sequence[str] = (),
    update: Sequence[str] = (),
) -> None:
    """Insert rows that are like `sample` but for the columns `varying`: plain text, numbers or None, by column name.

    With `unique` a row that is there already stays as it is, but for the columns `update`.
    """
    if not rows:
        return
    fields = [field for field in sample._meta.concrete_fields if not field.primary_key]
    constant = {str(f.column): f.get_db_prep_save(f.pre_save(sample, True), connection) for f in fields}
    columns = [*varying, *(column for column in constant if column not in varying)]
    shared = tuple(constant[column] for column in columns[len(varying) :])
    quote = connection.ops.quote_name
    statement = (
        f"INSERT INTO {quote(sample._meta.db_table)} ({', '.join(map(quote, columns))}) "
        f"VALUES ({', '.join(['%s'] * len(columns))})"
    )
    if unique:
        changes = ", ".join(f"{quote(column)} = excluded.{quote(column)}" for column in update)
        action = f"UPDATE SET {changes}" if update else "NOTHING"
        statement += f" ON CONFLICT ({', '.join(map(quote, unique))}) DO {action}"
    with connection.cursor() as cursor:
        cursor.executemany(statement, [(*row, *shared) for row in rows])


def update(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Write the fields `names` of every row."""
    if not rows:
        return
    fields = [field for field in rows[0]._meta.concrete_fields if field.name in names]
    quote = connection.ops.quote_name
    changes = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
    key = quote(str(rows[0]._meta.pk.column))
    statement = f"UPDATE {quote(rows[0]._meta.db_table)} SET {changes} WHERE {key} = %s"
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(map(_values_of(fields), rows)))


def _values_of(fields: Sequence[models.Field[Any, Any]]) -> Callable[[models.Model], list[Any]]:
    """What a statement takes of a row: its fields, then its key."""
    pick = attrgetter(*(field.attname for field in fields), "pk")
    prepared = [(place, field) for place, field in enumerate(fields) if isinstance(field, PREPARED)]
    chosen = [place for place, field in enumerate(fields) if field.choices]

    def values(row: models.Model) -> list[Any]:
        found = list(pick(row))
        for place, field in prepared:
            found[place] = field.get_db_prep_save(found[place], connection)
        for place in chosen:
            # A choice is text that knows its name; drivers differ in what they make of it.
            found[place] = str(found[place]) if isinstance(found[place], str) else found[place]
        return found

    return values
