"""Every migration can be rolled back, and applied again."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

OWN_APPS = ["accounts", "imports", "media", "tmdb"]


def tables():
    """Each table of our apps with its columns, constraints and indexes, as the database has them."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.split("_")[0] in OWN_APPS:
                columns = connection.introspection.get_table_description(cursor, table)
                constraints = connection.introspection.get_constraints(cursor, table)
                found[table] = (
                    {(column.name, column.type_code, column.null_ok) for column in columns},
                    {name: constraint["columns"] for name, constraint in constraints.items()},
                )
    return found


@pytest.mark.django_db(transaction=True)
def test_every_migration_rolls_back_and_forward_again():
    before = tables()
    assert {
        model._meta.db_table for app in OWN_APPS for model in apps.get_app_config(app).get_models()
    } <= set(before)
    try:
        for app in OWN_APPS:
            call_command("migrate", app, "zero", verbosity=0)
        assert tables() == {}
    finally:
        call_command("migrate", verbosity=0)
    assert tables() == before


def test_every_migration_says_how_to_undo_it():
    loader = MigrationLoader(connection=None)
    assert [
        f"{app}.{name}: {operation.describe()}"
        for (app, name), migration in loader.disk_migrations.items()
        if app in OWN_APPS
        for operation in migration.operations
        if not operation.reversible
    ] == []


@pytest.mark.django_db
def test_the_migrations_hold_all_changes_of_the_models(capsys):
    call_command("makemigrations", "--check", "--dry-run", verbosity=1)
    assert "No changes detected" in capsys.readouterr().out
