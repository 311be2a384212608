"""How long the statistics take as a history grows: part of `make bench`.

Makes up a history of one user, half of it with times. Prints how long the worker takes to sum it
up after an import, and how long the pages take then, and when a viewing has changed since.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from django.test import Client

    from accounts.models import User
    from media.models import EntryName

SIZES = (10_000, 100_000, 1_000_000)
PAGES = (
    "/statistics/",
    "/statistics/?year=2020",
    "/statistics/?profile=Profile+1",
    "/statistics/?series={series}",
    "/statistics/2020/",
)
EPISODES = 25
LAST = date(2023, 12, 31)
# Ten years and three leap days.
DAYS = 3653


def bench_statistics(times: int) -> None:
    from django.core.management import call_command
    from django.test import Client

    from accounts.models import User

    call_command("collectstatic", interactive=False, verbosity=0)
    user = User.objects.create_user(f"statistics-{time.time_ns()}", time_zone="Europe/Berlin")
    client = Client()
    client.force_login(user)
    print("seconds, in brackets those of own work")
    there = 0
    for size in SIZES:
        watch(user, there, size)
        there = size
        summed = taken(lambda: sum_up(user))
        print(f"{size:>9} viewings  {'summed up by the worker':<32}{summed}", flush=True)
        for page in PAGES:
            address = page.format(series=user.library.order_by("pk").values_list("pk")[100][0])
            then = min(taken(lambda at=address: get(client, at)) for _turn in range(times))  # type: ignore[misc]
            changed = min(change_and_look(client, user, address) for _turn in range(times))
            print(f"{size:>9} viewings  {page:<32}{then}   after a change{changed}", flush=True)


class Taken(NamedTuple):
    """What a page took: seconds of this process' own work, and with all that it waited for."""

    worked: float
    waited: float

    def __str__(self) -> str:
        return f"{self.waited:8.2f} s ({self.worked:5.2f})"


def sum_up(user: User) -> None:
    from django.utils import timezone

    from media.statistics import bring_up_to_date

    with timezone.override(user.time_zone):
        if not bring_up_to_date(user, float("inf")):
            raise RuntimeError


def change_and_look(client: Client, user: User, page: str) -> Taken:
    """What a page takes when a viewing of its year has changed."""
    viewing = user.viewings.filter(day=date(2020, 5, 4)).first()
    if viewing is None:
        raise RuntimeError
    viewing.duration_seconds = (viewing.duration_seconds or 0) + 1
    viewing.save(update_fields=["duration_seconds"])
    found = taken(lambda: get(client, page))
    sum_up(user)
    return found


def get(client: Client, page: str) -> None:
    if client.get(page).status_code != 200:
        raise RuntimeError(page)


def taken(do: Callable[[], object]) -> Taken:
    started = time.process_time(), time.perf_counter()
    do()
    return Taken(time.process_time() - started[0], time.perf_counter() - started[1])


def watch(user: User, first: int, last: int) -> None:
    """Viewings from number `first` up to `last`, of as many series as they need."""
    from django.db import connection

    from media import bulk
    from media.library import NewName, find_or_create_names, library_lock
    from media.models import MediaType, Viewing

    columns = [
        "user_id", "entry_id", "name_id", "kind", "raw_title", "title_hash", "fingerprint",
        "day", "watched_at", "duration_seconds", "profile", "source", "season_number",
        "season_inferred", "season_name", "episode_title", "reading_uncertain",
    ]  # fmt: skip
    for start in range(first, last, 50_000):
        numbers = range(start, min(start + 50_000, last))
        wanted = [
            NewName(MediaType.TV_SERIES, f"Series {n}", f"series {n}", "en")
            for n in range(numbers[0] // EPISODES, numbers[-1] // EPISODES + 1)
        ]
        with library_lock(user.pk):
            names: dict[tuple[str, str], EntryName] = {}
            for at in range(0, len(wanted), 500):
                names |= find_or_create_names(user.pk, wanted[at : at + 500])
            bulk.insert(Viewing, columns, rows(user.pk, names, numbers))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def rows(
    user_id: int, names: dict[tuple[str, str], EntryName], numbers: range
) -> Iterator[list[object]]:
    from media.keys import digest

    for n in numbers:
        name = names["tv_series", f"series {n // EPISODES}"]
        day = LAST - timedelta(days=n % DAYS)
        at = datetime(day.year, day.month, day.day, n % 24, tzinfo=UTC) if n % 2 else None
        title = f"Series {n // EPISODES}: Season 1: Episode title {n}"
        yield [
            user_id, name.entry_id, name.pk, "episode", title, digest(title), digest(f"{n}"),
            day, at, 1500 if at else None, f"Profile {n % 3}" if at else "", "file", 1,
            False, "Season 1", f"Episode title {n}", False,
        ]  # fmt: skip
