"""What watchlog costs, as ratios to what is measured in the same run: `make bench`.

Everything is measured on SQLite, and on PostgreSQL where DATABASE_URL names a server: in a
database of its own there, which goes afterwards. `--only PART` measures some parts alone:

storing   rows into a library that holds some already, beside csv.reader and executemany of the
          very same database rows, the least that any program could do; and the same rows again
growth    whole imports of 1,000 to 200,000 rows: what a row costs, in which step, the first time
          and again
memory    the most that a worker takes while it imports 200,000 rows (Linux)
lookups   how much of TMDB's rate limit an import's look-ups use
pages     every page of a big library, beside a small one
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from scripts.bench_pages import bench_pages
from scripts.bench_statistics import bench_statistics

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
PARTS = ("reading", "storing", "growth", "memory", "lookups", "pages", "statistics")
SIZES = (1_000, 10_000, 50_000, 200_000)
MAX_MEGABYTES = 300


def main() -> int:
    options = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    options.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    options.add_argument("--rows", type=int, default=20_000)
    options.add_argument("--existing", type=int, default=100_000)
    options.add_argument("--times", type=int, default=3, help="how often each is measured")
    options.add_argument("--on", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.on:
        measure(chosen)
        return 0
    with tempfile.TemporaryDirectory() as folder, ExitStack() as databases:
        urls = [f"sqlite:///{folder}/bench.sqlite3"]
        server = os.environ.get("DATABASE_URL", "")
        if server.startswith("postgres"):
            urls.append(databases.enter_context(scratch_database(server)))
        else:
            print("PostgreSQL is not measured: DATABASE_URL names no server.")
        # In processes of their own: settings name one database.
        again = [sys.executable, "-m", "scripts.bench", *sys.argv[1:]]
        return max(subprocess.run([*again, "--on", url], cwd=ROOT).returncode for url in urls)


def measure(chosen: argparse.Namespace) -> None:
    prepare(chosen.on)
    print(f"\n{chosen.on.partition(':')[0]}", flush=True)
    if "reading" in chosen.only:
        bench_reading(chosen.times)
    if "storing" in chosen.only:
        print(f"{chosen.rows} rows into tables that hold {chosen.existing}", flush=True)
        bench_storing(chosen.rows, chosen.existing, chosen.times)
    if "growth" in chosen.only:
        bench_growth(chosen.times)
    if "memory" in chosen.only:
        bench_memory(SIZES[-1])
    if "lookups" in chosen.only:
        bench_look_up()
    if "pages" in chosen.only:
        bench_pages(turns=3 * chosen.times)
    if "statistics" in chosen.only:
        bench_statistics(chosen.times)


@contextmanager
def scratch_database(server_url: str) -> Iterator[str]:
    """The address of a new database on the PostgreSQL server of `server_url`; it goes at the end."""
    parts = urlsplit(server_url)
    name = f"watchlog_scratch_{os.getpid()}"
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            server.execute(drop.format(sql.Identifier(name)))


def prepare(url: str) -> None:
    os.environ |= {
        "DATABASE_URL": url,
        "SECRET_KEY": "bench",
        "WATCHLOG_ENV_FILE": "",
        "PLAIN_HTTP": "true",
        "DJANGO_SETTINGS_MODULE": "watchlog.settings",
        # No lines about slow queries between the figures.
        "LOG_LEVEL": "ERROR",
        # What is cached shall not come from, nor go to, a Redis in use.
        "REDIS_URL": "",
        "ALLOWED_HOSTS": "testserver",
    }
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable")


def bench_reading(times: int) -> None:
    """What reading a file costs, beside csv.reader and one re.match for each row."""
    from imports.reading import Options, read
    from imports.tests.making import history

    pattern = r"^(.+?): (?:Season|Part|Volume) (\d+): (.+)$"

    def floor(data: bytes) -> None:
        for cells in csv.reader(io.StringIO(data.decode())):
            re.match(pattern, cells[0])

    for size in (1_000, 10_000, 100_000, 200_000):
        plain = history(
            *(
                (f"The Show of {n // EPISODES}: Season 1: How it went {n}", f"1/{n % 28 + 1}/24")
                for n in range(size)
            )
        )
        # Each title of the second file begins with a word that may count it ("Episode title 7").
        files = {"plain": plain, "counting": made_up_file(size), "real": real_titles(size)}
        for name, data in files.items():
            if not data:
                continue
            turns = times * max(1, 20_000 // size)
            took = [
                (seconds(floor, data), seconds(lambda d: read(d, Options()), data))
                for _ in range(turns)
            ]
            least, ours = (min(column) for column in zip(*took, strict=True))
            each = ours / size * 1e6
            print(
                f"read {size} {name} titles: {each:.1f} µs a row, ratio {ours / least:.1f}",
                flush=True,
            )


def real_titles(size: int) -> bytes:
    """A history of the titles of the shared exports, numbered from the second round on.

    Empty where there are none.
    """
    from imports.reading import Options, read
    from imports.tests.making import history

    shared = Path(os.environ.get("WATCHLOG_SHARED", ROOT.parent / "shared"))
    read_files = (read(file.read_bytes(), Options()) for file in shared.glob("exports/*_history_*"))
    titles = list(dict.fromkeys(row.title for reading in read_files for row in reading.rows))
    rounds = (divmod(n, len(titles)) for n in range(size if titles else 0))
    rows = (f"{titles[at]} {turn}" if turn else titles[at] for turn, at in rounds)
    return history(*((row, f"1/{n % 28 + 1}/24") for n, row in enumerate(rows)))


def seconds(work: Callable[[bytes], object], data: bytes) -> float:
    """The seconds of this process that a piece of work takes."""
    started = time.process_time()
    work(data)
    return time.process_time() - started


def bench_storing(rows: int, existing: int, times: int) -> None:
    from accounts.models import User

    user = User.objects.create_user(f"bench-{time.time_ns()}")
    store_rows(user, 0, existing)
    stored, floors, repeats = [], [], []
    for turn in range(times):
        before = {table: highest_id(table) for table in TABLES}
        first = existing + turn * rows
        seconds = store_rows(user, first, rows)
        repeated = store_rows(user, first, rows)
        floor = insert_again(before)
        stored.append(seconds)
        floors.append(floor)
        repeats.append(repeated)
        print(
            f"store {seconds:.2f} s, floor {floor:.2f} s, the same rows again {repeated:.2f} s",
            flush=True,
        )
    print(
        f"of the least of each: {min(stored) / min(floors):.1f} times the floor, "
        f"again {min(repeats) / min(stored):.0%}"
    )


def bench_growth(times: int) -> None:
    """What a row costs in whole imports without look-ups, into libraries that are empty before.

    Of several imports the least counts. CPU is this process's own, which the rest of the machine
    disturbs less; what a PostgreSQL server does is in the seconds alone.
    """
    whole_import(SIZES[0])  # Whatever is done once.
    print(f"{'rows':>9}{'read':>9}{'store':>9}{'whole':>9}  µs a row{'CPU':>9}{'again':>9}")
    costs = []
    for size in SIZES:
        turns = [whole_import(size) for _ in range(times if size < SIZES[-1] else 1)]
        first, again = (min(turn[at] for turn in turns) for at in (0, 1))
        per_row = [1e6 * one / size for one in (first.read, first.store, first.whole, first.cpu)]
        costs.append(per_row)
        read, store, whole, cpu = per_row
        print(
            f"{size:9}{read:9.0f}{store:9.0f}{whole:9.0f}{cpu:19.0f}{again.whole / first.whole:9.0%}"
            f" of the seconds, {again.cpu / first.cpu:.0%} of the CPU",
            flush=True,
        )
    for at, name in enumerate(("read", "store", "whole", "CPU")):
        most = max(cost[at] for cost in costs) / costs[0][at]
        print(f"{name}: a row costs at most {most:.2f} times what it does among {SIZES[0]}")


class Took(NamedTuple):
    """Seconds that an import took."""

    whole: float
    read: float
    store: float
    cpu: float


def whole_import(size: int) -> tuple[Took, Took]:
    """Import a made-up file twice as a new user."""
    from accounts.models import User

    user = User.objects.create_user(f"growth-{time.time_ns()}")
    data = made_up_file(size)
    return run_import(user, data), run_import(user, data)


def run_import(user: User, data: bytes) -> Took:
    from imports import importing
    from imports.models import Import, State

    began: dict[str, float] = {}

    def on_progress(of_import: Import) -> None:
        began.setdefault(of_import.state, time.perf_counter())

    of_import = importing.submit(user, "bench.csv", data, look_up=False)
    started, cpu = time.perf_counter(), time.process_time()
    importing.run(of_import.pk, on_progress=on_progress)
    ended = time.perf_counter()
    return Took(
        whole=ended - started,
        read=began[State.STORING] - began[State.READING],
        store=began[State.LOOKING_UP] - began[State.STORING],
        cpu=time.process_time() - cpu,
    )


def made_up_file(size: int) -> bytes:
    from imports.tests.making import history

    rows = ((row.title, row.watched_on) for row in made_up_rows(0, size))
    return history(*((title, f"{day:%m/%d/%y}") for title, day in rows if day))


def bench_memory(size: int) -> None:
    """The peak of a real worker's memory, from starting to the end of one import."""
    from accounts.models import User
    from imports import importing
    from imports.models import ENDED, Import

    user = User.objects.create_user(f"memory-{time.time_ns()}")
    of_import = importing.submit(user, "bench.csv", made_up_file(size), look_up=False)
    importing.start(of_import)
    with subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT) as worker:
        started = time.perf_counter()
        try:
            while not Import.objects.filter(pk=of_import.pk, state__in=ENDED).exists():
                time.sleep(0.5)
            status = Path(f"/proc/{worker.pid}/status").read_text()
        finally:
            worker.terminate()
    seconds = time.perf_counter() - started
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    of_import.refresh_from_db()
    print(
        f"{size} rows ({of_import.rows_new} new, {of_import.state}) in {seconds:.0f} s by a worker "
        f"that took {peak:.0f} MB at most (limit {MAX_MEGABYTES})"
    )


