"""What a search compares, kept beside the texts themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from django.db import connection, models, transaction
from django.db.models.functions import Collate

from tmdb.names import search_key

# Nobody waits long for so many; SQLite takes at most 32,766 values in a statement.
AT_A_TIME = 2000


class FoldedField(models.TextField[str | None, str | None]):
    """The texts of a row's other fields, folded, one a line: databases cannot fold themselves.

    It is filled whenever its row is saved, also by `media/bulk.py`; a save of some fields alone has
    to name it as well. Where it may be null, an older version of watchlog has stored the row.
    """

    def __init__(self, *args: Any, of: Sequence[str] = (), **kwargs: Any) -> None:
        self.of = tuple(of)
        default = None if kwargs.get("null") else ""
        super().__init__(*args, **{"default": default, "editable": False, **kwargs})

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = self.text_of(model_instance)
        setattr(model_instance, self.attname, folded)
        return folded

    def text_of(self, row: models.Model) -> str:
        """What the field holds for a row."""
        return self.fold(getattr(row, name) for name in self.of)

    @staticmethod
    def fold(values: Iterable[str | Mapping[str, str]]) -> str:
        """What the field holds where the fields that it is made of hold these values."""
        texts: list[str] = []
        for value in values:
            texts += [value] if isinstance(value, str) else value.values()
        return "\n".join(dict.fromkeys(search_key(text) for text in texts if text))


def by_code_point(name: str) -> Collate:
    """A folded field to sort by: alike on both databases, the first of its texts before the others."""
    return Collate(name, "C" if connection.vendor == "postgresql" else "BINARY")


def fold_missing(model: type[models.Model]) -> int:
    """Fill `folded` of the rows that an older version stored; how many.

    Some at a time, each in a transaction of its own. Rows on which somebody else works are left
    for the next time instead of being waited for.
    """
    field = model._meta.get_field("folded")
    if not isinstance(field, FoldedField):
        raise TypeError(field)
    missing = model._default_manager.filter(folded__isnull=True).order_by("pk")
    free = missing.select_for_update(skip_locked=True, no_key=True)
    last, number = 0, 0
    # No transaction where there is nothing to do: on SQLite it would wait for those that write.
    while missing.filter(pk__gt=last).exists():
        with transaction.atomic():
            rows = list(free.filter(pk__gt=last).values_list("pk", *field.of)[:AT_A_TIME])
            if not rows:
                break
            _update(model, [(pk, field.fold(values)) for pk, *values in rows])
        last = rows[-1][0]
        number += len(rows)
    return number


def _update(model: type[models.Model], folded: Sequence[tuple[int, str]]) -> None:
    """One statement, because each costs a run of the triggers on PostgreSQL."""
    table = connection.ops.quote_name(model._meta.db_table)
    places = ", ".join(["(%s, %s)"] * len(folded))
    with connection.cursor() as cursor:
        # Both databases call the columns of a list of values so.
        cursor.execute(
            f"WITH new AS (VALUES {places}) UPDATE {table} SET folded = new.column2"  # noqa: S608
            f" FROM new WHERE {table}.id = new.column1",
            list(chain.from_iterable(folded)),
        )
