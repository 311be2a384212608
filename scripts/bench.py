"""What storing costs, against a floor measured in the same run: `make bench`.

Stores made-up viewings into a library that holds some already, then inserts the very same
database rows with csv.reader and executemany, the least that any program could do. Prints the
seconds of both and their ratio. Works in a scratch SQLite file, or in the (empty, throw-away)
database that WATCHLOG_BENCH_DATABASE_URL names.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import User
    from imports.reading import Row

ROOT = Path(__file__).resolve().parent.parent
TABLES = (
    "media_media",
    "media_libraryentry",
    "media_entryname",
    "media_viewing",
    "imports_claim",
)
# Episodes of a made-up series: real histories have some 15 to 60 of each (measured exports).
EPISODES = 25


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=20_000)
    options.add_argument("--existing", type=int, default=100_000)
    options.add_argument("--times", type=int, default=3)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = os.environ.get("WATCHLOG_BENCH_DATABASE_URL", f"sqlite:///{folder}/bench.sqlite3")
        prepare(url)
        print(f"{chosen.rows} rows into tables that hold {chosen.existing}, {url.split(':')[0]}")
        bench_storing(chosen.rows, chosen.existing, chosen.times)
        bench_look_up()


def prepare(url: str) -> None:
    os.environ |= {
        "DATABASE_URL": url,
        "SECRET_KEY": "bench",
        "WATCHLOG_ENV_FILE": "",
        "PLAIN_HTTP": "true",
        "DJANGO_SETTINGS_MODULE": "watchlog.settings",
        "LOG_LEVEL": "WARNING",
    }
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable")


def bench_storing(rows: int, existing: int, times: int) -> None:
    from accounts.models import User

    user = User.objects.create_user(f"bench-{time.time_ns()}")
    store_rows(user, 0, existing)
    ratios, again = [], []
    for turn in range(times):
        before = {table: highest_id(table) for table in TABLES}
        first = existing + turn * rows
        seconds = store_rows(user, first, rows)
        repeated = store_rows(user, first, rows)
        floor = insert_again(before)
        ratios.append(seconds / floor)
        again.append(repeated / seconds)
        print(
            f"store {seconds:.2f} s, floor {floor:.2f} s, ratio {ratios[-1]:.1f}; "
            f"the same rows again {repeated:.2f} s ({again[-1]:.0%} of the first time)"
        )
    print(f"median ratio {statistics.median(ratios):.1f}, again {statistics.median(again):.0%}")


def bench_look_up(series: int = 200, limit: int = 40, period: float = 1.0) -> None:
    """How much of the rate limit one import's look-ups use, at 100 ms latency.

    n requests within t seconds use n * period / (limit * (t + period)) of it. Needs the shared
    folder: its stand-in for TMDB, and the names of real series.
    """
    from django.test import override_settings

    from accounts.models import User
    from media.library import NewName, find_or_create_names
    from media.lookup import look_up
    from media.models import LibraryEntry, MediaType
    from tmdb.tests.servers import tmdb_server

    shared = Path(os.environ.get("WATCHLOG_SHARED", ROOT.parent / "shared"))
    known = shared / "exports" / "series_ids.jsonl"
    if not known.is_file():
        print(f"Look-ups are not measured: there are no names of series in {shared}.")
        return
    lines = map(json.loads, known.read_text(encoding="utf-8").splitlines())
    names = [line["series"] for line in lines if line["language"] == "en"][:series]
    user = User.objects.create_user(f"look-up-{time.time_ns()}")
    find_or_create_names(
        user.pk, [NewName(MediaType.TV_SERIES, name, name.casefold(), "en") for name in names]
    )
    with tmdb_server() as tmdb:
        tmdb.faults(latency_ms=100)
        with override_settings(
            TMDB_API_KEY="standin",
            TMDB_API_URL=tmdb.api_url,
            TMDB_RATE_LIMIT=limit,
            TMDB_RATE_PERIOD=period,
        ):
            look_up(LibraryEntry.objects.of(user).waiting())
        asked = tmdb.stats()
    used = asked["requests"] * period / (limit * (asked["seconds"] + period))
    print(
        f"{len(names)} series looked up with {asked['requests']} requests in "
        f"{asked['seconds']:.1f} s: {used:.2f} of {limit} requests per {period:.0f} s"
    )


def store_rows(user: User, first: int, number: int) -> float:
    """Seconds that storing made-up rows takes, interpretation apart."""
    from imports import lease, running
    from imports.models import Import, State
    from imports.reading import DateOrder, Format, Message, Reading

    reading = Reading(
        format=Format.NETFLIX_HISTORY,
        rows=tuple(made_up_rows(first, number)),
        date_order=DateOrder.YMD,
        date_reason=Message("made up"),
        language="en",
    )
    of_import = Import.objects.create(user=user, filename="bench.csv", digest=str(time.time_ns()))
    held = lease.take(of_import.pk)
    if held is None:
        raise RuntimeError("nobody else should work on it")
    started = time.perf_counter()
    running.keep_reading(held, of_import, reading)
    while Import.objects.filter(pk=of_import.pk, state=State.STORING).exists():
        running.store_next_part(held, of_import)
    seconds = time.perf_counter() - started
    Import.objects.filter(pk=of_import.pk).update(state=State.DONE)
    return seconds


def made_up_rows(first: int, number: int) -> Iterator[Row]:
    from imports.reading import Kind, Message, Row, title_key

    reason = Message("made up")
    for n in range(first, first + number):
        series, episode = f"Series {n // EPISODES}", f"Episode title {n}"
        title = f"{series}: Season 1: {episode}"
        yield Row(
            line=n - first + 2,
            title=title,
            title_key=title_key(title),
            kind=Kind.EPISODE,
            reason=reason,
            series=series,
            language="en",
            season_number=1,
            season_name="Season 1",
            episode_title=episode,
            watched_on=date(2024, 1, 1) - timedelta(days=n % 3000),
        )


def highest_id(table: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COALESCE(MAX(id), 0) FROM {table}")  # noqa: S608
        return int(cursor.fetchone()[0])


def insert_again(before: dict[str, int]) -> float:
    """Delete the rows added since `before`, and insert them with csv.reader and executemany."""
    from django.db import connection, transaction

    written: dict[str, tuple[list[str], str]] = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(
                f"SELECT * FROM {table} WHERE id > %s ORDER BY id",  # noqa: S608
                [before[table]],
            )
            columns = [column[0] for column in cursor.description]
            text = io.StringIO(newline="")
            csv.writer(text).writerows(
                ["\0" if cell is None else cell for cell in row] for row in cursor.fetchall()
            )
            written[table] = columns, text.getvalue()
        with transaction.atomic():
            for table in reversed(TABLES):
                cursor.execute(
                    f"DELETE FROM {table} WHERE id > %s",  # noqa: S608
                    [before[table]],
                )
    started = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            columns, content = written[table]
            names = ", ".join(columns)
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({places})",  # noqa: S608
                [
                    [None if cell == "\0" else cell for cell in row]
                    for row in csv.reader(io.StringIO(content, newline=""))
                ],
            )
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