def bench_look_up(series: int = 200, limit: int = 40, period: float = 1.0) -> None:
    """How much of the rate limit one import's look-ups use, at 100 ms latency.

    n requests within t seconds use n * period / (limit * (t + period)) of it. As many requests
    that nothing is done with tell how much of that is lost to the throttle and the machine alone.
    Needs the shared folder: its stand-in for TMDB, and the names of real series.
    """
    from django.conf import settings
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
            # Then all of the limit may be used again.
            time.sleep(2 * period)
            tmdb.reset()
            only_ask(asked["requests"], settings.TMDB_PARALLEL)
            alone = tmdb.stats()
    used, floor = (
        of["requests"] * period / (limit * (of["seconds"] + period)) for of in (asked, alone)
    )
    print(
        f"{len(names)} series looked up with {asked['requests']} requests in "
        f"{asked['seconds']:.1f} s: {used:.3f} of {limit} requests per {period:.0f} s, "
        f"as many requests alone {floor:.3f}"
    )


def only_ask(requests: int, threads: int) -> None:
    """Send requests to TMDB as fast as the throttle lets them, and forget the answers."""
    from django.db import connection

    from tmdb import client

    waiting = iter(range(requests))

    def ask() -> None:
        while next(waiting, None) is not None:
            client.fetch("/configuration", {}, lambda body: body, subject="bench")
        connection.close()

    with ThreadPoolExecutor(threads) as pool:
        for asking in [pool.submit(ask) for _ in range(threads)]:
            asking.result()


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
    sys.exit(main())
