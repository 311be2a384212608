"""Triggers by which the database notes of which months what was watched has changed.

Whatever changes a viewing, in whichever way, makes the figures of its month stale, in the same
transaction: no code has to think of it. They are the one thing about the tables that Django
does not know. On SQLite it makes a table anew to change it, which loses the triggers of that
table; so each `migrate` puts back those that are missing or older than this file, and takes all
months as stale then. A migration that changes `media_monthfigures` itself has to `drop` them
first. PostgreSQL runs them once a statement, SQLite knows only once a row.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import connections

# A time zone may move a viewing to the day before or after; those lie in at most two months.
MONTHS = {
    "sqlite": (
        "max(coalesce(date({0}.day, '-1 day', 'start of month'), '0001-01-01'), '0001-01-01')",
        "coalesce(date({0}.day, '+1 day', 'start of month'),"
        " date({0}.day, 'start of month'), '0001-01-01')",
    ),
    "postgresql": (
        "coalesce(date_trunc('month', CASE WHEN {0}.day > DATE '0001-01-01'"
        " THEN {0}.day - 1 END)::date, DATE '0001-01-01')",
        "coalesce(date_trunc('month', CASE WHEN {0}.day < DATE '9999-12-31'"
        " THEN {0}.day + 1 ELSE {0}.day END)::date, DATE '0001-01-01')",
    ),
}
# Of which the figures are made; doctor and history show what else there is.
COLUMNS = (
    "user_id",
    "entry_id",
    "kind",
    "day",
    "watched_at",
    "duration_seconds",
    "profile",
    "dismissed_at",
    "season_number",
    "tmdb_season",
    "seen_first",
    "seen_again",
)
EVENTS = ("INSERT", "UPDATE", "DELETE")
NAME = "media_viewing_noted_"


def install(connection: Any) -> None:
    """Make the triggers that are missing, and take everything as stale where one was."""
    wanted = {}
    for event in EVENTS:
        create = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
        statements = create(event, MONTHS[connection.vendor])
        made = hashlib.sha256("".join(statements).encode()).hexdigest()[:8]
        wanted[f"{NAME}{event.lower()}_{made}"] = statements
    if set(wanted) == _existing(connection):
        return
    drop(connection)
    with connection.cursor() as cursor:
        for name, statements in wanted.items():
            for statement in statements:
                cursor.execute(statement.replace("{name}", name))
        for statement in _all_stale(MONTHS[connection.vendor]):
            cursor.execute(statement)


def drop(connection: Any) -> None:
    """Take the triggers away, so that the table they write to can go or change."""
    with connection.cursor() as cursor:
        for name in _existing(connection):
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER {name} ON media_viewing")
                cursor.execute(f"DROP FUNCTION {name}()")
            else:
                cursor.execute(f"DROP TRIGGER {name}")


def _existing(connection: Any) -> set[str]:
    known = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'media_viewing'::regclass",
    }
    with connection.cursor() as cursor:
        cursor.execute(known[connection.vendor])
        return {name for (name,) in cursor.fetchall() if name.startswith(NAME)}


def _on_sqlite(event: str, months: tuple[str, str]) -> list[str]:
    """It knows triggers for each row only."""

    def stale(row: str) -> str:
        first, last = (month.format(row) for month in months)
        return (
            "UPDATE media_monthfigures SET is_stale = TRUE"  # noqa: S608
            f" WHERE user_id = {row}.user_id AND month IN ({first}, {last}) AND NOT is_stale;"
        )

    there = "".join(
        "INSERT INTO media_monthfigures"  # noqa: S608
        f" (user_id, month) SELECT NEW.user_id, {month.format('NEW')}"
        " WHERE NOT EXISTS (SELECT 1 FROM media_monthfigures"
        f" WHERE user_id = NEW.user_id AND month = {month.format('NEW')})"
        " ON CONFLICT DO NOTHING;"
        for month in months
    )
    # Not a new month of what goes: its user may be going, too.
    body = {
        "INSERT": there + stale("NEW"),
        "UPDATE": stale("OLD") + there + stale("NEW"),
        "DELETE": stale("OLD"),
    }[event]
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in COLUMNS)
    when = f" WHEN ({changed})" if event == "UPDATE" else ""
    return [
        f"CREATE TRIGGER {{name}} AFTER {event} ON media_viewing FOR EACH ROW{when}"
        f" BEGIN {body} END"
    ]


def _on_postgresql(event: str, months: tuple[str, str]) -> list[str]:
    """Once a statement: of thousands of rows, which a row at a time would take far longer."""

    def months_of(rows: str) -> str:
        return " UNION ".join(
            f"SELECT user_id, {month.format(rows)} AS month FROM {rows}"  # noqa: S608
            for month in months
        )

    def stale(rows: str) -> str:
        return (
            "UPDATE media_monthfigures AS known SET is_stale = TRUE"  # noqa: S608
            f" FROM ({months_of(rows)}) AS found WHERE known.user_id = found.user_id"
            " AND known.month = found.month AND NOT known.is_stale;"
        )

    there = (
        "INSERT INTO media_monthfigures (user_id, month)"  # noqa: S608
        f" SELECT user_id, month FROM ({months_of('new_rows')}) AS found WHERE NOT EXISTS"
        " (SELECT 1 FROM media_monthfigures AS known"
        " WHERE known.user_id = found.user_id AND known.month = found.month)"
        " ON CONFLICT DO NOTHING;"
    )
    ours = ", ".join(COLUMNS)
    # Most updates change nothing of this, and should cost next to nothing.
    unchanged = (
        f"IF NOT EXISTS (SELECT id, {ours} FROM new_rows"  # noqa: S608
        f" EXCEPT SELECT id, {ours} FROM old_rows) THEN RETURN NULL; END IF;"
    )
    body, tables = {
        "INSERT": (there + stale("new_rows"), "NEW TABLE AS new_rows"),
        "UPDATE": (
            unchanged + stale("old_rows") + there + stale("new_rows"),
            "OLD TABLE AS old_rows NEW TABLE AS new_rows",
        ),
        "DELETE": (stale("old_rows"), "OLD TABLE AS old_rows"),
    }[event]
    return [
        "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
        f" AS $$ BEGIN {body} RETURN NULL; END $$",
        f"CREATE TRIGGER {{name}} AFTER {event} ON media_viewing REFERENCING {tables}"
        " FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
    ]


def _all_stale(months: tuple[str, str]) -> list[str]:
    return [
        "UPDATE media_monthfigures SET is_stale = TRUE",
        *(
            "INSERT INTO media_monthfigures"  # noqa: S608
            f" (user_id, month) SELECT DISTINCT v.user_id, {month.format('v')}"
            " FROM media_viewing v WHERE TRUE ON CONFLICT DO NOTHING"
            for month in months
        ),
    ]


def put_back(using: str, **_rest: Any) -> None:
    """After each `migrate`."""
    connection = connections[using]
    if {"media_viewing", "media_monthfigures"} <= set(connection.introspection.table_names()):
        install(connection)
