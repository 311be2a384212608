"""Inserting and changing many rows at once.

`bulk_create` and `bulk_update` build SQL for every value of every row and, on SQLite, send at
most 999 values at a time; for imports of ten thousands of rows that is most of the time they
take (`make bench` measures it).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from django.db import connection, models

from media.folding import FoldedField


def insert(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Insert rows given as values in the order of `columns` (the model's attribute names).

    Signals are not sent and primary keys are not told. Raises IntegrityError.
    """
    columns, rows = _with_folded(model, columns, rows)
    fields = _fields(model, columns)
    _execute(_insertion(model, fields), _prepared(fields, rows))


def insert_or_update(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    unique: Sequence[str],
) -> None:
    """Insert rows as `insert` does, and change those that there are, by their unique columns."""
    columns, rows = _with_folded(model, columns, rows)
    fields = _fields(model, columns)
    same = ", ".join(_column(field) for field in _fields(model, unique))
    changes = ", ".join(
        f"{_column(field)} = excluded.{_column(field)}"
        for column, field in zip(columns, fields, strict=True)
        if column not in unique
    )
    _execute(
        f"{_insertion(model, fields)} ON CONFLICT ({same}) DO UPDATE SET {changes}",
        _prepared(fields, rows),
    )


def update(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Change rows given as values in the order of `columns`, followed by the primary key."""
    columns, rows = _with_folded(model, columns, rows)
    fields = _fields(model, columns)
    changes = ", ".join(f"{_column(field)} = %s" for field in fields)
    key = _column(model._meta.pk)
    _execute(
        f"UPDATE {_table(model)} SET {changes} WHERE {key} = %s",  # noqa: S608
        _prepared(fields, rows),
    )


def delete(model: type[models.Model], keys: Iterable[int]) -> None:
    """Delete rows to which no other row refers, by primary key. Raises IntegrityError."""
    _execute(
        f"DELETE FROM {_table(model)} WHERE {_column(model._meta.pk)} = %s",  # noqa: S608
        [[key] for key in keys],
    )


def _insertion(model: type[models.Model], fields: Sequence[Any]) -> str:
    names = ", ".join(_column(field) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {_table(model)} ({names}) VALUES ({places})"  # noqa: S608


def _fields(model: type[models.Model], columns: Sequence[str]) -> list[Any]:
    return [model._meta.get_field(column) for column in columns]


def _column(field: Any) -> str:
    return connection.ops.quote_name(field.column)


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _with_folded(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    """Columns and rows with the folded text of what is written, which nobody has to think of.

    Raises ValueError where only some of the columns are written of which it is made.
    """
    fields = [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, FoldedField) and not {*field.of}.isdisjoint(columns)
    ]
    if not fields:
        return columns, rows
    made_of = [(field, [columns.index(name) for name in field.of]) for field in fields]

    def texts_of(row: Sequence[Any]) -> Iterator[str]:
        for field, places in made_of:
            yield field.fold(row[place] for place in places)

    at = len(columns)
    # What follows the columns of an update is its primary key.
    with_folded = ((*row[:at], *texts_of(row), *row[at:]) for row in rows)
    return [*columns, *(field.name for field in fields)], with_folded


def _prepared(fields: Sequence[Any], rows: Iterable[Sequence[object]]) -> list[list[object]]:
    """The rows with dates, times and JSON as the database wants them."""
    special = [
        place
        for place, field in enumerate(fields)
        if isinstance(field, models.DateField | models.JSONField)
    ]
    prepared = []
    for row in rows:
        values = list(row)
        for place in special:
            value = values[place]
            if type(value) is date:
                values[place] = _day(value)
            elif value is not None:
                values[place] = fields[place].get_db_prep_save(value, connection)
        prepared.append(values)
    return prepared


@lru_cache(maxsize=20_000)
def _day(value: date) -> object:
    return connection.ops.adapt_datefield_value(value)


def _execute(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)
